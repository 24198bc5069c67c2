"""A provider's endpoints, read from its discovery document."""

from __future__ import annotations

import dataclasses

import httpx

from baink_lab.auth0.errors import Auth0Error
from baink_lab.auth0.wire import answer_of, send


@dataclasses.dataclass(frozen=True)
class Provider:
    """The endpoints that we use, as absolute URLs.

    Source: OpenID Connect Discovery 1.0, section 3; OpenID CIBA Core 1.0, section 4.
    """

    issuer: str
    token_endpoint: str
    backchannel_authentication_endpoint: str
    jwks_uri: str
    authorization_endpoint: str


async def discover(issuer: str, http: httpx.AsyncClient) -> Provider:
    """Fetch `{issuer}/.well-known/openid-configuration`.

    Auth0's documented sample names no CIBA endpoint though its tenants have one, so a missing
    `backchannel_authentication_endpoint` falls back to `{issuer}bc-authorize`.

    Args:
        issuer: the issuer URL; a missing trailing slash is forgiven.
        http: the client to ask with.

    Raises:
        Unavailable: the provider gave no usable answer.
        Auth0Error: the document is of another issuer (OpenID Discovery, section 4.3).
    """
    base = issuer.rstrip("/")
    response = await send(http, "GET", f"{base}/.well-known/openid-configuration")
    document = answer_of(response)
    if response.status_code != 200:
        raise Auth0Error(
            f"{base} has no discovery document (HTTP {response.status_code}): is it an issuer?",
            code="discovery",
        )
    said = str(document.get("issuer", ""))
    if said.rstrip("/") != base:
        raise Auth0Error(
            f"The tenant at {base} calls itself {said!r}. Use that issuer, or the other domain.",
            code="issuer_mismatch",
        )
    return Provider(
        issuer=said,
        token_endpoint=str(document.get("token_endpoint") or f"{base}/oauth/token"),
        backchannel_authentication_endpoint=str(
            document.get("backchannel_authentication_endpoint") or f"{base}/bc-authorize"
        ),
        jwks_uri=str(document.get("jwks_uri") or f"{base}/.well-known/jwks.json"),
        authorization_endpoint=str(document.get("authorization_endpoint") or f"{base}/authorize"),
    )
