"""Lab 01, and with it exercises: five results of a check, hints step by step, the solution."""

from __future__ import annotations

import base64
import json
import re

import pytest

from baink_lab.lab.checks import Kind, NoSuchCheck
from tests.lab.lab_world import begun

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
async def lab(shared_home):
    async with begun(1) as lab:
        yield lab


def only_audience(claims, wanted):
    return "aud" if claims["aud"] != wanted["aud"] else None


def a_piece_of_a_text(claims, wanted):
    if claims["iss"] != wanted["iss"]:
        return "iss"
    if wanted["aud"] not in claims["aud"]:
        return "aud"
    return None if wanted["scope"] in claims["scope"].split() else "scope"


def always_aud(claims, wanted):
    return "aud"


def never(claims, wanted):
    return None


def prints(claims, wanted):
    print(right(claims, wanted))


def prints_and_is_wrong(claims, wanted):
    print("looking at", claims["aud"])


def breaks(claims, wanted):
    return claims["audience"]


def right(claims, wanted):
    audiences = [claims["aud"]] if isinstance(claims["aud"], str) else claims["aud"]
    if claims["iss"] != wanted["iss"]:
        return "iss"
    if wanted["aud"] not in audiences:
        return "aud"
    return None if wanted["scope"] in claims["scope"].split() else "scope"


def named(function):
    function.__name__ = "why_refused"
    return function


async def test_both_are_refused_and_nothing_moves(lab, capsys):
    async def check():
        return await lab.check("refused")

    assert "customer has not tried" in (await check()).why
    assert "401 invalid_token" in repr(await lab.accounts.move("25.00"))
    assert "Aiya has not tried" in (await check()).why
    await lab.say("Move $25 from checking to savings")
    await lab.say("yes")
    assert "the bank did not accept my access token" in capsys.readouterr().out
    assert await check()
    assert "2500.00" in repr(await lab.balances())
    assert await lab.phone.waiting() == []


async def test_the_panel_has_words(lab):
    panel = await lab.accounts.panel()
    assert "lab.accounts.move" in repr(panel)


async def test_tokens_are_shown_without_what_makes_them_usable(lab):
    token = await lab.session_token()
    shown = lab.decode(token)
    signature = token.rsplit(".", 1)[1]
    assert signature not in shown.html + shown.text
    assert "read:accounts" in shown.text
    assert "opaque" in lab.decode(userinfo="not-a-jwt").text
    head, *rows = shown.html.split("<tr>")[1:]
    assert [
        one for one in ("Claim", "Your token", "The bank wants") if f">{one}<" not in head
    ] == []
    (audience,) = [row for row in rows if ">aud<" in row]
    two = json.dumps(["https://a.example/", "https://b.example/"])
    words = decoded({"aud": json.loads(two), "scope": "a b"}, lab)
    assert two in words
    assert "a b" in words
    assert '"a b"' not in words
    assert lab.world.audience in audience


def decoded(claims, lab):
    parts = (json.dumps(one).encode() for one in ({"typ": "at+jwt"}, claims))
    token = ".".join(base64.urlsafe_b64encode(one).decode().rstrip("=") for one in parts)
    return lab.decode(f"{token}.x").text


async def test_every_result_of_an_exercise(lab):
    async def check():
        return await lab.check("why_refused")

    assert (await check()).kind is Kind.NOT_RUN
    assert "Try why_refused first" in repr(lab.solution("why_refused"))

    @lab.exercise
    def why_refused(claims, wanted):
        """Return a claim's name."""
        ...

    assert (await check()).kind is Kind.NOT_ATTEMPTED
    assert "Try why_refused first" in repr(lab.solution("why_refused"))

    lab.exercise(named(breaks))
    failure = await check()
    assert failure.kind is Kind.RAISED
    assert "KeyError: 'audience'" in failure.why
    assert 'claims["audience"]' in failure.why

    lab.exercise(named(only_audience))
    wrong = await check()
    assert wrong.kind is Kind.WRONG
    assert "two audiences" in wrong.why

    lab.exercise(named(right))
    assert await check()


