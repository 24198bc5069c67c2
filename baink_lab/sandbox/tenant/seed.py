"""The world of the first start: the bAInk, its APIs, its clients and two demo customers."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from baink_lab.sandbox.tenant import models
from baink_lab.sandbox.tenant.passwords import hash_password
from baink_lab.settings import READ_SCOPE, TRANSFER_SCOPE, TRANSFERS_AUDIENCE

if TYPE_CHECKING:
    from baink_lab.sandbox.tenant.state import Tenant

ACCOUNTS_AUDIENCE = TRANSFERS_AUDIENCE.removesuffix("/transfers")
CALLBACK = "http://127.0.0.1/callback"  # any port of it: RFC 8252 section 7.3
TRANSFER_TYPE = "urn:auth0:schemas:authorization-details:v1:money-transfer"
TOKEN_LIFETIME = 300  # seconds: a one-shot approval needs no more (contract section 4)


def prepare(tenant: Tenant) -> None:
    """Fill an empty tenant; bring one that moved to another port up to date."""
    if "credentials" not in tenant.meta:
        _fill(tenant)
    elif tenant.meta["issuer"] != tenant.issuer:
        _move(tenant, f"{tenant.meta['issuer']}api/v2/")
    tenant.meta.put("issuer", tenant.issuer)


def _fill(tenant: Tenant) -> None:
    models.save_api(tenant, _management_api(tenant))
    for api in (_transfers_api(), _accounts_api()):
        models.save_api(tenant, models.new_api(api))
    client = _client(tenant, _BAINK)
    manager = _client(tenant, _MANAGEMENT)
    _grant(tenant, client, TRANSFERS_AUDIENCE, [TRANSFER_SCOPE], "user", [TRANSFER_TYPE])
    _grant(tenant, client, ACCOUNTS_AUDIENCE, [READ_SCOPE], "user")
    _grant(tenant, manager, tenant.management_audience, list(models.MANAGEMENT_SCOPES), "client")
    _guardian(tenant)
    password = f"{secrets.token_urlsafe(12)}!1a"
    ana = _user(tenant, "Ana Alvarez", "ana@baink.example", password)
    _user(tenant, "Ben Brandt", "ben@baink.example", password)
    models.enroll(tenant, ana["user_id"], "Ana's phone")
    tenant.meta.put(
        "credentials",
        {
            "client_id": client["client_id"],
            "client_secret": client["client_secret"],
            "management_client_id": manager["client_id"],
            "management_client_secret": manager["client_secret"],
            "user_id": ana["user_id"],
            "audience": TRANSFERS_AUDIENCE,
            "user_email": ana["email"],
            "user_password": password,
        },
    )


_BAINK: dict[str, Any] = {
    "name": "the bAInk",
    "app_type": "regular_web",
    "token_endpoint_auth_method": "client_secret_post",
    "grant_types": ["authorization_code", "refresh_token", models.CIBA_GRANT],
    "async_approval_notification_channels": ["guardian-push"],
    "callbacks": [CALLBACK],
}
_MANAGEMENT: dict[str, Any] = {
    "name": "bAInk Lab (Management)",
    "app_type": "non_interactive",
    "token_endpoint_auth_method": "client_secret_post",
    "grant_types": ["client_credentials"],
}


def _transfers_api() -> dict[str, Any]:
    return {
        "name": "bAInk transfers",
        "identifier": TRANSFERS_AUDIENCE,
        "token_dialect": "rfc9068_profile",
        "token_lifetime": TOKEN_LIFETIME,
        "scopes": [{"value": TRANSFER_SCOPE, "description": "Initiate an account transfer"}],
        "authorization_details": [{"type": TRANSFER_TYPE}],
        "subject_type_authorization": _PER_APP,
    }


def _accounts_api() -> dict[str, Any]:
    return {
        "name": "bAInk accounts",
        "identifier": ACCOUNTS_AUDIENCE,
        "token_dialect": "rfc9068_profile",
        "token_lifetime": 3600,
        "allow_offline_access": True,
        "scopes": [{"value": READ_SCOPE, "description": "Read accounts and their history"}],
        "subject_type_authorization": _PER_APP,
    }


_PER_APP = {
    "user": {"policy": "require_client_grant"},
    "client": {"policy": "require_client_grant"},
}


def _management_api(tenant: Tenant) -> dict[str, Any]:
    api = models.new_api(
        {
            "name": "Auth0 Management API",
            "identifier": tenant.management_audience,
            "scopes": [{"value": scope} for scope in models.MANAGEMENT_SCOPES],
            "subject_type_authorization": {
                "user": {"policy": "deny_all"},
                "client": {"policy": "require_client_grant"},
            },
        }
    )
    return {**api, "is_system": True}


def _client(tenant: Tenant, fields: dict[str, Any]) -> dict[str, Any]:
    client = models.new_client(tenant, fields)
    tenant.clients.put(client["client_id"], client)
    return client


def _grant(
    tenant: Tenant,
    client: dict[str, Any],
    audience: str,
    scope: list[str],
    subject_type: str,
    details_types: list[str] | None = None,
) -> None:
    fields: dict[str, Any] = {
        "client_id": client["client_id"],
        "audience": audience,
        "scope": scope,
        "subject_type": subject_type,
    }
    if details_types:
        fields["authorization_details_types"] = details_types
    grant = models.new_grant(fields)
    tenant.grants.put(grant["id"], grant)


def _guardian(tenant: Tenant) -> None:
    for factor in models.FACTORS:
        tenant.guardian.put(f"factor:{factor}", {"enabled": factor == "push-notification"})
    tenant.guardian.put("policies", [])
    tenant.guardian.put("provider", {"provider": "guardian"})


def _user(tenant: Tenant, name: str, email: str, password: str) -> dict[str, Any]:
    fields = {"name": name, "email": email, "email_verified": True}
    user = models.new_user(tenant, fields, hash_password(password))
    return dict(tenant.users.put(user["user_id"], user))


def _move(tenant: Tenant, former: str) -> None:
    """The Management API's identifier follows the issuer, and so do the grants for it."""
    if (api := tenant.api(former)) is not None:
        models.save_api(tenant, {**api, "identifier": tenant.management_audience})
    for grant in [grant for grant in tenant.grants.values() if grant["audience"] == former]:
        tenant.grants.put(grant["id"], {**grant, "audience": tenant.management_audience})
