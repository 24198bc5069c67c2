"""Lab 04: C1 to C8 each fire alone, the fix turns green, and the references pass their own gate."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from asyncio import sleep as bare_sleep

import pytest

from baink_lab.approvals.binding import fit
from baink_lab.lab.checks import Kind
from baink_lab.lab.checks.mistakes import BY_MISTAKE
from tests.lab.lab_world import begun

pytestmark = pytest.mark.timeout(90)
GRANT = "urn:openid:params:grant-type:ciba"


@pytest.fixture
async def lab(shared_home):
    async with begun(4) as lab:
        yield lab


def hint_right(issuer, user_id):
    return json.dumps({"format": "iss_sub", "iss": issuer, "sub": user_id})


def hint_user_id(issuer, user_id):
    return user_id


def hint_email(issuer, user_id):
    return "ana@baink.example"


def hint_dictionary(issuer, user_id):
    return {"format": "iss_sub", "iss": issuer, "sub": user_id}


def hint_by_hand(issuer, user_id):
    return f'{{"format":"iss_sub","iss":"{issuer}","sub":"{user_id}"}}'


def hint_no_slash(issuer, user_id):
    return json.dumps({"format": "iss_sub", "iss": issuer.rstrip("/"), "sub": user_id})


def asks(*, without=(), fitted=True, hint=hint_right, **changes):
    async def ask(http, world, message):
        form = {
            "client_id": world.client_id,
            "client_secret": world.client_secret,
            "login_hint": hint(world.issuer, world.user_id),
            "scope": "openid create:transfer",
            "audience": world.audience,
            "binding_message": fit(message) if fitted else message,
        } | changes
        sent = {name: value for name, value in form.items() if name not in without}
        return (await http.post("bc-authorize", data=sent)).json()

    return ask


async def poll(http, world, asked):
    form = {
        "grant_type": GRANT,
        "auth_req_id": asked["auth_req_id"],
        "client_id": world.client_id,
        "client_secret": world.client_secret,
    }
    return (await http.post("oauth/token", data=form)).json()


async def wait_right(http, world, asked, clock):
    wait = asked["interval"]
    while True:
        await clock.sleep(wait)
        answer = await poll(http, world, asked)
        match answer.get("error"):
            case None:
                return answer["access_token"]
            case "slow_down":
                wait = answer["interval"]
            case "access_denied":
                return None
            case "authorization_pending":
                pass
            case other:
                raise RuntimeError(other)


async def wait_every_second(http, world, asked, clock):
    while True:
        await clock.sleep(1)
        answer = await poll(http, world, asked)
        if "access_token" in answer:
            return answer["access_token"]
        if answer["error"] == "access_denied":
            return None


async def wait_never(http, world, asked, clock):
    while True:
        answer = await poll(http, world, asked)
        if "access_token" in answer:
            return answer["access_token"]
        if answer["error"] == "access_denied":
            return None


async def wait_by_another_clock(http, world, asked, clock):
    while True:
        await asyncio.sleep(0)
        answer = await poll(http, world, asked)
        if answer.get("error") not in ("authorization_pending", "slow_down"):
            return answer.get("access_token")


async def wait_deaf_to_slow_down(http, world, asked, clock):
    while True:
        await clock.sleep(asked["interval"])
        answer = await poll(http, world, asked)
        if answer.get("error") not in ("authorization_pending", "slow_down"):
            return answer.get("access_token")


async def wait_dies_of_slow_down(http, world, asked, clock):
    while True:
        await clock.sleep(asked["interval"])
        answer = await poll(http, world, asked)
        match answer.get("error"):
            case "authorization_pending":
                continue
            case "access_denied":
                return None
        return answer["access_token"]


async def wait_once(http, world, asked, clock):
    await clock.sleep(asked["interval"])
    return (await poll(http, world, asked)).get("access_token")


async def wait_raises_when_pending(http, world, asked, clock):
    await clock.sleep(asked["interval"])
    answer = await poll(http, world, asked)
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer["access_token"]


async def wait_takes_no_no(http, world, asked, clock):
    wait = asked["interval"]
    while True:
        await clock.sleep(wait)
        answer = await poll(http, world, asked)
        wait = answer.get("interval", wait)
        if "access_token" in answer:
            return answer["access_token"]


async def wait_dies_of_no(http, world, asked, clock):
    wait = asked["interval"]
    while True:
        await clock.sleep(wait)
        answer = await poll(http, world, asked)
        wait = answer.get("interval", wait)
        if answer.get("error") not in ("authorization_pending", "slow_down"):
            return answer["access_token"]


async def wait_asks_again(http, world, asked, clock):
    wait = asked["interval"]
    while True:
        await clock.sleep(wait)
        answer = await poll(http, world, asked)
        wait = answer.get("interval", wait)
        if answer.get("error") == "access_denied":
            asked = await asks()(http, world, "Please say yes")
        elif "access_token" in answer:
            return answer["access_token"]


async def wait_returns_the_no(http, world, asked, clock):
    wait = asked["interval"]
    while True:
        await clock.sleep(wait)
        answer = await poll(http, world, asked)
        wait = answer.get("interval", wait)
        if answer.get("error") not in ("authorization_pending", "slow_down"):
            return answer.get("access_token", answer)


RIGHT = {"login_hint": hint_right, "ask": asks(), "wait_for_answer": wait_right}
MADE = [
    ("C1", "login_hint", hint_user_id),
    ("C1", "login_hint", hint_email),
    ("C1", "login_hint", hint_dictionary),
    ("C1", "login_hint", hint_by_hand),
    ("C2", "login_hint", hint_no_slash),
    ("C1", "ask", asks(hint=hint_user_id)),
    ("C1", "ask", asks(without=["login_hint"])),
    ("C2", "ask", asks(hint=hint_no_slash)),
    ("C3", "ask", asks(scope="create:transfer")),
    ("C4", "ask", asks(without=["audience"])),
    ("C5", "ask", asks(fitted=False)),
    ("C6", "wait_for_answer", wait_every_second),
    ("C6", "wait_for_answer", wait_never),
    ("C6", "wait_for_answer", wait_by_another_clock),
    ("C6", "wait_for_answer", wait_deaf_to_slow_down),
    ("C6", "wait_for_answer", wait_dies_of_slow_down),
    ("C7", "wait_for_answer", wait_once),
    ("C7", "wait_for_answer", wait_raises_when_pending),
    ("C8", "wait_for_answer", wait_takes_no_no),
    ("C8", "wait_for_answer", wait_dies_of_no),
    ("C8", "wait_for_answer", wait_asks_again),
    ("C8", "wait_for_answer", wait_returns_the_no),
]


def put(lab, name, function):
    function.__name__ = name
    lab.exercise(function)


async def test_each_mistake_fires_its_own_hint_and_the_fix_turns_green(lab):
    for wanted, name, function in MADE:
        what = (wanted, name, function.__qualname__)
        put(lab, name, function)
        result = await lab.check(name)
        assert result.kind is Kind.WRONG, (what, result)
        assert result.mistake == wanted, (what, result)
        assert result.next_step, what
        hints = [repr(lab.hint(name)) for _ in range(4)]
        assert any(step in one for step in BY_MISTAKE[wanted] for one in hints), what
        put(lab, name, RIGHT[name])
        fixed = await lab.check(name)
        assert fixed, (what, fixed)


async def test_starters_are_not_attempted_and_references_pass(lab):
    @lab.exercise
    def login_hint(issuer, user_id):
        """Return text."""
        ...

    @lab.exercise
    async def ask(http, world, message):
        """Return the answer."""
        ...

    @lab.exercise
    async def wait_for_answer(http, world, asked, clock):
        """Return a token or None."""
        ...

    for name in RIGHT:
        assert (await lab.check(name)).kind is Kind.NOT_ATTEMPTED
    object.__setattr__(lab.settings, "baink_autopilot", True)
    for name in RIGHT:
        assert await lab.check(name), name
    made = lab.found("ask")(None, lab.world, "")
    assert made.__name__ == "ask", "what stands in has another name, which the learner never wrote"
    made.close()


async def as_json(http, world, message):
    form = {"client_id": world.client_id, "scope": "openid create:transfer"}
    return (await http.post("bc-authorize", json=form)).json()


async def old_request(http, world, asked, clock):
    return await wait_right(http, world, asked | {"auth_req_id": "of-the-cell-above"}, clock)


async def no_request(http, world, asked, clock):
    await clock.sleep(5)
    return (await http.post("oauth/token", data={"grant_type": GRANT})).json()["access_token"]


async def test_what_has_no_name_is_told_without_one(lab):
    async def silent(http, world, message):
        return {}

    async def other_client(http, world, message):
        return await asks(client_id=lab.world.client_id)(http, world, message)

    async def other_scope(http, world, message):
        return await asks(scope="openid")(http, world, message)

    async def own_words(http, world, message):
        return await asks(binding_message="Please approve")(http, world, message)

    async def not_the_answer(http, world, message):
        await asks()(http, world, message)

    async def no_post(http, world, asked, clock):
        return None

    async def not_the_token(http, world, asked, clock):
        await wait_right(http, world, asked, clock)
        return "approved"

    words = {
        silent: "Nothing was sent",
        other_client: "practice tenant",
        other_scope: "scope",
        own_words: "without the amount",
        not_the_answer: "returned None",
        as_json: "not sent as a form",
        old_request: "another auth_req_id",
        no_request: "no auth_req_id",
        no_post: "Nothing was sent to /oauth/token",
        not_the_token: "not the access token",
    }
    for function, said in words.items():
        waits = "clock" in inspect.signature(function).parameters
        name = "wait_for_answer" if waits else "ask"
        put(lab, name, function)
        result = await lab.check(name)
        assert (result.kind, result.mistake) == (Kind.WRONG, ""), (function, result)
        assert said in result.why


async def test_code_that_raises_is_told_with_its_line(lab):
    async def typo(http, world, message):
        return await http.post("bc-authorize", data={"scope": world.scope})

    async def bad_loop(http, world, asked, clock):
        return asked["token"]

    put(lab, "ask", typo)
    result = await lab.check("ask")
    assert result.kind is Kind.RAISED
    assert "world.scope" in result.why
    put(lab, "wait_for_answer", bad_loop)
    result = await lab.check("wait_for_answer")
    assert result.kind is Kind.RAISED
    assert "KeyError: 'token'" in result.why


def waits(*, pending=lambda wait: wait, other="raise", sleep=None):
    """A loop that does all as it should, but for one thing."""

    async def wait_for_answer(http, world, asked, clock):
        wait = asked["interval"]
        while True:
            await (sleep or clock.sleep)(wait)
            answer = await poll(http, world, asked)
            match answer.get("error"):
                case None:
                    return answer["access_token"]
                case "authorization_pending":
                    wait = pending(wait)
                case "slow_down":
                    wait = answer["interval"]
                case "access_denied":
                    return None
                case error if other == "raise":
                    raise RuntimeError(error)
                case _ if other == "none":
                    return None

    return wait_for_answer


async def test_the_loop_that_differs_in_nothing_passes(lab):
    for honest in (waits(), waits(pending=lambda wait: wait + 1 if wait < 7 else wait)):
        put(lab, "wait_for_answer", honest)
        assert await lab.check("wait_for_answer")


@pytest.mark.parametrize("grow", [lambda wait: wait + 5, lambda wait: wait * 1.5])
async def test_who_grows_slower_without_being_told_is_told(lab, grow):
    put(lab, "wait_for_answer", waits(pending=grow))
    result = await lab.check("wait_for_answer")
    assert result.kind is Kind.WRONG
    assert "The tenant wants 5, and has not told you to slow down" in result.why
    assert "only slow_down changes it" in result.next_step
    assert result.next_step in repr(lab.hint("wait_for_answer"))


@pytest.mark.parametrize(
    ("other", "said"),
    [("go on", r"you asked \d+ times more"), ("none", "returned None, which means a no")],
)
async def test_an_error_of_no_row_is_neither_asked_about_again_nor_a_no(lab, other, said):
    put(lab, "wait_for_answer", waits(other=other))
    result = await lab.check("wait_for_answer")
    assert result.kind is Kind.WRONG
    assert "invalid_grant, which is in no row of the table" in result.why
    assert re.search(said, result.why)
    assert "raise RuntimeError" in result.next_step


@pytest.mark.parametrize("sleep", [asyncio.sleep, bare_sleep])
async def test_a_sleep_in_real_time_is_stopped_at_once(lab, sleep):
    """Without the stop, this test would take hours."""
    put(lab, "wait_for_answer", waits(sleep=sleep))
    result = await lab.check("wait_for_answer")
    assert result.kind is Kind.WRONG
    assert "`asyncio.sleep` waits in real time" in result.why
    assert "await clock.sleep" in result.next_step


def hint_misspelt(issuer, user_id):
    return json.dumps({"format": "iss-sub", "iss": issuer, "sub": user_id})


def hint_not_returned(issuer, user_id):
    hint_right(issuer, user_id)


async def each_told(lab, name, steps):
    """The results for functions that are wrong, each of which is told its next step."""
    results = []
    for function, step in steps.items():
        put(lab, name, function)
        results.append(result := await lab.check(name))
        assert result.kind is Kind.WRONG
        assert step in result.next_step, (function, result)
    return results


async def test_a_hint_that_is_nearly_right_is_told_what_it_lacks(lab):
    steps = {
        hint_misspelt: "'iss-sub'. Write \"iss_sub\", with an underscore",
        hint_dictionary: "json.dumps it",
        hint_user_id: 'Build a dictionary with "format", "iss" and "sub"',
    }
    for result in await each_told(lab, "login_hint", steps):
        assert result.mistake == "C1"
    put(lab, "login_hint", hint_right)


async def test_slips_of_the_pen_in_the_question_are_named(lab):
    async def helper_not_called(http, world, message):
        return await asks(login_hint=lab.found("login_hint"))(http, world, message)

    async def helper_not_used(http, world, message):
        return await asks(login_hint=world.user_id)(http, world, message)

    async def a_list(http, world, message):
        return await asks(scope=["openid", "create:transfer"])(http, world, message)

    async def quoted(http, world, message):
        return await asks(client_secret="world.client_secret")(http, world, message)

    put(lab, "login_hint", hint_right)
    steps = {
        helper_not_called: "login_hint(world.issuer, world.user_id)",
        helper_not_used: "login_hint(world.issuer, world.user_id)",
        a_list: '"openid create:transfer"',
        quoted: "Without quotation marks",
    }
    for result in await each_told(lab, "ask", steps):
        assert "Exercise(" not in result.why


async def test_httpx_answers_and_quoted_names_in_the_loop_are_told(lab):
    async def whole(http, world, asked, clock):
        form = {"grant_type": GRANT, "auth_req_id": asked["auth_req_id"]}
        form |= {"client_id": world.client_id, "client_secret": world.client_secret}
        while True:
            await clock.sleep(asked["interval"])
            answer = await http.post("oauth/token", data=form)
            if answer.json().get("error") != "authorization_pending":
                return answer

    async def looked_into(http, world, asked, clock):
        form = {"grant_type": GRANT, "auth_req_id": asked["auth_req_id"]}
        answer = await http.post("oauth/token", data=form)
        return answer["access_token"]

    async def quoted(http, world, asked, clock):
        form = {"grant_type": "CIBA", "auth_req_id": asked["auth_req_id"]}
        return (await http.post("oauth/token", data=form)).json()["access_token"]

    steps = {whole: 'answer.json()["access_token"]', looked_into: "`.json()`", quoted: "marks"}
    for function, step in steps.items():
        put(lab, "wait_for_answer", function)
        result = await lab.check("wait_for_answer")
        assert not result
        assert step in result.next_step, (function, result)
