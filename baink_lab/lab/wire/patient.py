"""A request that came too soon is sent again: a cell run twice in a hurry is no mistake."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import httpx

from baink_lab.auth0.management import LONGEST_PAUSE_SECONDS, TRIES
from baink_lab.auth0.wire import retry_after
from baink_lab.clock import Clock, SystemClock


class Patient(httpx.Auth):
    """Waits out a 429 of the Management API as the tenant asks, and says so.

    `httpx` calls what may send a request again `auth`; there is no authentication in this one.

    Args:
        clock: sleeps.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """The request, as often as it takes; the last answer is handed on, whatever it is."""
        for _ in range(TRIES - 1):
            response = yield request
            if response.status_code != 429:
                return
            seconds = min(retry_after(response) or 1.0, LONGEST_PAUSE_SECONDS)
            print(f"(Too many requests at once: sent again in {seconds:g} s.)")  # noqa: T201
            await self._clock.sleep(seconds)
        yield request
