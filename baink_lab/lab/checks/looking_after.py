"""Lab 06: a learner's resumer for one approval, tried on a practice agent with time that flies."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Literal

import httpx

from baink_lab.approvals import Approval, Desk, Resumer, State
from baink_lab.approvals.resumer import _Due
from baink_lab.clock import Clock
from baink_lab.lab.checks.exercises import Exercise, exercise_of, raised
from baink_lab.lab.checks.result import Result, failed, passed, slip
from baink_lab.lab.practice import ISSUER, MOST_REQUESTS, EndlessLoop
from baink_lab.lab.practice_agent import PracticeAgent, practice_agent
from baink_lab.lab.show import counted
from baink_lab.lab.solutions import Ring
from baink_lab.sandbox.tenant import create_app

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

LOOK_AFTER = "look_after"
LONGEST_SECONDS = 400.0  # of the practice clock; a push lives 300
MOST_RINGS = 20
TOO_LONG = 1.5  # times the interval
STUCK_SECONDS = 8.0  # of the machine's own time without any of the practice clock's


@dataclasses.dataclass(frozen=True)
class _Scene:
    """One course of events for a resumer."""

    what: str
    decision: Literal["approve", "deny"] | None
    after: float
    down: int = 0
    twin: bool = False
    interval: float = 5
    deaf: bool = False


_SCENES = (
    _Scene("approves after 12 seconds", "approve", 12),
    _Scene("denies after 9 seconds, of a tenant whose interval is 7", "deny", 9, interval=7),
    _Scene("approves after 12 seconds, the tenant's interval is 7, and it is down for the first "
           "two polls", "approve", 12, down=2, interval=7),
    _Scene("never answers", None, 0),
    _Scene("approves after 40 seconds, and a second resumer polled in the same moment as you",
           "approve", 40, twin=True),
    _Scene("approves after 12 seconds, and the first `ring` fails: the graph cannot be woken then",
           "approve", 12, deaf=True),
)  # fmt: skip


class _NotWoken(Exception):
    """What the first ring raises in one scene."""


@dataclasses.dataclass
class _Seen:
    """What happened in a scene.

    Attributes:
        answers: the tenant's, to each poll: OAuth's error code, "ok", or the status when it was
            down.
        asked_at: seconds of the practice clock since the push, of each poll.
        rings: the state of the approval's record at each ring that did not fail.
        unheard: how many rings failed.
        rung: how many rings had come to their end when the learner's function had.
        bells: the coroutines that `ring` made.
    """

    scene: _Scene
    approval: Approval
    answers: list[str]
    asked_at: list[float]
    rings: list[State] = dataclasses.field(default_factory=list)
    unheard: int = 0
    rung: int = 0
    bells: list[Coroutine[Any, Any, None]] = dataclasses.field(default_factory=list)
    problem: Exception | None = None
    stuck: bool = False
    state: State = State.PENDING
    told: dict[str, Any] = dataclasses.field(default_factory=dict)
    runs: int = 0
    moved: list[str] = dataclasses.field(default_factory=list)


class _Line(httpx.AsyncBaseTransport):
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


async def looks_after(lab: Lab) -> Result:
    """It polls politely, seals every ending, rings once, and never takes silence for a no."""
    mine = exercise_of(lab, LOOK_AFTER)
    async with practice_agent() as agent:
        line = _Line(create_app(agent.tenant), agent.clock)
        async with (
            httpx.AsyncClient(transport=line, base_url=ISSUER) as agent.agent_http,
            agent.process(watch=False),
        ):
            for number, scene in enumerate(_SCENES):
                seen = await _play(agent, line, mine, scene, f"t{number}")
                wrong = (_judge_failed_ring if seen.unheard else _judge)(seen, mine)
                if wrong is not None:
                    return wrong
    why = (
        "It asked the tenant and never the graph: two runs of the graph for each approval, one to "
        "ask and one to act, after 12 seconds as after 5 minutes. What it learned it sealed at the "
        "desk before it woke the graph, and it woke the graph for a no as for a yes."
    )
    return passed(LOOK_AFTER, why)


async def _play(
    agent: PracticeAgent, line: _Line, mine: Exercise, scene: _Scene, thread: str
) -> _Seen:
    before = len(agent.bank.moved())
    agent.tenant.interval = scene.interval
    await agent.ask_transfer(call_id=f"call_{thread}", thread=thread)
    (approval,) = await agent.waiting(thread)
    line.answers, line.asked_at, line.down, line.twin = [], [], scene.down, scene.twin
    line.begun, line.ended = agent.clock.now(), False
    seen = _Seen(scene, approval, line.answers, line.asked_at)

    ended = 0

    async def wake(approval: Approval) -> None:
        nonlocal ended
        if scene.deaf and not seen.unheard:
            seen.unheard += 1
            raise _NotWoken("the graph's store is away for a moment")
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

    async def looked_after() -> None:
        await mine(seen.approval, agent.desk, ring, agent.clock)
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


async def _run(agent: PracticeAgent, mine: Coroutine[Any, Any, None], seen: _Seen) -> None:
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


def _judge_failed_ring(seen: _Seen, mine: Exercise) -> Result | None:
    """Whether whoever called the function hears of the failure, and can try again."""
    problem = seen.problem
    if _NotWoken in {type(problem), type(problem and problem.__cause__)}:
        return None
    if seen.rings or not isinstance(problem, EndlessLoop | None):
        return _judge(seen, mine)
    why = (
        f"The customer {seen.scene.what}. Your function kept that error to itself, so whoever "
        "called it takes the approval for told and does not try again. The outcome is sealed, and "
        "the graph sleeps on."
    )
    step = "Let the error out: take the `except` away, or write `raise` as its last line."
    return _wrong(why, step)


def _judge(seen: _Seen, mine: Exercise) -> Result | None:
    answers = seen.answers
    story = f"The customer {seen.scene.what}. "
    if (hasty := _judge_pace(seen, story)) is not None:
        return hasty
    endless = isinstance(seen.problem, EndlessLoop)
    if len(seen.rings) > 1 and endless and seen.rings[0].is_outcome:
        why = f"{story}You sealed the outcome and called `ring`, and then your loop went on."
        return _wrong(why, "Leave the loop: `return` after `ring`.")
    if len(seen.rings) > 1:
        why = (
            f"{story}You called `ring` {counted(len(seen.rings), 'time')}, so the graph "
            f"ran {counted(seen.runs, 'time')}. Each call wakes the graph, and runs it: that is "
            "polling the graph, and only the tenant should be polled."
        )
        return _wrong(why, "Call `ring` once, at the Ending.")
    if endless or (seen.stuck and len(answers) > 1):
        why = f"{story}You polled {counted(len(answers), 'time')}, and it never came to an end."
        step = (
            "Leave the loop at an Ending: `return` after `ring`. And does your `case` match every "
            "Ending, a no and the end of the time too?"
        )
        return _wrong(why, step)
    if seen.stuck:
        why = f"{story}Your function waits by another clock, or for something that never comes."
        return _wrong(why, "Sleep with `await clock.sleep(…)`: I turn that clock.")
    return _judge_end(seen, mine, story)


def _judge_pace(seen: _Seen, story: str) -> Result | None:
    """Whether the tenant had to complain of too many polls."""
    answers = seen.answers
    if seen.scene.twin and answers.count("slow_down") > 1:
        first, second = seen.asked_at[:2]
        why = (
            f"{story}The tenant said slow_down, and from then on it waits for longer pauses. You "
            f"asked again after {second - first:g} seconds, as if nothing had been said, and heard "
            f"slow_down {counted(answers.count('slow_down'), 'time')}."
        )
        step = "At NotYet: `await clock.sleep(seconds)`, with its own seconds: they have grown."
        return failed(LOOK_AFTER, why, step, "C6")
    if "slow_down" in answers and not seen.scene.twin:
        why = (
            f"{story}You polled {counted(len(answers), 'time')} and were told to slow down "
            f"{counted(answers.count('slow_down'), 'time')}."
        )
        step = "Sleep before each poll: `approval.interval` at first, then NotYet's `seconds`."
        return failed(LOOK_AFTER, why, step, "C6")
    return None


def _judge_end(seen: _Seen, mine: Exercise, story: str) -> Result | None:
    last = seen.answers[-1] if seen.answers else ""
    if seen.problem is not None:
        return raised(LOOK_AFTER, seen.problem, mine.written)
    if last == "503":
        why = (
            f"{story}At the first 503 you stopped. The tenant's silence says nothing about the "
            "customer, who may be reading the push at that very moment."
        )
        return _wrong(why, "At NoAnswer: sleep, and ask again, as at NotYet.")
    if last == "authorization_pending":
        why = (
            f"{story}At authorization_pending you gave up. That answer only says that nobody has "
            "pressed a button yet."
        )
        return failed(LOOK_AFTER, why, "At NotYet: sleep, and ask again.", "C7")
    if not seen.answers:
        step = "answer = await poll_once(desk, approval)"
        return _wrong(f"{story}Nothing was asked of the tenant.", step)
    wrong = _judge_order(seen, story)
    return _judge_outcome(seen, story) if wrong is None else wrong


def _judge_order(seen: _Seen, story: str) -> Result | None:
    if seen.rings and not seen.state.is_outcome:
        why = (
            f"{story}You called `ring`, and the answer was never sealed: the record says "
            f"{seen.state}. The node woke, found nothing in the vault, and fell asleep again."
        )
        step = (
            "Seal every Ending before you ring, a no and the end of the time too: "
            "`await desk.settle(approval, event, reason, tokens=tokens)`."
        )
        return _wrong(why, step)
    if seen.rings and not seen.rings[0].is_outcome:
        why = (
            f"{story}You called `ring` before the outcome was in the vault. The node woke, looked, "
            "found nothing, and fell asleep again: a doorbell is not a key."
        )
        return _wrong(why, "First `await desk.settle(…)`, then `await ring(approval)`.")
    if not seen.state.is_outcome:
        why = f"{story}You know the answer now, and nobody else does: the record says pending."
        step = "await desk.settle(approval, event, reason, tokens=tokens)"
        return _wrong(why, step)
    if not seen.rings:
        why = (
            f"{story}The outcome is sealed, and the graph sleeps on: nobody woke it, so the "
            "customer never hears of it."
        )
        return _wrong(
            why, "await ring(approval), whatever the ending is: a yes, a no, the end of the time."
        )
    return None


def _judge_outcome(seen: _Seen, story: str) -> Result | None:
    if seen.rung < len(seen.rings):
        why = (
            f"{story}You called `ring` and did not wait for it: your function was done before the "
            "graph was, so nobody would have heard of a failure there."
        )
        return _wrong(why, "`await ring(approval)`: no task of its own.")
    wanted = {"approve": State.APPROVED, "deny": State.DENIED, None: State.EXPIRED}
    state = wanted[seen.scene.decision]
    money = ["25.00"] if state is State.APPROVED else []
    if seen.told.get("reason") == "approval_lapsed" and state is State.APPROVED:
        why = f"{story}You sealed a yes without its token, so the bank could not be asked."
        step = "await desk.settle(approval, event, reason, tokens=tokens)"
        return _wrong(why, step)
    if seen.state is state and seen.told.get("status") == state and seen.moved == money:
        return _judge_haste(seen, story)
    why = (
        f"{story}The record says {seen.state}, Aiya heard {seen.told.get('status')}, and what "
        f"moved is {', '.join(seen.moved) or 'nothing'}."
    )
    step = "Hand the Ending's event, reason and tokens on as they are."
    return _wrong(why, step)


def _judge_haste(seen: _Seen, story: str) -> Result | None:
    """All is right, and the tenant did not complain: but was it asked when it had to be?"""
    at, interval = seen.asked_at, seen.approval.interval
    if at[0] < interval:
        when = "at once"
        if at[0]:
            when = f"after {at[0]:g} seconds, and this approval.interval is {interval:g}"
        why = f"{story}All ended well, but your first poll came {when}."
        step = "Before the loop: `await clock.sleep(approval.interval)`."
        return failed(LOOK_AFTER, why, step, "C6")
    after = [late - early for early, late, answer in zip(at, at[1:], seen.answers, strict=False)
             if answer == "503"]  # fmt: skip
    if any(pause < interval for pause in after):
        why = (
            f"{story}All ended well, but while the tenant was away you asked again at once. When "
            "thousands wait, that keeps it from coming back."
        )
        return _wrong(why, "At NoAnswer: `await clock.sleep(approval.interval)`.")
    return _judge_slowness(seen, story)


def _judge_slowness(seen: _Seen, story: str) -> Result | None:
    """Whether the customer had to wait for a poll that was allowed long before."""
    at, interval = seen.asked_at, seen.approval.interval
    pauses = [late - early for early, late, answer in zip([0.0, *at], at, ["", *seen.answers],
              strict=False) if answer not in {"503", "slow_down"}]  # fmt: skip
    if seen.scene.twin or max(pauses) <= TOO_LONG * interval:
        return None
    why = (
        f"{story}All ended well, but you let {max(pauses):g} seconds pass between two polls, and "
        f"{interval:g} are asked for. Whoever has answered waits for your next poll, with the "
        "phone in hand."
    )
    step = "Sleep once before each poll: `approval.interval` at first, then NotYet's `seconds`."
    return _wrong(why, step)


def _wrong(why: str, step: str) -> Result:
    """A mistake that has no name; its step is its first hint too."""
    return slip(LOOK_AFTER, why, step)


class _Bell:
    """In place of a resumer's threads: the exercise's own way to ring."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring

    async def ring(self, approval: Approval) -> bool:
        await self._ring(approval)
        return True

    def tell(self, thread_id: str, event: dict[str, Any]) -> None:
        """Nobody listens here."""


async def stand_in(approval: Approval, desk: Desk, ring: Ring, clock: Clock) -> None:
    """`Resumer`'s own steps for one approval, with the exercise's parameters."""
    resumer = Resumer(None, desk=desk, clock=clock)
    resumer.threads = _Bell(ring)  # type: ignore[assignment]
    due: _Due | None = _Due(clock.now() + approval.interval, approval.id)
    while due is not None:
        await clock.sleep(due.at - clock.now())
        due = await resumer._step(due)
