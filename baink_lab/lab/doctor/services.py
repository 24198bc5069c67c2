"""The doctor looks at the services: does each answer, and as itself?"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import httpx

from baink_lab.clock import Clock
from baink_lab.lab.doctor.findings import Finding
from baink_lab.lab.doctor.reach import look_at_reach
from baink_lab.settings import Settings, World

TIMEOUT_SECONDS = 5.0
_RESTART = "Run `baink-lab sandbox` again, or the notebook's first cell."


async def look_at_services(
    settings: Settings,
    world: World,
    http: httpx.AsyncClient | None = None,
    *,
    clock: Clock | None = None,
) -> list[Finding]:
    """Ask tenant, bank, model and phone for something harmless.

    Args:
        settings: say which half is live.
        world: where the services are.
        http: an httpx client to use, left open at the end; one of our own when left out.
        clock: what tells the time here.
    """
    if http is None:
        # On this machine no proxy comes between, whatever the environment says.
        straight = {"all://127.0.0.1": None, "all://localhost": None}
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, mounts=straight) as own:
            return await look_at_services(settings, world, own, clock=clock)
    reach, *others = await asyncio.gather(
        look_at_reach(settings, world, http, restart=_RESTART, clock=clock),
        _bank(http, world),
        _model(http, settings, world),
        _phone(http, world),
    )
    return [*reach, *others]


async def _bank(http: httpx.AsyncClient, world: World) -> Finding:
    status, _ = await _asked(http, f"{world.bank}/api/accounts")
    # Without a token the one right answer is 401 (RFC 6750 section 3).
    if status == 401:
        return Finding("bank", True, f"{world.bank} answers, and wants a token")
    return Finding("bank", False, f"{world.bank} {_said(status)}", _RESTART)


async def _model(http: httpx.AsyncClient, settings: Settings, world: World) -> Finding:
    key = settings.openai_api_key.get_secret_value()
    headers = {"authorization": f"Bearer {key}"} if key else {}
    status, answer = await _asked(http, f"{world.model}/models", headers)
    why = "Aiya has nobody to think with."
    if status == 200:
        name, names = settings.openai_model, _names(answer)
        if settings.model_is_live and names and name not in names:
            found = f"{world.model} answers, but has no model {name}"
            few = ", ".join(sorted(names)[:5])
            return Finding("model", False, found, f"Set OPENAI_MODEL to one of: {few} …", why)
        return Finding("model", True, f"{world.model} answers")
    if not settings.model_is_live:
        return Finding("model", False, f"{world.model} {_said(status)}", _RESTART)
    fix = "Check OPENAI_BASE_URL and the network."
    if status in {401, 403}:
        fix = "Check OPENAI_API_KEY."
    return Finding("model", False, f"{world.model} {_said(status)}", fix, why)


async def _phone(http: httpx.AsyncClient, world: World) -> Finding:
    if world.phone is None:
        return Finding("phone", None, "is the customer's own (live mode)")
    status, _ = await _asked(http, f"{world.phone}/notifications")
    where = f"http://{urlsplit(world.phone).netloc}"  # the rest of the address is a secret
    if status == 200:
        return Finding("phone", True, f"{where} answers")
    return Finding("phone", False, f"{where} {_said(status)}", _RESTART)


async def _asked(
    http: httpx.AsyncClient, url: str, headers: dict[str, str] | None = None
) -> tuple[int | None, Any]:
    """Status and JSON of an answer; None for what did not come."""
    try:
        answer = await http.get(url, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None, None
    try:
        return answer.status_code, answer.json()
    except ValueError:
        return answer.status_code, None


def _names(answer: Any) -> set[str]:
    """The models in an answer of OpenAI's `GET /models`; empty when it says nothing of them."""
    listed = answer.get("data") if isinstance(answer, dict) else None
    found = listed if isinstance(listed, list) else []
    return {str(one["id"]) for one in found if isinstance(one, dict) and "id" in one}


def _said(status: int | None) -> str:
    return "does not answer" if status is None else f"answers HTTP {status}"