def looks_right(claims, wanted, *, aud=None, scope=None, iss=None):
    audiences = [claims["aud"]] if isinstance(claims["aud"], str) else claims["aud"]
    if (iss or (lambda mine, theirs: mine == theirs))(claims["iss"], wanted["iss"]) is False:
        return "iss"
    if (aud or (lambda mine, theirs: theirs in mine))(audiences, wanted["aud"]) is False:
        return "aud"
    if (scope or (lambda mine, theirs: theirs in mine))(claims["scope"].split(), wanted["scope"]):
        return None
    return "scope"


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        ({"aud": lambda mine, theirs: mine[0] == theirs}, "it may stand anywhere there"),
        ({"aud": lambda mine, theirs: theirs.strip("/") in [a.strip("/") for a in mine]}, "slash"),
        ({"scope": lambda mine, theirs: mine[-1] == theirs}, "it may stand anywhere"),
        ({"scope": lambda mine, theirs: theirs in [s.lower() for s in mine]}, "capital letters"),
        ({"iss": lambda mine, theirs: theirs in mine}, "looks for a piece of it"),
        ({"iss": lambda mine, theirs: mine in theirs}, "the last slash"),
        ({"iss": lambda mine, theirs: mine.rstrip("/") == theirs.rstrip("/")}, "the last slash"),
    ],
)
async def test_claims_are_compared_whole_and_wherever_they_stand(lab, slip, said):
    def why_refused(claims, wanted):
        return looks_right(claims, wanted, **slip)

    lab.exercise(why_refused)
    told = await lab.check("why_refused")
    assert told.kind is Kind.WRONG
    assert said in told.why
    assert told.next_step in repr(lab.hint("why_refused"))


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (lambda name: name and name.upper(), "Write its name as the token does: 'aud'"),
        (lambda name: [name] if name else None, "Return one name"),
        (lambda name: name or "", "return None itself"),
        (lambda name: name, ""),
    ],
)
async def test_a_right_claim_in_another_form_is_told_as_that(lab, form, said):
    def why_refused(claims, wanted):
        return form(looks_right(claims, wanted))

    lab.exercise(why_refused)
    told = await lab.check("why_refused")
    assert said in told.next_step
    assert bool(told) is (said == "")


def scope_first(claims, wanted):
    if wanted["scope"] not in claims["scope"].split():
        return "scope"
    return looks_right(claims, wanted)


def inverted(claims, wanted):
    return "iss" if claims["iss"] == wanted["iss"] else looks_right(claims, wanted)


def ends_in_the_loop(claims, wanted):
    for name in ("iss", "aud", "scope"):
        if wanted[name] not in claims[name]:
            return name
        return None
    return None


@pytest.mark.parametrize(
    ("written", "step"),
    [
        (scope_first, "'aud' comes before 'scope'"),
        (inverted, "'iss' fits there. Is your comparison the wrong way round"),
        (ends_in_the_loop, "before your function comes to `return None`"),
    ],
)
async def test_a_wrong_order_and_a_wrong_test_are_told_apart(lab, written, step):
    lab.exercise(named(written))
    told = await lab.check("why_refused")
    assert told.kind is Kind.WRONG
    assert step in told.next_step


async def test_a_scope_is_not_a_piece_of_a_text(lab):
    def why_refused(claims, wanted):
        return looks_right(claims, wanted, scope=lambda mine, theirs: theirs in " ".join(mine))

    lab.exercise(why_refused)
    told = await lab.check("why_refused")
    assert "for a piece of it" in told.why
    assert "claims['scope'].split()" in told.next_step


async def test_an_audience_is_not_a_piece_of_a_text(lab):
    lab.exercise(named(a_piece_of_a_text))
    wrong = await lab.check("why_refused")
    assert wrong.kind is Kind.WRONG
    assert "a longer audience" in wrong.why
    assert "`in` looks for a piece" in wrong.why
    assert "list" in wrong.next_step


async def test_who_refuses_every_token_is_told_what_a_fitting_one_gets(lab):
    lab.exercise(named(always_aud))
    wrong = await lab.check("why_refused")
    assert "a token that fits" in wrong.why
    assert "return None" in wrong.next_step
    assert "column" not in wrong.next_step


async def test_who_decodes_what_is_decoded_is_told(lab):
    def of_the_claims(claims, wanted):
        return "iss" if lab.decode(claims)["iss"] != wanted["iss"] else None

    def of_a_token(claims, wanted):
        return lab.decode(token)  # noqa: F821 - the mistake

    for written in (of_the_claims, of_a_token):
        written.__name__ = "why_refused"
        lab.exercise(written)
        told = await lab.check("why_refused")
        assert "`claims` is the token decoded already" in told.next_step


