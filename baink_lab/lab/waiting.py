"""What a waiting cell prints: Aiya's events in words, and the time left."""

from __future__ import annotations

import asyncio
from typing import Any

from baink_lab.approvals import Approval
from baink_lab.clock import Clock
from baink_lab.lab.durations import in_words
from baink_lab.lab.show import Shown, clock_face


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


async def count_down(waiting: list[Approval], clock: Clock) -> None:
    """Show the time left on one line that is written over.

    Args:
        waiting: for which answers.
        clock: the lab's.
    """
    from IPython import display as ipython  # noqa: PLC0415 - only notebooks count down like this

    show: Any = ipython.display
    until = max(approval.expires_at for approval in waiting)
    handle: Any = None
    try:
        while (left := until - clock.now()) > 0:
            words = f"Waiting for the phone, {clock_face(left)} left: press Approve or Deny on it"
            shown = Shown(f'<p role="timer">{words}.</p>', words)
            if handle is None:
                handle = show(shown, display_id=True)
            else:
                handle.update(shown)
            await asyncio.sleep(1)
    finally:
        if handle is not None:
            handle.update(Shown("<p>The phone has been answered.</p>", "The phone was answered."))
