"""The helper that a notebook works with: one lab, opened on a running world."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import httpx

from baink_lab.aiya import Aiya, open_aiya
from baink_lab.approvals import Approval
from baink_lab.approvals.desk import NAMESPACE
from baink_lab.auth0.login import SessionTokens, log_in_with_form
from baink_lab.auth0.management import ManagementClient
from baink_lab.auth0.wire import new_http
from baink_lab.bank.client import BankClient
from baink_lab.errors import BainkError
from baink_lab.lab import checks
from baink_lab.lab.accounts import Accounts
from baink_lab.lab.bare_tools import ungated
from baink_lab.lab.catch_up import catch_up, start_over
from baink_lab.lab.chat import Chat
from baink_lab.lab.checks.exercises import Exercise
from baink_lab.lab.diagram import Diagram
from baink_lab.lab.doctor import as_html, as_text, examine
from baink_lab.lab.enrolment import enroll_stand_in
from baink_lab.lab.launch_pad import launch_pad
from baink_lab.lab.phone import Phone
from baink_lab.lab.progress import Progress
from baink_lab.lab.show import Shown, WidgetShown, link, paragraph, source
from baink_lab.lab.teaching import Teacher
from baink_lab.lab.tenant_view import TenantView, look, management_client
from baink_lab.lab.tokens import side_by_side, wanted_by_bank
from baink_lab.lab.waiting import count_down, line_of
from baink_lab.lab.wire import Exchange, management_http, watched_http
from baink_lab.sandbox import home, launch
from baink_lab.settings import Settings, load

LABS = {
    0: "start_here",
    1: "the_failing_transfer",
    2: "configure_the_tenant",
    3: "enroll_guardian",
    4: "ciba_on_the_wire",
}
KEEP_APPROVALS = 1000

Decision = Literal["approve", "deny", "ignore"]


class LabError(BainkError):
    """The lab was asked for something that it does not have."""

    code = "lab"


_opened: dict[int, Lab] = {}


async def open_lab(number: int) -> Lab:
    """Start or find the world that lab `number` needs, and return the helper.

    The sandbox's tenant is brought to where the lab starts, and what was done for that is told;
    what a learner made stays. Runs again without harm: the same kernel gets the same helper, the
    same folder the same state.

    Args:
        number: of the lab, as in the notebook's name.

    Raises:
        LabError: there is no such lab.
        BainkError: the world does not start; the sentence says what to do.
    """
    if number not in LABS:
        known = ", ".join(f"{one:02d} {name}" for one, name in LABS.items())
        raise LabError(f"There is no lab {number}. There are: {known}.")
    settings = load()
    begun = time.monotonic()
    ready = await launch.ensure(settings.baink_home, settings=settings)
    lab = _opened.get(number)
    if lab is None or lab.ready != ready:
        if lab is not None:
            await lab.close()
        lab = _opened[number] = Lab(number, settings, ready)
        lab.watch()
    for note in [*settings.notes, *await lab.catch_up()]:
        print(note)  # noqa: T201 - a notebook's output
    seconds = time.monotonic() - begun
    print(f"Lab {number:02d} is open, in {settings.mode} mode ({seconds:.1f} s).")  # noqa: T201
    return lab


class Lab:
    """One lab's helper. Everything that it shows has words beside the picture.

    Attributes:
        number: of the lab.
        settings: what is set.
        ready: the sandbox's ready line.
        world: where every service is.
        phone: the customer's phone.
        progress: what was done so far, over all labs.
        exchanges: what was sent and answered on the wire, oldest first, secrets masked.
        accounts: the customer's accounts, as the bank's web portal shows them.
    """

    def __init__(self, number: int, settings: Settings, ready: dict[str, Any]) -> None:
        self.number = number
        self.settings = settings
        self.ready = ready
        self.world = settings.world(ready)
        self.phone = Phone(self.world.phone)
        self.thread = "main"
        folder = home.folder(settings.baink_home, live=settings.mode == "live")
        self.progress = Progress(folder)
        self.exchanges: list[Exchange] = []
        self.accounts = Accounts(self.world, self.session_token)
        self._teacher = Teacher(self, self.progress)
        self._session = SessionTokens(lambda: log_in_with_form(self.world))
        self._stack = contextlib.AsyncExitStack()
        self._aiya: Aiya | None = None
        self._opening = asyncio.Lock()
        self._chat: Chat | None = None
        self._management: httpx.AsyncClient | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._notices: list[Callable[[str], object]] = []

    def __repr__(self) -> str:
        return f"<lab {self.number:02d} {LABS[self.number]}, {self.settings.mode} mode>"

    def watch(self) -> None:
        """From now on, a sandbox that stops is started anew, and that is told."""
        folder = home.folder(self.settings.baink_home, live=self.settings.mode == "live")

        async def start() -> dict[str, Any]:
            return await launch.ensure(self.settings.baink_home, settings=self.settings)

        def told(text: str, ready: dict[str, Any] | None) -> None:
            self._tell(text)
            if ready is not None and self._moved(ready):
                self._tell("Its addresses have changed: run the first cell again.")

        self._keeper = asyncio.create_task(launch.keep(start, told, folder=folder))

    async def close(self) -> None:
        """Put Aiya to sleep and stop watching; what waits is taken up at the next start."""
        if self._keeper is not None:
            self._keeper.cancel()
        if self._chat is not None:
            self._chat.close()
        await self._stack.aclose()
        if self._management is not None:
            await self._management.aclose()

    async def aiya(self) -> Aiya:
        """Aiya, woken at the first use."""
        async with self._opening:
            if self._aiya is None:
                self._aiya = await self._stack.enter_async_context(
                    open_aiya(
                        self.world,
                        self._memory,
                        model=self.settings.openai_model,
                        api_key=self.settings.openai_api_key.get_secret_value(),
                        vault_keys=self.settings.vault_keys,
                        session=self._session,
                        tools=ungated(self) if self.number == 1 else None,
                    )
                )
        return self._aiya

    async def say(self, text: str) -> None:
        """Say something to Aiya in words; prints what she answers and what she does."""
        aiya = await self.aiya()
        print(f"You: {text}")  # noqa: T201 - a notebook's output
        with aiya.listen(self._print):
            await aiya.say(text, thread=self.thread)

    async def chat(self) -> WidgetShown:
        """The chat with Aiya as a widget."""
        if self._chat is not None:
            self._chat.close()
        self._chat = Chat(await self.aiya(), self.thread)
        return await self._chat.open()

    async def settled(self, *, autopilot: Decision = "approve") -> None:
        """Wait for the phone, telling the time left; returns once Aiya has told the outcome.

        Args:
            autopilot: what the phone does by itself when BAINK_AUTOPILOT is set.
        """
        aiya = await self.aiya()
        waiting = await aiya.waiting(self.thread)
        if not waiting:
            print("Nothing waits for the phone.")  # noqa: T201 - a notebook's output
            return
        if self.settings.baink_autopilot and autopilot != "ignore" and self.world.phone:
            for approval in waiting:
                await self._press(autopilot, approval)
        # Events come from the resumer's task, whose prints would land under the cell that started
        # it. So they come here through a queue, and this cell prints them.
        lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._notices.append(lines.put_nowait)
        counter = asyncio.create_task(count_down(waiting))
        ending = asyncio.create_task(aiya.settled(self.thread))
        ending.add_done_callback(lambda _: lines.put_nowait(None))
        try:
            with aiya.listen(lambda *event: lines.put_nowait(self._line(*event))):
                while (line := await lines.get()) is not None:
                    if line:
                        print(line)  # noqa: T201 - a notebook's output
            await ending
        finally:
            self._notices.remove(lines.put_nowait)
            for task in (counter, ending):
                task.cancel()
            await asyncio.gather(counter, ending, return_exceptions=True)

    async def approvals(self) -> list[Approval]:
        """Every approval of this lab so far, oldest first."""
        store = (await self.aiya()).resumer.desk.store
        items = await store.asearch(NAMESPACE, limit=KEEP_APPROVALS)
        found = [Approval.from_json(item.value) for item in items]
        return sorted(found, key=lambda one: one.created_at)

    async def balances(self) -> Shown:
        """The customer's accounts, as the bank's ledger has them."""
        return await self.accounts.shown()

    async def history(self, account_id: str) -> list[dict[str, Any]]:
        """The latest entries of an account, newest first."""
        token = (await self._session.current()).access_token
        async with BankClient(self.world.bank) as bank:
            return list((await bank.history(token, account_id, limit=100))["entries"])

    async def doctor(self) -> Shown:
        """What is installed, what answers, and what to do about each ❌."""
        findings = await examine(self.settings, self.ready)
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

    async def check(self, name: str) -> checks.Result:
        """Look whether a step is done.

        Raises:
            NoSuchCheck: this lab has no check of that name.
        """
        return await self._teacher.check(name)

    def hint(self, name: str) -> Shown:
        """One step more towards a solution; what went wrong last decides which."""
        return paragraph(self._teacher.hint(name))

    def solution(self, name: str) -> Shown:
        """The package's own function, after a try; from then on it stands in for yours."""
        return source(self._teacher.solution(name))

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
                "and brings the sandbox's tenant back to where the lab starts. Money that was "
                "moved stays moved. Run await lab.reset(sure=True) if you want that."
            )
        if self._chat is not None:
            self._chat.close()
            self._chat = None
        await self._stack.aclose()
        self._aiya = None
        shutil.rmtree(self._memory, ignore_errors=True)
        self.progress.forget(self.number)
        self._teacher = Teacher(self, self.progress)
        self.exchanges.clear()
        self.accounts.refusals.clear()
        told = await self.catch_up(over=True)
        return paragraph(" ".join([f"Lab {self.number:02d} begins anew.", *told]))

    async def catch_up(self, *, over: bool = False) -> list[str]:
        """Bring the sandbox's tenant to where this lab starts; what was done, in sentences.

        Args:
            over: the learner's own objects included.
        """
        if self.settings.mode == "live":
            return []
        bring = start_over if over else catch_up
        return await bring(self.manager(), self.world, self.number, self.progress)

    async def tenant(self) -> TenantView:
        """What is configured at the tenant now."""
        return await look(self.manager(), self.world)

    async def log(self, *kinds: str) -> list[dict[str, Any]]:
        """The newest entries of the tenant's log, oldest first; of some kinds, or of all."""
        entries = await self.manager().get("logs", per_page=100, sort="date:-1")
        return [one for one in reversed(entries) if not kinds or one["type"] in kinds]

    async def enroll(self, ticket_url: str) -> Shown:
        """A link to the enrolment page behind a ticket; the autopilot presses its button too."""
        if self.settings.baink_autopilot and not (await self.tenant()).devices:
            await enroll_stand_in(ticket_url)
        return link("Open the enrolment page", ticket_url)

    async def session_token(self) -> str:
        """The access token of the customer's login: a secret, so never print it."""
        return (await self._session.current()).access_token

    def decode(self, token: str | None = None, **tokens: str) -> Shown:
        """Tokens side by side with what the bank wants; their signatures are not shown.

        Args:
            token: one token; or several, by whose they are: ``decode(portal=…, aiya=…)``.
            tokens: the same, by name.
        """
        given = ({"your token": token} if token else {}) | tokens
        return side_by_side(given, wanted_by_bank(self.world))

    def http(self) -> httpx.AsyncClient:
        """A plain httpx client for the tenant; prints what it sends and gets, secrets masked."""
        return watched_http(f"{self.world.tenant}/", self._told)

    def bank_http(self) -> httpx.AsyncClient:
        """The same for the bank's API."""
        return watched_http(f"{self.world.bank}/", self._told, to="Bank")

    async def management(self) -> httpx.AsyncClient:
        """The same for the tenant's Management API, with a token of the lab's own."""
        return await management_http(self.world, self._told)

    def diagram(self, latest: int = 12) -> Diagram:
        """The latest messages that were really sent, as a sequence diagram."""
        told = [one for one in self.exchanges if not one.path.startswith("/.well-known/")]
        return Diagram(told[-latest:], f"Lab {self.number:02d} on the wire")

    async def answered(self, *, autopilot: Decision = "approve") -> None:
        """Wait until nothing waits on the phone any more.

        Args:
            autopilot: what the phone does by itself when BAINK_AUTOPILOT is set.
        """
        if self.world.phone is None:
            print("Answer on your phone, then run the next cell.")  # noqa: T201
            return
        while waiting := await self.phone.waiting():
            if self.settings.baink_autopilot and autopilot != "ignore":
                await self.phone.decide(autopilot, waiting[0]["id"])
            await asyncio.sleep(0.2)
        print("The phone has been answered.")  # noqa: T201 - a notebook's output

    def quoted(self, name: str) -> str:
        """A name as one segment of a path: an API's identifier has slashes."""
        return quote(name, safe="")

    def _told(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        print(f"{exchange}\n")  # noqa: T201 - a notebook's output

    def manager(self) -> ManagementClient:
        """The package's own client of the Management API, as checks use it."""
        if self._management is None or self._management.is_closed:
            self._management = new_http()
            self._client = management_client(self.world, self._management)
        return self._client

    @property
    def _memory(self) -> Path:
        return self.settings.baink_home / f"lab{self.number:02d}"

    async def _press(self, decision: Literal["approve", "deny"], approval: Approval) -> None:
        for one in await self.phone.waiting():
            if one["binding_message"] == approval.binding_message:
                await self.phone.decide(decision, one["id"])

    def _print(self, thread: str, event: dict[str, Any]) -> None:
        if line := self._line(thread, event):
            print(line)  # noqa: T201 - a notebook's output

    def _line(self, thread: str, event: dict[str, Any]) -> str:
        return line_of(event) if thread == self.thread else ""

    def _tell(self, text: str) -> None:
        """Say something about the world: under the cell that waits, else where we are."""
        for notice in self._notices or [print]:
            notice(text)

    def _moved(self, ready: dict[str, Any]) -> bool:
        return any(ready.get(name) != self.ready.get(name) for name in ("tenant", "bank", "model"))
