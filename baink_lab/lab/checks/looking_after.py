"""Lab 06: a learner's resumer for one approval, judged by what it did in each scene."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from baink_lab.approvals import Approval, Desk, Resumer, State
from baink_lab.approvals.resumer import _Due
from baink_lab.clock import Clock
from baink_lab.lab.checks.exercises import Exercise, exercise_of, raised
from baink_lab.lab.checks.looking_after_scenes import (
    SCENES,
    Line,
    NotKept,
    NotWoken,
    Seen,
    play,
)
from baink_lab.lab.checks.on_purpose import on_purpose
from baink_lab.lab.checks.result import Result, failed, passed, slip
from baink_lab.lab.learner.solutions import Ring
from baink_lab.lab.practice.agent import practice_agent
from baink_lab.lab.practice.fresh import ISSUER
from baink_lab.lab.practice.tenant import EndlessLoop
from baink_lab.lab.widgets.show import counted
from baink_lab.sandbox.tenant import create_app

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

LOOK_AFTER = "look_after"
TOO_LONG = 1.5  # times the interval
_NUMBERS = ("first", "second")  # the tenant is not silent more often

_FAILURES = (NotWoken, NotKept)
_LET_OUT = (
    "Let the error out. What keeps it in your function: an `except` that does not end with "
    "`raise`, a `return` in a `finally`, `suppress(…)`, `gather(…, return_exceptions=True)`."
)


async def looks_after(lab: Lab) -> Result:
    """It polls politely, seals every ending, rings once, and never takes silence for a no."""
    mine = exercise_of(lab, LOOK_AFTER)
    async with practice_agent() as agent:
        line = Line(create_app(agent.tenant), agent.clock)
        async with (
            httpx.AsyncClient(transport=line, base_url=ISSUER) as agent.agent_http,
            agent.process(watch=False),
        ):
            for number, scene in enumerate(SCENES):
                seen = await play(agent, line, mine, scene, f"t{number}")
                failed_once = seen.unheard or seen.unkept
                wrong = (_judge_failure if failed_once else _judge)(seen, mine)
                if wrong is not None:
                    return wrong
    why = (
        "It asked the tenant and never the graph: two runs of the graph for each approval, one to "
        "ask and one to act, after 12 seconds as after 5 minutes. What it learned it sealed at the "
        "desk before it woke the graph, and it woke the graph for a no as for a yes."
    )
    return passed(LOOK_AFTER, why)


def _judge_failure(seen: Seen, mine: Exercise) -> Result | None:
    """Whether whoever called the function hears of what failed, and can try again."""
    problem = seen.problem
    if problem is not None and _lets_out(problem, mine):
        return None
    done = seen.rings if seen.unheard else seen.state.is_outcome  # at a second try
    if done or not isinstance(problem, EndlessLoop | None):
        return _judge(seen, mine)
    kept = "so whoever called it takes the approval for told and does not try again."
    if problem is not None or seen.stuck:
        kept = "and polled on, and the tenant gives its answer only once."
    led_to = "The outcome is sealed, and the graph sleeps on."
    if seen.unkept:
        woke = "You rang all the same: the node looked into the vault, and found nothing. "
        led_to = f"{woke if seen.rings else ''}The record says pending, and the yes is lost."
    why = (
        f"The customer {seen.scene.what}. Your function kept that error to itself, {kept} {led_to}"
    )
    return _wrong(why, _LET_OUT)


def _lets_out(problem: Exception, mine: Exercise) -> bool:
    """What failed, as it is or in words of the learner's own; no slip after it."""
    if isinstance(problem, _FAILURES):
        return True
    return isinstance(problem.__context__, _FAILURES) and on_purpose(problem, mine.written)


def _judge(seen: Seen, mine: Exercise) -> Result | None:
    answers = seen.answers
    story = f"The customer {seen.scene.what}. "
    hasty = _judge_pace(seen, story)
    if hasty is None:
        hasty = _judge_early(seen, story)
    if hasty is not None:
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


def _judge_pace(seen: Seen, story: str) -> Result | None:
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


def _judge_early(seen: Seen, story: str) -> Result | None:
    """Whether an outcome was sealed while there was none, whatever came of it."""
    if seen.early is None:
        return None
    heard, state = seen.early
    answers = seen.answers[:heard]
    did = f"you sealed an ending that the tenant never gave: the record said {state}."
    if answers[-1] == "503":
        return _silence(answers, story, did)
    return _pending(answers, story, did)


def _silence(answers: list[str], story: str, did: str) -> Result:
    why = (
        f"{story}At the {_NUMBERS[answers.count('503') - 1]} 503 {did} The tenant's silence says "
        "nothing about the customer, who may be reading the push at that very moment."
    )
    return _wrong(why, "At NoAnswer: sleep, and ask again, as at NotYet.")


def _pending(answers: list[str], story: str, did: str) -> Result:
    why = (
        f"{story}At {answers[-1]} {did} That answer only says that nobody has pressed a button yet."
    )
    return failed(LOOK_AFTER, why, "At NotYet: sleep, and ask again.", "C7")


def _judge_end(seen: Seen, mine: Exercise, story: str) -> Result | None:
    last = seen.answers[-1] if seen.answers else ""
    if seen.problem is not None:
        return raised(LOOK_AFTER, seen.problem, mine.written)
    if last == "503":
        return _silence(seen.answers, story, "you stopped.")
    if last == "authorization_pending":
        return _pending(seen.answers, story, "you gave up.")
    if not seen.answers:
        step = "answer = await poll_once(desk, approval)"
        return _wrong(f"{story}Nothing was asked of the tenant.", step)
    wrong = _judge_order(seen, story)
    return _judge_outcome(seen, story) if wrong is None else wrong


def _judge_order(seen: Seen, story: str) -> Result | None:
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


def _judge_outcome(seen: Seen, story: str) -> Result | None:
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


def _judge_haste(seen: Seen, story: str) -> Result | None:
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


def _judge_slowness(seen: Seen, story: str) -> Result | None:
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
