"""Forged, broken and absurd tokens at every door of the tenant: refused, and nothing changes."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from joserfc.jwk import RSAKey

from baink_lab.sandbox.tenant import models
from tests.conftest import ISSUER
from tests.hostile import (
    BIG,
    HEADERS,
    NO_TEXT,
    TIMES,
    claims_with,
    hs256,
    shapes,
    signed,
    unsigned,
)
from tests.sandbox.tenant.test_guardian_devices import BASE, Device

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def everything(tenant):
    rows = tenant.store.connection.execute("SELECT kind, id, body FROM documents ORDER BY 1, 2")
    return list(rows)


@pytest.fixture
def bearer(tenant, tenant_http, clock):
    """Sends one token to every endpoint that takes a bearer; each must refuse it."""

    async def bearer(token):
        clock.advance(1)  # the Management API takes a few calls a second
        before = everything(tenant)
        calls = [
            ("GET", "userinfo", "Bearer"),
            ("GET", "api/v2/clients", "Bearer"),
            ("GET", "api/v2/guardian/factors", "Bearer"),
            ("DELETE", "api/v2/users/x", "Bearer"),
            ("GET", f"{BASE}/device-accounts/x/pushes", "Bearer"),
            ("DELETE", f"{BASE}/device-accounts/x", "Bearer"),
            ("POST", f"{BASE}/resolve-transaction", "Bearer"),
            ("GET", "rich-consents/cns_x", "MFA-DPoP"),
        ]
        for method, path, scheme in calls:
            headers = {"authorization": f"{scheme} {token}", "mfa-dpop": token}
            answer = await tenant_http.request(method, path, headers=headers)
            assert answer.status_code == 401, (path, answer.status_code, answer.text)
        assert everything(tenant) == before

    return bearer


def management_claims(tenant, **changes):
    now = int(tenant.now())
    return {
        "iss": tenant.issuer,
        "sub": "x@clients",
        "azp": tenant.credentials()["management_client_id"],
        "aud": tenant.management_audience,
        "iat": now,
        "exp": now + 300,
        "scope": " ".join(models.MANAGEMENT_SCOPES),
    } | changes


@pytest.mark.parametrize("name", HEADERS)
async def test_a_token_with_an_odd_header_is_refused(bearer, tenant, name):
    for payload in (management_claims(tenant), b"[1]", b"", b"[" * 5000):
        await bearer(unsigned(HEADERS[name], payload))


async def test_what_is_nearly_a_token_is_refused(bearer, tenant):
    good = tenant.keys.sign(management_claims(tenant), typ="JWT")
    for token in shapes(good):
        await bearer(token)


async def test_the_public_key_is_no_secret_of_hs256(bearer, tenant):
    jwk = tenant.keys.jwks()["keys"][0]
    public = RSAKey.import_key({name: jwk[name] for name in ("kty", "n", "e")})
    claims = management_claims(tenant)
    for secret in (
        public.as_pem(private=False),
        public.as_pem(private=False).strip(),
        public.public_key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        json.dumps(jwk).encode(),
        jwk["n"].encode(),
        jwk["x5c"][0].encode(),
        b"",
    ):
        await bearer(hs256(secret, claims, {"kid": jwk["kid"]}))
        await bearer(hs256(secret, claims))


async def test_a_stranger_s_key_is_refused_even_when_the_header_carries_it(bearer, tenant):
    stranger = RSAKey.generate_key(2048)
    jwk = stranger.as_dict(private=False)
    kid = tenant.keys.jwks()["keys"][0]["kid"]
    for header in ({}, {"jwk": jwk}, {"kid": kid}, {"kid": kid, "jwk": jwk}):
        await bearer(signed(stranger, management_claims(tenant), header))


async def test_tokens_of_other_kinds_open_nothing_here(tenant, tenant_http, device, start):
    """An id_token, a push's transaction token, an access token for the bank: not for the API."""
    await start()
    [push] = await device.pushes()
    claims = {"sub": "auth0|x", "iss": tenant.issuer, "exp": 9_999_999_999, "iat": 1}
    client_id = tenant.credentials()["client_id"]
    tokens = [
        push["txtkn"],
        tenant.keys.sign({**claims, "aud": client_id}, typ="JWT"),
        tenant.keys.sign({**claims, "aud": [client_id, tenant.userinfo_url]}, typ="JWT"),
        tenant.keys.sign({**claims, "aud": f"{tenant.management_audience}x"}, typ="JWT"),
        tenant.keys.sign({**claims, "aud": tenant.management_audience[:-1]}, typ="JWT"),
    ]
    for token in tokens:
        headers = {"authorization": f"Bearer {token}"}
        assert (await tenant_http.get("api/v2/clients", headers=headers)).status_code == 401


