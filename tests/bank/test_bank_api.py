import asyncio
import json
import re
import sqlite3
from contextlib import closing
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import RSAKey

from baink_lab.bank.order import MONEY_TRANSFER
from baink_lab.bank.problems import PROBLEMS
from baink_lab.clock import VirtualClock
from tests.bank.bank_world import (
    ACCOUNTS,
    ANA,
    BEN,
    ISSUER,
    START,
    TRANSFERS,
    bank_app,
    mint,
    new_key,
    open_ledger,
)

UNTOUCHED = {"Checking": "2500.00", "Savings": "10000.00"}
PATH = "/api/accounts/transfers"


def problem_in(response: httpx.Response, code: str) -> dict:
    """The problem in an answer, checked for all that RFC 9457 and RFC 6750 ask of every one."""
    body = response.json()
    assert body["code"] == code, body
    assert response.headers["content-type"] == "application/problem+json"
    assert response.status_code == body["status"] == PROBLEMS[code][0]
    assert body["type"].endswith(code)
    assert body["title"]
    assert body["detail"].endswith(".")
    if response.status_code == 401:
        assert response.headers["www-authenticate"].startswith('Bearer realm="bank"')
    return body


# Reading


async def test_accounts_and_payees_of_the_tokens_subject(bank):
    body = (await bank.get("/api/accounts")).json()
    assert [set(a) for a in body["accounts"]] == [{"id", "name", "type", "currency", "balance"}] * 2
    assert {a["name"]: a["balance"] for a in body["accounts"]} == UNTOUCHED
    assert {p["name"] for p in body["payees"]} == {"Mia Moreau", "Ben Brandt"}


async def test_history_shows_both_sides_of_a_transfer_newest_first(bank):
    mia = bank.payee("Mia Moreau")
    done = (await bank.post(bank.order(to_account=mia, amount="30", memo="rent"))).json()
    path = f"/api/accounts/{bank.account('Checking')}/history"
    body = (await bank.get(path)).json()
    latest, opening = body["entries"]
    assert latest == {
        "id": done["id"],
        "amount": "-30.00",
        "currency": "USD",
        "counterparty": "Mia Moreau",
        "memo": "rent",
        "at": done["created_at"],
    }
    assert opening["amount"] == "2500.00"
    assert len((await bank.get(path, params={"limit": "1"})).json()["entries"]) == 1


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "", "1e1", "٣", "99999999999"])
async def test_a_limit_out_of_range_is_refused(bank, limit):
    path = f"/api/accounts/{bank.account('Checking')}/history"
    problem_in(await bank.get(path, params={"limit": limit}), "invalid_limit")


async def test_somebody_elses_history_is_refused(bank):
    problem_in(
        await bank.get(f"/api/accounts/{bank.account('Checking', BEN)}/history"),
        "not_your_account",
    )
    problem_in(await bank.get("/api/accounts/acc_none/history"), "unknown_account")


@pytest.mark.parametrize(
    ("audience", "scope"),
    [(ACCOUNTS, "read:accounts"), (ACCOUNTS, "create:transfer"), (TRANSFERS, "read:accounts")],
)
async def test_reads_take_either_audience_and_either_scope(bank, audience, scope):
    assert (await bank.get("/api/accounts", mint(aud=audience, scope=scope))).status_code == 200


# Moving money


async def test_a_transfer_moves_money_and_gives_a_receipt(bank):
    order = bank.order(memo="for the trip")
    response = await bank.post(order)
    assert response.status_code == 201
    receipt = response.json()
    assert receipt == order | {
        "id": receipt["id"],
        "created_at": "2023-11-14T22:13:20.000Z",
        "balance_after": "2475.00",
    }
    assert "idempotent-replayed" not in response.headers
    assert bank.balances() == {"Checking": "2475.00", "Savings": "10025.00"}


async def test_the_same_key_is_answered_again_and_moves_nothing(bank):
    token, key, order = mint(), new_key(), bank.order()
    first, second = await bank.post(order, token, key), await bank.post(order, token, key)
    assert (second.status_code, second.json()) == (201, first.json())
    assert second.headers["idempotent-replayed"] == "true"
    assert bank.balances()["Checking"] == "2475.00"


async def test_twenty_requests_with_one_key_at_once_are_one_transfer(bank):
    token, key, order = mint(), new_key(), bank.order()
    answers = await asyncio.gather(*(bank.post(order, token, key) for _ in range(20)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.text for a in answers}) == 1
    assert sum("idempotent-replayed" not in a.headers for a in answers) == 1
    assert bank.balances()["Checking"] == "2475.00"


