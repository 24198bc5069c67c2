"""Time as a thing that is passed in, so that tests can make days pass in milliseconds."""

from __future__ import annotations

import asyncio
import heapq
import time
from typing import Protocol


class Clock(Protocol):
    """What waits and what tells the time. Seconds since the epoch, as floats."""

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock have passed."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of wall time."""
        await asyncio.sleep(seconds)


class VirtualClock:
    """A clock that stands still until `advance` is called.

    Args:
        start: the first reading, in seconds since the epoch.
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC, as far as `advance` has brought it."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Return once `advance` has moved this clock by `seconds`."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        wake = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._now + seconds, self._count, wake))
        await wake

    def next_wake(self) -> float | None:
        """When the first sleeper is due (seconds since the epoch); None when nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def advance(self, seconds: float) -> None:
        """Move on by `seconds` and wake everybody whose time has come, earliest first."""
        target = self._now + seconds
        while (due := self.next_wake()) is not None and due <= target:
            _, _, wake = heapq.heappop(self._sleepers)
            self._now = max(self._now, due)
            if not wake.done():
                wake.set_result(None)
        self._now = target
