"""What the phone says when it refuses."""

from __future__ import annotations

from starlette.responses import JSONResponse


def error(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """A refusal: one sentence, never cached."""
    return JSONResponse(
        {"error": message}, status, {"cache-control": "no-store", **(headers or {})}
    )
