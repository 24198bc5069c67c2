"""Lab 04: code that a hasty look would pass, and slips whose name is the hint."""

from __future__ import annotations

import json

import httpx
import pytest

from baink_lab.approvals.binding import fit
from baink_lab.lab.checks import Kind
from tests.lab.lab_world import begun
from tests.lab.test_lab04 import GRANT, asks, hint_right, poll, put, wait_right

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def lab(shared_home):
    async with begun(4) as lab:
        yield lab


async def told(lab, name, function, *, kind=Kind.WRONG):
    """Why and what next; the first hint says the same."""
    put(lab, name, function)
    result = await lab.check(name)
    assert result.kind is kind, (function, result)
    assert result.next_step in repr(lab.hint(name)) or kind is Kind.RAISED
    return f"{result.why} {result.next_step}"


def loops(*, first=None, pick="access_token", slow=lambda wait, answer: answer["interval"], **to):
    """A loop that does all as it should, but for one thing."""
    send, early = to.get("send", poll), to.get("early", True)
    pending = to.get("pending", lambda wait, asked: wait)

    async def wait_for_answer(http, world, asked, clock):
        wait = first or asked["interval"]
        if early:
            await clock.sleep(wait)
        while True:
            answer = await send(http, world, asked)
            match answer.get("error"):
                case None:
                    return answer[pick]
                case "slow_down":
                    wait = slow(wait, answer)
                    if to.get("twice"):
                        await clock.sleep(wait)
                case "access_denied":
                    return None
                case "authorization_pending":
                    wait = pending(wait, asked)
                case error:
                    raise RuntimeError(error)
            await clock.sleep(wait)

    return wait_for_answer


async def test_the_loop_that_differs_in_nothing_passes(lab):
    put(lab, "wait_for_answer", loops())
    assert await lab.check("wait_for_answer")


async def test_a_question_that_is_sent_twice_is_told(lab):
    async def twice(http, world, message):
        await asks()(http, world, message)
        return await asks()(http, world, message)

    said = await told(lab, "ask", twice)
    assert "2 requests to /bc-authorize, and the phone shows 2 equal cards" in said
    assert "Send it once" in said


async def test_a_dead_line_that_is_hushed_up_is_told(lab):
    async def hushes(http, world, message):
        try:
            return await asks()(http, world, message)
        except Exception:
            return None

    said = await told(lab, "ask", hushes)
    assert "ConnectError; you caught it and returned None" in said
    assert "Leave the try and except round the request out" in said


async def test_the_id_token_is_not_the_access_token(lab):
    said = await told(lab, "wait_for_answer", loops(pick="id_token"))
    assert "You returned the id_token" in said
    assert 'answer["access_token"]' in said


@pytest.mark.parametrize("seconds", [3, 5, 8, 10, 12])
async def test_an_interval_of_ones_own_is_told(lab, seconds):
    said = await told(lab, "wait_for_answer", loops(first=seconds))
    assert f"Your first question came after {seconds} seconds" in said
    assert 'wait = asked["interval"]' in said


async def polls_before_the_loop(http, world, asked, clock):
    await poll(http, world, asked)
    return await loops()(http, world, asked, clock)


async def polls_twice_at_once(http, world, asked, clock):
    await clock.sleep(asked["interval"])
    await poll(http, world, asked)
    return await loops(early=False)(http, world, asked, clock)


@pytest.mark.parametrize("first", [loops(early=False), polls_before_the_loop])
async def test_a_first_question_at_once_is_told(lab, first):
    said = await told(lab, "wait_for_answer", first)
    assert "first question came at once, before any `clock.sleep`" in said
    assert "The later ones waited, as they should." in said
    assert "Sleep before the first question too" in said
    assert "no poll stands before the loop" in said


async def test_two_questions_with_no_sleep_in_between_are_told(lab):
    said = await told(lab, "wait_for_answer", polls_twice_at_once)
    assert "You polled twice with no sleep in between: question 2 came with question 1" in said


