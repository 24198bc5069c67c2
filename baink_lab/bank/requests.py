"""What a request to the bank says besides its token: the Idempotency-Key, and one JSON object."""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from baink_lab.bank.problems import Refusal

BODY_BYTES = 16 * 1024

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def key_in(request: Request) -> str:
    """The request's one Idempotency-Key.

    Raises:
        Refusal: `idempotency_key_missing` or `idempotency_key_invalid`.
    """
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        raise Refusal(
            "idempotency_key_missing",
            "Send an Idempotency-Key header: a new one for each transfer, the same for each retry.",
        )
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise Refusal(
            "idempotency_key_invalid",
            "Send one Idempotency-Key of 1 to 255 visible ASCII characters.",
        )
    return keys[0]


async def object_in(request: Request) -> dict[str, Any]:
    """The JSON object that the request carries.

    Raises:
        Refusal: `unsupported_media_type`, `body_too_large` or `invalid_json`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal("unsupported_media_type", "Send Content-Type: application/json.")
    try:
        body = json.loads((await _body(request)).decode(), object_pairs_hook=_each_once)
    except (ValueError, RecursionError, ClientDisconnect):
        body = None
    if not isinstance(body, dict):
        raise Refusal("invalid_json", "The body must be one JSON object in UTF-8.")
    return body


def answer(
    body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """An answer that nobody may keep."""
    return JSONResponse(body, status, {"Cache-Control": "no-store", **(headers or {})})


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; two readers of one order must not see two amounts."""
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a name is there twice")
    return found


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise Refusal("body_too_large", f"A request fits in {BODY_BYTES} bytes.")
    return bytes(body)
