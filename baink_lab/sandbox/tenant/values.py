"""Small values that every room of the tenant needs: ids and moments as Auth0 spells them."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_BASE62 = string.ascii_letters + string.digits
_LAST_MOMENT = 10**12  # seconds: far beyond any clock, and exact as a float


def base62(length: int) -> str:
    """A random identifier of `length` letters and digits."""
    return "".join(secrets.choice(_BASE62) for _ in range(length))


def iso(moment: float) -> str:
    """ISO 8601 in UTC with milliseconds, as the Management API and the logs print it.

    Args:
        moment: seconds since the epoch.
    """
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def moment_in(claims: Mapping[str, Any], name: str) -> float | None:
    """A claim of time (NumericDate, RFC 7519 section 2) in seconds since the epoch.

    Args:
        claims: of a token that somebody else made.
        name: of the claim.

    Returns:
        None when it is missing or no usable time: text, true, NaN, 1e400, an integer that no
        float can hold.
    """
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < _LAST_MOMENT else None
