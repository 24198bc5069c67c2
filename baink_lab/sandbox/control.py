"""The sandbox's control surface: what a teacher may do to it that no tenant and no phone offers.

A service of its own with a secret of its own, so that nothing here is part of their contracts.
"""

from __future__ import annotations

import contextlib
import math
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from baink_lab.sandbox.lab_time import ClockError, SandboxTime
from baink_lab.sandbox.outage import Outage
from baink_lab.sandbox.phone.answers import error
from baink_lab.sandbox.phone.guard import Guard
from baink_lab.sandbox.small_json import small_json

MOST_DOWN_SECONDS = 3600.0


class Requests(Protocol):
    """The part of a tenant that has to do with time."""

    def open_requests(self) -> int:
        """How many CIBA requests may still be answered, or wait to be fetched."""
        ...

    def time_was_set_back(self) -> None:
        """Take note."""
        ...


def create_app(time: SandboxTime, outage: Outage, requests: Requests, secret: str) -> ASGIApp:
    """The control surface's ASGI app; without the secret path segment everything is 404.

    Args:
        time: the sandbox's.
        outage: of the tenant.
        requests: the tenant's.
        secret: the first segment of every path.
    """
    control = _Control(time, outage, requests)
    inner = Starlette(
        routes=[
            Route("/", control.state),
            Route("/clock/advance", control.advance, methods=["POST"]),
            Route("/clock/reset", control.reset, methods=["POST"]),
            Route("/tenant/down", control.down, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _told, ClockError: _refused},
    )
    return Guard(Starlette(routes=[Mount("/inner", app=inner)]), secret, mount="/inner")


class _Control:
    def __init__(self, time: SandboxTime, outage: Outage, requests: Requests) -> None:
        self._time = time
        self._outage = outage
        self._requests = requests

    async def state(self, request: Request) -> Response:
        return self._answer()

    async def advance(self, request: Request) -> Response:
        self._time.advance(await _seconds(request))
        return self._answer()

    async def reset(self, request: Request) -> Response:
        await _body(request)
        waiting = self._requests.open_requests()
        if waiting and self._time.ahead:
            one = waiting == 1
            many = "A request waits" if one else f"{waiting} requests wait"
            raise ClockError(
                f"{many} for an answer, and time does not go back meanwhile: answer on the phone, "
                f"or advance the clock until {'it has' if one else 'they have'} lapsed, and set "
                "it back then."
            )
        self._time.set_back()
        self._outage.begin(0)  # its end was meant on the clock as it was
        self._requests.time_was_set_back()
        return self._answer()

    async def down(self, request: Request) -> Response:
        seconds = await _seconds(request)
        if not 0 <= seconds <= MOST_DOWN_SECONDS:
            raise HTTPException(400, "The tenant can be down for 0 to 3600 seconds.")
        self._outage.begin(seconds)
        return self._answer()

    def _answer(self) -> Response:
        told = {"ahead": self._time.ahead, "tenant_down": self._outage.left}
        return JSONResponse(told, headers={"cache-control": "no-store"})


async def _seconds(request: Request) -> float:
    value = (await _body(request)).get("seconds")
    with contextlib.suppress(OverflowError):  # a whole number with hundreds of digits
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    raise HTTPException(400, 'Send {"seconds": a number}.')


async def _body(request: Request) -> dict[str, Any]:
    body = await small_json(request, "An order is a few dozen bytes.")
    if not isinstance(body, dict):
        raise HTTPException(400, "Send a JSON object.")
    return body


async def _refused(request: Request, refused: Exception) -> Response:
    return error(409, str(refused))


async def _told(request: Request, wrong: Exception) -> Response:
    assert isinstance(wrong, HTTPException)
    return error(wrong.status_code, wrong.detail, dict(wrong.headers or {}))
