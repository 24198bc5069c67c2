"""`baink-lab sandbox --at-lab N`: the tenant brought to where a lab starts before it is served."""

from __future__ import annotations

import httpx

from baink_lab.auth0.management import ManagementClient
from baink_lab.errors import BainkError
from baink_lab.lab.progress import Progress
from baink_lab.lab.tenant.catch_up import catch_up
from baink_lab.sandbox import home as files
from baink_lab.sandbox import launch
from baink_lab.sandbox.world import TenantOptions, open_world, services
from baink_lab.settings import Settings, World

OFFLINE = "http://127.0.0.1:1"  # no port is open yet; the tenant moves to its own when it starts


async def prepare(settings: Settings, number: int) -> list[str]:
    """Bring the tenant in BAINK_HOME to where lab `number` starts; what was done, in sentences.

    Raises:
        BainkError: live mode, or a sandbox runs there already.
    """
    if settings.mode == "live":
        raise BainkError("--at-lab prepares the sandbox's tenant: unset AUTH0_DOMAIN to use it.")
    folder = files.make(files.folder(settings.baink_home, live=False))
    if launch.is_locked(folder):
        raise BainkError(f"A sandbox already runs in {folder}: stop it, then use --at-lab.")
    bases = dict.fromkeys(services(settings), OFFLINE)
    async with open_world(folder, settings, bases, TenantOptions(relaxed=True)) as (line, apps):
        world = World.from_ready(line)
        transport = httpx.ASGITransport(apps["tenant"])
        async with httpx.AsyncClient(transport=transport) as http:
            credentials = (world.management_client_id, world.management_client_secret)
            management = ManagementClient(world.issuer, *credentials, http=http)
            return await catch_up(management, world, number, Progress(folder), http=http)
