"""Lab 04: the question to the phone, tried on a practice tenant whose line may be dead."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx

from baink_lab.approvals.binding import ALPHABET, FORBIDDEN, LONGEST
from baink_lab.lab.checks.exercises import Exercise, exercise_of, no_return, raised
from baink_lab.lab.checks.form_slips import judge_names, judge_values, judge_way
from baink_lab.lab.checks.lab04_hint import judge_hint
from baink_lab.lab.checks.lab04_polling import GOOD_LINE
from baink_lab.lab.checks.result import Result, passed, slip
from baink_lab.lab.practice.tenant import Practice, Sent, practice_tenant
from baink_lab.lab.widgets.show import counted
from baink_lab.settings import TRANSFER_SCOPE, World

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

ASK = "ask"
PATH = "/bc-authorize"
LONG_LINE = "Pay 1,250.00 € to Zoë's Bakery & Café at the far corner of the long Main Street"
FIELDS = ("client_id", "client_secret", "login_hint", "scope", "audience", "binding_message")


async def good_request(lab: Lab) -> Result:
    """The request is taken, asks once and for what the bank wants, and hides no dead line."""
    mine = exercise_of(lab, ASK)
    async with practice_tenant() as practice:
        for line in (GOOD_LINE, LONG_LINE):
            wrong = await _try(lab, practice, mine, line)
            if wrong is not None:
                return wrong
        for judge in (_with_a_dead_line, _with_a_refusal):
            wrong = await judge(practice, mine)
            if wrong is not None:
                return wrong
    why = (
        "The tenant took it, for the transfers API and for this customer. A line that is too long "
        "for the phone was made to fit, with the amount still in it."
    )
    return passed(ASK, why)


async def _try(lab: Lab, practice: Practice, mine: Exercise, line: str) -> Result | None:
    practice.begin()
    before = len(lab.exchanges)
    answer: object = None
    problem: Exception | None = None
    try:
        answer = await mine(practice.http, practice.world, line)
    except Exception as failure:
        problem = failure
    if problem is not None and not isinstance(problem, KeyError | httpx.HTTPStatusError):
        return raised(ASK, problem, mine.written)
    wrong = judge_way(ASK, practice, PATH, elsewhere=len(lab.exchanges) - before)
    if wrong is None:
        wrong = _judge_request(practice, line)
    if wrong is None and problem is not None:
        return raised(ASK, problem, mine.written)
    return _judge_answer(answer) if wrong is None else wrong


async def _with_a_dead_line(practice: Practice, mine: Exercise) -> Result | None:
    """Whoever takes an exception for an answer hides from the caller that nobody was asked."""
    practice.begin()
    practice.cut = True
    try:
        answer = await mine(practice.http, practice.world, GOOD_LINE)
    except Exception:
        return None
    finally:
        practice.cut = False
    why = (
        "I cut the line to the tenant, so httpx raised ConnectError; you caught it and returned "
        f"{'None' if answer is None else type(answer).__name__}. The caller never learns that "
        "nobody was asked."
    )
    return slip(ASK, why, "Leave the try and except round the request out: let it raise.")


async def _with_a_refusal(practice: Practice, mine: Exercise) -> Result | None:
    """Whoever raises at a refusal never reads what the tenant says: no phone, say, or too many."""
    practice.begin()
    nobody = dataclasses.replace(practice.world, user_id="auth0|nobody")
    try:
        await mine(practice.http, nobody, GOOD_LINE)
    except httpx.HTTPStatusError:
        why = (
            "I asked for a customer whom the tenant does not know. It answered 400 and said why; "
            "you raised, so nobody reads it. A refusal is an answer too."
        )
        return slip(ASK, why, "Take `raise_for_status()` away: return the answer's .json().")
    except Exception:
        return None  # on purpose: other ways to tell the caller are theirs
    return None


def _judge_request(practice: Practice, line: str) -> Result | None:
    sent = [one for one in practice.sent if one.path == PATH]
    one, world = sent[-1], practice.world
    wanted = {
        "client_id": (world.client_id, "world.client_id"),
        "client_secret": (world.client_secret, "world.client_secret"),
    }
    wrong = judge_names(ASK, one.form, FIELDS)
    if wrong is None:
        wrong = judge_values(ASK, one.form, wanted)
    if wrong is None:
        wrong = _judge_fields(one.form, one.received, world)
    if wrong is None and len(sent) > 1:
        cards = counted(practice.errors(PATH).count("ok"), "equal card")
        why = (
            f"You sent {counted(len(sent), 'request')} to {PATH}, and the phone shows {cards}. "
            "Each has an auth_req_id of its own: a yes to the wrong one leads nowhere."
        )
        step = 'Send it once: keep the answer of the one `await http.post("bc-authorize", …)`.'
        return slip(ASK, why, step)
    return _judge_rest(one, line, world) if wrong is None else wrong


def _judge_fields(form: Mapping[str, str], received: Mapping[str, Any], world: World) -> Any:
    """The mistakes with a field that have a name."""
    scope = form.get("scope", "")
    if mark := re.search(r"[,;|]", scope):
        why = (
            f"The scope is “{scope}”. Only spaces stand between two scopes: to the tenant the "
            f"“{mark[0]}” is a part of a name, and it knows no such name."
        )
        return slip(ASK, why, 'Send the scope "openid create:transfer", with one space alone.')
    if "openid" not in scope.split():
        why = (
            f"The scope is “{scope}”. CIBA is OpenID Connect, and wants openid in "
            "it; the tenant answers invalid_request, openid scope must be requested."
        )
        return slip(ASK, why, 'Send the scope "openid create:transfer".', "C3")
    wrong = judge_hint(
        ASK, form.get("login_hint"), world.issuer, world.user_id, _names_of_values(world)
    )
    if wrong is not None:
        return wrong
    if (wrong := _judge_audience(form.get("audience"), world)) is not None:
        return wrong
    if "binding" in str(received.get("error_description", "")):
        return _judge_message(form.get("binding_message", ""))
    return None


def _judge_audience(audience: str | None, world: World) -> Result | None:
    """Whether there is one, and whether it is another of the world's values."""
    if audience is None:
        why = (
            "The form has no audience. The tenant takes it all the same, asks the phone, and the "
            "token is for the tenant's own /userinfo: the bank answers 401, as in lab 01."
        )
        return slip(ASK, why, 'Add "audience": world.audience to the form.', "C4")
    called = _names_of_values(world).get(audience)
    if called is None or audience == world.audience:
        return None
    why = (
        f"The audience is {audience}, which is {called}. The audience is whom the token is for: "
        f"the bank's transfers API, {world.audience}."
    )
    return slip(ASK, why, '"audience": world.audience.')


