"""The part of a lab's helper that talks with Aiya: say, chat, wait for the phone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import httpx

from baink_lab.aiya import Aiya, open_aiya
from baink_lab.aiya.app import Listener
from baink_lab.approvals import Approval, Call, GatedTool, Tool
from baink_lab.approvals.desk import NAMESPACE
from baink_lab.approvals.nodes import Push
from baink_lab.approvals.threads import open_interrupts
from baink_lab.auth0.management import PUSH
from baink_lab.errors import BainkError, InOneSentence
from baink_lab.lab.bare_tools import ungated
from baink_lab.lab.chat import Chat
from baink_lab.lab.checks.exercises import not_passed, own_piece
from baink_lab.lab.guarded import PieceRaised, guarded, guarded_tools
from baink_lab.lab.opened import Opened
from baink_lab.lab.phone import PhoneError
from baink_lab.lab.pieces import Pieces, Registry, Transfer, WrapTransfer, bare_transfer
from baink_lab.lab.rehearsal import Rehearsal, rehearse
from baink_lab.lab.show import Drawn, Shown, WidgetShown, paragraph, table
from baink_lab.lab.tenant_view import phones
from baink_lab.lab.waiting import StoppedWaiting, WaitingLine, how_it_ended, line_of
from baink_lab.settings import Settings

KEEP_APPROVALS = 1000
STEPPED_ASIDE = "{} waits for the phone too: a node is started for it once the answer is there"
BUILT_IN = 5
BUILT_UNPASSED = "Built. A check has still to pass:"
ASKS = " (asks the phone)"
READY_MADE = (
    "(This kernel's Aiya has the package's own pieces, not yours. Yours: run your cells and the "
    "one with lab.build(…).)"
)
AWAKE = "Nobody sleeps on this thread: ask Aiya for a transfer, and leave the phone alone."
FAULTY = "Nobody sleeps on this thread, as lab.say ended in a fault:"
NOT_MENDED = "(The fault that lab.say told is not mended yet:"

Decision = Literal["approve", "deny", "ignore"]


class TakenAway(InOneSentence, BainkError):
    """The lab's folder was deleted under this kernel, as `baink-lab reset` does."""

    code = "taken_away"

    def __init__(self) -> None:
        super().__init__(
            "This kernel's files were taken away, as `baink-lab reset` does: "
            "run the first cell again."
        )


