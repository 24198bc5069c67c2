"""The sandbox's time: how far it is ahead of the machine's, in one file that every process reads.

The sandbox alone writes it. It writes the file before it moves itself, so nobody who waits on this
time is ever behind the tenant, and a sandbox that is started anew goes on where the last one was.
"""

from __future__ import annotations

from pathlib import Path

from baink_lab.clock import AdjustableClock
from baink_lab.errors import BainkError
from baink_lab.sandbox import home as files

#: Ten years: dates stay dates, and nothing here lives longer.
MOST_SECONDS = 10 * 366 * 86_400.0


class ClockError(BainkError):
    """The clock cannot be set so; the sentence says why."""

    code = "clock"


class SandboxTime:
    """The offset as its owner, the sandbox's process, has it.

    Args:
        folder: the sandbox's own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ahead = ahead(folder)
        self.clock = AdjustableClock(lambda: self.ahead)

    def advance(self, seconds: float) -> float:
        """Let `seconds` pass at once; returns how far we are ahead now.

        Raises:
            ClockError: time does not go back, nor beyond ten years.
        """
        if not seconds >= 0:
            raise ClockError("Time does not go back: advance the clock by more than nothing.")
        if self.ahead + seconds > MOST_SECONDS:
            raise ClockError("That is too far: the clock can be ten years ahead at most.")
        return self._move(self.ahead + seconds)

    def set_back(self) -> None:
        """Show the machine's time again."""
        self._move(0.0)

    def _move(self, ahead: float) -> float:
        files.write_json(self._folder / files.CLOCK, {"ahead": ahead})
        self.ahead = ahead
        return ahead


def ahead(folder: Path) -> float:
    """By how many seconds the sandbox of `folder` is ahead of the machine's clock."""
    value = files.read_json(folder / files.CLOCK).get("ahead")
    good = isinstance(value, int | float) and 0 <= value <= MOST_SECONDS
    return float(value) if good and value is not None else 0.0


def clock_of(folder: Path) -> AdjustableClock:
    """The time of the sandbox of `folder`, for every other process.

    Args:
        folder: BAINK_HOME, or `live` below it (see `baink_lab.sandbox.home.folder`).
    """
    return AdjustableClock(lambda: ahead(folder))