def branches(pending="authorization_pending", slow="slow_down", no="access_denied", **ends):
    """A loop whose words may be misspelt, and what it makes of an `error` that it does not know."""

    async def wait_for_answer(http, world, asked, clock):
        wait = asked["interval"]
        while True:
            await clock.sleep(wait)
            answer = await poll(http, world, asked)
            error = answer.get("error")
            if error is None:
                return answer["access_token"]
            if error == no:
                return ends.get("for_a_no")
            if error == slow:
                wait = answer["interval"]
            elif error != pending and "returns" in ends:
                return ends["returns"]
            elif error != pending and ends.get("raises", True):
                raise RuntimeError(error)

    return wait_for_answer


@pytest.mark.parametrize("end", [{}, {"returns": None}, {"returns": {"error": "pending"}}])
@pytest.mark.parametrize(
    ("misspelt", "right"),
    [
        ({"pending": "authorisation_pending"}, "authorization_pending"),
        ({"pending": "pending"}, "authorization_pending"),
        ({"slow": "slow-down"}, "slow_down"),
    ],
)
async def test_a_word_that_is_not_the_tenants_is_told_letter_by_letter(lab, misspelt, right, end):
    said = await told(lab, "wait_for_answer", branches(**misspelt, **end))
    assert f'the tenant\'s `error` was "{right}", and your code took that for an end' in said
    assert f'letter by letter: the tenant writes "{right}".' in said
    did = {"": "gave up (line", "None": "returned None"}.get(str(end.get("returns", "")))
    assert (did or "returned dict") in said


@pytest.mark.parametrize(
    ("misspelt", "right"),
    [({"slow": "slowdown"}, "slow_down"), ({"no": "denied"}, "access_denied")],
)
@pytest.mark.parametrize("raises", [True, False])
async def test_a_misspelt_word_whose_loop_goes_on_is_told_too(lab, misspelt, right, raises):
    said = await told(lab, "wait_for_answer", branches(**misspelt, raises=raises))
    assert f'letter by letter: the tenant writes "{right}".' in said


@pytest.mark.parametrize(
    ("slow", "did"),
    [
        (lambda wait, answer: wait + 5, "which is 5 more than before (`+= 5`?)"),
        (lambda wait, answer: wait * 2, "which is twice as long as before (`*= 2`?)"),
        (lambda wait, answer: wait, "as before"),
    ],
)
async def test_a_rule_of_ones_own_at_slow_down_is_told(lab, slow, did):
    said = await told(lab, "wait_for_answer", loops(slow=slow))
    assert "slow_down with the interval 17" in said
    assert did in said
    assert 'wait = answer["interval"]' in said


@pytest.mark.parametrize(
    ("slip", "seconds"),
    [({"slow": lambda wait, answer: wait + answer["interval"]}, 24), ({"twice": True}, 34)],
)
async def test_a_slow_down_that_is_overdone_is_told(lab, slip, seconds):
    said = await told(lab, "wait_for_answer", loops(**slip))
    assert f"slow_down with the interval 17, and you waited {seconds}" in said
    assert "add nothing to it, and sleep once" in said


async def test_an_except_that_catches_ones_own_raise_is_told(lab):
    async def goes_on(http, world, asked, clock):
        while True:
            try:
                return await loops()(http, world, asked, clock)
            except Exception:
                continue

    put(lab, "wait_for_answer", goes_on)
    result = await lab.check("wait_for_answer")
    assert result.kind is Kind.WRONG
    assert "catches your own `raise` too" in f"{result.why} {result.next_step}"


async def test_a_refusal_that_is_raised_is_told(lab):
    async def raises(http, world, message):
        answer = await http.post("bc-authorize", data=question(world, fit(message)))
        answer.raise_for_status()
        return answer.json()

    said = await told(lab, "ask", raises)
    assert "A refusal is an answer too" in said


def token_form(asked, world, **changes):
    form = {
        "grant_type": GRANT,
        "auth_req_id": asked["auth_req_id"],
        "client_id": world.client_id,
        "client_secret": world.client_secret,
    } | changes
    return {name: value for name, value in form.items() if value is not None}


def sends(method="POST", path="oauth/token", how="data", **changes):
    async def send(http, world, asked):
        sent = {how: token_form(asked, world, **changes)}
        return (await http.request(method, path, **sent)).json()

    return send


