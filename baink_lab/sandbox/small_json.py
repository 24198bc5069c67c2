"""The body of a small order to the sandbox's own surfaces: JSON, bounded, from no other site."""

from __future__ import annotations

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

MAX_BODY = 1024  # bytes: an order is a few dozen


async def small_json(request: Request, too_large: str) -> Any:
    """What the body says; None when it is no JSON.

    Args:
        request: not yet read.
        too_large: the sentence for a body over `MAX_BODY`.

    Raises:
        HTTPException: 413 or 415.
    """
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise HTTPException(413, too_large)
    # The type makes a browser ask first, so that no other site's form can give orders here.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "Send JSON with Content-Type: application/json.")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
