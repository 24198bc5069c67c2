"""Bearer tokens in requests, and the challenges that answer them (RFC 6750, sections 2 and 3)."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request

from baink_lab.auth0.tokens import (
    AccessToken,
    ExpiredToken,
    KeysUnavailable,
    TokenError,
    TokenVerifier,
)
from baink_lab.bank.problems import Refusal

REALM = "bank"

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*) *", re.I)
_log = logging.getLogger(__name__)


def challenge(error: str = "", description: str = "", scope: str = "") -> dict[str, str]:
    """The `WWW-Authenticate` header; `description` is ASCII without quote and backslash."""
    parts = {"realm": REALM, "error": error, "error_description": description, "scope": scope}
    said = ", ".join(f'{name}="{value}"' for name, value in parts.items() if value)
    return {"WWW-Authenticate": f"Bearer {said}"}


def token_in(request: Request) -> str:
    """The one bearer token of a request.

    Raises:
        Refusal: `missing_token`, or `invalid_request` for two, for one in the query, or garbage.
    """
    given = request.headers.getlist("authorization")
    if len(given) > 1 or "access_token" in request.query_params:
        raise _malformed("Send one access token, in the Authorization header only")
    if not given or not re.match(r"bearer\b", given[0], re.I):
        raise Refusal(
            "missing_token",
            "Send an access token, as: Authorization: Bearer <token>.",
            headers=challenge(),
        )
    match = _BEARER.fullmatch(given[0])
    if match is None:
        raise _malformed("The Authorization header is not of the form Bearer <token>")
    return match[1]


async def authenticate(
    request: Request, verifier: TokenVerifier, audience: str | None = None
) -> AccessToken:
    """Check the request's token; it must be a person's, and for `audience` when one is given.

    The caller is not told which check failed; the log is.

    Raises:
        Refusal: `missing_token`, `invalid_request`, `invalid_token` or `keys_unavailable`.
    """
    token = token_in(request)
    wanted = audience or verifier.audiences[0]
    try:
        access = await verifier.verify(token)
        if audience and audience not in access.audience:
            raise TokenError("It is for another audience of ours.")
        if access.subject.endswith("@clients"):
            raise TokenError("It is an application's own token: no customer is behind it.")
    except KeysUnavailable as failure:
        _log.warning("token not checked: %s", failure.sentence)
        raise Refusal(
            "keys_unavailable",
            "The tenant does not answer, so the token cannot be checked. Try again in a moment.",
            headers={"Retry-After": "5"},
        ) from None
    except TokenError as wrong:
        _log.info("token refused: %s", wrong.sentence)
        raise _invalid(isinstance(wrong, ExpiredToken), verifier.issuer, wanted) from None
    return access


def require_scope(access: AccessToken, scopes: Sequence[str]) -> None:
    """Let the token pass when it holds one of `scopes`, and its `permissions` hold it too.

    Raises:
        Refusal: `insufficient_scope`, naming the first of `scopes`.
    """
    granted = access.scopes
    if "permissions" in access.claims:
        granted = granted.intersection(_texts(access.claims["permissions"]))
    if granted.isdisjoint(scopes):
        description = f"The access token needs the scope {scopes[0]}"
        raise Refusal(
            "insufficient_scope",
            f"{description}.",
            headers=challenge("insufficient_scope", description, scopes[0]),
            required_scope=scopes[0],
        )


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _malformed(description: str) -> Refusal:
    headers = challenge("invalid_request", description)
    return Refusal("invalid_request", f"{description}.", headers=headers)


def _invalid(expired: bool, issuer: str, audience: str) -> Refusal:
    description = "The access token expired" if expired else "The access token is not valid here"
    return Refusal(
        "invalid_token",
        # What we want is public, and says nothing about what was wrong with this one.
        f"{description}. I take RFC 9068 access tokens (typ at+jwt) of the issuer {issuer} "
        f"for the audience {audience}.",
        headers=challenge("invalid_token", description),
        required_audience=audience,
    )