@pytest.mark.parametrize(
    ("send", "wanted"),
    [
        (sends(how="json"), "Content-Type is “application/json”"),
        (sends(how="json"), "`data=` sends a form"),
        (sends(how="params"), "carries grant_type, auth_req_id, client_id, client_secret in its"),
        (sends(how="params"), "`data=` in place of `params=`"),
        (sends(grant_type="ciba"), "The grant_type is “ciba”"),
        (sends(grant_type=None), "The form has no grant_type"),
        (sends(client_id=None), "The form has no client_id"),
        (sends(client_secret=None, secret="x"), "no client_secret, but a field secret"),
        (sends(client_secret="x"), "The field client_secret is not that of `world`"),
        (sends("GET", how="params"), "You sent GET /oauth/token, and the tenant answered 405"),
        (sends(path="oauth/tokens"), "You sent POST /oauth/tokens, and the tenant answered 404"),
    ],
)
async def test_a_poll_that_goes_wrong_is_told_by_what_was_wrong(lab, send, wanted):
    assert wanted in await told(lab, "wait_for_answer", loops(send=send))


async def test_a_text_that_is_raised_is_no_exception(lab):
    async def raises_a_text(http, world, asked, clock):
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
                case error:
                    raise error

    said = await told(lab, "wait_for_answer", raises_a_text, kind=Kind.RAISED)
    assert "`raise error`" in said
    assert "raise RuntimeError(error)" in said


async def raised(lab, name, function):
    """What is said of code that raised, with its line."""
    said = await told(lab, name, function, kind=Kind.RAISED)
    assert "Your code raised" in said
    assert "Line " in said
    return said


@pytest.mark.parametrize(
    ("slip", "line", "step"),
    [
        (lambda response: response.error, "AttributeError", "`.json()` of it"),
        (lambda response: response.jsn(), "AttributeError", ""),
        (lambda response: response.raise_for_status(), "HTTPStatusError", "`error`"),
        (lambda response: wrod, "NameError: name 'wrod'", ""),  # noqa: F821 - the mistake
        (lambda response: response.json()["interval"], "KeyError: 'interval'", "Only slow_down"),
    ],
)
async def test_what_the_code_stumbles_over_is_not_taken_for_giving_up(lab, slip, line, step):
    async def stumbles(http, world, asked):
        response = await http.post("oauth/token", data=token_form(asked, world))
        slip(response)
        return response.json()

    said = await raised(lab, "wait_for_answer", loops(send=stumbles))
    assert line in said
    assert step in said


async def test_an_exception_with_a_misspelt_name_is_the_codes_own(lab):
    async def misspelt(http, world, asked, clock):
        await clock.sleep(asked["interval"])
        answer = await poll(http, world, asked)
        if answer["error"] == "authorization_pending":
            raise RuntimeErorr(answer["error"])  # noqa: F821 - the mistake

    assert "name 'RuntimeErorr' is not defined" in await raised(lab, "wait_for_answer", misspelt)


async def test_giving_up_on_purpose_is_told_with_its_line(lab):
    async def gives_up(http, world, asked, clock):
        await clock.sleep(asked["interval"])
        raise TimeoutError((await poll(http, world, asked))["error"])

    said = await told(lab, "wait_for_answer", gives_up)
    assert "you gave up (line" in said
    assert "raise TimeoutError" in said


@pytest.mark.parametrize("name", ["authorization_pending", "slow_down", "access_denied"])
async def test_a_misspelt_error_is_told_letter_by_letter(lab, name):
    async def misspells(http, world, asked, clock):
        wait = asked["interval"]
        table = {"authorization_pending": "sleep", "slow_down": "slower", "access_denied": "no"}
        table[name.replace("_", "-")] = table.pop(name)
        while True:
            await clock.sleep(wait)
            answer = await poll(http, world, asked)
            error = answer.get("error")
            if error is None:
                return answer["access_token"]
            if error not in table:
                raise RuntimeError(error)
            if table[error] == "no":
                return None
            if table[error] == "slower":
                wait = answer["interval"]

    said = await told(lab, "wait_for_answer", misspells)
    assert "raise RuntimeError(error)" in said
    assert f'letter by letter: the tenant writes "{name}".' in said


