"""Lab 04: polite polling, tried in scenes on a practice tenant whose clock flies."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any, Literal

import httpx

from baink_lab.approvals.binding import fit
from baink_lab.auth0.ciba import CibaClient, CibaRequest
from baink_lab.auth0.errors import AccessDenied, CibaError, Expired
from baink_lab.clock import Clock
from baink_lab.lab.checks.exercises import Exercise, exercise_of, raised
from baink_lab.lab.checks.form_slips import judge_writing
from baink_lab.lab.checks.result import Result, failed, passed
from baink_lab.lab.practice import EndlessLoop, Practice, practice_tenant
from baink_lab.lab.show import counted
from baink_lab.settings import TRANSFER_SCOPE, World

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

WAIT = "wait_for_answer"
GOOD_LINE = "Move 25.00 USD from Checking to Savings"


@dataclasses.dataclass(frozen=True)
class _Scene:
    """One course of events for a polling loop."""

    what: str
    decision: Literal["approve", "deny"] | None
    after: float
    meddled: bool = False
    spent: bool = False


_SCENES = (
    _Scene("approves after 12 seconds", "approve", 12),
    _Scene("denies after 7 seconds", "deny", 7),
    _Scene("never answers", None, 0),
    _Scene("approves after 20 seconds, and another program polls in between", "approve", 20, True),
    _Scene("is still thinking when another program uses the request up", None, 0, spent=True),
)


async def polite_polling(lab: Lab) -> Result:
    """The loop waits as told, goes on while nobody has answered, and takes a no for a no."""
    mine = exercise_of(lab, WAIT)
    async with practice_tenant() as practice:
        for scene in _SCENES:
            wrong = await _play(practice, mine, scene)
            if wrong is not None:
                return wrong
    why = (
        "It kept to the interval, took `slow_down` to heart, went on while the customer was still "
        "thinking, and ended at the first final answer: a token, a no, the end of the time, or an "
        "error that no waiting mends. "
        "The five minutes passed on a clock that I turned."
    )
    return passed(WAIT, why)


async def _play(practice: Practice, mine: Exercise, scene: _Scene) -> Result | None:
    asked = await start(practice.http, practice.world, GOOD_LINE)
    practice.begin()
    begun = practice.clock.now()
    if scene.decision is not None:
        practice.answer_after(scene.after, scene.decision)
    if scene.meddled:
        practice.poll_after(3, asked["auth_req_id"])
    if scene.spent:
        practice.spend_after(7, asked["auth_req_id"])
    outcome: object = None
    problem: Exception | None = None
    try:
        outcome = await mine(practice.http, practice.world, dict(asked), practice.clock)
    except Exception as failure:
        problem = failure
    passed_by = practice.clock.now() - begun
    wrong = _judge_form(practice, asked)
    if wrong is not None:
        return wrong
    if scene.spent and "invalid_grant" in practice.errors():
        return _no_way_on(practice, scene, outcome, problem)
    wrong = _judge_polling(practice, mine, scene, outcome, problem, passed_by)
    return _too_slow(practice, scene, asked["interval"]) if wrong is None else wrong


def _judge_form(practice: Practice, asked: dict[str, Any]) -> Result | None:
    """A poll for another request than the one that was handed over."""
    everything = zip(practice.forms, practice.repeated, practice.said, strict=True)
    sent = [(form, twice) for form, twice, one in everything if one.path == "/oauth/token"]
    for form, repeated in sent:
        wrong = judge_writing(WAIT, form, repeated)
        if wrong is not None:
            return wrong
    polled = [form.get("auth_req_id", "") for form, _ in sent]
    if not polled or asked["auth_req_id"] in polled:
        return None
    told = "another auth_req_id than the one" if polled[-1] else "no auth_req_id, not the one"
    why = f"Your form carries {told} in the argument `asked`, so the tenant answers invalid_grant."
    step = 'Build the form inside the function, with "auth_req_id": asked["auth_req_id"].'
    return failed(WAIT, why, step)


def _judge_polling(
    practice: Practice,
    mine: Exercise,
    scene: _Scene,
    outcome: object,
    problem: Exception | None,
    passed_by: float,
) -> Result | None:
    errors = practice.errors()
    again = practice.errors("/bc-authorize")
    story = f"The customer {scene.what}. "
    if errors.count("slow_down") > (1 if scene.meddled else 0):
        return _too_fast(practice, story, errors)
    if "access_denied" in errors and (again or errors[-1] != "access_denied" or problem):
        return _no_is_no(story, errors, again, problem)
    last = errors[-1] if errors else ""
    if problem is not None and last == "slow_down":
        return _too_fast(practice, story, errors)
    if last == "authorization_pending" and not isinstance(problem, EndlessLoop):
        why = (
            f"{story}After {passed_by:.0f} seconds, at authorization_pending, you gave up. That "
            "answer only says that nobody has pressed a button yet."
        )
        step = "On authorization_pending: sleep, and ask again."
        return failed(WAIT, why, step, "C7")
    if problem is not None:
        return raised(WAIT, problem, mine.written)
    return _judge_outcome(story, scene, errors, outcome)


def _judge_outcome(story: str, scene: _Scene, errors: list[str], outcome: object) -> Result | None:
    if not errors:
        step = 'await http.post("oauth/token", data=form) with the grant type of CIBA.'
        return failed(WAIT, f"{story}Nothing was sent to /oauth/token.", step)
    if scene.decision == "approve":
        if errors[-1] != "ok":
            why = f"{story}The last answer of the tenant was {errors[-1]}."
            return failed(WAIT, why, "Compare your form with the one in the text above.")
        if isinstance(outcome, str) and outcome.count(".") == 2:
            return None
        why = f"{story}You returned {type(outcome).__name__}, not the access token."
        step = 'Return answer["access_token"].'
        if isinstance(outcome, httpx.Response):
            step = 'That is the answer as a whole: return answer.json()["access_token"].'
        return failed(WAIT, why, step, hints=(step,))
    if outcome is None:
        return None
    why = f"{story}You returned {type(outcome).__name__} for a no: a caller takes it for a yes."
    return failed(WAIT, why, "Return None at access_denied.", "C8")


def _too_fast(practice: Practice, story: str, errors: list[str]) -> Result:
    why = (
        f"{story}You polled {counted(len(errors), 'time')} and were told to slow down "
        f"{counted(errors.count('slow_down'), 'time')}; you slept "
        f"{counted(practice.clock.slept, 'time')} on the clock."
    )
    step = (
        'Before each poll: await clock.sleep(wait), at first asked["interval"] seconds, and the '
        "answer's `interval` after slow_down. (asyncio.sleep does not turn this clock.)"
    )
    return failed(WAIT, why, step, "C6")


def _too_slow(practice: Practice, scene: _Scene, told: float) -> Result | None:
    """Whoever grows slower without being told keeps a customer waiting who has said yes."""
    everything = zip(practice.said, practice.at, strict=True)
    polls = [(one.received, at) for one, at in everything if one.path == "/oauth/token"]
    gaps = [later - at for (_, at), (_, later) in itertools.pairwise(polls)]
    for (received, _), gap in zip(polls, gaps, strict=False):
        told = received.get("interval", told)
        if received.get("error") == "authorization_pending" and gap > 2 * told:
            shown = ", ".join(f"{one:.0f}" for one in gaps[:6])
            why = (
                f"The customer {scene.what}. You waited {shown} … seconds between two questions. "
                f"The tenant wants {told:.0f}, and has not told you to slow down."
            )
            step = "At authorization_pending leave the wait as it is: only slow_down changes it."
            return failed(WAIT, why, step, hints=(step,))
    return None


def _no_way_on(
    practice: Practice, scene: _Scene, outcome: object, problem: Exception | None
) -> Result | None:
    """An answer that is no step of the protocol: neither to be asked about again, nor a no."""
    again = practice.errors().count("invalid_grant") - 1
    if problem is not None and not again:
        return None
    did = f"returned {'None, which means a no' if outcome is None else type(outcome).__name__}"
    if again:
        did = f"asked {counted(again, 'time')} more"
    why = (
        f"The customer {scene.what}. The tenant answered invalid_grant, which is in no row of the "
        f"table; you {did}."
    )
    step = (
        "Anything but pending, slow_down, access_denied and a token: "
        'raise RuntimeError(answer["error"]).'
    )
    return failed(WAIT, why, step, hints=(step,))


def _no_is_no(story: str, errors: list[str], again: list[str], problem: Exception | None) -> Result:
    did = "raised an exception that nobody expects"
    if again:
        did = f"asked the phone {counted(len(again), 'time')} more: that is push fatigue"
    elif errors[-1] != "access_denied" or errors.count("access_denied") > 1:
        did = "polled on"
    elif isinstance(problem, EndlessLoop):
        did = "never came to an end"
    why = (
        f"{story}At access_denied, which is the customer's no or the end of the time, your code "
        f"{did}."
    )
    return failed(WAIT, why, "At access_denied: return None, and ask nobody again.", "C8")


async def start(http: httpx.AsyncClient, world: World, message: str) -> dict[str, Any]:
    """`CibaClient.start` with the exercise's parameters."""
    client = CibaClient(world.issuer, world.client_id, world.client_secret, http=http)
    try:
        asked = await client.start(world.user_id, TRANSFER_SCOPE, world.audience, fit(message))
    except CibaError as refused:
        return {"error": refused.code, "error_description": refused.sentence}
    return {
        "auth_req_id": asked.auth_req_id,
        "expires_in": asked.expires_in,
        "interval": asked.interval,
    }


async def wait(
    http: httpx.AsyncClient, world: World, asked: dict[str, Any], clock: Clock
) -> str | None:
    """`CibaClient.wait` with the exercise's parameters."""
    client = CibaClient(world.issuer, world.client_id, world.client_secret, http=http, clock=clock)
    request = CibaRequest(**asked, started_at=clock.now())
    try:
        return (await client.wait(request)).access_token
    except (AccessDenied, Expired):
        return None
