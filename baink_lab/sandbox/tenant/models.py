"""Fresh documents with Auth0's defaults: clients, APIs, grants, users, enrolments."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from baink_lab.sandbox.tenant.values import base62, iso

if TYPE_CHECKING:
    from baink_lab.sandbox.tenant.state import Tenant

CIBA_GRANT = "urn:openid:params:grant-type:ciba"
CONNECTION = "Username-Password-Authentication"
AUTHENTICATOR = "authenticator"  # the `auth_method` of an app that shows one-time passwords
# Contract section 5.7.
FACTORS = (
    "push-notification",
    "sms",
    "email",
    "duo",
    "otp",
    "webauthn-roaming",
    "webauthn-platform",
    "recovery-code",
    "passkey",
)
MANAGEMENT_SCOPES = (
    *(f"{verb}:clients" for verb in ("read", "create", "update", "delete")),
    *(f"{verb}:client_keys" for verb in ("read", "update")),
    *(f"{verb}:client_credentials" for verb in ("read", "create", "update", "delete")),
    *(f"{verb}:resource_servers" for verb in ("read", "create", "update", "delete")),
    *(f"{verb}:client_grants" for verb in ("read", "create", "update", "delete")),
    *(f"{verb}:users" for verb in ("read", "create", "update", "delete")),
    *(f"{verb}:authentication_methods" for verb in ("read", "create", "update", "delete")),
    *(f"{verb}:guardian_factors" for verb in ("read", "update")),
    *(f"{verb}:mfa_policies" for verb in ("read", "update")),
    "create:guardian_enrollment_tickets",
    *(f"{verb}:guardian_enrollments" for verb in ("read", "delete")),
    *(f"{verb}:signing_keys" for verb in ("read", "create", "update")),
    "read:logs",
    "read:logs_users",
)


def new_client(tenant: Tenant, fields: dict[str, Any]) -> dict[str, Any]:
    """A client (contract section 5.4).

    Args:
        tenant: for its name.
        fields: what the caller sets; they win over the defaults.
    """
    return {
        "tenant": tenant.name,
        "client_id": base62(32),
        "client_secret": secrets.token_urlsafe(48),
        "app_type": "regular_web",
        "is_first_party": True,
        "oidc_conformant": True,
        "token_endpoint_auth_method": "client_secret_post",
        "grant_types": ["authorization_code", "implicit", "refresh_token", "client_credentials"],
        "async_approval_notification_channels": ["guardian-push"],
        "callbacks": [],
        "allowed_logout_urls": [],
        "web_origins": [],
        "client_metadata": {},
        "global": False,
        "jwt_configuration": {
            "alg": "RS256",
            "lifetime_in_seconds": 36000,
            "secret_encoded": False,
        },
        **fields,
    }


def new_api(fields: dict[str, Any]) -> dict[str, Any]:
    """A resource server (contract section 5.5).

    Args:
        fields: what the caller sets; they win over the defaults.
    """
    api = {
        "id": secrets.token_hex(12),
        "is_system": False,
        "signing_alg": "RS256",
        "token_dialect": "access_token",
        "enforce_policies": False,
        "token_lifetime": 86400,
        "allow_offline_access": False,
        "skip_consent_for_verifiable_first_party_clients": True,
        "scopes": [],
        "authorization_details": [],
        "subject_type_authorization": {
            "user": {"policy": "allow_all"},
            "client": {"policy": "require_client_grant"},
        },
        **fields,
    }
    api.setdefault("token_lifetime_for_web", min(api["token_lifetime"], 7200))
    return api


def save_api(tenant: Tenant, api: dict[str, Any]) -> dict[str, Any]:
    """Write a resource server under its id."""
    return dict(tenant.apis.put(api["id"], api))


def new_grant(fields: dict[str, Any]) -> dict[str, Any]:
    """A client grant (contract section 5.6)."""
    return {"id": f"cgr_{base62(16)}", "scope": [], "subject_type": "client", **fields}


def new_user(tenant: Tenant, fields: dict[str, Any], password_hash: str) -> dict[str, Any]:
    """A user of the tenant's own database (contract section 5.8).

    Args:
        tenant: for the time.
        fields: e-mail and profile as the caller gives them.
        password_hash: from `passwords.hash_password`; never shown.
    """
    identity = secrets.token_hex(12)
    email = fields["email"]
    moment = iso(tenant.now())
    return {
        "user_id": f"auth0|{identity}",
        "email_verified": False,
        "name": email,
        "nickname": email.partition("@")[0],
        "picture": f"{tenant.issuer}avatars/{identity}.png",
        "created_at": moment,
        "updated_at": moment,
        "identities": [
            {
                "connection": CONNECTION,
                "user_id": identity,
                "provider": "auth0",
                "isSocial": False,
            }
        ],
        **fields,
        "_password": password_hash,
    }


def enroll(tenant: Tenant, user_id: str, device: str) -> dict[str, Any]:
    """Enrol a device of the user for push. Returns the enrolment."""
    moment = iso(tenant.now())
    enrollment = {
        "id": f"dev_{base62(16)}",
        "status": "confirmed",
        "type": "pn",
        "name": device,
        "identifier": secrets.token_hex(8),
        "auth_method": "guardian",
        "enrolled_at": moment,
        "last_auth": None,
        "_user_id": user_id,
    }
    return dict(tenant.enrollments.put(str(enrollment["id"]), enrollment))


def enroll_otp(
    tenant: Tenant, user_id: str, secret: str, step: int = -1, name: str | None = None
) -> dict[str, Any]:
    """Enrol an authenticator app of the user; it receives no push. Returns the enrolment.

    Args:
        tenant: the tenant.
        user_id: whose app.
        secret: that the app and we share, in Base32.
        step: of the last code that was taken.
        name: what it is called; nobody is asked at the page.
    """
    moment = iso(tenant.now())
    enrollment = {
        "id": f"dev_{base62(16)}",
        "status": "confirmed",
        "type": "authenticator",
        "auth_method": AUTHENTICATOR,
        "enrolled_at": moment,
        "last_auth": None if step < 0 else moment,
        **({"name": name} if name else {}),
        "_user_id": user_id,
        "_totp": secret,
        "_totp_step": step,
    }
    return dict(tenant.enrollments.put(str(enrollment["id"]), enrollment))


def authenticator_of(enrollment: dict[str, Any]) -> str:
    """What the log calls the kind of an enrolment."""
    return "otp" if enrollment["auth_method"] == AUTHENTICATOR else "guardian"


def enrollments_of(tenant: Tenant, user_id: str) -> list[dict[str, Any]]:
    """The user's enrolments, oldest first."""
    mine = [item for item in tenant.enrollments.values() if item["_user_id"] == user_id]
    return sorted(mine, key=lambda item: str(item["enrolled_at"]))


