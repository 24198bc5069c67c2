"""The phone over HTTP (DESIGN.md, Public surface): what waits, and the customer's answer."""

from __future__ import annotations

import hmac
import json
from typing import Any, Literal, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from baink_lab.sandbox.phone import page
from baink_lab.sandbox.tenant.errors import AlreadyDecided, UnknownNotification

MAX_BODY = 1024  # bytes: a decision is a few dozen


class Inbox(Protocol):
    """The part of a tenant that a phone sees."""

    def notifications(self) -> list[dict[str, Any]]:
        """What waits for an answer, oldest first."""
        ...

    def decide(self, notification_id: str, decision: Literal["approve", "deny"]) -> None:
        """Answer one."""
        ...


def create_app(inbox: Inbox, secret: str) -> ASGIApp:
    """The phone's ASGI app; without the secret path segment everything is 404.

    Args:
        inbox: the tenant.
        secret: the first segment of every path.
    """
    phone = _Phone(inbox)
    inner = Starlette(
        routes=[
            Route("/", phone.page),
            Route("/notifications", phone.list),
            Route("/notifications/{id}", phone.decide, methods=["POST"]),
        ],
        exception_handlers={
            HTTPException: _told,
            UnknownNotification: _refused,
            AlreadyDecided: _refused,
        },
    )
    return _Guard(Starlette(routes=[Mount("/phone", app=inner)]), secret)


class _Guard:
    """Lets through what begins with the secret, compared in constant time."""

    def __init__(self, app: ASGIApp, secret: str) -> None:
        self._app = app
        self._secret = secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        segment, slash, rest = scope["path"].removeprefix("/").partition("/")
        if not hmac.compare_digest(segment.encode("utf-8", "replace"), self._secret):
            await _error(404, "There is nothing here.")(scope, receive, send)
        elif not slash:  # so that the page's relative addresses work
            await RedirectResponse(f"{segment}/", 307)(scope, receive, send)
        else:
            await self._app({**scope, "path": f"/phone/{rest}"}, receive, send)


class _Phone:
    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def page(self, request: Request) -> Response:
        return HTMLResponse(page.HTML, headers=page.HEADERS)

    async def list(self, request: Request) -> Response:
        return JSONResponse(self._inbox.notifications(), headers={"cache-control": "no-store"})

    async def decide(self, request: Request) -> Response:
        decision = await _decision(request)
        self._inbox.decide(request.path_params["id"], decision)
        return Response(status_code=204)


async def _decision(request: Request) -> Literal["approve", "deny"]:
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise HTTPException(413, "A decision is a few dozen bytes.")
    # The type makes a browser ask first, so that no other site's form can press a button here.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "Send JSON with Content-Type: application/json.")
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    decision = body.get("decision") if isinstance(body, dict) else None
    if decision == "approve":
        return "approve"
    if decision == "deny":
        return "deny"
    raise HTTPException(400, 'Send {"decision": "approve"} or {"decision": "deny"}.')


async def _refused(request: Request, refused: Exception) -> Response:
    return _error(404 if isinstance(refused, UnknownNotification) else 409, str(refused))


async def _told(request: Request, wrong: Exception) -> Response:
    assert isinstance(wrong, HTTPException)
    return _error(wrong.status_code, wrong.detail, dict(wrong.headers or {}))


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        {"error": message}, status, {"cache-control": "no-store", **(headers or {})}
    )
