"""The doctor looks at the tenant's settings, through the Management API; it changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from baink_lab.auth0.management import ManagementClient
from baink_lab.errors import BainkError
from baink_lab.lab.findings import Finding
from baink_lab.settings import TRANSFER_SCOPE, World

CIBA_GRANT = "urn:openid:params:grant-type:ciba"
PUSH_CHANNEL = "guardian-push"
DIALECTS = ("rfc9068_profile", "rfc9068_profile_authz")
SECRET_METHODS = ("client_secret_post", "client_secret_basic")

Check = Callable[[ManagementClient, World], Awaitable[list[Finding]]]


async def look_at_tenant(world: World, http: httpx.AsyncClient | None = None) -> list[Finding]:
    """Whether client, API, grant, push factor and customer are as CIBA needs them.

    Args:
        world: where the tenant is, and who may ask it.
        http: an httpx client to use, left open at the end; one of our own when left out.
    """
    if not (world.management_client_id and world.management_client_secret):
        fix = "Set AUTH0_MGMT_CLIENT_ID and AUTH0_MGMT_CLIENT_SECRET to have them checked."
        return [Finding("tenant's settings", None, "no Management API credentials", fix)]
    checks: dict[str, Check] = {
        "client": _client,
        "API": _api,
        "application access": _access,
        "Guardian push": _push,
        "customer": _customer,
    }
    async with ManagementClient(
        world.issuer, world.management_client_id, world.management_client_secret, http=http
    ) as management:
        looks = [_try(name, check, management, world) for name, check in checks.items()]
        return [finding for findings in await asyncio.gather(*looks) for finding in findings]


async def _try(
    name: str, check: Check, management: ManagementClient, world: World
) -> list[Finding]:
    try:
        return await check(management, world)
    except BainkError as failure:
        return [Finding(name, False, failure.sentence, "Mend that first; then ask again.")]


async def _client(management: ManagementClient, world: World) -> list[Finding]:
    client = await management.find_client(world.client_id)
    if client is None:
        return [
            Finding(
                "client",
                False,
                f"the tenant has no application {world.client_id}",
                "Copy the Client ID of Applications > Applications > the bAInk to AUTH0_CLIENT_ID.",
            )
        ]
    method = str(client.get("token_endpoint_auth_method") or "private_key_jwt")
    grants, channels = client.get("grant_types"), client.get("async_approval_notification_channels")
    name, settings = str(client.get("name", world.client_id)), "Applications > Applications > "
    return [
        _judged(
            "client",
            method in SECRET_METHODS,
            f"{name} authenticates by {method}",
            f"{settings}{name} > Credentials: choose Client Secret (Post).",
        ),
        _judged(
            "CIBA grant",
            CIBA_GRANT in (grants or []),
            f"{name} may use {len(grants or [])} grant types",
            f"{settings}{name} > Settings > Advanced Settings > Grant Types: tick Client "
            "Initiated Backchannel Authentication (CIBA).",
        ),
        _judged(
            "notification channel",
            PUSH_CHANNEL in (channels or []),
            ", ".join(channels or []) or "none",
            f"{settings}{name} > Settings > Client-Initiated Backchannel Authentication (CIBA): "
            "tick Guardian push.",
        ),
    ]


async def _api(management: ManagementClient, world: World) -> list[Finding]:
    api = await management.find_resource_server(world.audience)
    if api is None:
        fix = f"Applications > APIs > Create API, with the identifier {world.audience}."
        return [Finding("API", False, f"the tenant has no API {world.audience}", fix)]
    scopes = [str(scope.get("value")) for scope in api.get("scopes") or []]
    dialect, name = str(api.get("token_dialect")), str(api.get("name", world.audience))
    return [
        Finding("API", True, f"{name}, {world.audience}"),
        _judged(
            "permission",
            TRANSFER_SCOPE in scopes,
            ", ".join(scopes) or "none",
            f"Applications > APIs > {name} > Permissions: add {TRANSFER_SCOPE}.",
        ),
        _judged(
            "token profile",
            dialect in DIALECTS,
            dialect,
            f"Applications > APIs > {name} > Settings > JSON Web Token (JWT) Profile: RFC 9068.",
        ),
    ]


async def _access(management: ManagementClient, world: World) -> list[Finding]:
    grants = await management.client_grants(
        client_id=world.client_id, audience=world.audience, subject_type="user"
    )
    allowed = any(
        TRANSFER_SCOPE in (grant.get("scope") or []) or grant.get("allow_all_scopes") is True
        for grant in grants
    )
    return [
        _judged(
            "application access",
            allowed or await _open_to_all(management, world),
            f"{len(grants)} user grants for {world.audience}",
            "Applications > APIs > your API > Application Access > the bAInk > Edit > "
            f"User-Delegated Access: grant {TRANSFER_SCOPE}.",
        )
    ]


async def _open_to_all(management: ManagementClient, world: World) -> bool:
    """An API may let every application in: then no grant is needed (contract section 5.5)."""
    api = await management.find_resource_server(world.audience) or {}
    user = (api.get("subject_type_authorization") or {}).get("user") or {}
    return user.get("policy") == "allow_all"


async def _push(management: ManagementClient, world: World) -> list[Finding]:
    enabled = await management.push_factor_enabled()
    return [
        _judged(
            "Guardian push",
            enabled,
            "enabled" if enabled else "disabled",
            "Security > Multi-factor Auth > Push Notification using Auth0 Guardian: switch it on.",
        )
    ]


async def _customer(management: ManagementClient, world: World) -> list[Finding]:
    if not world.user_id:
        fix = "Set AUTH0_USER_ID (User Management > Users > the user > user_id)."
        return [Finding("customer", False, "AUTH0_USER_ID is not set", fix)]
    user = await management.find_user(world.user_id)
    if user is None:
        fix = "Copy the user_id of User Management > Users to AUTH0_USER_ID."
        return [Finding("customer", False, f"the tenant has no user {world.user_id}", fix)]
    devices = await management.push_enrollments(world.user_id)
    name = str(user.get("name") or world.user_id)
    return [
        _judged(
            "customer's phone",
            bool(devices),
            f"{name} has {len(devices)} enrolled",
            "Lab 03 enrolls one; or User Management > Users > the user > Multi-Factor "
            "Authentication > send an enrolment invitation.",
        )
    ]


def _judged(name: str, ok: bool, found: str, fix: str) -> Finding:
    return Finding(name, ok, found, "" if ok else fix)
