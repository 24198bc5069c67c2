"""The HTTP side of the scripted model: routes, errors and streaming."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from baink_lab.clock import Clock, SystemClock
from baink_lab.sandbox.model.checking import BODY_BYTES, BadRequest, read_request
from baink_lab.sandbox.model.script import reply_to
from baink_lab.sandbox.model.wire import Completion

MODEL = "baink-stand-in"
_SINCE = 1735689600  # 2025-01-01: models have a date of birth


def create_app(clock: Clock | None = None) -> Starlette:
    """The scripted model as an ASGI application; it keeps nothing between requests.

    Args:
        clock: tells which year "last year" is; the machine's when left out.
    """
    app = Starlette(
        routes=[
            Route("/v1/chat/completions", _complete, methods=["POST"]),
            Route("/v1/models", _models),
            Route("/v1/models/{name:path}", _model),
        ],
        exception_handlers={BadRequest: _refused, HTTPException: _not_routed},
    )
    app.router.redirect_slashes = False
    app.state.clock = clock or SystemClock()
    return app


async def _complete(request: Request) -> Response:
    body = read_request(await _body(request))
    year = datetime.fromtimestamp(request.app.state.clock.now(), UTC).year
    try:
        completion = Completion(body, reply_to(body, year))
    except RecursionError:
        raise BadRequest("The request is nested too deeply.") from None
    if not body.get("stream"):
        return _json(completion.whole())
    options = body.get("stream_options") or {}
    events = completion.events(usage=bool(options.get("include_usage")))
    headers = {"Cache-Control": "no-store"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _models(request: Request) -> Response:
    return _json({"object": "list", "data": [_card(MODEL)]})


async def _model(request: Request) -> Response:
    return _json(_card(request.path_params["name"]))


def _card(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _SINCE, "owned_by": "baink-lab"}


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES:
                message = f"The request is larger than {BODY_BYTES} bytes."
                raise BadRequest(message, code="request_too_large", status=413)
    except ClientDisconnect:
        raise BadRequest("The request ended too early.") from None
    return bytes(body)


def _json(body: dict[str, Any], status: int = 200, headers: Any = None) -> Response:
    # ASCII on the wire: a lone surrogate, which JSON allows, cannot be written in UTF-8.
    text = json.dumps(body)
    return Response(text, status, headers, media_type="application/json")


def _error(refusal: BadRequest, headers: Any = None) -> Response:
    error = {
        "message": refusal.message,
        "type": "invalid_request_error",
        "param": refusal.param,
        "code": refusal.code,
    }
    return _json({"error": error}, refusal.status, headers)


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, BadRequest)
    return _error(refusal)


async def _not_routed(request: Request, wrong: Exception) -> Response:
    assert isinstance(wrong, HTTPException)
    where = f"({request.method} {request.url.path})"
    if wrong.status_code == 405:
        message, code = f"Not allowed to send this method to this URL {where}", "method_not_allowed"
    else:
        message, code = f"Invalid URL {where}", "unknown_url"
    return _error(BadRequest(message, code=code, status=wrong.status_code), wrong.headers)
