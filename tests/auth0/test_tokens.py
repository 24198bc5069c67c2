"""Access tokens: every check of RFC 9068 section 4, in order, and how often keys are fetched."""

from __future__ import annotations

import asyncio
import base64
import hmac
import itertools
import json

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from baink_lab.auth0 import CibaClient
from baink_lab.auth0.keys import REFETCH_SECONDS, RETRY_SECONDS
from baink_lab.auth0.tokens import ExpiredToken, KeysUnavailable, TokenError, TokenVerifier
from baink_lab.clock import VirtualClock

ISSUER = "https://tenant.example/"
AUDIENCE = "https://bank.example/api"
NOW = 1_700_000_000
OLD, NEW, FOREIGN = (
    RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}) for kid in ("old", "new", "old")
)


class Keys:
    """A tenant's key set, and how often it was asked for."""

    def __init__(self, *keys):
        self.published = list(keys)
        self.fetches = 0
        self.down = False

    async def answer(self, request):
        assert str(request.url) == f"{ISSUER}.well-known/jwks.json"
        self.fetches += 1
        await asyncio.sleep(0)  # others run meanwhile
        if self.down:
            return httpx.Response(503)
        keys = [key.as_dict(private=False) for key in self.published]
        return httpx.Response(200, json={"keys": [{"kty": "odd"}, "junk", *keys]})


@pytest.fixture
def clock():
    return VirtualClock(NOW)


@pytest.fixture
def keys():
    return Keys(OLD)


@pytest.fixture
async def verifier(keys, clock):
    async with httpx.AsyncClient(transport=httpx.MockTransport(keys.answer)) as http:
        yield TokenVerifier(ISSUER, [AUDIENCE], http, clock, clients=["agent"])


GOOD_HEADER = {"typ": "at+jwt", "alg": "RS256", "kid": "old"}
GOOD = {
    "iss": ISSUER,
    "aud": [AUDIENCE, f"{ISSUER}userinfo"],
    "sub": "auth0|ana",
    "client_id": "agent",
    "iat": NOW,
    "exp": NOW + 300,
    "jti": "j1",
    "scope": "openid create:transfer",
}


def mint(*changes, key=OLD):
    """A good token with changes: `(part, name, value)`, part `header` or `claims`."""
    header, claims = dict(GOOD_HEADER), dict(GOOD)
    for part, name, value in changes:
        place = header if part == "header" else claims
        place[name] = value
        if value is None:
            del place[name]
    if header.get("alg") == "none":
        return f"{segment(header)}.{segment(claims)}."
    if header.get("alg") == "HS256":  # the attack: the public key as a shared secret
        return by_hmac(f"{segment(header)}.{segment(claims)}", OLD.as_pem(private=False))
    return jwt.encode(header, claims, key, algorithms=[header["alg"]])


def segment(value):
    return base64url(json.dumps(value).encode())


def base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hmac(signed, secret):
    """By hand: joserfc knows better than to sign with a public key."""
    return f"{signed}.{base64url(hmac.digest(secret, signed.encode(), 'sha256'))}"


# In the order in which they are made: what costs least first, the fetch of keys before the rest.
FAULTS = [
    ("typ", ("header", "typ", "JWT")),
    ("alg", ("header", "alg", "RS512")),
    ("another issuer", ("claims", "iss", ISSUER.rstrip("/"))),
    ("another audience", ("claims", "aud", f"{AUDIENCE}/")),
    ("does not publish", ("header", "kid", "stranger")),
    ("expired", ("claims", "exp", NOW - 11)),
    ("future", ("claims", "iat", NOW + 11)),
    ("claim sub", ("claims", "sub", None)),
    ("claim client_id", ("claims", "client_id", None)),
    ("claim jti", ("claims", "jti", None)),
]


async def test_a_good_token_says_who_may_do_what(verifier):
    access = await verifier.verify(mint())
    assert (access.subject, access.client_id, access.token_id) == ("auth0|ana", "agent", "j1")
    assert access.scopes == {"openid", "create:transfer"}
    assert access.audience == (AUDIENCE, f"{ISSUER}userinfo")
    assert access.authorization_details == []


@pytest.mark.parametrize(("why", "fault"), FAULTS)
async def test_each_fault_alone_is_refused(verifier, why, fault):
    with pytest.raises(TokenError, match=why):
        await verifier.verify(mint(fault))


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(FAULTS, 2)))
async def test_of_two_faults_the_earlier_check_speaks(verifier, first, second):
    with pytest.raises(TokenError, match=first[0]):
        await verifier.verify(mint(second[1], first[1]))


@pytest.mark.parametrize("fault", [fault for _, fault in FAULTS[:4]])
async def test_nothing_is_fetched_for_a_strangers_token(verifier, keys, fault):
    with pytest.raises(TokenError):
        await verifier.verify(mint(fault))
    assert keys.fetches == 0


@pytest.mark.parametrize(
    "change",
    [
        ("header", "typ", None),
        ("header", "typ", "id+jwt"),
        ("header", "alg", "none"),
        ("header", "alg", "HS256"),
        ("header", "kid", None),
        ("claims", "iss", None),
        ("claims", "aud", None),
        ("claims", "aud", []),
        ("claims", "aud", {AUDIENCE: 1}),
        ("claims", "exp", None),
        ("claims", "exp", str(NOW + 300)),
        ("claims", "exp", True),
        ("claims", "iat", None),
        ("claims", "nbf", NOW + 60),
        ("claims", "sub", ""),
        ("claims", "client_id", "another-agent"),
        ("claims", "scope", ["create:transfer"]),
    ],
)
async def test_other_tokens_that_are_none_for_us(verifier, change):
    with pytest.raises(TokenError):
        await verifier.verify(mint(change))


