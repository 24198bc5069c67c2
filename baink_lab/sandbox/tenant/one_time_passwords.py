"""Time-based one-time passwords: RFC 6238 with SHA-1, 6 digits and 30 seconds."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

PERIOD = 30  # seconds
DIGITS = 6
SKEW = 1  # steps that a clock may be off, either way
_CODE = re.compile(rf"[0-9]{{{DIGITS}}}")


def new_secret() -> str:
    """160 random bits in Base32, as RFC 4226 section 4 recommends for SHA-1."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, step: int) -> str:
    """The password of one time step (RFC 4226 section 5.3).

    Args:
        secret: in Base32, padded or not.
        step: whole periods since the epoch.
    """
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, step.to_bytes(8, "big"), hashlib.sha1)
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def matching_step(secret: str, code: str, now: float, *, after: int = -1) -> int | None:
    """The time step that a code belongs to; None when it is no good.

    Every candidate is compared, each in constant time, so that the time taken tells nothing.

    Args:
        secret: in Base32.
        code: as the person typed it, without spaces.
        now: seconds since the epoch.
        after: the step of the last code that was taken: a code is good once.
    """
    if not _CODE.fullmatch(code):
        return None
    current = int(now // PERIOD)
    found = None
    for step in range(max(0, current - SKEW), current + SKEW + 1):
        same = hmac.compare_digest(code_at(secret, step).encode(), code.encode())
        if same and step > after:
            found = step
    return found
