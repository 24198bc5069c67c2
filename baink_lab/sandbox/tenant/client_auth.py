"""Who is calling: client_secret_post, client_secret_basic and private_key_jwt."""

from __future__ import annotations

import base64
import hmac
from typing import Any
from urllib.parse import unquote_plus

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from baink_lab.sandbox.tenant.errors import OAuthError
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.values import moment_in
from baink_lab.sandbox.tenant.wire import parse_json

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_ALGORITHMS = ("RS256", "RS384", "PS256")
MAX_ASSERTION = 2048  # bytes (contract section 3.5)
MAX_ASSERTION_LIFE = 300  # seconds
ASSERTION_SKEW = 10  # seconds
_LATEST_END = MAX_ASSERTION_LIFE + ASSERTION_SKEW  # seconds from now
_MAX_CLAIM = 64  # characters of iss, sub and jti


class ClientRefused(Exception):
    """The client is unknown, or could not prove who it is. `reason` is for the log alone."""

    def __init__(self, reason: str, client: dict[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.client = client


def authenticate(tenant: Tenant, fields: dict[str, str], authorization: str) -> dict[str, Any]:
    """The client that makes this request.

    A public client (`token_endpoint_auth_method: none`) passes with its id alone: endpoints that
    need a confidential one check that themselves.

    Args:
        tenant: the tenant.
        fields: the request's parameters.
        authorization: the Authorization header, or "".

    Raises:
        OAuthError: 400 `invalid_request`, no client id at all.
        ClientRefused: unknown client or wrong credentials.
    """
    if "client_assertion" in fields or "client_assertion_type" in fields:
        return _by_assertion(tenant, fields)
    client_id, secret = _id_and_secret(fields, authorization)
    client = tenant.clients.get(client_id)
    if client is None:
        raise ClientRefused("Unknown client")
    if is_public(client):
        return dict(client)
    if client["token_endpoint_auth_method"] is None:
        raise ClientRefused("This client must use private_key_jwt", client)
    expected = str(client["client_secret"]).encode()
    if not hmac.compare_digest(secret.encode(), expected):
        raise ClientRefused("Wrong client secret", client)
    return client  # type: ignore[no-any-return]


def is_public(client: dict[str, Any]) -> bool:
    """True for a client that has no credentials."""
    return client["token_endpoint_auth_method"] == "none"  # type: ignore[no-any-return]  # noqa: S105


def _id_and_secret(fields: dict[str, str], authorization: str) -> tuple[str, str]:
    kind, _, value = authorization.partition(" ")
    if kind.lower() == "basic":
        client_id, secret = _basic(value)
        if fields.get("client_id", client_id) != client_id:
            raise ClientRefused("client_id differs from the Authorization header")
        return client_id, secret
    if "client_id" not in fields:
        raise OAuthError("invalid_request", "client_id is required")
    return fields["client_id"], fields.get("client_secret", "")


def _basic(value: str) -> tuple[str, str]:
    """RFC 6749 section 2.3.1: both halves are form-encoded."""
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except ValueError:
        raise ClientRefused("Malformed Authorization header") from None
    client_id, _, secret = text.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)


def _by_assertion(tenant: Tenant, fields: dict[str, str]) -> dict[str, Any]:
    assertion = fields.get("client_assertion", "")
    if fields.get("client_assertion_type") != ASSERTION_TYPE or len(assertion) > MAX_ASSERTION:
        raise _bad_assertion("Unsupported client assertion")
    issuer = _unverified_issuer(assertion)
    client = tenant.clients.get(issuer)
    if client is None or fields.get("client_id", issuer) != issuer:
        raise _bad_assertion("Unknown client")
    claims = _verified(tenant, client, assertion)
    if not _claims_hold(tenant, client, claims):
        raise _bad_assertion("Client assertion does not hold")
    return dict(client)


def _unverified_issuer(assertion: str) -> str:
    try:
        payload = assertion.split(".")[1]
        claims = parse_json(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, IndexError):
        raise _bad_assertion("Client assertion is not a JWT") from None
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    if not isinstance(issuer, str) or len(issuer) > _MAX_CLAIM:
        raise _bad_assertion("Client assertion has no issuer")
    return issuer


def _verified(tenant: Tenant, client: dict[str, Any], assertion: str) -> dict[str, Any]:
    methods = (client.get("client_authentication_methods") or {}).get("private_key_jwt") or {}
    for reference in methods.get("credentials", []):
        credential = tenant.credentials_of.get(reference["id"])
        if credential is None:
            continue
        try:
            key = RSAKey.import_key(credential["_pem"])
            return jwt.decode(assertion, key, algorithms=[credential["alg"]]).claims
        except (JoseError, ValueError, TypeError, AttributeError):
            continue  # the last two: joserfc, for headers such as {"crit": 5}
    raise _bad_assertion("No registered credential verifies the client assertion")


def _claims_hold(tenant: Tenant, client: dict[str, Any], claims: dict[str, Any]) -> bool:
    now = tenant.now()
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    ours = any(item in tenant.issuer_forms() for item in audiences if isinstance(item, str))
    own = claims.get("iss") == claims.get("sub") == client["client_id"]
    return ours and own and _times_hold(claims, now) and _fresh(tenant, client, claims, now)


def _times_hold(claims: dict[str, Any], now: float) -> bool:
    expires = moment_in(claims, "exp")
    if expires is None or not now - ASSERTION_SKEW < expires <= now + _LATEST_END:
        return False
    sent = [name for name in ("iat", "nbf") if claims.get(name) is not None]
    moments = [moment_in(claims, name) for name in sent]
    return all(item is not None and item <= now + ASSERTION_SKEW for item in moments)


def _fresh(tenant: Tenant, client: dict[str, Any], claims: dict[str, Any], now: float) -> bool:
    """True the first time only: a `jti` is good for one use."""
    used = tenant.used_assertions
    for key in [key for key, until in used.items() if until < now]:
        del used[key]
    token_id = claims.get("jti")
    if not isinstance(token_id, str) or not 0 < len(token_id) <= _MAX_CLAIM:
        return False
    if (client["client_id"], token_id) in used:
        return False
    used[client["client_id"], token_id] = now + MAX_ASSERTION_LIFE + 2 * ASSERTION_SKEW
    return True


def _bad_assertion(reason: str) -> OAuthError:
    return OAuthError("invalid_client", reason, status=401)
