"""What a waiting cell prints: Aiya's events in words, the time left, and how the wait ended."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Sequence
from typing import Any, Protocol, Self

from baink_lab.approvals import Approval
from baink_lab.clock import Clock
from baink_lab.errors import InOneSentence
from baink_lab.lab.durations import in_words
from baink_lab.lab.widgets.show import Shown, clock_face, paragraph

ANSWERED = "The phone was answered."
TIME_IS_UP = "Time is up: nobody answered on the phone."
OVER = "Nothing waits for the phone any more."
_ENDS = {"token arrived": ANSWERED, "customer said no": ANSWERED, "time was up": TIME_IS_UP}


class StoppedWaiting(InOneSentence, asyncio.CancelledError):
    """The cell was interrupted. Nothing else was: what waits on the phone waits on.

    Args:
        asked: how many requests wait.
        again: what to run to wait on.
    """

    def __init__(self, asked: int, again: str = "await lab.settled()") -> None:
        waits = "the request still waits" if asked == 1 else f"{asked} requests still wait"
        still = f"; {waits} on the phone" if asked else ""
        self.sentence = f"Stopped waiting{still}. To wait on, run {again}."
        super().__init__(self.sentence)


class Waits(Protocol):
    """What may be waited for: an approval, or a request on the phone."""

    @property
    def expires_at(self) -> float:
        """When its time is up, in seconds since the epoch."""
        ...


def line_of(event: dict[str, Any], now: float) -> str:
    """An event of Aiya's as a line; empty for those that need none.

    Args:
        event: as graph or resumer tell it.
        now: seconds since the epoch, on the lab's clock.
    """
    kind = event["type"]
    if kind == "tool":
        line = f"    (Aiya calls {event['tool']})"
    elif kind == "push_sent":
        left = clock_face(event["expires_at"] - now)
        line = f"Aiya: I sent a push to your phone: “{event['binding_message']}” ({left} left)"
    elif kind == "acting":
        line = f"    (approved: the graph has resumed and runs {event['tool']})"
    elif kind == "no_answer":
        wait = in_words(max(1.0, event["seconds"]))
        line = f"    (the tenant does not answer; it is asked again in {wait})"
    elif kind == "unenrolled":
        line = '    (open the link to enrol a phone, then run await lab.say("continue transfer"))'
    elif kind == "retrying":
        line = f"    ({event['message']} The same transfer is tried again.)"
    else:
        line = f"Aiya: {event['text']}" if kind == "said" else ""
    return line


def how_it_ended(approvals: Sequence[Approval]) -> str:
    """Whether the phone was answered, in a sentence.

    Args:
        approvals: those that were waited for, as they are now.
    """
    ends = {_ENDS.get(one.event, OVER) for one in approvals}
    return ends.pop() if len(ends) == 1 else OVER


class WaitingLine:
    """Where the phone is, and the time left on a line that is written over.

    It counts down in an ``async with`` block, and then says how the wait ended. The way to the
    phone is a line of its own: nobody could click what is drawn anew each second.

    Args:
        waiting: for which answers.
        clock: the lab's.
        page: the address of the phone's page; empty when the phone is a real one.

    Attributes:
        waiting: for which answers, now.
        ended: what stands in place of the time in the end.
    """

    def __init__(self, waiting: Sequence[Waits], clock: Clock, page: str) -> None:
        from IPython import display as ipython  # noqa: PLC0415 - only notebooks count down

        show: Any = ipython.display
        self._show = show
        self.waiting = waiting
        self._clock = clock
        self._way = self._show(_way(page), display_id=True) if waiting and page else None
        self._timer: Any = None
        self._counter: asyncio.Task[None] | None = None
        self.ended = ""  # a cell that was stopped says so itself

    async def __aenter__(self) -> Self:
        self._counter = asyncio.create_task(self._count_down())
        return self

    async def __aexit__(self, *failure: object) -> None:
        if self._counter is not None:
            self._counter.cancel()
            await asyncio.gather(self._counter, return_exceptions=True)
        if self._way is not None:
            self._way.update(Shown("", ""))
        if self._timer is not None:
            self._timer.update(paragraph(self.ended) if self.ended else Shown("", ""))

    async def _count_down(self) -> None:
        while (left := self._left()) > 0:
            words = f"Waiting for the phone, {clock_face(left)} left: press Approve or Deny on it"
            if (many := len(self.waiting)) > 1:
                words += f", for each of {many} requests"
            shown = Shown(f'<p role="timer">{words}.</p>', words)
            if self._timer is None:
                self._timer = self._show(shown, display_id=True)
            else:
                self._timer.update(shown)
            await asyncio.sleep(1)

    def _left(self) -> float:
        ends = (one.expires_at for one in self.waiting)
        return max(ends, default=0.0) - self._clock.now()


def _way(page: str) -> Shown:
    """Offered beside a living phone too: a page that was reloaded may draw none any more."""
    link = f'<a href="{html.escape(page)}" target="_blank" rel="noreferrer">its page</a>'
    words = f"No working phone in sight? Open {link}."
    return Shown(f"<p>{words}</p>", f"The phone's page: {page}")
