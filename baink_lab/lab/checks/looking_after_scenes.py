"""Lab 06: courses of events for a resumer of one approval, played with time that flies."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import time
from collections.abc import Coroutine
from typing import Any, Literal

import httpx

from baink_lab.approvals import Approval, Desk, State
from baink_lab.clock import Clock
from baink_lab.lab.checks.exercises import Exercise
from baink_lab.lab.practice.agent import PracticeAgent
from baink_lab.lab.practice.tenant import MOST_REQUESTS, EndlessLoop

LONGEST_SECONDS = 400.0  # of the practice clock; a push lives 300
MOST_RINGS = 20
NO_END = ("503", "authorization_pending", "slow_down")  # answers after which one goes on
STUCK_SECONDS = 8.0  # of the machine's own time without any of the practice clock's


@dataclasses.dataclass(frozen=True)
class Scene:
    """One course of events for a resumer."""

    what: str
    decision: Literal["approve", "deny"] | None
    after: float
    down: int = 0
    twin: bool = False
    interval: float = 5
    deaf: bool = False
    shut: bool = False


SCENES = (
    Scene("approves after 12 seconds", "approve", 12),
    Scene("denies after 9 seconds, of a tenant whose interval is 7", "deny", 9, interval=7),
    Scene("approves after 12 seconds, the tenant's interval is 7, and it is down for the first "
           "two polls", "approve", 12, down=2, interval=7),
    Scene("never answers", None, 0),
    Scene("approves after 40 seconds, and a second resumer polled in the same moment as you",
           "approve", 40, twin=True),
    Scene("approves after 12 seconds, and the first `ring` fails: the graph cannot be woken then",
           "approve", 12, deaf=True),
    Scene("approves after 12 seconds, and the first `desk.settle` fails: the store is away then",
           "approve", 12, shut=True),
)  # fmt: skip


class NotWoken(Exception):
    """What the first ring raises in one scene."""


class NotKept(Exception):
    """What the first `desk.settle` raises in another."""


class NotedDesk:
    """The desk as a learner's function is given it.

    Args:
        desk: takes what is sealed.
        seen: where it is noted what came too early, and what was not taken.
    """

    def __init__(self, desk: Desk, seen: Seen) -> None:
        self._desk = desk

        @functools.wraps(desk.settle)  # its name too: a forgotten `await` is told by it
        async def settle(*given: Any, **named: Any) -> Approval:
            if seen.scene.shut and not seen.unkept:
                seen.unkept += 1
                raise NotKept("the store is away for a moment")
            heard = len(seen.answers)
            settled = await desk.settle(*given, **named)
            if seen.early is None and seen.answers and seen.answers[-1] in NO_END:
                seen.early = heard, settled.state
            return settled

        self.settle = settle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)


@dataclasses.dataclass
class Seen:
    """What happened in a scene.

    Attributes:
        answers: the tenant's, to each poll: OAuth's error code, "ok", or the status when it was
            down.
        asked_at: seconds of the practice clock since the push, of each poll.
        rings: the state of the approval's record at each ring that did not fail.
        unheard: how many rings failed.
        unkept: how many outcomes were not sealed, since the store was away.
        early: the first outcome that was sealed while there was none: after how many answers, and
            as what.
        rung: how many rings had come to their end when the learner's function had.
        bells: the coroutines that `ring` made.
    """

    scene: Scene
    approval: Approval
    answers: list[str]
    asked_at: list[float]
    rings: list[State] = dataclasses.field(default_factory=list)
    unheard: int = 0
    unkept: int = 0
    early: tuple[int, State] | None = None
    rung: int = 0
    bells: list[Coroutine[Any, Any, None]] = dataclasses.field(default_factory=list)
    problem: Exception | None = None
    stuck: bool = False
    state: State = State.PENDING
    told: dict[str, Any] = dataclasses.field(default_factory=dict)
    runs: int = 0
    moved: list[str] = dataclasses.field(default_factory=list)


class Line(httpx.AsyncBaseTransport):
    """The way to the practice tenant: notes each poll, may be down, or used by a twin as well."""

    def __init__(self, app: Any, clock: Clock) -> None:
        self._inner = httpx.ASGITransport(app)
        self._clock = clock
        self.answers: list[str] = []
        self.asked_at: list[float] = []
        self.begun = 0.0
        self.down = 0
        self.twin = False
        self.ended = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand it on, or answer 503 while the tenant is down."""
        content = await request.aread()
        if request.url.path != "/oauth/token" or b"grant-type%3Aciba" not in content:
            return await self._inner.handle_async_request(request)
        if len(self.answers) >= MOST_REQUESTS:
            if self.ended:  # whoever keeps the error to themselves goes no further all the same
                await asyncio.Event().wait()
            self.ended = True
            raise EndlessLoop(f"{MOST_REQUESTS} polls, and still no end.")
        self.asked_at.append(self._clock.now() - self.begun)
        if self.down:
            self.down -= 1
            self.answers.append("503")
            return httpx.Response(503, request=request)
        if self.twin:  # which was quicker, so that this poll comes too early
            self.twin = False
            await (await self._inner.handle_async_request(request)).aread()
        response = await self._inner.handle_async_request(request)
        await response.aread()
        self.answers.append(str(response.json().get("error", "ok")))
        return response


