"""How much a tenant takes: requests a minute, and Auth0's rate-limit headers."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from baink_lab.sandbox.tenant.errors import ManagementError, OAuthError

USER_PER_MINUTE = 5  # CIBA requests to one authorizing user (contract section 2.1)
TENANT_PER_MINUTE = 500  # CIBA requests of one tenant
MAX_PENDING = 5000  # unanswered CIBA requests of one tenant
MANAGEMENT_BURST = 50  # Management API: size of the token bucket
MANAGEMENT_RATE = 15  # Management API: requests a second, sustained
_WINDOW = 60.0  # seconds


@dataclass(slots=True)
class MinuteCounter:
    """How often something happened in the last minute."""

    limit: int
    _hits: deque[float] = field(default_factory=deque)

    def full_until(self, now: float) -> float | None:
        """When there is room again (seconds since the epoch), or None when there is room now."""
        while self._hits and now - self._hits[0] >= _WINDOW:
            self._hits.popleft()
        return self._hits[0] + _WINDOW if len(self._hits) >= self.limit else None

    def hit(self, now: float) -> dict[str, str]:
        """Count one; returns the headers that tell what is left."""
        self._hits.append(now)
        return _headers(self.limit, self.limit - len(self._hits), self._hits[0] + _WINDOW)


class CibaLimits:
    """The limits of `/bc-authorize` (contract section 2.1).

    Args:
        relaxed: lift the limits a minute; the one on pending requests stays.
    """

    def __init__(self, *, relaxed: bool) -> None:
        self._relaxed = relaxed
        self._tenant = MinuteCounter(TENANT_PER_MINUTE)
        self._users: dict[str, MinuteCounter] = {}

    def admit(self, user_id: str, pending: int, now: float) -> dict[str, str]:
        """Count one accepted request; returns the response headers of the tighter limit.

        Raises:
            OAuthError: 429 `too_many_requests`, with the headers of the contract's section 5.2.
        """
        if pending >= MAX_PENDING:
            raise _too_many(MAX_PENDING, now + _WINDOW, now)
        if self._relaxed:
            return {}
        user = self._users.setdefault(user_id, MinuteCounter(USER_PER_MINUTE))
        for counter in (user, self._tenant):
            if (until := counter.full_until(now)) is not None:
                raise _too_many(counter.limit, until, now)
        self._tenant.hit(now)
        return user.hit(now)

    def forget(self) -> None:
        """Begin to count anew, since the clock was set back."""
        self._tenant = MinuteCounter(TENANT_PER_MINUTE)
        self._users.clear()


class ManagementBucket:
    """The Management API's token bucket, and the headers that show it.

    Args:
        relaxed: never refuse; the headers are printed all the same.
    """

    def __init__(self, *, relaxed: bool) -> None:
        self._relaxed = relaxed
        self._tokens = float(MANAGEMENT_BURST)
        self._at = -math.inf

    def take(self, now: float) -> dict[str, str]:
        """Count one request and give the response headers.

        Raises:
            ManagementError: 429 when the bucket is empty.
        """
        gained = max(0.0, now - self._at) * MANAGEMENT_RATE
        self._tokens = min(float(MANAGEMENT_BURST), self._tokens + gained)
        self._at = now
        if self._tokens < 1 and not self._relaxed:
            headers = {**self._headers(now), "retry-after": "1"}
            message = "Global limit has been reached"
            raise ManagementError(429, message, "too_many_requests", headers)
        self._tokens = max(0.0, self._tokens - 1)
        return self._headers(now)

    def forget(self) -> None:
        """Begin with a full bucket, since the clock was set back."""
        self._tokens = float(MANAGEMENT_BURST)
        self._at = -math.inf

    def _headers(self, now: float) -> dict[str, str]:
        full_at = now + (MANAGEMENT_BURST - self._tokens) / MANAGEMENT_RATE
        return _headers(MANAGEMENT_BURST, int(self._tokens), full_at)


def _too_many(limit: int, until: float, now: float) -> OAuthError:
    headers = _headers(limit, 0, until) | {"retry-after": str(max(1, math.ceil(until - now)))}
    text = "Too many requests. Check the X-RateLimit-* headers."
    return OAuthError("too_many_requests", text, status=429, headers=headers)


def _headers(limit: int, remaining: int, reset: float) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(math.ceil(reset)),
    }
