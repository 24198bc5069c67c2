"""The doctor looks at the tenant's settings, through the Management API; it changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import httpx

from baink_lab.auth0.management import ManagementClient
from baink_lab.auth0.wire import new_http
from baink_lab.errors import BainkError
from baink_lab.lab.doctor.apis import look_at_access, look_at_accounts, look_at_transfers
from baink_lab.lab.doctor.client import look_at_client
from baink_lab.lab.doctor.customer import look_at_customer, look_at_guardian
from baink_lab.lab.doctor.findings import Finding
from baink_lab.lab.doctor.management import look_at_management
from baink_lab.settings import World


async def look_at_tenant(
    world: World, http: httpx.AsyncClient | None = None, *, callback: str = ""
) -> list[Finding]:
    """Whether client, APIs, grants, push factor and customer are as the labs need them.

    Args:
        world: where the tenant is, and who may ask it.
        http: an httpx client to use, left open at the end; one of our own when left out.
        callback: where logins end; empty when nobody has to log in (the sandbox).
    """
    if not (world.management_client_id and world.management_client_secret):
        fix = "Set AUTH0_MGMT_CLIENT_ID and AUTH0_MGMT_CLIENT_SECRET to have them checked."
        return [Finding("tenant's settings", None, "no Management API credentials", fix)]
    if http is None:
        async with new_http() as own:
            return await look_at_tenant(world, own, callback=callback)
    management = ManagementClient(
        world.issuer, world.management_client_id, world.management_client_secret, http=http
    )
    looks: dict[str, Awaitable[list[Finding]]] = {
        "management scopes": look_at_management(world, http),
        "client": look_at_client(management, world, callback),
        "API": look_at_transfers(management, world),
        "application access": look_at_access(management, world),
        "accounts API": look_at_accounts(management, world),
        "Guardian push": look_at_guardian(management, world),
        "customer": look_at_customer(management, world),
    }
    found = await asyncio.gather(*(_try(name, look) for name, look in looks.items()))
    return [finding for findings in found for finding in findings]


async def _try(name: str, look: Awaitable[list[Finding]]) -> list[Finding]:
    try:
        return await look
    except BainkError as failure:
        return [Finding(name, False, failure.sentence, "Fix that first; then ask again.")]