async def test_twenty_requests_with_one_token_at_once_are_one_transfer(bank):
    token, order = mint(), bank.order()
    answers = await asyncio.gather(*(bank.post(order, token) for _ in range(20)))
    assert sorted(a.status_code for a in answers) == [201] + [403] * 19
    assert bank.balances()["Checking"] == "2475.00"


async def test_the_same_key_for_another_order_is_refused(bank):
    key = new_key()
    await bank.post(bank.order(), key=key)
    problem_in(await bank.post(bank.order(amount="25.01"), key=key), "idempotency_key_reused")
    assert bank.balances()["Checking"] == "2475.00"


async def test_a_token_is_good_for_one_transfer(bank):
    token = mint()
    await bank.post(bank.order(), token)
    refused = await bank.post(bank.order(), token)
    problem_in(refused, "token_already_used")
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert bank.balances()["Checking"] == "2475.00"


async def test_a_refused_transfer_uses_up_neither_key_nor_token(bank):
    token, key = mint(), new_key()
    problem_in(await bank.post(bank.order(amount="9999"), token, key), "insufficient_funds")
    assert (await bank.post(bank.order(), token, key)).status_code == 201


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": "2500.01"}, "insufficient_funds"),
        ({"amount": "0"}, "invalid_amount"),
        ({"amount": "0.00"}, "invalid_amount"),
        ({"amount": "-1.00"}, "invalid_amount"),
        ({"amount": "1.005"}, "invalid_amount"),
        ({"amount": "1e2"}, "invalid_amount"),
        ({"amount": "9" * 400}, "invalid_amount"),
        ({"amount": None}, "invalid_amount"),
        ({"amount": 25}, "invalid_amount"),
        ({"amount": 25.0}, "invalid_amount"),
        ({"amount": True}, "invalid_amount"),
        ({"currency": "EUR"}, "currency_mismatch"),
        ({"currency": "usd"}, "currency_mismatch"),
        ({"currency": None}, "invalid_field"),
        ({"to_account": "acc_none"}, "unknown_account"),
        ({"from_account": "acc_none"}, "unknown_account"),
        ({"to_account": ""}, "invalid_field"),
        ({"to_account": ["a"]}, "invalid_field"),
        ({"from_account": "a\x00b"}, "invalid_field"),
        ({"memo": "x" * 141}, "invalid_memo"),
        ({"memo": "two\nlines"}, "invalid_memo"),
        ({"memo": "\ud800"}, "invalid_memo"),
        ({"memo": 5}, "invalid_memo"),
        ({"approved": True}, "invalid_field"),
    ],
)
async def test_an_order_that_cannot_be_is_refused_and_nothing_moves(bank, changes, code):
    problem_in(await bank.post(bank.order(**changes)), code)
    assert bank.balances() == UNTOUCHED


async def test_a_json_number_is_refused_with_how_to_write_it(bank):
    body = problem_in(await bank.post(bank.order(amount=25)), "invalid_amount")
    assert '"25.00"' in body["detail"]


async def test_one_account_cannot_pay_itself(bank):
    checking = bank.account("Checking")
    problem_in(await bank.post(bank.order(to_account=checking)), "same_account")


async def test_somebody_elses_money_cannot_be_moved(bank):
    theirs = bank.order(from_account=bank.account("Checking", BEN))
    problem_in(await bank.post(theirs), "not_your_account")


async def test_a_stranger_cannot_be_paid(bank):
    # Ben can pay Ana's Checking, and nobody else: not her Savings.
    order = bank.order(from_account=bank.account("Checking", BEN))
    problem_in(await bank.post(order, mint(sub=BEN)), "unknown_account")


# Idempotency-Key and body


async def test_a_transfer_needs_an_idempotency_key(bank):
    headers = {"Authorization": f"Bearer {mint()}"}
    answer = await bank.http.post(PATH, json=bank.order(), headers=headers)
    problem_in(answer, "idempotency_key_missing")


@pytest.mark.parametrize("keys", [["a", "b"], [""], ["x" * 256], ["two words"], ["caf\xe9"]])
async def test_a_key_that_cannot_be_used_is_refused(bank, keys):
    headers = [("Authorization", f"Bearer {mint()}")]
    headers += [("Idempotency-Key", key.encode("latin-1")) for key in keys]
    headers = [(n, v.encode() if isinstance(v, str) else v) for n, v in headers]
    answer = await bank.http.post(PATH, json=bank.order(), headers=headers)
    problem_in(answer, "idempotency_key_invalid")


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (b"{", "application/json", "invalid_json"),
        (b"[]", "application/json", "invalid_json"),
        (b'"text"', "application/json; charset=utf-8", "invalid_json"),
        (b"\xff\xfe\xfa", "application/json", "invalid_json"),
        (b"[" * 9000, "application/json", "invalid_json"),
        (b'{"amount": ' + b"9" * 5000 + b"}", "application/json", "invalid_json"),
        (b"", "application/json", "invalid_json"),
        (b"amount=25.00", "application/x-www-form-urlencoded", "unsupported_media_type"),
        (b"x" * 20_000, "application/json", "body_too_large"),
    ],
)
async def test_a_body_that_is_no_order_is_refused(bank, content, kind, code):
    headers = {
        "Authorization": f"Bearer {mint()}",
        "Idempotency-Key": new_key(),
        "Content-Type": kind,
    }
    problem_in(await bank.http.post(PATH, content=content, headers=headers), code)