async def test_userinfo_takes_the_audience_whole(tenant, tenant_http):
    """An API may have an identifier with ours inside it: that is another audience."""
    now = int(tenant.now())
    claims = {"sub": "x@clients", "iat": now, "exp": now + 60, "scope": "openid profile"}
    token = tenant.keys.sign({**claims, "aud": f"{tenant.userinfo_url}/else"}, typ="JWT")
    headers = {"authorization": f"Bearer {token}"}
    assert (await tenant_http.get("userinfo", headers=headers)).status_code == 401


# -- private_key_jwt -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client_key():
    return RSAKey.generate_key(2048)


@pytest.fixture
def asserting(tenant, client_key):
    """A client with a registered public key; returns its id."""
    credential = {
        "id": "cred_x",
        "alg": "RS256",
        "_pem": client_key.as_pem(private=False).decode(),
        "_client_id": "asserting",
    }
    tenant.credentials_of.put("cred_x", credential)
    fields = {
        "name": "asserting",
        "client_id": "asserting",
        "token_endpoint_auth_method": None,
        "client_authentication_methods": {"private_key_jwt": {"credentials": [{"id": "cred_x"}]}},
        "grant_types": ["client_credentials", models.CIBA_GRANT],
    }
    tenant.clients.put("asserting", models.new_client(tenant, fields))
    audience = tenant.management_audience
    grant = {"client_id": "asserting", "audience": audience, "scope": ["read:users"]}
    tenant.grants.put("cgr_x", models.new_grant(grant))
    return "asserting"


def assertion_claims(tenant, jti="one", **changes):
    now = int(tenant.now())
    return {
        "iss": "asserting",
        "sub": "asserting",
        "aud": ISSUER,
        "iat": now,
        "exp": now + 60,
        "jti": jti,
    } | changes


@pytest.fixture
def asserted(tenant, tenant_http, asserting):
    async def asserted(assertion):
        before = everything(tenant)
        form = {
            "grant_type": "client_credentials",
            "audience": tenant.management_audience,
            "client_assertion_type": ASSERTION,
            "client_assertion": assertion,
        }
        answer = await tenant_http.post("oauth/token", data=form)
        if answer.status_code != 200:
            assert everything(tenant) == before
            assert tenant.used_assertions == {}
        return answer

    return asserted


def refused(answer):
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text


async def test_a_good_assertion_passes(tenant, asserted, client_key):
    assert (await asserted(signed(client_key, assertion_claims(tenant)))).status_code == 200


@pytest.mark.parametrize("name", HEADERS)
async def test_an_assertion_with_an_odd_header_is_refused(tenant, asserted, name):
    refused(await asserted(unsigned(HEADERS[name], assertion_claims(tenant))))


@pytest.mark.parametrize("value", TIMES)
@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
async def test_an_assertion_with_an_odd_time_is_refused(tenant, asserted, client_key, claim, value):
    payload = claims_with(assertion_claims(tenant), claim, TIMES[value])
    answer = await asserted(signed(client_key, payload))
    if value == "null" and claim != "exp":  # as if it were not there, and it may be missing
        assert answer.status_code == 200
    else:
        refused(answer)


@pytest.mark.parametrize("value", NO_TEXT, ids=repr)
@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "jti"])
async def test_an_assertion_with_a_claim_that_is_no_text_is_refused(
    tenant, asserted, client_key, claim, value
):
    if claim == "jti" and value == "\x00":
        return  # a name like any other
    refused(await asserted(signed(client_key, assertion_claims(tenant, **{claim: value}))))