async def test_a_wrong_signature_speaks_before_the_claims(verifier):
    with pytest.raises(TokenError, match="signature"):
        await verifier.verify(mint(("claims", "exp", NOW - 99), key=FOREIGN))
    head, _, signature = mint().split(".")
    forged = segment(GOOD | {"sub": "auth0|ben"})
    with pytest.raises(TokenError, match="signature"):
        await verifier.verify(f"{head}.{forged}.{signature}")


@pytest.mark.parametrize("typ", ["AT+JWT", "application/at+jwt"])
async def test_the_typ_is_read_as_the_rfc_says(verifier, typ):
    assert await verifier.verify(mint(("header", "typ", typ)))


async def test_ps256_and_a_lone_audience_are_taken(verifier):
    changes = ("header", "alg", "PS256"), ("claims", "aud", AUDIENCE)
    assert await verifier.verify(mint(*changes))


async def test_an_expired_token_is_told_apart_with_a_little_leeway(verifier, clock):
    token = mint()
    clock.advance(309)
    assert await verifier.verify(token)
    clock.advance(1)
    with pytest.raises(ExpiredToken):
        await verifier.verify(token)


@pytest.mark.parametrize("junk", ["", "a", "a.b", "a.b.c", "....", "\u00e9.b.c", "a.b.c.d.e"])
async def test_junk_is_no_token(verifier, junk):
    with pytest.raises(TokenError):
        await verifier.verify(junk)


async def test_a_refusal_shows_nothing_of_the_token(verifier):
    token = mint(("claims", "aud", "other"))
    with pytest.raises(TokenError) as refused:
        await verifier.verify(token)
    assert not any(part in repr(refused.value) for part in token.split("."))


# Keys


def by_new():
    return mint(("header", "kid", "new"), key=NEW)


async def test_keys_are_fetched_once_for_many_at_once(verifier, keys):
    await asyncio.gather(*(verifier.verify(mint()) for _ in range(20)))
    assert keys.fetches == 1


async def test_a_rotated_key_is_fetched_and_the_old_one_stays_good(verifier, keys, clock):
    await verifier.verify(mint())
    keys.published.insert(0, NEW)
    clock.advance(REFETCH_SECONDS)
    await asyncio.gather(*(verifier.verify(by_new()) for _ in range(5)))
    await verifier.verify(mint())
    assert keys.fetches == 2


async def test_a_key_that_was_withdrawn_is_refused_once_the_set_is_old(verifier, keys, clock):
    await verifier.verify(mint())
    keys.published = [NEW]
    clock.advance(600)
    with pytest.raises(TokenError, match="does not publish"):
        await verifier.verify(mint(("claims", "exp", NOW + 9999)))
    assert keys.fetches == 2


async def test_unknown_kids_cannot_make_us_fetch_often(verifier, keys, clock):
    await verifier.verify(mint())
    for number in range(100):
        with pytest.raises(TokenError, match="does not publish"):
            await verifier.verify(mint(("header", "kid", f"forged-{number}")))
    assert keys.fetches == 1
    clock.advance(REFETCH_SECONDS)
    for number in range(100):
        with pytest.raises(TokenError, match="does not publish"):
            await verifier.verify(mint(("header", "kid", f"forged-{number}")))
    assert keys.fetches == 2


async def test_a_tenant_that_is_down_says_nothing_about_the_token(verifier, keys, clock):
    keys.down = True
    for _ in range(10):
        with pytest.raises(KeysUnavailable):
            await verifier.verify(mint())
    assert keys.fetches == 1
    keys.down = False
    clock.advance(RETRY_SECONDS)
    assert await verifier.verify(mint())


async def test_known_keys_serve_while_the_tenant_is_down(verifier, keys, clock):
    await verifier.verify(mint())
    keys.down = True
    clock.advance(REFETCH_SECONDS)
    with pytest.raises(KeysUnavailable):
        await verifier.verify(by_new())
    assert await verifier.verify(mint())


# The sandbox tenant's own tokens


async def test_the_tenants_tokens_pass_and_its_id_tokens_do_not(tenant, tenant_http, world):
    clock = VirtualClock()
    verifier = TokenVerifier(world.issuer, [world.audience], tenant_http, clock)
    ciba = CibaClient(
        world.issuer, world.client_id, world.client_secret, http=tenant_http, clock=clock
    )
    for turn in range(2):
        request = await ciba.start(
            user_id=world.user_id,
            scope="openid create:transfer",
            audience=world.audience,
            binding_message="Move 25.00 USD",
        )
        tenant.decide(tenant.notifications()[-1]["id"], "approve")
        tokens = await ciba.poll(request)
        access = await verifier.verify(tokens.access_token)
        assert (access.subject, access.client_id) == (world.user_id, world.client_id)
        assert "create:transfer" in access.scopes
        assert tokens.id_token
        with pytest.raises(TokenError, match="typ"):
            await verifier.verify(tokens.id_token)
        if turn == 0:
            tenant.rotate_key()
            clock.advance(REFETCH_SECONDS)
