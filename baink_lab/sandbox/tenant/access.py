"""What a request may have: the API, cut by client grant and by the user's permissions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from baink_lab.sandbox.tenant.errors import OAuthError
from baink_lab.sandbox.tenant.state import Tenant

OIDC_SCOPES = ("openid", "profile", "email", "address", "phone")
OFFLINE = "offline_access"
_TRANSACTIONAL = "transactional-authorization-with-mfa"


@dataclass(frozen=True, slots=True)
class Access:
    """The outcome: which API (None: only /userinfo), which scopes, which permissions."""

    api: dict[str, Any] | None
    scope: list[str]
    permissions: list[str] = field(default_factory=list)


def for_user(
    tenant: Tenant,
    client: dict[str, Any],
    user_id: str,
    audience: str | None,
    requested: list[str],
) -> Access:
    """What this client gets on behalf of this user (contract sections 3.2, 4 and 5.6).

    Scopes that are not granted are left out without a word, as Auth0 does.

    Args:
        tenant: the tenant.
        client: the asking client.
        user_id: on whose behalf.
        audience: API identifier; None for /userinfo alone.
        requested: the scopes asked for.

    Raises:
        OAuthError: 403 `access_denied`, no such API or no client grant for it.
    """
    wanted = list(dict.fromkeys(requested))
    if audience is None or audience == tenant.userinfo_url:
        return Access(None, [name for name in wanted if name in (*OIDC_SCOPES, OFFLINE)])
    api = require_api(tenant, audience)
    allowed = _allowed_scopes(tenant, client, api, "user")
    permissions = permissions_of(tenant, user_id, audience)
    if api["enforce_policies"]:
        allowed &= set(permissions)
    allowed.update(OIDC_SCOPES)
    if api["allow_offline_access"]:
        allowed.add(OFFLINE)
    return Access(api, [name for name in wanted if name in allowed], permissions)


def for_client(
    tenant: Tenant, client: dict[str, Any], audience: str, requested: list[str]
) -> Access:
    """What this client gets on its own behalf: all that its grant has, or the part asked for.

    Raises:
        OAuthError: 403 `access_denied`, no such API or no client grant for it.
    """
    api = require_api(tenant, audience)
    allowed = _allowed_scopes(tenant, client, api, "client")
    in_order = [scope["value"] for scope in api["scopes"] if scope["value"] in allowed]
    scope = [name for name in in_order if not requested or name in requested]
    return Access(api, scope, scope)


def require_api(tenant: Tenant, audience: str) -> dict[str, Any]:
    """The API with this identifier.

    Raises:
        OAuthError: 403 `access_denied`.
    """
    api = tenant.api(audience)
    if api is None:
        text = f"Service not enabled within domain: {audience}"
        raise OAuthError("access_denied", text, status=403)
    return api


def permissions_of(tenant: Tenant, user_id: str, audience: str) -> list[str]:
    """The user's permissions on one API."""
    mine = tenant.permissions.get(user_id, [])
    return [p["permission_name"] for p in mine if p["resource_server_identifier"] == audience]


def forbids_ciba(api: dict[str, Any]) -> bool:
    """True when the API's consent policy cannot go with CIBA (contract section 2.3)."""
    return api.get("consent_policy") == _TRANSACTIONAL


def _allowed_scopes(
    tenant: Tenant, client: dict[str, Any], api: dict[str, Any], subject_type: str
) -> set[str]:
    defined = {scope["value"] for scope in api["scopes"]}
    policy = api["subject_type_authorization"].get(subject_type, {}).get("policy")
    if policy == "allow_all":
        return defined
    grant = tenant.grant(client["client_id"], api["identifier"], subject_type)
    if policy == "deny_all" or grant is None:
        raise NotAuthorized(client["client_id"], api["identifier"])
    return defined if grant.get("allow_all_scopes") else defined & set(grant["scope"])


class NotAuthorized(OAuthError):
    """The client has no grant for the API (contract section 3.5, the newer text).

    Args:
        client_id: who asks.
        audience: for which API.
    """

    def __init__(self, client_id: str, audience: str) -> None:
        self.sentence_alone = (
            f'Client "{client_id}" is not authorized to access resource server "{audience}".'
        )
        advice = 'You need to create a "client-grant" associated to this API.'
        super().__init__("access_denied", f"{self.sentence_alone} {advice}", status=403)


def require_grant_type(client: dict[str, Any], grant_type: str) -> None:
    """Check that the client may use a grant type.

    Raises:
        OAuthError: 403 `unauthorized_client` (contract section 3.5).
    """
    if grant_type not in client["grant_types"]:
        raise OAuthError(
            "unauthorized_client",
            f"Grant type '{grant_type}' not allowed for the client.",
            status=403,
            error_uri="https://auth0.com/docs/clients/client-grant-types",
        )
