"""The helper that a notebook works with: one lab, opened on a running world."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any, Literal

from baink_lab.aiya import Aiya, open_aiya
from baink_lab.approvals import Approval
from baink_lab.approvals.desk import NAMESPACE
from baink_lab.auth0.login import SessionTokens, log_in_with_form
from baink_lab.bank.client import BankClient
from baink_lab.errors import BainkError
from baink_lab.lab import checks
from baink_lab.lab.chat import Chat
from baink_lab.lab.doctor import as_html, as_text, examine
from baink_lab.lab.launch_pad import launch_pad
from baink_lab.lab.phone import Phone
from baink_lab.lab.show import Shown, WidgetShown, clock_face, table
from baink_lab.sandbox import home, launch
from baink_lab.settings import Settings, load

LABS = {0: "start_here"}
KEEP_APPROVALS = 1000

Decision = Literal["approve", "deny", "ignore"]


class LabError(BainkError):
    """The lab was asked for something that it does not have."""

    code = "lab"


_opened: dict[int, Lab] = {}


async def open_lab(number: int) -> Lab:
    """Start or find the world that lab `number` needs, and return the helper.

    Runs again without harm: the same kernel gets the same helper, the same folder the same state.

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
    for note in settings.notes:
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
    """

    def __init__(self, number: int, settings: Settings, ready: dict[str, Any]) -> None:
        self.number = number
        self.settings = settings
        self.ready = ready
        self.world = settings.world(ready)
        self.phone = Phone(self.world.phone)
        self.thread = "main"
        self._session = SessionTokens(lambda: log_in_with_form(self.world))
        self._stack = contextlib.AsyncExitStack()
        self._aiya: Aiya | None = None
        self._opening = asyncio.Lock()
        self._chat: Chat | None = None
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

    async def aiya(self) -> Aiya:
        """Aiya, woken at the first use."""
        async with self._opening:
            if self._aiya is None:
                self._aiya = await self._stack.enter_async_context(
                    open_aiya(
                        self.world,
                        self.settings.baink_home / f"lab{self.number:02d}",
                        model=self.settings.openai_model,
                        api_key=self.settings.openai_api_key.get_secret_value(),
                        session=self._session,
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
        counter = asyncio.create_task(_count_down(waiting))
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
        token = (await self._session.current()).access_token
        async with BankClient(self.world.bank) as bank:
            accounts = (await bank.accounts(token))["accounts"]
        rows = [[one["name"], one["balance"], one["currency"], one["id"]] for one in accounts]
        return table("Accounts", ["Account", "Balance", "Currency", "Id"], rows)

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

    async def check(self, name: str) -> checks.Result:
        """Look whether a step is done.

        Raises:
            NoSuchCheck: this lab has no check of that name.
        """
        return await checks.find(self.number, name)(self)

    async def _press(self, decision: Literal["approve", "deny"], approval: Approval) -> None:
        for one in await self.phone.waiting():
            if one["binding_message"] == approval.binding_message:
                await self.phone.decide(decision, one["id"])

    def _print(self, thread: str, event: dict[str, Any]) -> None:
        if line := self._line(thread, event):
            print(line)  # noqa: T201 - a notebook's output

    def _line(self, thread: str, event: dict[str, Any]) -> str:
        return _line(event) if thread == self.thread else ""

    def _tell(self, text: str) -> None:
        """Say something about the world: under the cell that waits, else where we are."""
        for notice in self._notices or [print]:
            notice(text)

    def _moved(self, ready: dict[str, Any]) -> bool:
        return any(ready.get(name) != self.ready.get(name) for name in ("tenant", "bank", "model"))


def _line(event: dict[str, Any]) -> str:
    match event["type"]:
        case "tool":
            return f"    (Aiya calls {event['tool']})"
        case "push_sent":
            left = clock_face(event["expires_at"] - time.time())
            return f"Aiya: I sent a push to your phone: “{event['binding_message']}” ({left} left)"
        case "acting":
            return "    (approved: the graph has resumed and moves the money)"
        case "retrying":
            return f"    ({event['message']} The same transfer is tried again.)"
        case "said":
            return f"Aiya: {event['text']}"
        case _:
            return ""


async def _count_down(waiting: list[Approval]) -> None:
    """Show the time left on one line that is written over."""
    from IPython import display as ipython  # noqa: PLC0415 - only notebooks count down like this

    show: Any = ipython.display
    until = max(approval.expires_at for approval in waiting)
    handle: Any = None
    try:
        while (left := until - time.time()) > 0:
            words = f"Waiting for the phone, {clock_face(left)} left: press Approve or Deny on it"
            shown = Shown(f'<p role="timer">{words}.</p>', words)
            if handle is None:
                handle = show(shown, display_id=True)
            else:
                handle.update(shown)
            await asyncio.sleep(1)
    finally:
        if handle is not None:
            handle.update(Shown("<p>The phone has been answered.</p>", "The phone was answered."))
