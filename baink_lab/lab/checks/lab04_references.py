"""What stands in for lab 04's exercises: the package's own client, with their parameters."""

from __future__ import annotations

from typing import Any

import httpx

from baink_lab.approvals.binding import fit
from baink_lab.auth0.ciba import CibaClient, CibaRequest
from baink_lab.auth0.errors import AccessDenied, CibaError, Expired
from baink_lab.clock import Clock
from baink_lab.settings import TRANSFER_SCOPE, World


async def start(http: httpx.AsyncClient, world: World, message: str) -> dict[str, Any]:
    """`CibaClient.start` with the exercise's parameters."""
    client = CibaClient(world.issuer, world.client_id, world.client_secret, http=http)
    try:
        asked = await client.start(world.user_id, TRANSFER_SCOPE, world.audience, fit(message))
    except CibaError as refused:
        return {"error": refused.code, "error_description": refused.sentence}
    return {
        "auth_req_id": asked.auth_req_id,
        "expires_in": asked.expires_in,
        "interval": asked.interval,
    }


async def wait(
    http: httpx.AsyncClient, world: World, asked: dict[str, Any], clock: Clock
) -> str | None:
    """`CibaClient.wait` with the exercise's parameters."""
    client = CibaClient(world.issuer, world.client_id, world.client_secret, http=http, clock=clock)
    request = CibaRequest(asked["auth_req_id"], asked["expires_in"], asked["interval"], clock.now())
    try:
        return (await client.wait(request)).access_token
    except (AccessDenied, Expired):
        return None
