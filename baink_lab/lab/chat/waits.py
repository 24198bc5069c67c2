"""What the chat says while it waits: for the phone, or for requests to a phone that is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable

from baink_lab.lab.phone.push import Push
from baink_lab.lab.phone.screen import lapsing
from baink_lab.lab.widgets.show import clock_face

#: Tells what was sent to phones that are gone.
FindLost = Callable[[], Awaitable[list[Push]]]
_TALK_ON = "You may go on talking."


def still_waits(sent: Iterable[Push], lost: Iterable[Push], now: float) -> str:
    """What waits, with the time left.

    Args:
        sent: of this conversation, and without an outcome.
        lost: what was sent to phones that are gone, also from elsewhere: told apart by their words.
        now: seconds since the epoch.
    """
    gone = Counter(one.message for one in lost)
    asked, dead = [], []
    for one in sorted(sent, key=lambda one: one.expires_at):
        if gone[one.message]:  # those that are gone were sent before the others
            gone[one.message] -= 1
            dead.append(one)
        else:
            asked.append(one)
    words = [lapsing(dead, now)] if dead else []
    if asked:
        left = clock_face(max(one.expires_at for one in asked) - now)
        words.insert(0, f"Waiting for your phone: {left} left.")
    return " ".join([*words, _TALK_ON])