def _names_of_values(world: World) -> dict[str, str]:
    """What a learner may have taken in place of another: each value, and where it stands."""
    fields = (one.name for one in dataclasses.fields(world))
    return {str(value): f"world.{name}" for name in fields if (value := getattr(world, name))}


def _judge_message(said: str) -> Result:
    """Which character the phone does not take, or that there are too many."""
    if not said:
        step = 'Put "binding_message": fit(message) into the form.'
        return slip(ASK, "The form has no binding_message.", step, "C5")
    found = FORBIDDEN.search(said)
    faults = [f"its character {found.start() + 1} is “{found[0]}”"] if found else []
    if len(said) > LONGEST:
        faults.append(f"it has {len(said)} characters")
    why = (
        f"The tenant refuses the binding message: {' and '.join(faults)}. “{said}” Auth0 takes 1 "
        f"to {LONGEST}: {ALPHABET}."
    )
    step = "from baink_lab.approvals.binding import fit; send fit(message)."
    return slip(ASK, why, step, "C5")


def _judge_rest(one: Sent, line: str, world: World) -> Result | None:
    form = one.form
    if one.status != 200:
        told = one.received.get("error_description") or one.error
        why = f"The tenant answered {one.status}: {told}."
        return slip(ASK, why, "Compare your form with the table, field by field.")
    amount = line.split()[1]
    said = form.get("binding_message", "")
    if TRANSFER_SCOPE not in form["scope"].split() or form["audience"] != world.audience:
        why = f"It asks for the scope “{form['scope']}” at {form['audience']}."
        return slip(ASK, why, f"Ask for openid {TRANSFER_SCOPE} at world.audience.")
    if amount not in said:
        why = f"The phone would show “{said}”, without the amount {amount}."
        return slip(ASK, why, "Send the message that you were given, made to fit.")
    return None


def _judge_answer(answer: object) -> Result | None:
    if isinstance(answer, dict) and "auth_req_id" in answer:
        return None
    if answer is None:
        return no_return(ASK, "the answer's .json()")
    step = "Return the answer's .json(): a dictionary with auth_req_id, expires_in and interval."
    return slip(ASK, f"It returned {type(answer).__name__}.", step)
