"""Small values that every room of the tenant needs: ids and moments as Auth0 spells them."""

from __future__ import annotations

import secrets
import string
from datetime import UTC, datetime

_BASE62 = string.ascii_letters + string.digits


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
