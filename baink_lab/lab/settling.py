"""The part of a lab's helper that waits for the phone, and tells who sleeps and what waits."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any, Literal

from baink_lab.aiya import Aiya
from baink_lab.approvals import Approval
from baink_lab.approvals.desk import NAMESPACE
from baink_lab.approvals.threads import open_interrupts
from baink_lab.lab.chat.waiting import StoppedWaiting, WaitingLine, how_it_ended
from baink_lab.lab.phone.stand_in import PhoneError
from baink_lab.lab.talking import Talking
from baink_lab.lab.widgets.show import Shown, paragraph, table

KEEP_APPROVALS = 1000
STEPPED_ASIDE = "{} waits for the phone: a node is started for it once the answer is there"
AWAKE = "Nobody sleeps on this thread: ask Aiya for a transfer, and leave the phone alone."
FAULTY = "Nobody sleeps on this thread, as lab.say ended in a fault:"
NOT_MENDED = "(The fault that lab.say told is not mended yet:"

Decision = Literal["approve", "deny", "ignore"]


class Settling(Talking):
    """A lab in which somebody waits for the phone."""

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

    async def _press(self, decision: Literal["approve", "deny"], approval: Approval) -> None:
        for one in await self.phone.waiting():
            if one["binding_message"] == approval.binding_message:
                await self.phone.decide(decision, one["id"])
