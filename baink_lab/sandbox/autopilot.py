"""A thumb on the stand-in phone: decides each push through the phone's own HTTP API."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Literal

import httpx

from baink_lab.sandbox.loopback import loopback_http

LOOK_SECONDS = 0.25
THINK_SECONDS = 1.0

_log = logging.getLogger(__name__)


async def decide_all(
    phone: str, decision: Literal["approve", "deny"], ca: str | None = None
) -> None:
    """Give `decision` to each notification about a second after it shows, until cancelled.

    Args:
        phone: the phone's base URL, secret path segment included.
        decision: what the thumb presses.
        ca: the authority behind an https address.
    """
    first_seen: dict[str, float] = {}
    async with loopback_http(5.0, ca) as http:
        while True:
            try:
                await _look(http, phone, decision, first_seen)
            except (httpx.HTTPError, ValueError) as failure:
                # The phone's address is a secret and httpx's messages hold it.
                _log.warning("Autopilot cannot reach the phone (%s).", type(failure).__name__)
            await asyncio.sleep(LOOK_SECONDS)


async def _look(
    http: httpx.AsyncClient, phone: str, decision: str, first_seen: dict[str, float]
) -> None:
    now = time.monotonic()
    waiting = [str(each["id"]) for each in (await http.get(f"{phone}/notifications")).json()]
    for gone in first_seen.keys() - set(waiting):
        del first_seen[gone]
    for each in waiting:
        if now - first_seen.setdefault(each, now) >= THINK_SECONDS:
            # 409: a person was quicker, and that decision stands.
            await http.post(f"{phone}/notifications/{each}", json={"decision": decision})
