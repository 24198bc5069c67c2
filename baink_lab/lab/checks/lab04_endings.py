"""Lab 04: what a polling loop made of the tenant's last answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from baink_lab.lab.checks.exercises import no_return
from baink_lab.lab.checks.lab04_pace import spelt
from baink_lab.lab.checks.result import Result, slip
from baink_lab.lab.learner.cells import line_in
from baink_lab.lab.practice.tenant import EndlessLoop
from baink_lab.lab.widgets.show import counted

if TYPE_CHECKING:
    from baink_lab.lab.checks.lab04_polling import Played

WAIT = "wait_for_answer"


def judge_ending(played: Played) -> Result | None:
    """What is wrong with how the loop ended; None when nothing is."""
    errors = played.errors
    if played.scene.spent and "invalid_grant" in errors:
        return _no_way_on(played)
    no = "access_denied" in errors
    if no and (played.asked_again or errors[-1] != "access_denied" or played.problem):
        return _no_is_no(played)
    if played.asked_again:
        why = f"{played.story}You asked the phone {counted(played.asked_again, 'time')} more."
        return slip(WAIT, why, "Only poll here: exercise 2 has asked the phone already.", "C8")
    if isinstance(played.problem, EndlessLoop):
        why = f"{played.story}You polled {counted(len(errors), 'time')}, and came to no end."
        return slip(WAIT, why, "Look at what ends your loop: a token, or access_denied.")
    if errors[-1] in {"slow_down", "authorization_pending"}:
        return _gave_up(played)
    return _judge_yes(played) if played.scene.decision == "approve" else _judge_no(played)


def _gave_up(played: Played) -> Result:
    last = played.errors[-1]
    after = played.polls[-1].at - played.begun
    did = f"you gave up{_where(played)}"
    if played.problem is None:
        did = f"you returned {'None' if played.outcome is None else type(played.outcome).__name__}"
    why = (
        f'{played.story}After {after:.0f} seconds the tenant\'s `error` was "{last}", and your '
        f"code took that for an end: {did}."
    )
    if last == "slow_down":
        step = 'slow_down is no end: take wait = answer["interval"], sleep, and ask again.'
        return slip(WAIT, why, step + spelt(last), "C6")
    why += " That answer only says that nobody has pressed a button yet."
    step = "On authorization_pending: sleep, and ask again."
    return slip(WAIT, why, step + spelt(last), "C7")


def _where(played: Played) -> str:
    if played.problem is None:
        return ""
    line = line_in(played.problem, played.mine.written)
    return f" ({line[0].lower()}{line[1:]})"


def _judge_no(played: Played) -> Result | None:
    if played.outcome is None:
        return None
    kind = type(played.outcome).__name__
    why = (
        f"{played.story}You returned {kind} for a no. Only None means a no: whoever asks "
        "`if token is None` takes anything else for a token."
    )
    return slip(WAIT, why, "Return None at access_denied.", "C8")


def _judge_yes(played: Played) -> Result | None:
    outcome, last = played.outcome, played.polls[-1]
    if last.error != "ok":
        why = f"{played.story}The last answer of the tenant was {last.error}{_where(played)}."
        return slip(WAIT, why, "Compare your form with the table above, field by field.")
    if played.problem is not None:
        why = f"{played.story}The tenant gave the token, and you raised{_where(played)}."
        return slip(WAIT, why, 'Without `error` it is a yes: return answer["access_token"].')
    if outcome == last.received.get("access_token"):
        return None
    return _other_outcome(played)


def _other_outcome(played: Played) -> Result:
    outcome, last = played.outcome, played.polls[-1]
    if outcome is None:
        return no_return(WAIT, 'answer["access_token"]')
    why = f"{played.story}You returned {type(outcome).__name__}, not the access token."
    step = 'Return answer["access_token"].'
    if isinstance(outcome, httpx.Response):
        step = 'That is the answer as a whole: return answer.json()["access_token"].'
    elif outcome == last.received.get("id_token"):
        why = (
            f"{played.story}You returned the id_token, which says who the customer is. The bank "
            "wants the access token, and refuses this one."
        )
    return slip(WAIT, why, step)


def _no_way_on(played: Played) -> Result | None:
    """An answer that is no step of the protocol: neither to be asked about again, nor a no."""
    again = played.errors.count("invalid_grant") - 1
    if played.problem is not None and not again:
        return None
    outcome = played.outcome
    did = f"returned {'None, which means a no' if outcome is None else type(outcome).__name__}"
    if again:
        did = f"asked {counted(again, 'time')} more"
    why = (
        f"{played.story}The tenant answered invalid_grant, which is in no row of the table; you "
        f"{did}."
    )
    step = (
        "Anything but pending, slow_down, access_denied and a token: "
        'raise RuntimeError(answer["error"]).'
    )
    return slip(WAIT, why, step)


def _no_is_no(played: Played) -> Result:
    errors = played.errors
    did = f"raised an exception that nobody expects{_where(played)}"
    if played.asked_again:
        did = f"asked the phone {counted(played.asked_again, 'time')} more: that is push fatigue"
    elif errors[-1] != "access_denied" or errors.count("access_denied") > 1:
        did = "polled on"
    elif isinstance(played.problem, EndlessLoop):
        did = "never came to an end"
    why = (
        f"{played.story}At access_denied, which is the customer's no or the end of the time, your "
        f"code {did}."
    )
    step = "At access_denied: return None, and ask nobody again."
    if not played.asked_again:
        step += spelt("access_denied")
    return slip(WAIT, why, step, "C8")
