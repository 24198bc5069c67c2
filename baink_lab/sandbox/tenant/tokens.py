"""The tokens that the tenant gives out: four access token dialects and the id_token."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from baink_lab.sandbox.tenant.access import Access
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.values import base62

USERINFO_LIFETIME = 86400  # seconds, of a token that is for /userinfo alone
_PROFILE = ("name", "given_name", "family_name", "nickname", "picture", "updated_at")
_EMAIL = ("email", "email_verified")
# `gty` is printed for these alone, and never by the RFC 9068 dialects (contract section 4).
_GTY = {"client_credentials": "client-credentials", "refresh_token": "refresh_token"}


def user_tokens(
    tenant: Tenant,
    client: dict[str, Any],
    user_id: str,
    access: Access,
    grant_type: str,
    *,
    details: list[dict[str, Any]] | None = None,
    nonce: str | None = None,
) -> dict[str, Any]:
    """The body of a successful token response for a user (contract section 3.2).

    Args:
        tenant: the tenant.
        client: who gets the tokens.
        user_id: on whose behalf.
        access: the API and scopes granted.
        grant_type: the grant that leads here.
        details: the approved `authorization_details`.
        nonce: echoed in the id_token.
    """
    token, lifetime = _access_token(tenant, client, user_id, access, grant_type, details)
    body: dict[str, Any] = {"access_token": token}
    if "openid" in access.scope:
        body["id_token"] = _id_token(tenant, client, user_id, access.scope, nonce)
    body |= {
        "expires_in": lifetime,
        "scope": " ".join(access.scope),
        "token_type": "Bearer",
    }
    if details:
        body["authorization_details"] = details
    return body


def client_token(tenant: Tenant, client: dict[str, Any], access: Access) -> dict[str, Any]:
    """The body of a successful client_credentials response (contract section 3.3)."""
    subject = f"{client['client_id']}@clients"
    token, lifetime = _access_token(tenant, client, subject, access, "client_credentials", None)
    body = {"access_token": token, "expires_in": lifetime, "token_type": "Bearer"}
    return {**body, "scope": " ".join(access.scope)} if access.scope else body


def profile_claims(user: dict[str, Any], scope: list[str]) -> dict[str, Any]:
    """The claims about a user that these scopes open."""
    names = (*(_PROFILE if "profile" in scope else ()), *(_EMAIL if "email" in scope else ()))
    return {name: user[name] for name in names if name in user}


def opaque_key(token: str) -> str:
    """Under which name an opaque token is kept: its hash, so that the file holds no token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _access_token(
    tenant: Tenant,
    client: dict[str, Any],
    subject: str,
    access: Access,
    grant_type: str,
    details: list[dict[str, Any]] | None,
) -> tuple[str, int]:
    if access.api is None:
        return _opaque_token(tenant, subject, access.scope), USERINFO_LIFETIME
    api = access.api
    lifetime = int(api["token_lifetime"])
    issued = int(tenant.now())
    claims: dict[str, Any] = {
        "iss": tenant.issuer,
        "sub": subject,
        "aud": _audience(tenant, api, access.scope),
        "iat": issued,
        "exp": issued + lifetime,
    }
    rfc9068 = api["token_dialect"].startswith("rfc9068")
    claims |= _dialect_claims(client, access, rfc9068, grant_type)
    if details:
        claims["authorization_details"] = details
    typ = "at+jwt" if rfc9068 else "JWT"
    secret = api.get("signing_secret")
    return tenant.keys.sign(claims, typ=typ, alg=api["signing_alg"], secret=secret), lifetime


def _dialect_claims(
    client: dict[str, Any], access: Access, rfc9068: bool, grant_type: str
) -> dict[str, Any]:
    assert access.api is not None
    claims: dict[str, Any] = {"client_id" if rfc9068 else "azp": client["client_id"]}
    if rfc9068:
        claims["jti"] = base62(22)
    elif grant_type in _GTY:
        claims["gty"] = _GTY[grant_type]
    if access.scope:
        claims["scope"] = " ".join(access.scope)
    if access.api["token_dialect"].endswith("_authz"):
        claims["permissions"] = access.permissions
    return claims


def _audience(tenant: Tenant, api: dict[str, Any], scope: list[str]) -> str | list[str]:
    identifier = str(api["identifier"])
    return [identifier, tenant.userinfo_url] if "openid" in scope else identifier


def _opaque_token(tenant: Tenant, subject: str, scope: list[str]) -> str:
    now = tenant.now()
    for key in [key for key, item in tenant.opaque_tokens.items() if item["expires_at"] <= now]:
        tenant.opaque_tokens.remove(key)
    token = secrets.token_urlsafe(32)
    record = {"sub": subject, "scope": scope, "expires_at": now + USERINFO_LIFETIME}
    tenant.opaque_tokens.put(opaque_key(token), record)
    return token


def _id_token(
    tenant: Tenant, client: dict[str, Any], user_id: str, scope: list[str], nonce: str | None
) -> str:
    issued = int(tenant.now())
    settings = client["jwt_configuration"]
    claims = {
        **profile_claims(tenant.users.get(user_id, {}), scope),
        "iss": tenant.issuer,
        "sub": user_id,
        "aud": client["client_id"],
        "iat": issued,
        "exp": issued + int(settings.get("lifetime_in_seconds", 36000)),
    }
    if nonce:
        claims["nonce"] = nonce
    secret = client.get("client_secret")
    return tenant.keys.sign(claims, typ="JWT", alg=settings.get("alg", "RS256"), secret=secret)
