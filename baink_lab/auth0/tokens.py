"""Access tokens, checked as RFC 9068 section 4 says, with the tenant's own published keys."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

import httpx
from joserfc import jws
from joserfc.errors import JoseError

from baink_lab.auth0.errors import Auth0Error
from baink_lab.auth0.keys import KeyRing, KeysUnavailable
from baink_lab.clock import Clock

__all__ = ["AccessToken", "ExpiredToken", "KeysUnavailable", "TokenError", "TokenVerifier"]

ALGORITHMS = ("RS256", "PS256")  # asymmetric only: "none" and HS* never reach a key
TYPES = ("at+jwt", "application/at+jwt")  # RFC 9068, section 4: an ID token has another
LEEWAY_SECONDS = 10

# RFC 7515, section 4: unknown header parameters are ignored; `crit` ones are refused.
_REGISTRY = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)


class TokenError(Auth0Error):
    """The token cannot be used here. The sentence says why: for the log, not for the caller."""

    code = "invalid_token"


class ExpiredToken(TokenError):
    """The token was good, and its time is up."""


@dataclasses.dataclass(frozen=True)
class AccessToken:
    """What a checked token says.

    `audience` holds every audience of the token, Auth0's `/userinfo` too. `expires_at` is in
    seconds since the epoch. `token_id` is the `jti`. Fractions in `claims` and
    `authorization_details` are `Decimal`, so that an amount was never a float.
    """

    subject: str
    client_id: str
    scopes: frozenset[str]
    audience: tuple[str, ...]
    expires_at: float
    token_id: str
    authorization_details: list[Any]
    claims: dict[str, Any] = dataclasses.field(repr=False)


class TokenVerifier:
    """Checks access tokens of one tenant for one resource server.

    Args:
        issuer: the tenant's issuer, with its trailing slash.
        audiences: the API identifiers that we answer to; a token for any of them is taken.
        http: the client that fetches keys.
        clock: says when a token has expired.
        clients: the client ids that may ask; None lets in every client of the tenant.
        jwks_uri: where the keys are; by default Auth0's place under the issuer.
    """

    def __init__(
        self,
        issuer: str,
        audiences: Sequence[str],
        http: httpx.AsyncClient,
        clock: Clock,
        *,
        clients: Collection[str] | None = None,
        jwks_uri: str | None = None,
    ) -> None:
        self.issuer = issuer
        self.audiences = tuple(audiences)
        self._clients = clients
        self._clock = clock
        self._keys = KeyRing(jwks_uri or f"{issuer}.well-known/jwks.json", http, clock)

    async def verify(self, token: str) -> AccessToken:
        """Check `token`, what costs least first: nothing is fetched for a stranger's token.

        Raises:
            ExpiredToken: it was good once.
            TokenError: it is not an access token of this tenant for this resource server.
            KeysUnavailable: the tenant's keys cannot be fetched; try again later.
        """
        signed, claims = _opened(token)
        self._check_header(signed.protected)
        self._check_place(claims)
        await self._check_signature(signed)
        self._check_times(claims)
        access = _access_token(claims)
        if self._clients is not None and access.client_id not in self._clients:
            raise TokenError("Its client is not one that may ask here.")
        return access

    def _check_header(self, header: dict[str, Any]) -> None:
        if str(header.get("typ")).lower() not in TYPES:
            raise TokenError("Its typ is not at+jwt: the API's token profile is not RFC 9068.")
        if header.get("alg") not in ALGORITHMS:
            raise TokenError("Its alg is not RS256 or PS256.")
        if "crit" in header:  # RFC 7515, section 4.1.11: refuse what must be understood and is not
            raise TokenError("It has critical header parameters that we do not know.")

    def _check_place(self, claims: dict[str, Any]) -> None:
        if claims.get("iss") != self.issuer:
            raise TokenError("It is of another issuer.")
        if not set(self.audiences) & set(_texts(claims.get("aud"))):
            raise TokenError("It is for another audience.")

    async def _check_signature(self, signed: jws.CompactSignature) -> None:
        kid = signed.protected.get("kid")
        if not isinstance(kid, str):
            raise TokenError("It does not name its key.")
        key = await self._keys.find(kid)
        if key is None:
            raise TokenError("It is signed with a key that the tenant does not publish.")
        try:
            good = jws.validate_compact(signed, key, registry=_REGISTRY)
        except (JoseError, ValueError):
            good = False
        if not good:
            raise TokenError("Its signature is wrong.")

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self._clock.now()
        expires, issued = _moment(claims, "exp"), _moment(claims, "iat")
        starts = _moment(claims, "nbf") if "nbf" in claims else issued
        if expires + LEEWAY_SECONDS <= now:
            raise ExpiredToken("It has expired.")
        if max(issued, starts) > now + LEEWAY_SECONDS:
            raise TokenError("It is from the future.")


def _opened(token: str) -> tuple[jws.CompactSignature, dict[str, Any]]:
    """Take a JWS apart; nothing in it is believed yet."""
    try:
        signed = jws.extract_compact(token.encode("ascii"))
        claims = json.loads(signed.payload or b"", parse_float=Decimal)
    except (JoseError, ValueError, ArithmeticError, RecursionError, AttributeError):
        # ArithmeticError: 1e9999999999999999999. AttributeError: joserfc, for some headers that
        # are no object.
        raise TokenError("It is not a signed JWT.") from None
    if not isinstance(claims, dict) or not isinstance(signed.protected, dict):
        raise TokenError("It is not a signed JWT.")
    return signed, claims


def _access_token(claims: dict[str, Any]) -> AccessToken:
    details = claims.get("authorization_details", [])
    scope = claims.get("scope", "")
    if not isinstance(scope, str):
        raise TokenError("Its scope is not a string.")
    return AccessToken(
        subject=_text(claims, "sub"),
        client_id=_text(claims, "client_id"),
        scopes=frozenset(scope.split()),
        audience=_texts(claims["aud"]),
        expires_at=_moment(claims, "exp"),
        token_id=_text(claims, "jti"),
        # Auth0's claim table shows one object, its samples an array: take both.
        authorization_details=details if isinstance(details, list) else [details],
        claims=claims,
    )


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    # isprintable also keeps out lone surrogates, which no database or header can store.
    if not isinstance(value, str) or not value or not value.isprintable():
        raise TokenError(f"Its claim {name} is missing or no text.")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(item for item in values if isinstance(item, str))


def _moment(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 <= value < 10**12:
        return float(value)
    raise TokenError(f"Its claim {name} is missing or no time.")
