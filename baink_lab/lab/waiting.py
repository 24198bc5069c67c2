"""What a waiting cell prints: Aiya's events in words, and the time left."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from baink_lab.approvals import Approval
from baink_lab.lab.show import Shown, clock_face


def line_of(event: dict[str, Any]) -> str:
    """An event of Aiya's as a line; empty for those that need none."""
    match event["type"]:
        case "tool":
            return f"    (Aiya calls {event['tool']})"
        case "push_sent":
            left = clock_face(event["expires_at"] - time.time())
            return f"Aiya: I sent a push to your phone: “{event['binding_message']}” ({left} left)"
        case "acting":
            return "    (approved: the graph has resumed and moves the money)"
        case "retrying":
            return f"    ({event['message']} The same transfer is tried again.)"
        case "said":
            return f"Aiya: {event['text']}"
        case _:
            return ""


async def count_down(waiting: list[Approval]) -> None:
    """Show the time left on one line that is written over."""
    from IPython import display as ipython  # noqa: PLC0415 - only notebooks count down like this

    show: Any = ipython.display
    until = max(approval.expires_at for approval in waiting)
    handle: Any = None
    try:
        while (left := until - time.time()) > 0:
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