class Talking(Opened):
    """Aiya as a lab sees her; she is woken at the first use."""

    def __init__(self, number: int, settings: Settings, ready: dict[str, Any]) -> None:
        super().__init__(number, settings, ready)
        self.thread = "main"
        self._stack = contextlib.AsyncExitStack()
        self._aiya: Aiya | None = None
        self._book: tuple[int, int] | None = None
        self._opening = asyncio.Lock()
        self._chat: Chat | None = None
        self._pieces = Pieces()
        self._to_be_built = number == BUILT_IN  # the lab whose Aiya is the learner's own
        self._missed: list[str] = []
        self._broken: PieceRaised | None = None  # by which outcomes do not get through
        self._fault: PieceRaised | None = None  # that a question met; gone with the pieces
        self._cells = 0  # that print what Aiya says at the moment

    async def aiya(self) -> Aiya:
        """Aiya, woken at the first use; she has to know whose she is.

        Raises:
            TakenAway: her files were deleted while she had them open.
        """
        if not self.world.user_id:
            await self._customer()
        async with self._opening:
            aiya = self._aiya
            if self.taken_away:
                raise TakenAway
            if aiya is None:
                aiya = await self._stack.enter_async_context(
                    open_aiya(
                        self.world,
                        self._memory,
                        model=self.settings.openai_model,
                        api_key=self.settings.openai_api_key.get_secret_value(),
                        vault_keys=self.settings.vault_keys,
                        session=self._session,
                        enroll=self._invite if self._live else None,
                        clock=self.clock,
                        tools=ungated(self) if self.number == 1 else guarded_tools(self._pieces),
                        nodes=guarded(self._pieces),
                        tenant_http=await self._watched("Tenant"),
                        bank_http=await self._watched("Bank"),
                        model_hook=self.traffic.model_answered,
                    )
                )
                self._stack.enter_context(aiya.listen(self.traffic.heard))
                self._stack.enter_context(aiya.listen(self._keep))
                self._stack.enter_context(aiya.listen(self._note_broken))
                self._aiya, self._book = aiya, _file(self._memory)
        return aiya

    @property
    def taken_away(self) -> bool:
        """Whether the files that Aiya has open are not those of this lab any more."""
        return self._aiya is not None and self._book != _file(self._memory)

    async def build(
        self,
        *,
        wrap_transfer: WrapTransfer | None = None,
        request_approval: Push | None = None,
        transfer: Transfer | None = None,
        registry: Registry | None = None,
        more: Sequence[Tool] = (),
    ) -> None:
        """Build Aiya anew with pieces of your own; what is left out is the package's.

        What waits is kept, and taken up by the new graph.

        Args:
            wrap_transfer: puts `transfer_funds` behind the phone.
            request_approval: sends the push.
            transfer: waits for the outcome, and acts on it.
            registry: puts Aiya's tools together.
            more: tools that she has besides.

        Raises:
            NotAttempted: one of them is an exercise without a body.
            OtherShape: one of them cannot be called as the graph does.
        """
        given = (wrap_transfer, request_approval, transfer, registry)
        pieces = Pieces(
            own_piece(wrap_transfer),
            own_piece(request_approval),
            own_piece(transfer),
            own_piece(registry),
            tuple(more),
        )
        doubtful = [told for one in given if (told := not_passed(one))]
        await self.sleep()
        self._pieces, self._to_be_built = pieces, False
        tools = (await self.aiya()).tools
        gated = [f"{one.name}{ASKS * isinstance(one, GatedTool)}" for one in tools]
        print(f"Aiya has: {', '.join(gated) or 'no tools'}.")  # noqa: T201 - a notebook's output
        if doubtful:
            print(f"{BUILT_UNPASSED} {', '.join(doubtful)}.")  # noqa: T201 - a notebook's output

    async def say(self, text: str) -> None:
        """Say something to Aiya in words; prints what she answers and what she does."""
        await self._customer()
        aiya = await self.aiya()
        with self._printed(aiya, self._print):
            print(f"You: {text}")  # noqa: T201 - a notebook's output
            self._tell_ready_made()
            try:
                await aiya.say(text, thread=self.thread)
            except PieceRaised as fault:
                self._fault = fault
                raise

    async def tools(self) -> dict[str, Tool]:
        """Aiya's registry: her tools by name, the transfer still without its gate."""
        registry = (await self.aiya()).tools
        plain = (bare_transfer(one) if isinstance(one, GatedTool) else one for one in registry)
        return {one.name: one for one in plain}

    async def rehearse(self, text: str, tools: Iterable[Tool]) -> Rehearsal:
        """What the model makes of a message with these tools; nothing that it chooses is done.

        Args:
            text: what the customer says.
            tools: what the model may choose from, such as ``(await lab.tools()).values()``.

        Raises:
            ModelUnavailable: the model gave no answer.
        """
        await self._customer()
        call = Call(self.world.user_id, "rehearsal", "rehearsal")
        return await rehearse(text, list(tools), call, self.world, self.settings)

    async def graph(self) -> Drawn:
        """Aiya's graph as LangGraph draws it."""
        drawing = (await self.aiya()).graph.get_graph()
        edges = "\n".join(f"{one.source} → {one.target}" for one in drawing.edges)
        return Drawn(drawing.draw_mermaid(with_styles=False), edges)

    async def asleep(self) -> Shown:
        """Who sleeps on this lab's thread, and for what: read from the checkpoint on disk."""
        aiya = await self.aiya()
        self._tell_ready_made()
        config: Any = {"configurable": {"thread_id": self.thread}}
        state = await aiya.graph.aget_state(config)
        rows = [
            [task.name, json.dumps(one.value)] for task in state.tasks for one in task.interrupts
        ]
        sleeping = open_interrupts(state)
        rows += [
            ["(no node)", STEPPED_ASIDE.format(one.id)]
            for one in await aiya.waiting(self.thread)
            if not (one.id in sleeping or one.state.is_outcome or self._fault)
        ]
        if not rows:
            return paragraph(f"{FAULTY} {self._fault}" if self._fault else AWAKE)
        return table("Asleep", ["Node", "What interrupt() was called with"], rows)

    async def chat(self) -> WidgetShown:
        """The chat with Aiya as a widget."""
        await self._customer()
        if self._chat is not None:
            self._chat.close()
        aiya = await self.aiya()

        async def enrolled() -> bool:
            return bool(await phones(self.manager(), self.world))

        self._chat = Chat(aiya, self.thread, self.clock, enrolled, self.phone.lost)
        return await self._chat.open()

    async def settled(self, *, autopilot: Decision = "approve") -> None:
        """Wait for the phone, telling the time left; returns once Aiya has told the outcome.

        Args:
            autopilot: what the phone does by itself when BAINK_AUTOPILOT is set.

        Raises:
            StoppedWaiting: the cell was interrupted; what waits on the phone waits on.
            PieceRaised: a learner's function raised, so an outcome cannot be told.
        """
        aiya = await self.aiya()
        self._tell_missed()
        waiting = await aiya.waiting(self.thread)
        # An outcome that is not told yet needs no phone: nobody was enrolled, say.
        asked = [one for one in waiting if not one.state.is_outcome]
        if not asked:
            print("Nothing waits for the phone.")  # noqa: T201 - a notebook's output
        if self._broken and waiting and not asked:
            raise self._broken
        if waiting:
            self._tell_ready_made()
            await self._to_the_phone(asked, autopilot)
            await self._wait(aiya, asked)
        if self._fault:  # the outcome may have come all the same, and look like success
            print(f"{NOT_MENDED} {self._fault})")  # noqa: T201 - a notebook's output

    async def _to_the_phone(self, asked: Sequence[Approval], autopilot: Decision) -> None:
        """Show the phone to somebody who answers; with BAINK_AUTOPILOT it answers by itself."""
        if asked and not (self.settings.baink_autopilot and self.world.phone):
            self.phone.show_once()
        elif asked and autopilot != "ignore":
            for approval in asked:
                await self._press(autopilot, approval)
            # Nobody watches, so nobody waits for the next poll: its time comes at once.
            await self.clock.advance(max(approval.interval for approval in asked))

    async def _wait(self, aiya: Aiya, asked: Sequence[Approval]) -> None:
        # Events come from the resumer's task, whose prints would land under the cell that started
        # it. So they come here through a queue, and this cell prints them.
        lines: asyncio.Queue[str | None] = asyncio.Queue()

        def hear(thread: str, event: dict[str, Any]) -> None:
            lines.put_nowait(None if self._broken else self._line(thread, event))

        self._notices.append(lines.put_nowait)
        page = self.phone.url if self.world.phone else ""
        line = WaitingLine(asked, self.clock, page)
        ending = asyncio.create_task(aiya.settled(self.thread))
        ending.add_done_callback(lambda _: lines.put_nowait(None))
        async with line:
            try:
                with self._printed(aiya, hear):
                    while (told := await lines.get()) is not None:
                        if told:
                            print(told)  # noqa: T201 - a notebook's output
                        still = await aiya.waiting(self.thread)
                        line.waiting = [one for one in still if not one.state.is_outcome]
                now = [await aiya.resumer.desk.get(one.id) or one for one in asked]
                line.ended = how_it_ended(now)
                if self._broken:
                    raise self._broken
                await ending
            except asyncio.CancelledError:
                raise StoppedWaiting(len(line.waiting)) from None
            finally:
                self._notices.remove(lines.put_nowait)
                ending.cancel()
                await asyncio.gather(ending, return_exceptions=True)

    async def approvals(self) -> list[Approval]:
        """Every approval of this lab so far, oldest first."""
        store = (await self.aiya()).resumer.desk.store
        items = await store.asearch(NAMESPACE, limit=KEEP_APPROVALS)
        found = [Approval.from_json(item.value) for item in items]
        return sorted(found, key=lambda one: one.created_at)

    async def withdraw(self) -> None:
        """Deny what waits on the sandbox's phone for this lab, so that nobody answers it later."""
        if self.world.phone is None or not self._memory.exists():
            return
        for approval in await (await self.aiya()).waiting():
            with contextlib.suppress(PhoneError):  # it was answered, or has lapsed
                await self._press("deny", approval)

    async def sleep(self) -> None:
        """Put Aiya to sleep; what waits is taken up when she is woken."""
        if self._chat is not None:
            self._chat.close()
            self._chat = None
        lost = self.taken_away
        try:
            await self._stack.aclose()
        except sqlite3.Error:
            if not lost:  # else there is nothing left to write into, and nobody who reads it
                raise
        finally:
            self._aiya, self._broken, self._fault = None, None, None

    async def _watched(self, to: str) -> httpx.AsyncClient:
        return await self._stack.enter_async_context(self.traffic.watched(to))

    async def _invite(self, user_id: str) -> str:
        """An enrolment ticket from a real tenant, written down as everything made there is."""
        body = {"user_id": user_id, "send_mail": False, "factor": PUSH}
        change = self.journal.begin("POST", "guardian/enrollments/ticket", body, None)
        ticket = await self.manager().enrollment_ticket(user_id)
        self.journal.end(change, 200, {})
        return ticket

    async def _press(self, decision: Literal["approve", "deny"], approval: Approval) -> None:
        for one in await self.phone.waiting():
            if one["binding_message"] == approval.binding_message:
                await self.phone.decide(decision, one["id"])

    @contextlib.contextmanager
    def _printed(self, aiya: Aiya, listener: Listener) -> Iterator[None]:
        """In this block the cell prints what Aiya says, and first what no cell was there for."""
        self._tell_missed()
        self._cells += 1
        try:
            with aiya.listen(listener):
                yield
        finally:
            self._cells -= 1

    def _note_broken(self, thread: str, event: dict[str, Any]) -> None:
        if event["type"] == "not_delivered" and event["code"] == PieceRaised.code:
            self._broken = PieceRaised(event["message"])
        elif event["type"] == "delivered":
            self._broken = None

    def _keep(self, thread: str, event: dict[str, Any]) -> None:
        """Keep what is said while no cell and no chat shows it: the phone may be quick."""
        if not self._cells and self._chat is None and (line := self._line(thread, event)):
            self._missed.append(line)

    def _tell_missed(self) -> None:
        missed, self._missed = self._missed, []
        if missed:
            print("\n".join(["Meanwhile:", *missed]))  # noqa: T201 - a notebook's output

    def _tell_ready_made(self) -> None:
        """Say once that nothing of the learner's runs, as after a restart of the kernel."""
        if self._to_be_built:
            self._to_be_built = False
            print(READY_MADE)  # noqa: T201 - a notebook's output

    def _print(self, thread: str, event: dict[str, Any]) -> None:
        if line := self._line(thread, event):
            print(line)  # noqa: T201 - a notebook's output

    def _line(self, thread: str, event: dict[str, Any]) -> str:
        return line_of(event, self.clock.now()) if thread == self.thread else ""


def _file(folder: Path) -> tuple[int, int] | None:
    """Which file Aiya's threads are in now; one that is open keeps its number to itself."""
    try:
        found = (folder / "threads.db").stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
