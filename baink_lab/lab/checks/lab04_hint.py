"""Lab 04: login_hint, which names the customer to the tenant."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from baink_lab.lab.checks.exercises import exercise_of, no_return, raised
from baink_lab.lab.checks.result import Result, passed, slip

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

HINT = "login_hint"
MEMBERS = ("format", "iss", "sub")
_SHOWN = 80


async def good_hint(lab: Lab) -> Result:
    """The tenant can tell from the hint who is to be asked."""
    mine = exercise_of(lab, HINT)
    for user_id in (lab.world.user_id, 'auth0|o"brien'):
        try:
            hint = mine(lab.world.issuer, user_id)
        except Exception as failure:
            return raised(HINT, failure, mine.written)
        if hint is None:
            return no_return(HINT, "the text")
        wrong = judge_hint(HINT, hint, lab.world.issuer, user_id)
        if wrong is not None:
            return wrong
    why = (
        "It is JSON in one text: the tenant finds the customer by issuer and id, and an id with "
        "a quotation mark in it does no harm."
    )
    return passed(HINT, why)


def judge_hint(
    name: str, hint: object, issuer: str, user_id: str, known: Mapping[str, str] | None = None
) -> Result | None:
    """What is wrong with a login_hint; None when nothing is.

    Args:
        name: of the exercise.
        hint: what was made.
        issuer: whose customer it is to be.
        user_id: of the customer.
        known: other values that may have been taken, and what they are called.
    """
    try:
        told = json.loads(hint) if isinstance(hint, str) else None
    except ValueError:
        told = None
    if not isinstance(told, dict) or told.get("format") != "iss_sub" or _missing(told):
        step = _step(name, hint, told)
        why = (
            f"For the user {user_id} the hint is {_shown(hint)}. The tenant wants JSON as text, "
            'with the format "iss_sub"; anything else is answered invalid_request, login_hint '
            "parameter validation failed."
        )
        return slip(name, why, step, "C1")
    if told["iss"] != issuer and str(told["iss"]).rstrip("/") == issuer.rstrip("/"):
        why = (
            f"The hint's iss is {told['iss']}, the tenant's issuer is {issuer}. They are compared "
            "letter by letter, so the tenant says: this is not me."
        )
        return slip(name, why, "End `iss` with a slash, as the issuer does.", "C2")
    if (told["iss"], told["sub"]) != (issuer, user_id):
        why = f"The hint's iss is {told['iss']}, and its sub is {told['sub']}."
        step = f"Use the arguments: {issuer} and {user_id}."
        if (told["sub"], told["iss"]) == (issuer, user_id):
            step = "They are the wrong way round: iss is the issuer, sub is the user's id."
        else:
            step = _step_of_values(told, issuer, user_id, known or {}) or step
        return slip(name, why, step, "C1")
    return None


def _step_of_values(
    told: Mapping[str, Any], issuer: str, user_id: str, known: Mapping[str, str]
) -> str:
    """What stands in the place of the issuer or of the user's id; empty when unknown."""
    sub, iss = told["sub"], told["iss"]
    if sub and isinstance(sub, str) and sub != user_id and sub in user_id:
        return f"That sub is a piece of the user's id. Send all of it: {user_id}."
    if sub != user_id and (called := known.get(str(sub))):
        return f"That sub is {called}. It is to be the user's id: world.user_id."
    if iss != issuer and (called := known.get(str(iss))):
        return f"That iss is {called}. It is to be the issuer: world.issuer."
    return ""


def _missing(told: Mapping[str, Any]) -> list[str]:
    return [one for one in MEMBERS if one not in told]


def _shown(hint: object) -> str:
    if isinstance(hint, str) and hint.startswith(("Exercise(", "<function", "<coroutine")):
        return "a function, and not what it returns"
    shown = repr(hint)
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"


def _step(name: str, hint: object, told: object) -> str:
    """What to do about a hint that the tenant cannot read."""
    if isinstance(told, dict):
        return _step_of_members(told)
    if kind := _other_kind(hint, told):
        return kind
    if name != HINT:
        return (
            "Exercise 1 makes the hint. Call it, and send what it returns: "
            '"login_hint": login_hint(world.issuer, world.user_id).'
        )
    return 'Build a dictionary with "format", "iss" and "sub", and json.dumps it.'


def _other_kind(hint: object, told: object) -> str:
    """What it is in place of one JSON object as text, and what to do; empty when unknown."""
    if _is_python(hint):
        return (
            "It is a dictionary as Python writes it, with single quotes, by str(…) or in an "
            "f-string. JSON has double ones: json.dumps(…) makes them."
        )
    if isinstance(told, str):
        return "It is JSON of JSON: json.dumps was called twice. Call it once, on the dictionary."
    if isinstance(hint, bytes):
        return "It is bytes, and no text: leave `.encode()` away."
    if isinstance(hint, dict):
        return "It is a dictionary, and not yet text: json.dumps it."
    return ""


def _is_python(hint: object) -> bool:
    try:
        return isinstance(hint, str) and isinstance(ast.literal_eval(hint), dict)
    except (ValueError, SyntaxError):
        return False


def _step_of_members(told: Mapping[str, Any]) -> str:
    if "format" in told and told["format"] != "iss_sub":
        return f'Its format is {told["format"]!r}. Write "iss_sub", with an underscore.'
    unknown = [one for one in told if one not in MEMBERS]
    missing = _missing(told)
    if unknown:
        near = next((one for one in missing if unknown[0].startswith(one)), missing[0])
        return f'Its member "{unknown[0]}" is called "{near}".'
    return f'It has no "{missing[0]}". The three members are "format", "iss" and "sub".'
