"""What the phone says when it refuses, and the headers of all its answers."""

from __future__ import annotations

from starlette.responses import JSONResponse

# Nobody keeps what the phone says, guesses its type, or is told the address it came from.
GUARDED = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def error(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """A refusal: one sentence, never cached."""
    return JSONResponse({"error": message}, status, {**GUARDED, **(headers or {})})
