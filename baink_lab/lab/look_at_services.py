"""The doctor looks at the services: does each answer, and as itself?"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import httpx

from baink_lab.auth0.discovery import discover
from baink_lab.errors import BainkError
from baink_lab.lab.findings import Finding
from baink_lab.settings import Settings, World

TIMEOUT_SECONDS = 5.0
_RESTART = "Run `baink-lab sandbox` again, or the notebook's first cell."


async def look_at_services(
    settings: Settings, world: World, http: httpx.AsyncClient | None = None
) -> list[Finding]:
    """Ask tenant, bank, model and phone for something harmless.

    Args:
        settings: say which half is live.
        world: where the services are.
        http: an httpx client to use, left open at the end; one of our own when left out.
    """
    if http is None:
        # On this machine no proxy comes between, whatever the environment says.
        straight = {"all://127.0.0.1": None, "all://localhost": None}
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, mounts=straight) as own:
            return await look_at_services(settings, world, own)
    return list(
        await asyncio.gather(
            _tenant(http, settings, world),
            _bank(http, world),
            _model(http, settings, world),
            _phone(http, world),
        )
    )


async def _tenant(http: httpx.AsyncClient, settings: Settings, world: World) -> Finding:
    fix = _RESTART if settings.mode == "sandbox" else "Check AUTH0_DOMAIN and the network."
    try:
        provider = await discover(world.issuer, http)
    except BainkError as failure:
        return Finding("tenant", False, failure.sentence, fix)
    path = urlsplit(provider.backchannel_authentication_endpoint).path
    return Finding("tenant", True, f"{world.issuer} answers; CIBA at {path}")


async def _bank(http: httpx.AsyncClient, world: World) -> Finding:
    status = await _status(http, f"{world.bank}/api/accounts")
    # Without a token the one right answer is 401 (RFC 6750 section 3).
    if status == 401:
        return Finding("bank", True, f"{world.bank} answers, and wants a token")
    return Finding("bank", False, f"{world.bank} {_said(status)}", _RESTART)


async def _model(http: httpx.AsyncClient, settings: Settings, world: World) -> Finding:
    key = settings.openai_api_key.get_secret_value()
    headers = {"authorization": f"Bearer {key}"} if key else {}
    status = await _status(http, f"{world.model}/models", headers)
    if status == 200:
        return Finding("model", True, f"{world.model} answers")
    if not settings.model_is_live:
        return Finding("model", False, f"{world.model} {_said(status)}", _RESTART)
    fix = "Check OPENAI_BASE_URL and the network."
    if status in {401, 403}:
        fix = "Check OPENAI_API_KEY."
    return Finding("model", False, f"{world.model} {_said(status)}", fix)


async def _phone(http: httpx.AsyncClient, world: World) -> Finding:
    if world.phone is None:
        return Finding("phone", None, "is the customer's own (live mode)")
    status = await _status(http, f"{world.phone}/notifications")
    where = f"http://{urlsplit(world.phone).netloc}"  # the rest of the address is a secret
    if status == 200:
        return Finding("phone", True, f"{where} answers")
    return Finding("phone", False, f"{where} {_said(status)}", _RESTART)


async def _status(
    http: httpx.AsyncClient, url: str, headers: dict[str, str] | None = None
) -> int | None:
    try:
        return (await http.get(url, headers=headers)).status_code
    except (httpx.HTTPError, httpx.InvalidURL):
        return None


def _said(status: int | None) -> str:
    return "does not answer" if status is None else f"answers HTTP {status}"
