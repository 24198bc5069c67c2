"""The helper that a notebook works with: one lab on a running world."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baink_lab.bank.client import BankClient
from baink_lab.errors import BainkError, InOneSentence
from baink_lab.lab import checks
from baink_lab.lab.chat.without_aiya import wait_for_phone
from baink_lab.lab.checks.exercises import Exercise
from baink_lab.lab.control import ControlError
from baink_lab.lab.doctor.report import as_html, as_text, examine
from baink_lab.lab.durations import in_words
from baink_lab.lab.experiments.two_resumers import measured
from baink_lab.lab.labs import LABS
from baink_lab.lab.launch_pad import launch_pad
from baink_lab.lab.learner.texts import text_of
from baink_lab.lab.on_the_wire import OnTheWire
from baink_lab.lab.progress import Progress
from baink_lab.lab.settling import Decision
from baink_lab.lab.surviving import Surviving
from baink_lab.lab.teaching import Teacher
from baink_lab.lab.tenant import log_codes
from baink_lab.lab.tenant.catch_up import catch_up
from baink_lab.lab.tenant.live_steps import missing
from baink_lab.lab.tenant.start_over import start_over
from baink_lab.lab.widgets.show import Shown, paragraph, source, time_of_day
from baink_lab.sandbox import launch
from baink_lab.settings import Settings

_ADDRESSES = ("tenant", "bank", "model", "control")


class NoSuchName(InOneSentence, BainkError, AttributeError):
    """The helper has nothing of that name; the sentence names what was meant, perhaps."""

    code = "no_such_name"


class Lab(Surviving, OnTheWire):
    """One lab's helper. Everything that it shows has words beside the picture.

    Attributes:
        progress: what was done so far, over all labs.
    """

    def __init__(self, number: int, settings: Settings, ready: dict[str, Any]) -> None:
        super().__init__(number, settings, ready)
        self.progress = Progress(self._folder)
        self._teacher = Teacher(self, self.progress)
        self._keeper: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<lab {self.number:02d} {LABS[self.number]}, {self.settings.mode} mode>"

    if not TYPE_CHECKING:  # for people only: a type checker knows the names

        def __getattr__(self, name: str) -> Any:
            if hasattr(type(self), name):  # a property that raised
                return object.__getattribute__(self, name)
            if name.startswith("_"):  # asked for by IPython and copy
                raise AttributeError(name)
            names = [one for one in dir(self) if not one.startswith("_")]
            alike = difflib.get_close_matches(name, names, n=1, cutoff=0.7)
            meant = f"did you mean lab.{alike[0]}?" if alike else "lab. and the Tab key list all."
            raise NoSuchName(f"The lab's helper has no {name}: {meant}")

    def watch(self) -> None:
        """From now on, a sandbox that stops is started anew, and that is told."""

        async def start() -> dict[str, Any]:
            return await launch.ensure(self.settings.baink_home, settings=self.settings)

        def told(text: str, ready: dict[str, Any] | None) -> None:
            self._tell(text)
            if ready is not None and self._moved(ready):
                self._tell("Its addresses have changed: run the first cell again.")

        self._keeper = asyncio.create_task(launch.keep(start, told, folder=self._folder))

    async def close(self) -> None:
        """Put Aiya to sleep and stop watching; what waits is taken up at the next start."""
        if self._keeper is not None:
            self._keeper.cancel()
        self.phone.close()
        await super().close()
        await self.sleep()
        await self.hang_up()

    async def balances(self) -> Shown:
        """The customer's accounts, as the bank's ledger has them."""
        return await self.accounts.shown()

    async def history(self, account_id: str) -> list[dict[str, Any]]:
        """The latest entries of an account, newest first.

        Raises:
            NoText: the id is no text.
            BankError: there is no such account, or the bank does not answer.
        """
        account_id = text_of(account_id, "an account's id", "id")
        token = await self.session_token()
        async with BankClient(self.world.bank) as bank:
            return list((await bank.history(token, account_id, limit=100))["entries"])

    async def doctor(self) -> Shown:
        """What is installed, what answers, and what to do about each ❌."""
        findings = await examine(self.settings, self.ready, user_id=self.world.user_id)
        return Shown(as_html(findings), as_text(findings))

    def launch_pad(self) -> Shown:
        """Links to everything of this lab."""
        return launch_pad(self.world, self.settings)

    def exercise(self, written: Callable[..., Any]) -> Exercise:
        """A decorator: takes a function that the learner fills in.

        Raises:
            NoSuchCheck: this lab has no exercise of that name.
        """
        return self._teacher.exercise(written)

    def found(self, name: str) -> Exercise | None:
        """A learner's function; None while its cell was not run."""
        return self._teacher.found(name)

    async def check(self, name: str | Exercise = "") -> checks.Result:
        """Look whether a step is done.

        Args:
            name: of the check; the exercise itself will do.

        Raises:
            NoSuchCheck: this lab has no check of that name; the sentence lists those that it has.
        """
        return await self._teacher.check(_name_of(name))

    def hint(self, name: str | Exercise = "") -> Shown:
        """One step more towards a solution, as the last check went; none after a pass.

        Raises:
            NoSuchCheck: this lab has no check of that name; the sentence lists those that it has.
        """
        return paragraph(self._teacher.hint(_name_of(name)))

    def solution(self, name: str | Exercise = "") -> Shown:
        """A solution, after a try; it stands in for yours unless yours has passed.

        Raises:
            NoSuchCheck: this lab has no exercise of that name; the sentence lists those.
        """
        return source(self._teacher.solution(_name_of(name)))

    def measured(self) -> Shown:
        """Two resumers side by side, as they were measured once; see `python -m bench.resuming`."""
        return measured()

    def done(self) -> Shown:
        """What is passed and what is left, in every lab; kept in `progress.path`."""
        labs = {number: (name, checks.names_of(number)) for number, name in LABS.items()}
        return self.progress.shown(labs)

    def export_progress(self, path: str | Path = "baink-lab-progress.json") -> Path:
        """Copy the progress file to hand it in."""
        return self.progress.export(Path(path))

    async def reset(self, *, sure: bool = False) -> Shown:
        """Begin this lab anew: forget its progress and its chat, and configure the start anew.

        Args:
            sure: without it, only what would be lost is told.
        """
        if not sure:
            return paragraph(
                f"This forgets what you passed in lab {self.number:02d} and its chat with Aiya, "
                f"and {self._what_becomes_of_the_tenant}. Money that was moved stays moved. "
                "Run await lab.reset(sure=True) if you want that."
            )
        await self.withdraw()
        await self.sleep()
        shutil.rmtree(self._memory, ignore_errors=True)
        self.progress.forget(self.number)
        self._teacher = Teacher(self, self.progress)
        self.exchanges.clear()
        self.traffic.clear()
        self.accounts.refusals.clear()
        told = await self.catch_up(over=True)
        if self.clock.ahead:
            told.append(await self._real_time())
        await self._begun()
        return paragraph(" ".join([f"Lab {self.number:02d} begins anew.", *told]))

    async def catch_up(self, *, over: bool = False) -> list[str]:
        """Bring the sandbox's tenant to where this lab starts; what was done, in sentences.

        In live mode nothing is done: the sentences say what the tenant lacks.

        Args:
            over: the learner's own objects included.
        """
        if self._live:
            return await missing(self.manager(), self.world, self.number)
        told = await self._tenant_up()
        bring = start_over if over else catch_up
        done = await bring(self.manager(), self.world, self.number, self.progress)
        if done or self.progress.begun_after(self.number) is None:
            await self._begun()
        return told + done

    async def answered(self, *, autopilot: Decision = "approve") -> None:
        """Wait for the phone, telling the time left, whoever asked; says how it was answered.

        Args:
            autopilot: what is to be pressed here. The phone does it by itself when
                BAINK_AUTOPILOT is set; else another end is told with what to do.

        Raises:
            StoppedWaiting: the cell was interrupted; what waits on the phone waits on.
            PhoneError: the phone does not answer.
        """
        await wait_for_phone(self, autopilot)

    async def log_of_lab(self, *kinds: str) -> list[dict[str, Any]]:
        """Like `log`, without what is older than this lab's beginning: its first cell, a reset."""
        entries, mark = await self.log(), self.progress.begun_after(self.number)
        at = next((at for at, one in enumerate(entries) if one["log_id"] == mark), -1)
        return [one for one in entries[at + 1 :] if not kinds or one["type"] in kinds]

    async def log_in_words(self, *kinds: str) -> Shown:
        """The same as a table, with what each code means."""
        return log_codes.in_words(await self.log_of_lab(*kinds))

    async def _begun(self) -> None:
        """Other labs' refusals and invitations say nothing about what was tried in this one."""
        with contextlib.suppress(BainkError):  # live mode may not read the log, nor need it
            newest = (await self.log())[-1:]
            self.progress.begin(self.number, newest[0]["log_id"] if newest else "")

    async def _tenant_up(self) -> list[str]:
        """A lab opens on a whole world: an outage that somebody ordered is over, and that is told.

        Without it, the learner who ran the first cell again would have to wait for up to an hour.
        """
        with contextlib.suppress(ControlError):  # what is wrong then is told by what comes next
            if left := await self._control.end_outage():
                until = time_of_day(self.clock.now() + left)
                told = f"The tenant was down (lab.tenant_down) and would have been until {until}"
                return [f"{told}: I brought it up again."]
        return []

    @property
    def _what_becomes_of_the_tenant(self) -> str:
        if self._live:
            return "changes nothing at your tenant (`baink-lab doctor --undo` lists what was)"
        return (
            "brings the sandbox's tenant back to where the lab starts: what was configured in it "
            "or for a later lab goes, yours too. What waits on the phone for this lab is denied, "
            "and the clock shows real time again"
        )

    async def _real_time(self) -> str:
        try:
            return (await self.clock.reset()).text
        except ControlError as refused:
            return f"The clock stays {in_words(self.clock.ahead)} ahead. {refused.sentence}"

    def _moved(self, ready: dict[str, Any]) -> bool:
        return any(ready.get(name) != self.ready.get(name) for name in _ADDRESSES)


def _name_of(check: object) -> str:
    """The name that a learner means, who may give the exercise itself, or anything."""
    return check.name if isinstance(check, Exercise) else str(check or "")