# Tokens


async def test_without_a_token_the_challenge_names_no_error(bank):
    answer = await bank.http.get("/api/accounts")
    problem_in(answer, "missing_token")
    assert answer.headers["www-authenticate"] == 'Bearer realm="bank"'


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer a b", "Bearer é", "bearer ,"])
async def test_a_malformed_authorization_header_is_a_bad_request(bank, header):
    value = header.encode("latin-1")
    answer = await bank.http.get("/api/accounts", headers=[(b"Authorization", value)])
    problem_in(answer, "invalid_request")
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]


async def test_two_tokens_or_one_in_the_query_are_a_bad_request(bank):
    bearer = ("Authorization", f"Bearer {mint()}")
    problem_in(await bank.http.get("/api/accounts", headers=[bearer, bearer]), "invalid_request")
    query = {"access_token": mint()}
    problem_in(await bank.http.get("/api/accounts", params=query), "invalid_request")


async def test_another_scheme_is_no_token(bank):
    answer = await bank.http.get("/api/accounts", headers={"Authorization": "Basic YTpi"})
    problem_in(answer, "missing_token")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://other.test/"},
        {"iss": ISSUER.rstrip("/")},
        {"aud": f"{ISSUER}userinfo"},
        {"aud": ACCOUNTS},
        {"aud": None},
        {"sub": None},
        {"sub": "agent@clients"},
        {"client_id": None},
        {"jti": None},
        {"iat": None},
        {"exp": None},
    ],
)
async def test_a_token_that_fails_a_check_is_invalid_and_does_not_say_which(bank, changes):
    answer = await bank.post(bank.order(), mint(**changes))
    problem_in(answer, "invalid_token")
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="bank", error="invalid_token", '
        'error_description="The access token is not valid here"'
    )
    assert bank.balances() == UNTOUCHED


async def test_a_token_of_another_signer_is_invalid(bank):
    forged = mint(RSAKey.generate_key(2048, {"kid": "k1"}))
    problem_in(await bank.post(bank.order(), forged), "invalid_token")


async def test_an_expired_token_is_told_so(bank):
    token = mint()
    bank.clock.advance(311)
    answer = await bank.post(bank.order(), token)
    problem_in(answer, "invalid_token")
    assert 'error_description="The access token expired"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "changes",
    [{"scope": "openid"}, {"scope": None}, {"scope": "read:accounts"}, {"permissions": []}],
)
async def test_a_token_without_the_scope_is_told_which_it_needs(bank, changes):
    answer = await bank.post(bank.order(), mint(**changes))
    assert problem_in(answer, "insufficient_scope")["required_scope"] == "create:transfer"
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="bank", error="insufficient_scope", error_description='
        '"The access token needs the scope create:transfer", scope="create:transfer"'
    )


async def test_a_tenant_that_does_not_answer_is_not_the_tokens_fault(tmp_path):
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(500))
    ) as tenant:
        with closing(open_ledger(tmp_path / "l.db")) as ledger:
            app = bank_app(ledger, VirtualClock(START), tenant)
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://bank"
            ) as http:
                answer = await http.get(
                    "/api/accounts", headers={"Authorization": f"Bearer {mint()}"}
                )
    problem_in(answer, "keys_unavailable")
    assert "www-authenticate" not in answer.headers
    assert answer.headers["retry-after"]


# What was approved is what happens (RFC 9396)


def approved(order: dict, **changes) -> list:
    said = order | changes
    properties = {name: {"value": value, "display": True} for name, value in said.items() if value}
    return [{"type": MONEY_TRANSFER, "instruction": "Approve", "properties": properties}]


@pytest.mark.parametrize("amount", ["25.00", "25", 25, 25.0])
async def test_a_token_with_the_orders_details_pays_for_it(bank, amount):
    details = approved(bank.order(), amount=amount)
    assert (await bank.post(bank.order(), mint(authorization_details=details))).status_code == 201


