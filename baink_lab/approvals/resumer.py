"""Polls the tenant for every waiting approval and wakes its thread when the answer is there.

The resumer polls the tenant, never the graph: a graph runs when a question is asked and when its
outcome is known, however long the wait between.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import heapq
import itertools
import logging
from types import TracebackType
from typing import Any, Self

from langgraph.store.base import BaseStore

from baink_lab.approvals.approval import Approval, State
from baink_lab.approvals.desk import Desk
from baink_lab.approvals.lease import Lease
from baink_lab.approvals.poll import LOST_REASON, Ending, NoAnswer, NotYet, Spent, poll_once
from baink_lab.approvals.threads import Listener, Threads
from baink_lab.approvals.vault import Vault
from baink_lab.auth0 import CibaClient
from baink_lab.auth0.ciba import back_off
from baink_lab.clock import Clock, SystemClock
from baink_lab.errors import BainkError

log = logging.getLogger(__name__)

#: A push that has not been saved after this many seconds never will be.
REQUESTING_SECONDS = 30.0
#: How often the store is searched for approvals that others have asked for, in seconds.
LOOK_AROUND_SECONDS = 5.0
#: How many polls and rings may be under way at once.
AT_ONCE = 64


@dataclasses.dataclass
class Counters:
    """What a resumer has done so far, for benches and for lab 06."""

    polls: int = 0
    slow_downs: int = 0
    failures: int = 0
    rings: int = 0


@dataclasses.dataclass(slots=True)
class _Due:
    """When to attend to an approval next, and how it went so far."""

    at: float
    approval_id: str
    failures: int = 0
    spent: bool = False


class Resumer:
    """Runs beside a graph: ``async with Resumer(graph, ciba, store=store):``.

    At its start it takes up every approval that the store still holds, so a restart loses
    nothing. Two resumers on one store do no harm: the bank sees one Idempotency-Key.

    Args:
        graph: compiled with a checkpointer, or a `RemoteGraph`.
        ciba: the client to poll with.
        store: where the graph's desk keeps its records.
        vault: opens what the desk has sealed; needs the same key.
        desk: in place of the three above: the very desk that the graph asks at.
        clock: what tells the time and sleeps.
        on_event: called with thread id and event for all that the graph streams when it is woken.
    """

    def __init__(
        self,
        graph: Any,
        ciba: CibaClient | None = None,
        *,
        store: BaseStore | None = None,
        vault: Vault | None = None,
        desk: Desk | None = None,
        clock: Clock | None = None,
        on_event: Listener | None = None,
    ) -> None:
        if desk is None:
            if ciba is None or store is None or vault is None:
                raise TypeError("Resumer needs either desk=, or ciba, store= and vault=.")
            desk = Desk(store, vault, ciba, clock=clock)
        self.desk = desk
        self.threads = Threads(graph, on_event)
        self.turn = self.threads.turn
        self.counters = Counters()
        self._clock = clock or desk.clock or SystemClock()
        # Tuples, which are compared in C; the number decides between equal times.
        self._heap: list[tuple[float, int, _Due]] = []
        self._numbers = itertools.count()
        self._known: set[str] = set()
        self._changed = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._main: asyncio.Task[None] | None = None
        self._lease = Lease(desk.store, self._clock)
        self._look_at = 0.0
        desk.on_asked(self._asked)

    async def __aenter__(self) -> Self:
        await self._lease.hold()
        await self._look_around()
        self._main = asyncio.create_task(self._run(), name="resumer")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop. Rings under way are finished; what still waits is taken up at the next start."""
        if self._main is not None:
            self._main.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._main
        if self._under_way:
            await asyncio.wait(self._under_way)
        await self._lease.release()

    async def enter(self, entry: Any, thread_id: str, user_id: str) -> None:
        """Run the graph from a new entry, such as a customer's message; nothing that waits is lost.

        Args:
            entry: what the graph takes, like ``{"messages": [...]}`` or a `Command`.
            thread_id: of the conversation.
            user_id: the customer, from the session.
        """
        async with self.turn(thread_id, user_id) as config:
            await self.threads.run(entry, config)

    @property
    def waiting(self) -> int:
        """How many approvals are being looked after."""
        return len(self._known)

    def _asked(self, approval: Approval) -> None:
        if approval.state.is_outcome:
            # Nobody to ask: the run that asked tells of it; once it is over, note that it did.
            self._schedule(_Due(self._clock.now(), approval.id))
        elif approval.id not in self._known:
            self._schedule(_Due(self._clock.now() + approval.interval, approval.id))

    async def _run(self) -> None:
        before = self._clock.now()
        self._look_at = before + LOOK_AROUND_SECONDS
        while True:
            now = self._clock.now()
            if now < before:
                self._clock_was_set_back(before - now)
            before = now
            if now >= self._look_at:
                await self._look_again()
                self._look_at = now + LOOK_AROUND_SECONDS
            while self._is_due(now):
                self._begin(heapq.heappop(self._heap)[2])
            busy = len(self._under_way) >= AT_ONCE or not self._lease.held
            next_due = self._heap[0][0] if self._heap and not busy else self._look_at
            await self._nap(min(next_due, self._look_at) - now)

    def _is_due(self, now: float) -> bool:
        room = len(self._under_way) < AT_ONCE and self._lease.held
        return room and bool(self._heap) and self._heap[0][0] <= now

    async def _look_again(self) -> None:
        try:
            await self._lease.hold()
            await self._look_around()
        except Exception as failure:
            # A store that is away for a moment (a full disk, say) must not end the resumer.
            self.counters.failures += 1
            log.warning("the store of approvals: %s; trying again", type(failure).__name__)

    def _clock_was_set_back(self, seconds: float) -> None:
        """Keep to the time that really passes: everything stays as far away as it was."""
        self._look_at -= seconds
        # All by the same, so their order stays.
        self._heap = [(at - seconds, number, due) for at, number, due in self._heap]

    async def _nap(self, seconds: float) -> None:
        """Until `seconds` have passed or something changed, whichever comes first."""
        self._changed.clear()
        sleeper = asyncio.ensure_future(self._clock.sleep(max(seconds, 0.0)))
        waker = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({sleeper, waker}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeper.cancel()
            waker.cancel()

    def _schedule(self, due: _Due) -> None:
        self._known.add(due.approval_id)
        heapq.heappush(self._heap, (due.at, next(self._numbers), due))
        self._changed.set()

    def _begin(self, due: _Due) -> None:
        task = asyncio.create_task(self._attend(due), name=f"attend {due.approval_id}")
        self._under_way.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._changed.set()

    async def _look_around(self) -> None:
        """Take up what others have asked for, and what a crash has left."""
        now = self._clock.now()
        found = [one async for one in self.desk.undelivered() if one.id not in self._known]
        for number, approval in enumerate(found):
            if approval.state is State.PENDING:
                # Somebody may have polled a moment ago: wait a whole interval before we do. Many
                # are spread over the next one, so that they do not all come at once ever after.
                at = now + approval.interval * (1 + number / len(found))
            elif approval.state is State.REQUESTING:
                at = max(now, approval.created_at + REQUESTING_SECONDS)
            else:
                at = now
            self._schedule(_Due(at, approval.id))

    async def _attend(self, due: _Due) -> None:
        """One step for one approval: poll it, or ring its thread; then schedule the next step."""
        try:
            again = await self._step(due)
        except Exception as failure:
            # Whatever went wrong, the approval is still on disk: say so, wait, try again.
            self.counters.failures += 1
            log.warning("approval %s: %s; trying again", due.approval_id, type(failure).__name__)
            log.debug("approval %s", due.approval_id, exc_info=failure)
            again = self._later(due, None)
        if again is None:
            self._known.discard(due.approval_id)
        else:
            self._schedule(again)

    async def _step(self, due: _Due) -> _Due | None:
        approval = await self.desk.get(due.approval_id)
        if approval is None or approval.delivered:
            return None
        if not approval.state.is_outcome:
            approval = await self.desk.catch_up(approval)
        if approval.state is State.REQUESTING:
            approval = await self.desk.give_up_on(approval)
        if approval.state is State.PENDING:
            again, approval = await self._poll(due, approval)
            if again is not None:
                return again
        return await self._ring(due, approval)

    async def _poll(self, due: _Due, approval: Approval) -> tuple[_Due | None, Approval]:
        self.counters.polls += 1
        now = self._clock.now
        match await poll_once(self.desk, approval):
            case NotYet(seconds, interval):
                if interval > approval.interval:
                    self.counters.slow_downs += 1
                return _Due(now() + seconds, approval.id), approval
            case NoAnswer(retry_after):
                self.counters.failures += 1
                later = self._later(due, retry_after, approval.interval)
                event = {"type": "no_answer", "seconds": later.at - now()}
                self.threads.tell(approval.thread_id, event)
                return later, approval
            case Spent() if not due.spent:  # give our twin an interval to seal what it got
                return _Due(now() + approval.interval, approval.id, spent=True), approval
            case Spent():
                return None, await self.desk.settle(approval, "token was lost", LOST_REASON)
            case Ending(event, reason, tokens):
                return None, await self.desk.settle(approval, event, reason, tokens=tokens)

    async def _ring(self, due: _Due, approval: Approval) -> _Due | None:
        self.counters.rings += 1
        try:
            delivered = await self.threads.ring(approval)
        except BainkError as failure:
            event = {"type": "not_delivered", "code": failure.code, "message": failure.sentence}
            self.threads.tell(approval.thread_id, event | {"approval_id": approval.id})
            raise
        if delivered:
            await self.desk.delivered(approval)
            return None
        return self._later(due, None)

    def _later(self, due: _Due, retry_after: float | None, interval: float = 1.0) -> _Due:
        failures = due.failures + 1
        wait = back_off(failures, interval, retry_after)
        return _Due(self._clock.now() + wait, due.approval_id, failures, due.spent)
