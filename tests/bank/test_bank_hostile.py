"""Forged, broken and absurd tokens and bodies at the bank: refused, and no money moves."""

from __future__ import annotations

import json

import pytest
from joserfc.jwk import RSAKey

from tests.bank.bank_world import ISSUER, START, TRANSFERS, mint, new_key, signing_key
from tests.hostile import BIG, HEADERS, NO_TEXT, TIMES, claims_with, hs256, shapes, signed, unsigned

GOOD = {"typ": "at+jwt", "kid": "k1"}


def claims(**changes):
    return {
        "iss": ISSUER,
        "sub": "auth0|ana",
        "aud": [TRANSFERS],
        "client_id": "agent",
        "iat": START,
        "exp": START + 300,
        "jti": "one",
        "scope": "create:transfer",
    } | changes


@pytest.fixture
def refused(bank):
    """Sends one token to each route; each must refuse it with the challenge of RFC 6750."""

    async def refused(token):
        before = bank.balances()
        for answer in (
            await bank.get("/api/accounts", token),
            await bank.post(bank.order(), token),
        ):
            assert answer.status_code in (400, 401), (answer.status_code, answer.text)
            assert answer.headers["www-authenticate"].startswith('Bearer realm="bank"')
            assert answer.json()["code"] in ("invalid_token", "invalid_request", "missing_token")
        assert bank.balances() == before

    return refused


async def test_the_good_token_passes(bank):
    answer = await bank.post(bank.order(), signed(signing_key(), claims(), GOOD))
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("name", HEADERS)
async def test_a_token_with_an_odd_header_is_refused(refused, name):
    header = HEADERS[name]
    for one in (header, header | GOOD if isinstance(header, dict) else header):
        for payload in (claims(), b"[1]", b"[" * 5000, b"1e9999999999999999999"):
            await refused(unsigned(one, payload))


@pytest.mark.parametrize(
    "name", [key for key, value in HEADERS.items() if isinstance(value, dict) and "crit" in value]
)
async def test_a_signed_token_with_critical_parameters_is_refused(refused, name):
    await refused(signed(signing_key(), claims(), GOOD | HEADERS[name]))


async def test_what_is_nearly_a_token_is_refused(refused):
    for token in shapes(mint()):
        await refused(token)


async def test_the_public_key_is_no_secret_of_hs256(refused):
    key = signing_key()
    for secret in (
        key.as_pem(private=False),
        json.dumps(key.as_dict(private=False)).encode(),
        key.as_dict(private=False)["n"].encode(),
        b"",
    ):
        await refused(hs256(secret, claims(), GOOD))


async def test_a_stranger_s_key_is_refused_even_when_the_header_carries_it(refused):
    stranger = RSAKey.generate_key(2048)
    for header in (GOOD, GOOD | {"jwk": stranger.as_dict(private=False)}, {"typ": "at+jwt"}):
        await refused(signed(stranger, claims(), header))


@pytest.mark.parametrize("value", TIMES)
@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
async def test_a_token_with_an_odd_time_is_refused(refused, claim, value):
    await refused(signed(signing_key(), claims_with(claims(), claim, TIMES[value]), GOOD))


@pytest.mark.parametrize("value", NO_TEXT, ids=repr)
@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "client_id", "jti"])
async def test_a_token_with_a_claim_that_is_no_text_is_refused(refused, claim, value):
    await refused(signed(signing_key(), claims(**{claim: value}), GOOD))


@pytest.mark.parametrize("value", NO_TEXT, ids=repr)
async def test_odd_scopes_permissions_and_details_allow_nothing(bank, value):
    before = bank.balances()
    for claim in ("scope", "permissions", "authorization_details"):
        if claim == "authorization_details" and value in (None, [], ""):
            continue
        token = signed(signing_key(), claims(**{claim: value}), GOOD)
        answer = await bank.post(bank.order(), token)
        if claim == "authorization_details" and answer.status_code == 201:
            pytest.fail(f"authorization_details {value!r} passed")
        assert answer.status_code in (401, 403), (claim, answer.status_code, answer.text)
    assert bank.balances() == before


async def test_ten_thousand_scopes_are_read(bank):
    many = " ".join(f"s{number}" for number in range(10_000))
    answer = await bank.post(bank.order(), mint(scope=f"{many} create:transfer"))
    assert answer.status_code == 201
    answer = await bank.post(bank.order(), mint(scope=many))
    assert answer.status_code == 403


BODIES = {
    "nothing": b"",
    "null": b"null",
    "an array": b"[]",
    "deep array": b"[" * 10_000,
    "deep object": b'{"a":' * 3_000,
    "deep field": b'{"memo":' + b"[" * 8_000 + b"]" * 8_000 + b"}",
    "huge number": b'{"amount": ' + b"9" * 10_000 + b"}",
    "1e400": b'{"amount": 1e400}',
    "NaN": b'{"amount": NaN}',
    "not UTF-8": b'{"memo": "\xff\xfe"}',
    "cut off": b'{"amount": "25.00"',
    "two objects": b"{}{}",
    "a BOM": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_broken_body_moves_nothing(bank, name):
    before = bank.balances()
    headers = {
        "Authorization": f"Bearer {mint()}",
        "Idempotency-Key": new_key(),
        "Content-Type": "application/json",
    }
    answer = await bank.http.post("/api/accounts/transfers", content=BODIES[name], headers=headers)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert bank.balances() == before


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
async def test_only_utf8_is_json(bank, encoding):
    """RFC 8259 section 8.1; Python's own reader takes others too."""
    before = bank.balances()
    headers = {
        "Authorization": f"Bearer {mint()}",
        "Idempotency-Key": new_key(),
        "Content-Type": "application/json",
    }
    body = json.dumps(bank.order()).encode(encoding)
    answer = await bank.http.post("/api/accounts/transfers", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")
    assert bank.balances() == before


async def test_a_field_sent_twice_is_refused(bank):
    """Two readers of one order must not see two amounts."""
    before = bank.balances()
    headers = {
        "Authorization": f"Bearer {mint()}",
        "Idempotency-Key": new_key(),
        "Content-Type": "application/json",
    }
    text = json.dumps(bank.order())
    body = f'{text[:-1]}, "amount": "1.00"}}'.encode()
    answer = await bank.http.post("/api/accounts/transfers", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")
    assert bank.balances() == before


@pytest.mark.parametrize("value", [*NO_TEXT, BIG, "1e400", "NaN", "Infinity", "-1", "9" * 5000])
async def test_an_odd_value_in_any_field_moves_nothing(bank, value):
    before = bank.balances()
    for field in bank.order():
        if field == "memo" and value == "":
            continue
        if field == "memo" and isinstance(value, str) and value.isprintable() and len(value) < 140:
            continue
        answer = await bank.post(bank.order() | {field: value})
        assert 400 <= answer.status_code < 500, (field, answer.text)
    assert bank.balances() == before
