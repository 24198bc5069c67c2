"""Lab 04: login_hint, the request, and polite polling, each tried on a practice tenant."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, Literal

import httpx

from baink_lab.approvals.binding import fit
from baink_lab.auth0.ciba import CibaClient, CibaRequest, iss_sub
from baink_lab.auth0.errors import AccessDenied, CibaError, Expired, RequestSpent
from baink_lab.clock import Clock
from baink_lab.lab.checks.exercises import Exercise, Reference, raised
from baink_lab.lab.checks.result import Result, failed, passed
from baink_lab.lab.checks.shelf import Shelf
from baink_lab.lab.practice import EndlessLoop, Practice, practice_tenant
from baink_lab.lab.show import counted
from baink_lab.settings import TRANSFER_SCOPE, World

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

HINT, ASK, WAIT = "login_hint", "ask", "wait_for_answer"
GOOD_LINE = "Move 25.00 USD from Checking to Savings"
LONG_LINE = "Pay 1,250.00 € to Zoë's Bakery & Café at the far corner of the long Main Street"


async def good_hint(lab: Lab) -> Result:
    """The tenant can tell from the hint who is to be asked."""
    mine = _found(lab, HINT)
    for user_id in (lab.world.user_id, 'auth0|o"brien'):
        try:
            hint = mine(lab.world.issuer, user_id)
        except Exception as failure:
            return raised(HINT, failure, mine.written)
        wrong = judge_hint(HINT, hint, lab.world.issuer, user_id)
        if wrong is not None:
            return wrong
    why = (
        "It is JSON in one text: the tenant finds the customer by issuer and id, and an id with "
        "a quotation mark in it does no harm."
    )
    return passed(HINT, why)


def judge_hint(name: str, hint: object, issuer: str, user_id: str) -> Result | None:
    """What is wrong with a login_hint; None when nothing is."""
    try:
        told = json.loads(hint) if isinstance(hint, str) else None
    except ValueError:
        told = None
    if not isinstance(told, dict) or told.get("format") != "iss_sub":
        shown = repr(hint)[:80]
        why = (
            f"For the user {user_id} the hint is {shown}. The tenant wants JSON as text, with "
            'the format "iss_sub"; anything else is answered invalid_request, login_hint '
            "parameter validation failed."
        )
        step = 'Build a dictionary with "format", "iss" and "sub", and json.dumps it.'
        return failed(name, why, step, "C1")
    if told.get("iss") != issuer and str(told.get("iss")).rstrip("/") == issuer.rstrip("/"):
        why = (
            f"The hint's iss is {told['iss']}, the tenant's issuer is {issuer}. They are compared "
            "letter by letter, so the tenant says: this is not me."
        )
        return failed(name, why, "End `iss` with a slash, as the issuer does.", "C2")
    if told.get("iss") != issuer or told.get("sub") != user_id:
        why = f"The hint names {told.get('iss')} and {told.get('sub')}."
        return failed(name, why, f"Use the arguments: {issuer} and {user_id}.", "C1")
    return None


async def good_request(lab: Lab) -> Result:
    """The request is taken, and asks for what the bank wants."""
    mine = _found(lab, ASK)
    async with practice_tenant() as practice:
        for line in (GOOD_LINE, LONG_LINE):
            practice.begin()
            try:
                answer = await mine(practice.http, practice.world, line)
            except Exception as failure:
                return raised(ASK, failure, mine.written)
            wrong = _judge_request(practice, line, answer)
            if wrong is not None:
                return wrong
    why = (
        "The tenant took it, for the transfers API and for this customer. A line that is too long "
        "for the phone was made to fit, with the amount still in it."
    )
    return passed(ASK, why)


def _judge_request(practice: Practice, line: str, answer: object) -> Result | None:
    everything = zip(practice.types, practice.forms, practice.said, strict=True)
    sent = [(kind, form, one) for kind, form, one in everything if one.path == "/bc-authorize"]
    if not sent:
        step = 'await http.post("bc-authorize", data=form), and return its .json().'
        return failed(ASK, "Nothing was sent to /bc-authorize.", step)
    kind, form, exchange = sent[-1]
    if not kind.startswith("application/x-www-form-urlencoded"):
        why = (
            f"It was not sent as a form: its Content-Type is “{kind or 'empty'}”. bc-authorize "
            "reads forms only, so to the tenant your fields are not there."
        )
        step = 'await http.post("bc-authorize", data=form): `data=` sends a form, `json=` does not.'
        return failed(ASK, why, step)
    wrong = _judge_fields(form, exchange.received, practice.world)
    if wrong is not None:
        return wrong
    return _judge_rest(form, exchange.status, exchange.received, line, answer, practice.world)


def _judge_fields(form: dict[str, str], received: Any, world: World) -> Result | None:
    """The mistakes with a field that have a name."""
    if "openid" not in form.get("scope", "").split():
        why = (
            f"The scope is “{form.get('scope', '')}”. CIBA is OpenID Connect, and wants openid in "
            "it; the tenant answers invalid_request, openid scope must be requested."
        )
        return failed(ASK, why, 'Send the scope "openid create:transfer".', "C3")
    wrong = judge_hint(ASK, form.get("login_hint"), world.issuer, world.user_id)
    if wrong is not None:
        return wrong
    if "audience" not in form:
        why = (
            "The form has no audience. The tenant takes it all the same, asks the phone, and the "
            "token is for the tenant's own /userinfo: the bank answers 401, as in lab 01."
        )
        return failed(ASK, why, 'Add "audience": world.audience to the form.', "C4")
    if isinstance(received, dict) and "binding" in str(received):
        count = len(form.get("binding_message", ""))
        why = (
            f"The binding message has {count} characters: {form.get('binding_message', '')!r}. "
            "Auth0 takes 1 to 64: letters, digits, space and + - _ . , : #."
        )
        step = "from baink_lab.approvals.binding import fit; send fit(message)."
        return failed(ASK, why, step, "C5")
    return None


def _judge_rest(
    form: dict[str, str], status: int, received: Any, line: str, answer: object, world: World
) -> Result | None:
    if status == 401:
        why = "The tenant does not know the client. I called you with a practice tenant's `world`."
        step = "Take client_id and client_secret from the argument `world`, not from lab.world."
        return failed(ASK, why, step)
    if status != 200:
        return failed(ASK, f"The tenant answered {status}: {received}.", "Read its description.")
    amount = line.split()[1]
    said = form.get("binding_message", "")
    if TRANSFER_SCOPE not in form["scope"].split() or form["audience"] != world.audience:
        why = f"It asks for the scope “{form['scope']}” at {form['audience']}."
        return failed(ASK, why, f"Ask for openid {TRANSFER_SCOPE} at world.audience.")
    if amount not in said:
        why = f"The phone would show “{said}”, without the amount {amount}."
        return failed(ASK, why, "Send the message that you were given, made to fit.")
    if not isinstance(answer, dict) or "auth_req_id" not in answer:
        return failed(ASK, f"It returned {type(answer).__name__}.", "Return the answer's .json().")
    return None


@dataclasses.dataclass(frozen=True)
class _Scene:
    """One course of events for a polling loop."""

    what: str
    decision: Literal["approve", "deny"] | None
    after: float
    meddled: bool = False


_SCENES = (
    _Scene("approves after 12 seconds", "approve", 12),
    _Scene("denies after 7 seconds", "deny", 7),
    _Scene("never answers", None, 0),
    _Scene("approves after 20 seconds, and another program polls in between", "approve", 20, True),
)


async def polite_polling(lab: Lab) -> Result:
    """The loop waits as told, goes on while nobody has answered, and takes a no for a no."""
    mine = _found(lab, WAIT)
    async with practice_tenant() as practice:
        for scene in _SCENES:
            wrong = await _play(practice, mine, scene)
            if wrong is not None:
                return wrong
    why = (
        "It kept to the interval, took `slow_down` to heart, went on while the customer was still "
        "thinking, and ended at the first final answer: a token, a no, or the end of the time. "
        "The five minutes passed on a clock that I turned."
    )
    return passed(WAIT, why)


async def _play(practice: Practice, mine: Exercise, scene: _Scene) -> Result | None:
    asked = await _ask(practice.http, practice.world, GOOD_LINE)
    practice.begin()
    begun = practice.clock.now()
    if scene.decision is not None:
        practice.answer_after(scene.after, scene.decision)
    if scene.meddled:
        practice.poll_after(3, asked["auth_req_id"])
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
    return _judge_polling(practice, mine, scene, outcome, problem, passed_by)


def _judge_form(practice: Practice, asked: dict[str, Any]) -> Result | None:
    """A poll for another request than the one that was handed over."""
    polled = [
        form.get("auth_req_id", "")
        for form, one in zip(practice.forms, practice.said, strict=True)
        if one.path == "/oauth/token"
    ]
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
        return failed(WAIT, why, 'Return answer["access_token"].')
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


def _found(lab: Lab, name: str) -> Exercise:
    mine = lab.found(name)
    assert mine is not None  # the teacher has seen to that
    return mine


async def _ask(http: httpx.AsyncClient, world: World, message: str) -> dict[str, Any]:
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


async def _wait(
    http: httpx.AsyncClient, world: World, asked: dict[str, Any], clock: Clock
) -> str | None:
    """`CibaClient.wait` with the exercise's parameters."""
    client = CibaClient(world.issuer, world.client_id, world.client_secret, http=http, clock=clock)
    request = CibaRequest(**asked, started_at=clock.now())
    try:
        return (await client.wait(request)).access_token
    except (AccessDenied, Expired, RequestSpent):
        return None


SHELF = Shelf(
    4,
    {HINT: good_hint, ASK: good_request, WAIT: polite_polling},
    {
        HINT: (
            "The tenant knows its users by two things: who vouches for them, and their id there.",
            'A dictionary with three members: "format", "iss", "sub".',
            'return json.dumps({"format": "iss_sub", "iss": issuer, "sub": user_id})',
        ),
        ASK: (
            "The table above names each field of the form; take the values from `world`.",
            '"scope": "openid create:transfer", "audience": world.audience.',
            "login_hint(world.issuer, world.user_id) and fit(message) make the other two.",
            'answer = await http.post("bc-authorize", data=form); return answer.json()',
        ),
        WAIT: (
            "A loop: sleep, poll, look at the answer's `error`.",
            "Four answers: pending (go on), slow_down (go on, slower), access_denied, a token.",
            'wait = asked["interval"]; after slow_down wait = answer["interval"].',
            'Return answer["access_token"] at the end, None at access_denied.',
        ),
    },
    {
        HINT: Reference(iss_sub),
        ASK: Reference(CibaClient.start, _ask),
        WAIT: Reference(CibaClient.wait, _wait),
    },
)