async def test_who_forgets_the_grown_interval_at_pending_is_told(lab):
    forgets = loops(pending=lambda wait, asked: asked["interval"])
    said = await told(lab, "wait_for_answer", forgets)
    assert "It had told you so at slow_down" in said
    assert "leave the wait as it is" in said


async def test_false_is_no_none(lab):
    async def tells_false(http, world, asked, clock):
        return await wait_right(http, world, asked, clock) or False

    said = await told(lab, "wait_for_answer", tells_false)
    assert "You returned bool for a no. Only None means a no" in said


async def test_the_labs_own_clock_is_stopped_as_asyncio_sleep_is(lab):
    async def by_the_labs_clock(http, world, asked, clock):
        await lab.clock.sleep(asked["interval"])
        return await wait_right(http, world, asked, clock)

    said = await told(lab, "wait_for_answer", by_the_labs_clock)
    assert "`lab.clock.sleep` waits in real time" in said
    assert "await clock.sleep" in said


async def test_exercise_1_comes_first(lab):
    @lab.exercise
    def login_hint(issuer, user_id): ...

    async def uses_it(http, world, message):
        return await asks(hint=login_hint)(http, world, message)

    said = await told(lab, "ask", uses_it)
    assert "Your ask calls login_hint, which has no body yet" in said
    assert "That exercise comes first: fill in login_hint" in said


def question(world, message, **changes):
    return {
        "client_id": world.client_id,
        "client_secret": world.client_secret,
        "login_hint": hint_right(world.issuer, world.user_id),
        "scope": "openid create:transfer",
        "audience": world.audience,
        "binding_message": message,
    } | changes


def asks_by(method="POST", path="bc-authorize", how="data", **changes):
    async def ask(http, world, message):
        form = question(world, message, **changes)
        form = {name: value for name, value in form.items() if value is not None}
        return (await http.request(method, path, **{how: form})).json()

    return ask


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (asks_by("GET", how="params"), "You sent GET /bc-authorize, and the tenant answered 405"),
        (asks_by(how="params"), "carries client_id, client_secret, login_hint"),
        (asks_by(path="bc_authorize"), "You sent POST /bc_authorize, and the tenant answered 404"),
        (asks_by(path="bc_authorize"), "The address is “bc-authorize”, letter by letter"),
        (asks_by(client_secret=None, secret="s"), "no client_secret, but a field secret"),
        (asks_by(scope=None, scopes="openid create:transfer"), "Call it scope"),
        (asks_by(client_id=None), "The form has no client_id"),
        (asks_by(scope="openid,create:transfer"), "Only spaces stand between two scopes"),
        (asks_by(scope="openid, create:transfer"), "the “,” is a part of a name"),
        (asks_by(binding_message=None), "The form has no binding_message"),
        (asks_by(binding_message="Pay 25.00 € to Zoë"), "its character 11 is “€”"),
        (asks_by(binding_message="Move 25.00 USD " * 5), "it has 75 characters"),
    ],
)
async def test_a_question_that_goes_wrong_is_told_by_what_was_wrong(lab, function, wanted):
    assert wanted in await told(lab, "ask", function)


async def test_the_first_64_characters_may_hold_one_that_the_phone_refuses(lab):
    async def cuts(http, world, message):
        return await asks_by(binding_message=message[:64])(http, world, message)

    said = await told(lab, "ask", cuts)
    assert "its character 14 is “€”" in said
    assert "characters." not in said.partition("“Pay")[0]


async def test_clients_of_ones_own_are_told_from_the_one_that_was_given(lab):
    async def without_a_base(http, world, message):
        async with httpx.AsyncClient() as own:
            return (await own.post("bc-authorize", data={})).json()

    async def the_labs(http, world, message):
        async with lab.http() as own:
            return (await own.post("bc-authorize", data={})).json()

    said = await raised(lab, "ask", without_a_base)
    assert "Use the argument `http`" in said
    said = await told(lab, "ask", the_labs)
    assert "went through lab.http() to the lab's own tenant" in said
    assert "Use the argument `http`" in said