async def test_who_prints_is_told_to_return_and_who_says_none_is_not(lab, capsys):
    lab.exercise(named(prints))
    wrong = await lab.check("why_refused")
    assert "it returned nothing" in wrong.why
    assert "`return`" in wrong.next_step
    assert "`print` shows it to you alone" in wrong.next_step
    assert capsys.readouterr().out == "aud\n", "what they print is still shown, once"
    for one in (never, prints_and_is_wrong):
        lab.exercise(named(one))
        wrong = await lab.check("why_refused")
        assert "it said None" in wrong.why
        assert "print" not in repr(wrong)


async def test_a_restarted_kernel_does_not_claim_that_nobody_has_tried(lab):
    await lab.accounts.move("25.00")
    lab.accounts.refusals.clear()  # it is kept in the kernel, and this is another
    told = await lab.check("refused")
    assert "has not tried to move money since this kernel started" in told.why


async def test_hints_count_and_the_solution_stands_in(lab):
    hints = [repr(lab.hint("why_refused")) for _ in range(5)]
    assert hints[0].startswith("Hint 1 of 4 (3 more):")
    assert hints[3] == hints[4]
    assert 'lab.solution("why_refused")' in hints[3]
    lab.exercise(named(only_audience))
    await lab.check("why_refused")
    assert "def why_refused(claims: Mapping" in repr(lab.solution("why_refused"))
    assert await lab.check("why_refused")
    lab.exercise(named(only_audience))
    assert (await lab.check("why_refused")).kind is Kind.WRONG, "whoever runs their own gets it"

    @lab.exercise
    def why_refused(claims, wanted):
        """Return a claim's name."""
        ...

    assert await lab.check("why_refused")


async def test_after_a_pass_nothing_is_hinted_and_the_solution_only_shown(lab):
    mine = lab.exercise(named(right))
    assert await lab.check("why_refused")
    for _ in range(2):
        assert "why_refused has passed: nothing to hint" in repr(lab.hint("why_refused"))
    shown = repr(lab.solution("why_refused"))
    assert "def why_refused(claims: Mapping" in shown
    assert "yours stays" in shown
    assert mine.chosen() is right
    lab.exercise(named(only_audience))
    assert not await lab.check("why_refused")
    assert "Hint 1 of 4" in repr(lab.hint("why_refused"))


async def test_autopilot_lends_the_reference_to_an_empty_body_only(lab):
    object.__setattr__(lab.settings, "baink_autopilot", True)

    @lab.exercise
    def why_refused(claims, wanted):
        raise NotImplementedError

    assert await lab.check("why_refused")
    lab.exercise(named(only_audience))
    assert (await lab.check("why_refused")).kind is Kind.WRONG


async def test_progress_is_plain_and_can_be_handed_in(lab, tmp_path):
    lab.exercise(named(right))
    await lab.check("why_refused")
    await lab.check("refused")
    exported = json.loads(lab.export_progress(tmp_path / "mine.json").read_text())
    checks = exported["labs"]["01"]["checks"]
    assert checks["why_refused"]["passed_at"].startswith("20")
    assert checks["refused"] == {"tries": 1, "last": "not attempted"}
    assert exported["version"]
    assert "1 of 2" in repr(lab.done())
    assert "lab.reset(sure=True)" in repr(await lab.reset())
    assert "1 of 2" in repr(lab.done())
    await lab.reset(sure=True)
    assert "0 of 2" in repr(lab.done())


async def test_unknown_names_are_told_with_what_there_is(lab):
    for ask in (lab.hint, lab.solution):
        with pytest.raises(NoSuchCheck, match="why_refused"):
            ask("why_refuse")


async def test_progress_is_shown_as_a_bar_and_in_words(lab):
    shown = lab.done()
    mine = next(line for line in shown.text.splitlines() if line.startswith("01 the_failing"))
    good, most = re.search(r"(\d+) of (\d+)", mine).groups()
    bar = f'<progress max="{most}" value="{good}" aria-label="Lab 01: {good} of {most} passed">'
    assert bar in shown.html
    assert shown.html.count("<progress") == len(shown.text.splitlines()) - 1
