"""The part of a lab's helper that talks with Aiya: woken, built anew, said to, in the chat."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from baink_lab.aiya import Aiya, open_aiya
from baink_lab.aiya.app import THREAD, Listener
from baink_lab.approvals import Call, GatedTool, Tool
from baink_lab.approvals.nodes import Push
from baink_lab.auth0.management import PUSH
from baink_lab.errors import BainkError, InOneSentence
from baink_lab.lab.chat.waiting import line_of
from baink_lab.lab.chat.widget import Chat
from baink_lab.lab.checks.exercises import Exercise, OtherShape, not_passed, own_piece
from baink_lab.lab.checks.guarded import PieceRaised, guarded, guarded_tools
from baink_lab.lab.experiments.bare_tools import ungated
from baink_lab.lab.experiments.rehearsal import Rehearsal, rehearse
from baink_lab.lab.learner.pieces import Pieces, Registry, Transfer, WrapTransfer, bare_transfer
from baink_lab.lab.learner.texts import text_of
from baink_lab.lab.opened import Opened
from baink_lab.lab.practice.own_desk import spare
from baink_lab.lab.tenant.view import phones
from baink_lab.lab.widgets.show import Drawn, WidgetShown
from baink_lab.settings import Settings

BUILT_IN = 5
BUILT_UNPASSED = "Built. A check has still to pass:"
ASKS = " (asks the phone)"
READY_MADE = (
    "(This kernel's Aiya has the package's own pieces, not yours. Yours: run your cells and the "
    "one with lab.build(…).)"
)


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

    @property
    def thread(self) -> str:
        """The conversation of this lab; a new one after a reset.

        An approval's id, and so the bank's Idempotency-Key, is made of thread and call, and a model
        may give equal calls equal ids: what is asked for again after a reset has to be another
        transfer, and not the answer to the one before.
        """
        try:
            return (self._memory / "thread").read_text(encoding="utf-8")
        except FileNotFoundError:  # from before threads had names of their own
            return THREAD

    def _name_thread(self) -> None:
        """Before there is a conversation; one that is under way keeps its name."""
        self._memory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (self._memory / "threads.db").exists():
            name = f"{THREAD}-{secrets.token_hex(4)}"
            (self._memory / "thread").write_text(name, encoding="utf-8")

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
                self._name_thread()
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
                spare(aiya.resumer.desk)
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
        given = {
            "wrap_transfer": wrap_transfer,
            "request_approval": request_approval,
            "transfer": transfer,
            "registry": registry,
        }
        for name, one in given.items():
            if isinstance(one, Exercise) and one.name != name:
                raise OtherShape(f"{name}= was given your {one.name}: write {one.name}={one.name}.")
        pieces = Pieces(
            own_piece(wrap_transfer),
            own_piece(request_approval),
            own_piece(transfer),
            own_piece(registry),
            tuple(more),
        )
        doubtful = [told for one in given.values() if (told := not_passed(one))]
        await self.sleep()
        self._pieces, self._to_be_built = pieces, False
        tools = (await self.aiya()).tools
        gated = [f"{one.name}{ASKS * isinstance(one, GatedTool)}" for one in tools]
        print(f"Aiya has: {', '.join(gated) or 'no tools'}.")  # noqa: T201 - a notebook's output
        if doubtful:
            print(f"{BUILT_UNPASSED} {', '.join(doubtful)}.")  # noqa: T201 - a notebook's output

    async def say(self, text: str) -> None:
        """Say something to Aiya in words; prints what she answers and what she does.

        Raises:
            NoText: it is no text.
        """
        text = text_of(text, "what is said to Aiya")
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
