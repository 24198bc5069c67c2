"""The phone over HTTP (DESIGN.md, Public surface): what waits, and the customer's answer."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from baink_lab.sandbox.phone import page
from baink_lab.sandbox.phone.answers import GUARDED, error
from baink_lab.sandbox.phone.guard import Guard
from baink_lab.sandbox.small_json import small_json
from baink_lab.sandbox.tenant.errors import AlreadyDecided, UnknownNotification


class Inbox(Protocol):
    """The part of a tenant that a phone sees."""

    def now(self) -> float:
        """What time it is for the tenant, in seconds since the epoch."""
        ...

    def notifications(self) -> list[dict[str, Any]]:
        """What waits for an answer, oldest first."""
        ...

    def standing(self) -> dict[str, Any]:
        """Whether a phone is enrolled, and what was sent to one that is gone."""
        ...

    def decide(self, notification_id: str, decision: Literal["approve", "deny"]) -> None:
        """Answer one."""
        ...


def create_app(inbox: Inbox, secret: str, *, hosts: tuple[str, ...] = ()) -> ASGIApp:
    """The phone's ASGI app; without the secret path segment everything is 404.

    Args:
        inbox: the tenant.
        secret: the first segment of every path.
        hosts: names with a dot that the phone is reached under (see `Guard`).
    """
    phone = _Phone(inbox)
    inner = Starlette(
        routes=[
            Route("/", phone.page),
            Route("/notifications", phone.list),
            Route("/standing", phone.standing),
            Route("/notifications/{id}", phone.decide, methods=["POST"]),
        ],
        exception_handlers={
            HTTPException: _told,
            UnknownNotification: _refused,
            AlreadyDecided: _refused,
        },
    )
    outer = Starlette(routes=[Mount("/phone", app=inner)])
    for app in (inner, outer):  # a redirect would name the path behind the guard
        app.router.redirect_slashes = False
    return Guard(outer, secret, hosts)


class _Phone:
    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def page(self, request: Request) -> Response:
        return HTMLResponse(page.HTML, headers=page.HEADERS)

    async def list(self, request: Request) -> Response:
        # The page's countdown goes by the sandbox's time, which a learner may set forward.
        headers = GUARDED | {"x-now": f"{self._inbox.now() * 1000:.0f}"}
        return JSONResponse(self._inbox.notifications(), headers=headers)

    async def standing(self, request: Request) -> Response:
        return JSONResponse(self._inbox.standing(), headers=GUARDED)

    async def decide(self, request: Request) -> Response:
        decision = await _decision(request)
        self._inbox.decide(request.path_params["id"], decision)
        return Response(status_code=204, headers=GUARDED)


async def _decision(request: Request) -> Literal["approve", "deny"]:
    body = await small_json(request, "A decision is a few dozen bytes.")
    decision = body.get("decision") if isinstance(body, dict) else None
    if decision == "approve":
        return "approve"
    if decision == "deny":
        return "deny"
    raise HTTPException(400, 'Send {"decision": "approve"} or {"decision": "deny"}.')


async def _refused(request: Request, refused: Exception) -> Response:
    return error(404 if isinstance(refused, UnknownNotification) else 409, str(refused))


async def _told(request: Request, wrong: Exception) -> Response:
    assert isinstance(wrong, HTTPException)
    return error(wrong.status_code, wrong.detail, dict(wrong.headers or {}))
