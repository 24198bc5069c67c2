"""Time as a thing that is passed in, so that tests can make days pass in milliseconds."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from typing import Protocol

#: How soon somebody who sleeps on an adjustable clock takes note that it was set forward.
LOOK_SECONDS = 0.1


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


class AdjustableClock:
    """The machine's clock plus an offset, which others may let grow while somebody sleeps.

    Args:
        offset: tells by how many seconds we are ahead of the machine; asked at each look.
    """

    def __init__(self, offset: Callable[[], float]) -> None:
        self._offset = offset

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC, as this clock shows them."""
        return time.time() + self._offset()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock: at once when it is set forward by that much."""
        left = seconds
        if left <= 0:
            await asyncio.sleep(0)
        while left > 0:
            begun, ahead = time.monotonic(), self._offset()
            # The offset is another process's, and no event tells of it.
            await asyncio.sleep(min(left, LOOK_SECONDS))
            # A clock that was set back lets nobody sleep longer: only what passes counts.
            left -= time.monotonic() - begun + max(0.0, self._offset() - ahead)


class VirtualClock:
    """A clock that stands still until `advance` is called.

    Like a real machine's it has two readings: what it shows, which `jump` may set, and how much
    time has really passed, by which sleepers wake.

    Args:
        start: the first reading, in seconds since the epoch.
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._shown = start
        self._passed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC, as the clock shows them."""
        return self._shown

    async def sleep(self, seconds: float) -> None:
        """Return once `advance` has let `seconds` pass."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        wake = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._passed + seconds, self._count, wake))
        await wake

    def next_wake(self) -> float | None:
        """In how many seconds the first sleeper is due; None when nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] - self._passed if self._sleepers else None

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass and wake everybody whose time has come, earliest first."""
        left = seconds
        while (due := self.next_wake()) is not None and due <= left:
            _, _, wake = heapq.heappop(self._sleepers)
            self._pass(max(due, 0.0))
            left -= max(due, 0.0)
            if not wake.done():
                wake.set_result(None)
        self._pass(left)

    def jump(self, seconds: float) -> None:
        """Set the clock forward, or back, while no time passes: nobody is woken."""
        self._shown += seconds

    def _pass(self, seconds: float) -> None:
        self._shown += seconds
        self._passed += seconds
