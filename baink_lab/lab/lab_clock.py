"""The lab's clock: real time, which a learner may let pass in no time."""

from __future__ import annotations

from collections.abc import Callable

from baink_lab.clock import AdjustableClock
from baink_lab.lab.control import Control
from baink_lab.lab.durations import Duration, in_words, seconds_of
from baink_lab.lab.widgets.show import Shown, paragraph, time_of_day

LIVE = "In live mode time is real, and the tenant's own: wait, or use the sandbox to see it pass."


class LabClock(AdjustableClock):
    """What tells the time in a lab: to Aiya, her resumer, the countdowns, and your own code.

    The sandbox goes by the same time, and so does every other notebook on it.

    Args:
        ahead: tells by how many seconds the sandbox is ahead of the machine's clock.
        control: sets the sandbox's clock forward.
    """

    def __init__(self, ahead: Callable[[], float], control: Control) -> None:
        super().__init__(ahead)
        self._ahead = ahead
        self._control = control

    def __repr__(self) -> str:
        return f"It is {self._face()}. {self._how_far()}"

    @property
    def ahead(self) -> float:
        """By how many seconds this clock is ahead of the machine's."""
        return self._ahead()

    async def advance(self, duration: Duration) -> Shown:
        """Let time pass at once, for everything in the sandbox and in every notebook on it.

        Args:
            duration: such as "6 min", "1 h 30 min", a timedelta, or a number of seconds.

        Raises:
            DurationError: that is no length of time.
            ControlError: the sandbox refuses, or does not answer.
        """
        seconds = seconds_of(duration)
        if not self._control.is_there:
            return paragraph(LIVE)
        await self._control.order("clock/advance", seconds=seconds)
        return paragraph(f"The clock goes forward by {in_words(seconds)}: it is {self._face()}.")

    async def reset(self) -> Shown:
        """Show real time again, unless a request waits for an answer: time goes back under none.

        Raises:
            ControlError: a request waits, or the sandbox does not answer.
        """
        if not self._control.is_there:
            return paragraph(LIVE)
        await self._control.order("clock/reset")
        return paragraph(f"The clock shows real time again: it is {self._face()}.")

    def _face(self) -> str:
        return time_of_day(self.now())

    def _how_far(self) -> str:
        if not self.ahead:
            return "The clock shows real time."
        return f"The clock is {in_words(self.ahead)} ahead of real time."