async def test_a_form_without_its_name_is_told(lab):
    async def by_place(http, world, message):
        return (await http.post("bc-authorize", {"scope": "openid"})).json()

    assert "`data=form`" in await raised(lab, "ask", by_place)


async def test_a_clock_that_is_asked_in_other_words_is_told(lab):
    async def asks_the_time(http, world, asked, clock):
        return clock.time()

    said = await raised(lab, "wait_for_answer", asks_the_time)
    assert "clock.now() tells the time" in said


@pytest.mark.parametrize(
    ("made", "step"),
    [
        (lambda i, u: {"format": "iss_sub", "issuer": i, "sub": u}, '"issuer" is called "iss"'),
        (lambda i, u: {"format": "iss_sub", "iss": i, "subject": u}, '"subject" is called "sub"'),
        (lambda i, u: {"iss": i, "sub": u}, 'It has no "format"'),
        (lambda i, u: {"format": "iss_sub", "iss": u, "sub": i}, "the wrong way round"),
        (lambda i, u: json.dumps({"format": "iss_sub", "iss": i, "sub": u}), "called twice"),
    ],
)
async def test_a_hint_with_a_slip_is_told_which(lab, made, step):
    def login_hint(issuer, user_id):
        return json.dumps(made(issuer, user_id))

    assert step in await told(lab, "login_hint", login_hint)


async def test_a_dictionary_as_python_writes_it_and_a_piece_of_an_id_are_told(lab):
    by_str = await told(lab, "login_hint", lambda i, u: str(json.loads(hint_right(i, u))))
    assert "as Python writes it, with single quotes" in by_str
    piece = await told(lab, "login_hint", lambda i, u: hint_right(i, u.partition("|")[2]))
    assert "a piece of the user's id. Send all of it: auth0|" in piece


async def test_a_value_of_the_world_in_anothers_place_is_told_by_its_name(lab):
    async def asks_the_tenant(http, world, message):
        return await asks(audience=world.issuer)(http, world, message)

    async def asks_for_the_client(http, world, message):
        hint = hint_right(world.issuer, world.client_id)
        return await asks(login_hint=hint)(http, world, message)

    said = await told(lab, "ask", asks_the_tenant)
    assert "which is world.issuer. The audience is whom the token is for" in said
    assert "world.audience" in said
    assert "That sub is world.client_id" in await told(lab, "ask", asks_for_the_client)

    async def asks_another_issuer(http, world, message):
        hint = hint_right(world.audience, world.user_id)
        return await asks(login_hint=hint)(http, world, message)

    async def asks_nobody(http, world, message):
        hint = hint_right(world.issuer, "")
        return await asks(login_hint=hint, audience="")(http, world, message)

    said = await told(lab, "ask", asks_another_issuer)
    assert "That iss is world.audience" in said
    assert "That sub" not in said
    assert "a piece of the user's id" not in await told(lab, "ask", asks_nobody)
    assert "which is world." not in await told(lab, "ask", asks(audience=""))


async def test_bytes_are_no_text_and_a_long_hint_ends_in_dots(lab):
    said = await told(lab, "login_hint", lambda issuer, user_id: hint_right("i", "u").encode())
    assert "leave `.encode()` away" in said
    said = await told(lab, "login_hint", lambda issuer, user_id: "x" * 200)
    assert "xxx…." in said


async def test_what_is_printed_is_not_returned_in_one_wording_for_all(lab):
    def login_hint(issuer, user_id):
        print(hint_right(issuer, user_id))

    async def ask(http, world, message):
        print(await asks()(http, world, message))

    async def wait_for_answer(http, world, asked, clock):
        print(await wait_right(http, world, asked, clock))

    for function in (login_hint, ask, wait_for_answer):
        name = function.__name__
        said = await told(lab, name, function)
        assert f"Your {name} returned None: what is only printed" in said
        assert "End it with `return`" in said


async def test_a_yield_is_no_return(lab):
    async def ask(http, world, message):
        yield await asks()(http, world, message)

    said = await told(lab, "ask", ask)
    assert "`yield`" in said
    assert "plain function" not in said