async def play(agent: PracticeAgent, line: Line, mine: Exercise, scene: Scene, thread: str) -> Seen:
    """Ask for a transfer, let the learner's function look after it, and note what happens."""
    before = len(agent.bank.moved())
    agent.tenant.interval = scene.interval
    await agent.ask_transfer(call_id=f"call_{thread}", thread=thread)
    (approval,) = await agent.waiting(thread)
    line.answers, line.asked_at, line.down, line.twin = [], [], scene.down, scene.twin
    line.begun, line.ended = agent.clock.now(), False
    seen = Seen(scene, approval, line.answers, line.asked_at)

    ended = 0

    async def wake(approval: Approval) -> None:
        nonlocal ended
        if scene.deaf and not seen.unheard:
            seen.unheard += 1
            raise NotWoken("the graph's store is away for a moment")
        record = await agent.desk.get(seen.approval.id)
        seen.rings.append(record.state if record else State.REQUESTING)
        if len(seen.rings) > MOST_RINGS:
            raise EndlessLoop(f"{MOST_RINGS} rings, and still no end.")
        if await agent.resumer.threads.ring(approval):
            await agent.desk.delivered(approval)
        ended += 1

    wake.__name__ = wake.__qualname__ = "ring"  # as the learner knows it, in whatever Python says

    def ring(approval: Approval) -> Coroutine[Any, Any, None]:
        seen.bells.append(wake(approval))
        return seen.bells[-1]

    ring.__qualname__ = "ring"

    desk = NotedDesk(agent.desk, seen)

    async def looked_after() -> None:
        await mine(seen.approval, desk, ring, agent.clock)
        seen.rung = ended

    await _run(agent, looked_after(), seen)
    await _tasks_of(seen.bells)
    record = await agent.desk.get(approval.id)
    seen.state = record.state if record else State.REQUESTING
    seen.told = (await agent.answers(thread)).get(approval.tool_call_id, [{}])[-1]
    seen.runs = agent.resumer.threads.runs[thread]
    seen.moved = agent.bank.moved()[before:]
    return seen


async def _tasks_of(bells: list[Coroutine[Any, Any, None]]) -> None:
    """Let rings that nobody waited for come to their end, before the next scene begins."""
    tasks = [task for task in asyncio.all_tasks() if task.get_coro() in bells]
    await asyncio.gather(*tasks, return_exceptions=True)
    bells.clear()  # or a ring that was never run would be told a cell later: see `forgotten`


async def _run(agent: PracticeAgent, mine: Coroutine[Any, Any, None], seen: Seen) -> None:
    """Run the learner's function, and turn the clock whenever it sleeps."""
    clock = agent.clock
    end, due = clock.now() + LONGEST_SECONDS, clock.now() + seen.scene.after
    deadline = time.monotonic() + STUCK_SECONDS
    task = asyncio.ensure_future(mine)
    pressed = seen.scene.decision is None
    while not task.done() and clock.now() < end and time.monotonic() < deadline:
        await asyncio.sleep(0.001)
        sleeps = clock.next_wake()
        if sleeps is None:
            continue
        deadline = time.monotonic() + STUCK_SECONDS
        if not pressed and clock.now() + sleeps >= due:
            sleeps, pressed = max(due - clock.now(), 0.0), True
            clock.advance(sleeps)
            agent.decide(seen.scene.decision or "deny")
            continue
        clock.advance(sleeps)
    seen.stuck = not task.done()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        try:
            await task
        except Exception as failure:
            seen.problem = failure