async def test_an_assertion_too_large_or_used_is_refused(tenant, asserted, client_key):
    refused(await asserted(signed(client_key, assertion_claims(tenant, pad="x" * 5000))))
    refused(await asserted(signed(client_key, assertion_claims(tenant, jti="j" * 65))))


async def test_an_assertion_is_good_once(tenant, tenant_http, asserting, client_key):
    form = {
        "grant_type": "client_credentials",
        "audience": tenant.management_audience,
        "client_assertion_type": ASSERTION,
        "client_assertion": signed(client_key, assertion_claims(tenant)),
    }
    assert (await tenant_http.post("oauth/token", data=form)).status_code == 200
    refused(await tenant_http.post("oauth/token", data=form))


# -- what devices sign -----------------------------------------------------------------------------


def answer_claims(tenant, push):
    now = int(tenant.now())
    return {
        "iat": now,
        "exp": now + 30,
        "aud": f"{ISSUER}{BASE}/resolve-transaction",
        "iss": "device-001",
        "sub": push["c"],
        "auth0_guardian_method": "push",
        "auth0_guardian_accepted": True,
    }


async def answered(http, push, token):
    headers = {"authorization": f"Bearer {push['txtkn']}"}
    body = {"challenge_response": token}
    return await http.post(f"{BASE}/resolve-transaction", json=body, headers=headers)


async def test_a_good_answer_decides(tenant, tenant_http, device, start):
    await start()
    [push] = await device.pushes()
    answer = signed(Device.key, answer_claims(tenant, push))
    assert (await answered(tenant_http, push, answer)).status_code == 204
    assert tenant.notifications() == []


@pytest.mark.parametrize("value", [item for item in TIMES if item != "null"])
@pytest.mark.parametrize("claim", ["exp", "iat"])
async def test_an_answer_with_an_odd_time_decides_nothing(
    tenant,
    tenant_http,
    device,
    start,
    claim,
    value,
):
    await start()
    [push] = await device.pushes()
    answer = signed(Device.key, claims_with(answer_claims(tenant, push), claim, TIMES[value]))
    assert (await answered(tenant_http, push, answer)).status_code == 401
    assert len(tenant.notifications()) == 1


@pytest.mark.parametrize("value", NO_TEXT, ids=repr)
@pytest.mark.parametrize("claim", ["aud", "iss", "sub", "auth0_guardian_method"])
async def test_an_answer_with_a_claim_that_is_no_text_decides_nothing(
    tenant,
    tenant_http,
    device,
    start,
    claim,
    value,
):
    await start()
    [push] = await device.pushes()
    answer = signed(Device.key, answer_claims(tenant, push) | {claim: value})
    assert (await answered(tenant_http, push, answer)).status_code == 401
    assert len(tenant.notifications()) == 1


@pytest.mark.parametrize("value", [*NO_TEXT, "x"], ids=repr)
@pytest.mark.parametrize("claim", ["htu", "htm", "ath", "jti", "iat"])
async def test_a_proof_with_an_odd_claim_shows_nothing(
    tenant,
    device,
    start,
    claim,
    value,
):
    if claim == "jti" and value in ("\x00", "x"):
        return  # names like any other
    await start()
    [push] = await device.pushes()
    head, body, _ = device.proof(push).split(".")
    header, claims = (json.loads(base64.urlsafe_b64decode(one + "==")) for one in (head, body))
    answer = await device.consent(push, signed(Device.key, claims | {claim: value}, header))
    assert answer.status_code == 403, answer.text
    assert answer.json()["errorCode"] == "invalid_dpop_assertion"


@pytest.mark.parametrize("name", HEADERS)
async def test_a_proof_or_answer_with_an_odd_header_is_refused(
    tenant,
    tenant_http,
    device,
    start,
    name,
):
    await start()
    [push] = await device.pushes()
    token = unsigned(HEADERS[name], {"sub": push["c"], "iat": BIG})
    assert (await answered(tenant_http, push, token)).status_code in (400, 401)
    assert (await device.consent(push, token)).status_code == 403
    assert len(tenant.notifications()) == 1
