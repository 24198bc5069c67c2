"""Bring the sandbox's tenant back to where a lab starts, whatever was done to it since.

What this lab or a later one configures goes, right or wrong, the learner's too. What earlier labs
left stays, and is mended where it is broken.
"""

from __future__ import annotations

from typing import Any

from baink_lab.auth0.ciba import CIBA_GRANT
from baink_lab.auth0.management import ManagementClient
from baink_lab.lab.progress import Progress
from baink_lab.lab.tenant.catch_up import catch_up
from baink_lab.lab.tenant.pieces import (
    LOGIN_GRANTS,
    PIECES,
    api_path,
    client_path,
    guardian_app,
    needs,
)
from baink_lab.lab.tenant.view import PUSH_CHANNEL, TenantView, look
from baink_lab.settings import TRANSFER_SCOPE, World


async def start_over(
    management: ManagementClient, world: World, number: int, progress: Progress
) -> list[str]:
    """Bring the tenant to where lab `number` starts, and say in sentences what was done.

    Args:
        management: asks the tenant.
        world: where it is.
        number: of the lab.
        progress: remembers which pieces no learner made.

    Raises:
        Auth0Error: the tenant refused a change.
    """
    view = await look(management, world)
    starts_with = {name for name, piece in PIECES.items() if needs(number, piece)}
    taken, restored = await _application(management, world, view, "ciba" in starts_with)
    if "api" not in starts_with:
        taken += await _no_apis(management, world, view)
    elif view.api is not None:
        taken += await _no_more_permissions(management, world, view)
        if view.api.get("enforce_policies"):
            await management.patch(api_path(world), {"enforce_policies": False})
            restored.append("RBAC of the transfers API, which is off")
    if "factor" not in starts_with:
        taken += await _no_phone(management, world, view)
        if words := await guardian_app(management, view):
            restored.append(words)
    told = []
    if taken:
        told.append(
            "I took away what was configured in this lab or for a later one, what you had made "
            f"yourself too: {', '.join(taken)}."
        )
    if restored:
        told.append(f"I put back as it was at first: {'; '.join(restored)}.")
    return [*told, *await catch_up(management, world, number, progress)]


async def _application(
    management: ManagementClient, world: World, view: TenantView, ciba: bool
) -> tuple[list[str], list[str]]:
    """The application as it was at first; what was taken away, and what was put back."""
    body: dict[str, Any] = {}
    taken, restored = [], []
    granted = view.client.get("grant_types") or []
    wanted = [*LOGIN_GRANTS, *([CIBA_GRANT] if ciba and CIBA_GRANT in granted else [])]
    if set(granted) != set(wanted):
        body["grant_types"] = wanted
        gone = [one for one in granted if one not in wanted]
        taken = [PIECES["ciba"].name if one == CIBA_GRANT else f"the grant {one}" for one in gone]
        if lost := [one for one in wanted if one not in granted]:
            restored.append(f"the grant types that a login needs, {' and '.join(lost)}")
    if view.client.get("async_approval_notification_channels") != [PUSH_CHANNEL]:
        body["async_approval_notification_channels"] = [PUSH_CHANNEL]
        restored.append(f"the notification channel {PUSH_CHANNEL}")
    if view.client.get("token_endpoint_auth_method") == "none":
        body["token_endpoint_auth_method"] = "client_secret_post"  # noqa: S105 - a method's name
        restored.append("the bAInk's authentication by its secret")
    if body:
        await management.patch(client_path(world), body)
    return taken, restored


async def _no_apis(management: ManagementClient, world: World, view: TenantView) -> list[str]:
    """No API but the one for accounts, which is there at first, and no grant but that for it."""
    accounts = world.audience.removesuffix("/transfers")
    taken = []
    for api in view.apis:
        if api["identifier"] != accounts:
            await management.delete(f"resource-servers/{api['id']}")  # its grants go with it
            taken.append(f"the API {api['identifier']}")
    for grant in await management.client_grants(client_id=world.client_id):
        if (grant["audience"], grant.get("subject_type")) != (accounts, "user"):
            await management.delete(f"client-grants/{grant['id']}")
            kind = grant.get("subject_type")
            taken.append(f"the bAInk's grant of the type {kind} for {grant['audience']}")
    return taken


async def _no_more_permissions(
    management: ManagementClient, world: World, view: TenantView
) -> list[str]:
    """Of the transfers API only what lab 02 makes: lab 06 adds more, and grants it."""
    taken = set(view.scopes) - {TRANSFER_SCOPE}
    for grant in view.grants:
        granted = set(grant.get("scope") or [])
        if more := granted - {TRANSFER_SCOPE}:
            kept = {"scope": sorted(granted - more)}
            await management.patch(f"client-grants/{grant['id']}", kept)
            taken |= more
    if set(view.scopes) - {TRANSFER_SCOPE}:
        scopes = (view.api or {})["scopes"]
        kept_scopes = [one for one in scopes if one["value"] == TRANSFER_SCOPE]
        await management.patch(api_path(world), {"scopes": kept_scopes})
    return [f"the permission {one}" for one in sorted(taken)]


async def _no_phone(management: ManagementClient, world: World, view: TenantView) -> list[str]:
    """No phone, and no push factor."""
    await PIECES["phone"].remove(management, world, view)
    taken = [f"the phone “{device.get('name') or device['id']}”" for device in view.devices]
    if view.factor:
        await PIECES["factor"].remove(management, world, view)
        taken.append(PIECES["factor"].name)
    return taken
