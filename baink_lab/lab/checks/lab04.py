"""Lab 04: login_hint, the request, and polite polling, each tried on a practice tenant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from baink_lab.auth0.ciba import CibaClient, iss_sub
from baink_lab.lab.checks.exercises import Reference, exercise_of, raised
from baink_lab.lab.checks.form_slips import judge_writing
from baink_lab.lab.checks.lab04_polling import GOOD_LINE, WAIT, polite_polling, start, wait
from baink_lab.lab.checks.result import Result, failed, passed
from baink_lab.lab.checks.shelf import Shelf
from baink_lab.lab.practice import Practice, practice_tenant
from baink_lab.settings import TRANSFER_SCOPE, World

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

HINT, ASK = "login_hint", "ask"
LONG_LINE = "Pay 1,250.00 € to Zoë's Bakery & Café at the far corner of the long Main Street"


async def good_hint(lab: Lab) -> Result:
    """The tenant can tell from the hint who is to be asked."""
    mine = exercise_of(lab, HINT)
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
        if isinstance(hint, str) and hint.startswith(("Exercise(", "<function", "<coroutine")):
            shown = "a function, and not what it returns"
        why = (
            f"For the user {user_id} the hint is {shown}. The tenant wants JSON as text, with "
            'the format "iss_sub"; anything else is answered invalid_request, login_hint '
            "parameter validation failed."
        )
        return failed(name, why, _hint_step(name, hint, told), "C1")
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


def _hint_step(name: str, hint: object, told: object) -> str:
    """What to do about a hint that the tenant cannot read."""
    if isinstance(told, dict) and "format" in told:
        return f'Its format is {told["format"]!r}. Write "iss_sub", with an underscore.'
    if isinstance(hint, dict):
        return "It is a dictionary, and not yet text: json.dumps it."
    if name == ASK:
        return (
            "Exercise 1 makes the hint. Call it, and send what it returns: "
            '"login_hint": login_hint(world.issuer, world.user_id).'
        )
    if hint is None:
        return "Your function ends without a `return`: return the text."
    return 'Build a dictionary with "format", "iss" and "sub", and json.dumps it.'


async def good_request(lab: Lab) -> Result:
    """The request is taken, and asks for what the bank wants."""
    mine = exercise_of(lab, ASK)
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
    everything = zip(practice.types, practice.forms, practice.repeated, practice.said, strict=True)
    sent = [one for one in everything if one[-1].path == "/bc-authorize"]
    if not sent:
        step = 'await http.post("bc-authorize", data=form), and return its .json().'
        return failed(ASK, "Nothing was sent to /bc-authorize.", step)
    kind, form, repeated, exchange = sent[-1]
    if not kind.startswith("application/x-www-form-urlencoded"):
        why = (
            f"It was not sent as a form: its Content-Type is “{kind or 'empty'}”. bc-authorize "
            "reads forms only, so to the tenant your fields are not there."
        )
        step = 'await http.post("bc-authorize", data=form): `data=` sends a form, `json=` does not.'
        return failed(ASK, why, step)
    wrong = judge_writing(ASK, form, repeated)
    if wrong is None:
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
            "Five answers: pending (go on), slow_down (go on, slower), access_denied, a token, and "
            "anything else (raise an exception).",
            'wait = asked["interval"]; after slow_down wait = answer["interval"].',
            'Return answer["access_token"] at the end, None at access_denied.',
        ),
    },
    {
        HINT: Reference(iss_sub),
        ASK: Reference(CibaClient.start, start),
        WAIT: Reference(CibaClient.wait, wait),
    },
)
