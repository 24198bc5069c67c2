"""Lab 04: whether a loop polled when it was allowed to: not sooner, and not much later."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from baink_lab.lab.checks.result import Result, slip

if TYPE_CHECKING:
    from baink_lab.lab.checks.lab04_polling import Played

WAIT = "wait_for_answer"
TOO_LONG = 1.5  # times what the tenant wants
GROWN = 1.3  # the same after slow_down, whose own interval is long enough
STEP = 5.0  # by which people let an interval grow when they do not read the answer's
_CLOCK_ERROR = 0.01
_BEGIN = 'wait = asked["interval"], and await clock.sleep(wait) before each poll'


def spelt(error: str) -> str:
    """Where to look when there is a branch for that answer, and it was not taken."""
    return f' (You do? Then compare the name letter by letter: the tenant writes "{error}".)'


def judge_pace(played: Played) -> Result | None:
    """The first pause that was too short, or far too long; None when there is none."""
    told, before = float(played.given["interval"]), played.begun
    for number, one in enumerate(played.polls):
        gap = one.at - before
        heard = played.polls[number - 1].error if number else ""
        if gap < told - _CLOCK_ERROR:
            return _too_early(played, number, gap, told)
        if gap > TOO_LONG * told + _CLOCK_ERROR and heard in {"", "authorization_pending"}:
            return _too_late(played, number, gap, told)
        if heard == "slow_down" and gap > GROWN * told + _CLOCK_ERROR:
            return _overdone(played, gap, told)
        if one.error == "slow_down":
            told = max(told, float(one.received.get("interval", told)))
        before = one.at
    return None


def _too_early(played: Played, number: int, gap: float, told: float) -> Result:
    if number == 0:
        if not gap:
            why = (
                f"{played.story}Your first question came at once, before any `clock.sleep`: "
                "nobody answers so fast."
            )
            step = f"Sleep before the first question too: {_BEGIN}."
            if _waits_later(played, told):
                why += " The later ones waited, as they should."
                step = (
                    "Sleep before the first question too: `await clock.sleep(wait)` comes first in "
                    "the loop, then the poll, and no poll stands before the loop."
                )
                return slip(WAIT, why, step, "C6")
        else:
            why = (
                f"{played.story}Your first question came after {gap:g} seconds, and "
                f'asked["interval"] is {told:g}: it differs from tenant to tenant.'
            )
            step = f"Take it from the argument: {_BEGIN}."
        return slip(WAIT, why, f"{step} (No other sleep turns this clock.)", "C6")
    if played.polls[number - 1].error == "slow_down":
        return _deaf(played, number, gap, told)
    why = (
        f"{played.story}You asked again after {gap:g} seconds, and the tenant wants {told:g} "
        "between two questions."
    )
    if not gap:
        why = (
            f"{played.story}You polled twice with no sleep in between: question {number + 1} came "
            f"with question {number}, and the tenant wants {told:g} seconds between the two."
        )
    step = f"{_BEGIN}. (No other sleep turns this clock.)"
    if told > (first := float(played.given["interval"])) and abs(gap - first) < _CLOCK_ERROR:
        why += " It had told you so at slow_down."
        step = (
            "slow_down's interval holds from then on: at authorization_pending leave the wait as "
            "it is."
        )
    return slip(WAIT, why, step, "C6")


def _waits_later(played: Played, told: float) -> bool:
    """Whether it was the first question alone that came without a sleep."""
    polls = played.polls
    return len(polls) > 1 and polls[1].at - polls[0].at >= told - _CLOCK_ERROR


def _deaf(played: Played, number: int, gap: float, told: float) -> Result:
    """The pause after slow_down: as before, or grown by a rule of one's own."""
    polls = played.polls
    earlier = polls[number - 2].at if number > 1 else played.begun
    last = polls[number - 1].at - earlier
    did = f"waited {gap:g}"
    step = 'At slow_down take the answer\'s own: wait = answer["interval"].'
    if abs(gap - last) < _CLOCK_ERROR:
        did = f"waited {gap:g} as before"
        step += spelt("slow_down")
    elif abs(gap - last - STEP) < _CLOCK_ERROR:
        did = f"waited {gap:g}, which is {STEP:g} more than before (`+= {STEP:g}`?)"
    elif abs(gap - 2 * last) < _CLOCK_ERROR:
        did = f"waited {gap:g}, which is twice as long as before (`*= 2`?)"
    why = (
        f"{played.story}The tenant answered slow_down with the interval {told:g}, and you {did}: "
        "you are told to slow down again and again."
    )
    return slip(WAIT, why, step, "C6")


def _overdone(played: Played, gap: float, told: float) -> Result:
    why = (
        f"{played.story}The tenant answered slow_down with the interval {told:g}, and you waited "
        f"{gap:g}: whoever has answered waits for you that much longer."
    )
    step = (
        'At slow_down the answer\'s own takes the place of yours, wait = answer["interval"]: add '
        "nothing to it, and sleep once before the next question."
    )
    return slip(WAIT, why, step, "C6")


def _too_late(played: Played, number: int, gap: float, told: float) -> Result:
    """Whoever grows slower without being told keeps a customer waiting who has said yes."""
    if number == 0:
        why = (
            f"{played.story}Your first question came after {gap:g} seconds, and "
            f'asked["interval"] is {told:g}: who has answered waits for you, phone in hand.'
        )
        return slip(WAIT, why, f"Take it from the argument: {_BEGIN}.")
    moments = [played.begun, *(one.at for one in played.polls)]
    gaps = [later - early for early, later in itertools.pairwise(moments)]
    shown = ", ".join(f"{one:g}" for one in gaps[: number + 1][-6:])
    why = (
        f"{played.story}You waited {shown} … seconds between two questions. "
        f"The tenant wants {told:g}, and has not told you to slow down."
    )
    step = "At authorization_pending leave the wait as it is: only slow_down changes it."
    if abs(gap - 2 * told) < _CLOCK_ERROR and abs(gaps[0] - told) < _CLOCK_ERROR:
        step += " Do you sleep twice between two questions?"
    return slip(WAIT, why, step)