async def test_one_object_in_place_of_the_array_is_read_too(bank):
    (details,) = approved(bank.order(memo="rent"))
    token = mint(authorization_details=details)
    assert (await bank.post(bank.order(memo="rent"), token)).status_code == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "25.01"},
        {"amount": 1e300},
        {"amount": "many"},
        {"amount": True},
        {"amount": None},
        {"to_account": "acc_evil"},
        {"from_account": None},
        {"currency": "EUR"},
        {"memo": "rent"},
    ],
)
async def test_a_token_approved_for_something_else_pays_for_nothing(bank, changes):
    token = mint(authorization_details=approved(bank.order(), **changes))
    answer = await bank.post(bank.order(), token)
    problem_in(answer, "authorization_details_mismatch")
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert bank.balances() == UNTOUCHED


@pytest.mark.parametrize(
    "details",
    [
        [{"type": "other"}],
        ["text"],
        [None],
        [{"type": MONEY_TRANSFER}],
        [{"type": MONEY_TRANSFER, "properties": {"amount": "25.00"}}],
    ],
)
async def test_details_that_say_nothing_of_this_transfer_do_not_cover_it(bank, details):
    answer = await bank.post(bank.order(), mint(authorization_details=details))
    problem_in(answer, "authorization_details_mismatch")


async def test_two_approved_transfers_in_one_token_pay_for_neither(bank):
    token = mint(authorization_details=approved(bank.order()) * 2)
    problem_in(await bank.post(bank.order(), token), "authorization_details_mismatch")


# Garbage and failure


async def test_paths_and_methods_that_are_not_there_are_problems_too(bank):
    problem_in(await bank.get("/api/nothing"), "not_found")
    problem_in(await bank.get("/api/accounts/"), "not_found")
    refused = await bank.get(PATH)
    problem_in(refused, "method_not_allowed")
    assert refused.headers["allow"] == "POST"
    assert (await bank.http.get("/health")).json() == {"status": "ok"}


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_value = _json | st.sampled_from(["25.00", "USD", "acc_x", ""])
_fields = ["from_account", "to_account", "amount", "currency", "memo"]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    body=_json | st.fixed_dictionaries({}, optional=dict.fromkeys(_fields, _value)),
    details=_json,
    raw=st.none() | st.binary(max_size=50),
)
async def test_no_body_and_no_details_bring_a_server_error_or_move_money(bank, body, details, raw):
    content = json.dumps(body).encode() if raw is None else raw
    headers = {
        "Authorization": f"Bearer {mint(authorization_details=details)}",
        "Idempotency-Key": new_key(),
        "Content-Type": "application/json",
    }
    answer = await bank.http.post(PATH, content=content, headers=headers)
    assert 400 <= answer.status_code < 500
    problem_in(answer, answer.json()["code"])
    assert bank.balances() == UNTOUCHED


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(value=st.binary(max_size=80), path=st.text(max_size=20), query=st.text(max_size=20))
async def test_no_header_path_or_query_brings_a_server_error(bank, value, path, query):
    clean = re.sub(rb"[\x00-\x1f\x7f]", b"", value)
    for given_header in (clean, b"Bearer " + clean):
        answer = await bank.http.get(
            httpx.URL("http://bank/api/accounts", params={"limit": query}),
            headers=[(b"Authorization", given_header)],
        )
        assert answer.status_code in {400, 401}
    answer = await bank.get(f"/api/accounts/{quote(path, safe='')}/history")
    assert answer.status_code < 500


async def test_a_ledger_that_another_process_holds_is_a_503_to_try_again(
    bank, tmp_path, monkeypatch
):
    bank.ledger._book.execute("PRAGMA busy_timeout = 20")
    token, key = mint(), new_key()
    with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = await bank.post(bank.order(), token, key)
        problem_in(answer, "ledger_busy")
        assert answer.headers["retry-after"] == "1"
        other.execute("ROLLBACK")
    assert (await bank.post(bank.order(), token, key)).status_code == 201


async def test_no_token_is_ever_logged(bank, caplog):
    caplog.set_level("DEBUG")
    for token in (mint(), mint(aud="other"), mint(scope="openid")):
        await bank.post(bank.order(), token)
        assert not any(part in caplog.text for part in token.split("."))
    assert "another audience" in caplog.text  # the log says what the caller is not told


async def test_every_answer_forbids_storing_it(bank):
    for answer in (await bank.get("/api/accounts"), await bank.post(bank.order(amount="x"))):
        assert answer.headers["cache-control"] == "no-store"


async def test_the_balance_of_another_customer_is_theirs(bank):
    body = (await bank.get("/api/accounts", mint(sub=BEN))).json()
    assert [a["balance"] for a in body["accounts"]] == ["1200.00"]
    assert (await bank.get("/api/accounts", mint(sub="auth0|nobody"))).json() == {
        "accounts": [],
        "payees": [],
    }
    assert bank.balances(ANA) == UNTOUCHED
