"""Lab 01: both tries were refused, and the learner can say which claim of the token is to blame."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from baink_lab.lab.checks.exercises import Reference, exercise_of, raised
from baink_lab.lab.checks.printed import prints_kept
from baink_lab.lab.checks.result import Result, failed, not_yet, passed, slip
from baink_lab.lab.checks.shelf import Shelf
from baink_lab.lab.wire.tokens import claims_of, wanted_by_bank, why_refused

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

REFUSED, WHY = "refused", "why_refused"
_WANTED_CODE = "invalid_token"
_ORDER = ("iss", "aud", "scope")  # in which the first that does not fit is told
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
    for case in _cases(login, wanted):
        try:
            with prints_kept() as printed:
                said = mine(dict(case.claims), dict(wanted))
        except Exception as failure:
            return raised(WHY, failure, mine.written)
        if said != case.right:
            return _wrong(case, said, printed.getvalue())
    why = (
        'For the token of the login it says "aud": the token is meant for the accounts API, and '
        "the bank's transfers want one that is meant for them. A bank that took any token of the "
        "tenant would let every application of that tenant move money."
    )
    return passed(WHY, why)


def _wrong(case: _Case, said: object, printed: str) -> Result:
    if said is None and printed.split()[-1:] == [case.right]:
        why = f"For {case.what} it returned nothing, and printed {case.right!r}."
        return failed(WHY, why, _RETURN)
    why = f"For {case.what} it said {said!r}."
    if other := _other_form(said, case.right):
        return slip(WHY, why, other)
    if told := _order(said, case):
        return slip(WHY, f"{why} {_because(case)}", told)
    step = _step(case)
    if case.right and said is None and not case.step:
        step += " (Is every claim compared before your function comes to `return None`?)"
    return failed(WHY, f"{why} {_because(case)}", step, hints=(step,) if case.step else ())


@dataclasses.dataclass(frozen=True)
class _Case:
    """One token.

    Attributes:
        what: it is, in words.
        claims: in it.
        right: what does not fit; None when all does.
        because: why that is so, for who says otherwise.
        step: what to do about it.
    """

    what: str
    claims: dict[str, Any]
    right: str | None
    because: str = ""
    step: str = ""


def _cases(login: dict[str, Any], wanted: dict[str, str]) -> list[_Case]:
    iss, aud, scope = wanted["iss"], wanted["aud"], wanted["scope"]
    info = f"{iss}userinfo"
    good = {**login, "iss": iss, "aud": [aud, info], "scope": f"openid {scope}"}
    return [
        _Case("the token of the login", login, "aud"),
        _Case("a token that fits, with two audiences,", good, None),
        _Case("a token that fits, with one audience as text,", {**good, "aud": aud}, None),
        _Case(
            "a token that fits, with the wanted audience as the second of two,",
            {**good, "aud": [info, aud]},
            None,
            "The bank's API is in the list, and it may stand anywhere there.",
            "Ask whether the wanted audience is `in` the list, and not what its first entry is.",
        ),
        _Case(
            "a token that fits, with the wanted scope as the first of three words,",
            {**good, "scope": f"{scope} openid read:accounts"},
            None,
            "The wanted word is among them, and it may stand anywhere.",
            "Ask whether wanted['scope'] is `in` claims['scope'].split().",
        ),
        _Case(
            "a token with a longer audience, as text,",
            {**good, "aud": f"{aud}s"},
            "aud",
            "But that is another API: one letter more. In a list `in` compares whole texts; in a "
            "text `in` looks for a piece of it, and finds one.",
            "Is `aud` one text? Make a list of it first: `[claims['aud']]`. Then look with `in`.",
        ),
        _Case(
            "a token whose audience has a slash more at its end",
            {**good, "aud": [f"{aud}/", info]},
            "aud",
            "But names are compared to the last letter and the last slash: that is another API.",
            "Compare the texts as they are: nothing is stripped from them.",
        ),
        _Case("a token of another tenant", {**good, "iss": "https://other.example/"}, "iss"),
        _Case(
            "a token whose issuer goes on after the tenant's address",
            {**good, "iss": f"{iss}other/"},
            "iss",
            "But that is another issuer: in a text `in` looks for a piece of it, and finds one.",
            "Compare whole texts: claims['iss'] != wanted['iss'].",
        ),
        _Case(
            "a token whose issuer has no slash at its end",
            {**good, "iss": iss.rstrip("/")},
            "iss",
            "But names are compared to the last letter and the last slash: that is another one.",
            "Compare whole texts as they are: claims['iss'] != wanted['iss'].",
        ),
        _Case("a token with the scope openid alone", {**good, "scope": "openid"}, "scope"),
        _Case(
            f"a token with the scope {scope}s",
            {**good, "scope": f"openid {scope}s"},
            "scope",
            "But that is another scope: in a text `in` looks for a piece of it, and finds one.",
            "Make words of the text first: wanted['scope'] in claims['scope'].split().",
        ),
        _Case(
            f"a token with the scope {scope.title()}",
            {**good, "scope": f"openid {scope.title()}"},
            "scope",
            "But a scope with capital letters is another scope.",
            "Compare the words as they are: no `.lower()`.",
        ),
    ]


def _order(said: object, case: _Case) -> str:
    """What to do about another claim than the first that does not fit; empty for the rest."""
    if said not in _ORDER or case.right not in _ORDER or case.step:
        return ""
    if _ORDER.index(said) > _ORDER.index(case.right):
        return f"Compare in the order iss, aud, scope: {case.right!r} comes before {said!r}."
    return f"{said!r} fits there. Is your comparison the wrong way round (`==` and `!=`)?"


def _other_form(said: object, right: str | None) -> str:
    """What to do about the right answer in another form; empty for a wrong one."""
    if isinstance(said, str) and right and said.strip().lower() == right:
        return f"That is the right claim. Write its name as the token does: {right!r}."
    if isinstance(said, list | tuple | set) and right in said:
        return f"Return one name, the first that does not fit, and no list: {right!r}."
    if right is None and said in ("", "None", False, [], ()):
        return "Everything fits: return None itself."
    return ""


def _because(case: _Case) -> str:
    if case.because:
        return case.because
    if case.right is None:
        return (
            "But everything fits: `aud` may be one text or a list that holds the wanted one, and "
            "`scope` holds several words."
        )
    return f"But the first claim that does not fit is {case.right!r}."


def _step(case: _Case) -> str:
    if case.step:
        return case.step
    if case.right is None:
        return "For a token that fits, return None: the bank takes it."
    return (
        f"Compare {case.right!r} of that token with the bank's column: which value is needed there?"
    )


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
