"""Who may call the Management API: the bearer token and its scopes."""

from __future__ import annotations

import base64
from typing import Any

from baink_lab.sandbox.tenant.errors import ManagementError
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.wire import parse_json

EXPIRED = "Expired token received for JSON Web Token validation"
BAD_SIGNATURE = "Invalid signature received for JSON Web Token validation."
GUARDIAN_REFUSED = "Token has expired or signature is invalid."
_MAX_TOKEN = 16 * 1024  # characters


def authenticate(tenant: Tenant, authorization: str, *, guardian: bool = False) -> dict[str, Any]:
    """The claims of the caller's token (contract sections 3.4 and 5.1).

    Args:
        tenant: the tenant.
        authorization: the Authorization header, or "".
        guardian: word refusals as the Guardian endpoints do.

    Raises:
        ManagementError: 401.
    """
    kind, _, token = authorization.partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not token:
        raise ManagementError(401, "Missing authentication")
    claims = tenant.keys.read(token) if _looks_like_a_jwt(token) else None
    if claims is None:
        readable = _looks_like_a_jwt(token)
        raise _refused(BAD_SIGNATURE if readable else "Invalid token.", guardian)
    expires = claims.get("exp")
    if not isinstance(expires, int | float) or claims.get("iss") != tenant.issuer:
        raise _refused("Invalid token.", guardian)
    if expires <= tenant.now():
        raise _refused(EXPIRED, guardian)
    audience = claims.get("aud")
    if tenant.management_audience not in (audience if isinstance(audience, list) else [audience]):
        raise _refused("Invalid token.", guardian)
    return claims


def scopes_of(claims: dict[str, Any]) -> frozenset[str]:
    """The scopes that a token carries."""
    scope = claims.get("scope")
    return frozenset(scope.split()) if isinstance(scope, str) else frozenset()


def require_any(scopes: frozenset[str], wanted: tuple[str, ...], *, guardian: bool = False) -> None:
    """Check that one of the wanted scopes is there (contract section 5.1).

    Args:
        scopes: what the token carries.
        wanted: any of these is enough.
        guardian: word the refusal as the Guardian endpoints do.

    Raises:
        ManagementError: 403 `insufficient_scope`.
    """
    if scopes.isdisjoint(wanted):
        text = f"Insufficient scope, expected any of: {','.join(wanted)}"
        raise ManagementError(
            403, "Insufficient scope." if guardian else text, "insufficient_scope"
        )


def require_for_fields(scopes: frozenset[str], wanted: str) -> None:
    """Check the scope that some properties of a body need beyond the endpoint's own.

    Raises:
        ManagementError: 403 `insufficient_scope`.
    """
    if wanted not in scopes:
        text = (
            "Some fields cannot be updated with the permissions granted by the bearer token "
            f"scopes. Expected: {wanted}"
        )
        raise ManagementError(403, text, "insufficient_scope")


def _refused(message: str, guardian: bool) -> ManagementError:
    error = ManagementError(401, GUARDIAN_REFUSED if guardian else message)
    if message == EXPIRED and not guardian:
        error.body["attributes"] = {"error": EXPIRED}
    return error


def _looks_like_a_jwt(token: str) -> bool:
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _MAX_TOKEN:
        return False
    return all(_is_json_object(part) for part in parts[:2])


def _is_json_object(part: str) -> bool:
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        return isinstance(parse_json(raw), dict)
    except ValueError:
        return False
