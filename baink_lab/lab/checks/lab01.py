"""Lab 01: both tries were refused, and the learner can say which claim of the token is to blame."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

from baink_lab.lab.checks.exercises import Reference, exercise_of, raised
from baink_lab.lab.checks.result import Result, failed, not_yet, passed
from baink_lab.lab.checks.shelf import Shelf
from baink_lab.lab.tokens import claims_of, wanted_by_bank, why_refused

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

REFUSED, WHY = "refused", "why_refused"
_WANTED_CODE = "invalid_token"
_LONGER = "a token with a longer audience, as text,"
_RETURN = "Write `return` in front of what you print: `print` shows it to you alone."


async def both_refused(lab: Lab) -> Result:
    """The customer tried, Aiya tried, and the bank refused both tokens."""
    tried = dict(lab.accounts.refusals)
    steps = {
        "customer": 'Run await lab.accounts.move("25.00"), or press the button in the panel.',
        "Aiya": 'Run the cells with lab.say: ask for a transfer, then answer "yes".',
    }
    for who, step in steps.items():
        if who not in tried:
            subject = "The customer" if who == "customer" else "Aiya"
            why = (
                f"{subject} has not tried to move money since this kernel started. (Who tried is "
                "kept in the kernel alone.)"
            )
            return not_yet(REFUSED, why, step)
    other = next((code for code in tried.values() if code != _WANTED_CODE), None)
    if other is not None:
        why = f"The bank refused with {other}, before it came to the token's audience."
        return failed(REFUSED, why, "Try 25.00 from Checking to Savings, which the account holds.")
    why = (
        "The bank answered 401 invalid_token to the customer and to Aiya alike: both showed the "
        "token of the customer's login. Nothing moved."
    )
    return passed(REFUSED, why)


async def can_say_why(lab: Lab) -> Result:
    """The learner's function names the claim that does not fit, for many tokens."""
    mine = exercise_of(lab, WHY)
    wanted = wanted_by_bank(lab.world)
    login = claims_of(await lab.session_token()) or {}
    for what, claims, right in _cases(login, wanted):
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                said = mine(dict(claims), dict(wanted))
        except Exception as failure:
            return raised(WHY, failure, mine.written)
        finally:
            print(printed.getvalue(), end="")  # noqa: T201 - what a learner prints, they see
        if said != right:
            if said is None and printed.getvalue().split()[-1:] == [right]:
                return failed(
                    WHY, f"For {what} it returned nothing, and printed {right!r}.", _RETURN
                )
            why = f"For {what} it said {said!r}. {_because(what, right)}"
            return failed(WHY, why, _step(what, right))
    why = (
        'For the token of the login it says "aud": the token is meant for the accounts API, and '
        "the bank's transfers want one that is meant for them. A bank that took any token of the "
        "tenant would let every application of that tenant move money."
    )
    return passed(WHY, why)


def _cases(
    login: dict[str, Any], wanted: dict[str, str]
) -> list[tuple[str, dict[str, Any], str | None]]:
    scope = f"openid {wanted['scope']}"
    good = {**login, "aud": [wanted["aud"], f"{wanted['iss']}userinfo"], "scope": scope}
    return [
        ("the token of the login", login, "aud"),
        ("a token that fits, with two audiences,", good, None),
        ("a token that fits, with one audience as text,", {**good, "aud": wanted["aud"]}, None),
        (_LONGER, {**good, "aud": f"{wanted['aud']}s"}, "aud"),
        ("a token of another tenant", {**good, "iss": "https://other.example/"}, "iss"),
        ("a token with the scope openid alone", {**good, "scope": "openid"}, "scope"),
        (
            "a token with the scope create:transfers",
            {**good, "scope": "openid create:transfers"},
            "scope",
        ),
    ]


def _because(what: str, right: str | None) -> str:
    if right is None:
        return (
            "But everything fits: `aud` may be one text or a list that holds the wanted one, and "
            "`scope` holds several words."
        )
    if what == _LONGER:
        return (
            "But that is another API: one letter more. In a list `in` compares whole texts; in a "
            "text `in` looks for a piece of it, and finds one."
        )
    return f"But the first claim that does not fit is {right!r}."


def _step(what: str, right: str | None) -> str:
    if right is None:
        return "For a token that fits, return None: the bank takes it."
    if what == _LONGER:
        return "Is `aud` one text? Make a list of it first: `[claims['aud']]`. Then look with `in`."
    return f"Compare {right!r} of that token with the bank's column: which value is needed there?"


SHELF = Shelf(
    1,
    {REFUSED: both_refused, WHY: can_say_why},
    {
        REFUSED: (
            "Somebody has to try first: the customer in the panel, then Aiya in the chat.",
            'Aiya asks before she tries, as her tool\'s description says. Answer "yes".',
        ),
        WHY: (
            "Compare the two columns of the table, claim by claim, from the top.",
            "`wanted` has three members to compare: iss, aud and scope.",
            "`aud` is one text or a list of them: `wanted['aud'] in audiences`, not `==`.",
            "`scope` is words in one text: `.split()` it. Return the first claim's name, or None.",
        ),
    },
    {WHY: Reference(why_refused)},
)