def enrollment_details(
    tenant: Tenant, enrollment: dict[str, Any], authenticator: str = ""
) -> dict[str, Any]:
    """The `details` of the Guardian log events (contract section 5.9).

    Args:
        tenant: the tenant.
        enrollment: whose; of one that only begins, `_user_id` is enough.
        authenticator: of which kind, when the enrolment does not say it yet.
    """
    device = {
        "_id": enrollment.get("id"),
        "identifier": enrollment.get("identifier"),
        "name": enrollment.get("name"),
        "tenant": tenant.name,
        "user_id": enrollment["_user_id"],
    }
    details = {
        "authenticator": authenticator or authenticator_of(enrollment),
        "device_id": enrollment.get("id"),
        "enrollment": {name: value for name, value in device.items() if value is not None},
    }
    return {name: value for name, value in details.items() if value is not None}


def push_devices(tenant: Tenant, user_id: str) -> list[dict[str, Any]]:
    """The user's confirmed Guardian enrolments (contract section 5.8): what hears of a request."""
    return [
        item
        for item in enrollments_of(tenant, user_id)
        if item["status"] == "confirmed" and item["auth_method"] == "guardian"
    ]


def public(document: dict[str, Any]) -> dict[str, Any]:
    """The document as the Management API shows it: without our own `_fields`."""
    return {name: value for name, value in document.items() if not name.startswith("_")}
