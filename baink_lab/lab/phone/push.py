"""A request on the customer's phone, as notebooks speak of it."""

from __future__ import annotations

import dataclasses
from typing import Any

from baink_lab.lab.widgets.show import seconds_of_date

#: As the phone's API tells it.
Notification = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Push:
    """What was sent to a phone.

    Attributes:
        id: who tells of it has its own: the phone the notification's, the chat the approval's.
        message: what it says.
        expires_at: when its time is up, in seconds since the epoch.
    """

    id: str
    message: str
    expires_at: float


def push_of(one: Notification) -> Push:
    """A notification of the phone's API."""
    return Push(one["id"], one["binding_message"], seconds_of_date(one["expires_at"]))
