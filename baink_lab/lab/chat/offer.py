"""What the chat offers when nobody could be asked: enrol a phone, then go on with the transfer.

That a phone was enrolled is known to the tenant alone, so it is asked while the offer stands.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from baink_lab.errors import BainkError
from baink_lab.lab.widgets.qr import qr_picture

CONTINUE = "continue transfer"
LOOK_SECONDS = 1.0
LOOK_SECONDS_ELSEWHERE = 5.0  # a real tenant counts what it is asked

#: Whether the customer has a phone enrolled now.
Enrolled = Callable[[], Awaitable[bool]]


class Offer:
    """The part of the chat with the ticket's link, its QR code, and the way on.

    Args:
        go_on: called when the customer wants to go on.
        enrolled: asks the tenant.

    Attributes:
        box: the widget; empty while nothing is offered.
    """

    def __init__(self, go_on: Callable[[], object], enrolled: Enrolled) -> None:
        import ipywidgets as w  # noqa: PLC0415 - the lab works without widgets too

        self._text, self._code = w.HTML(), w.HTML()
        self._button = w.Button(
            description="Continue transfer",
            button_style="primary",
            tooltip="Once the phone is enrolled: go on with the same transfer",
        )
        self._button.on_click(lambda _: go_on())
        self._enrolled = enrolled
        self._looking: asyncio.Task[None] | None = None
        self.box = w.VBox([])

    def show(self, ticket_url: str) -> None:
        """Offer to enrol behind this ticket, until a phone is enrolled."""
        self.close()
        self._text.value, self._code.value = _invitation(ticket_url), _picture(ticket_url)
        # The code is large: below the button, or it would push that out of sight.
        self.box.children = (self._text, self._button, self._code)
        seconds = LOOK_SECONDS if _is_here(ticket_url) else LOOK_SECONDS_ELSEWHERE
        self._looking = asyncio.create_task(self._look(seconds), name="chat offer")

    def close(self) -> None:
        """Ask the tenant no more."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def hide(self) -> None:
        """There is nothing to offer any more."""
        self.close()
        self.box.children = ()
        self._text.value = self._code.value = ""

    def hold(self, busy: bool) -> None:
        """While Aiya thinks, nobody presses twice."""
        self._button.disabled = busy

    async def _look(self, seconds: float) -> None:
        while not await self._has_phone():  # noqa: ASYNC110 - nothing comes from the tenant by itself
            await asyncio.sleep(seconds)
        self._text.value, self._code.value = ENROLLED, ""

    async def _has_phone(self) -> bool:
        try:
            return await self._enrolled()
        except BainkError:  # the tenant is away, or does not tell: the offer stands
            return False

    @property
    def state(self) -> dict[str, Any]:
        """For tests: what is offered now."""
        return {"text": self._text.value, "open": bool(self.box.children)}


ENROLLED = (
    '<div role="group" aria-label="Enrol a phone"><p role="status">Your phone is enrolled. '
    "Press <strong>Continue transfer</strong>, or say \u201ccontinue transfer\u201d, and it is "
    "asked.</p></div>"
)


def _invitation(ticket_url: str) -> str:
    link = (
        f'<a href="{html.escape(ticket_url)}" target="_blank" rel="noreferrer" '
        'style="text-decoration:underline;color:var(--jp-content-link-color,LinkText)">'
        "Open the enrolment page</a>"
    )
    where = f"{link}, or scan the code below with the phone."
    if _is_here(ticket_url):
        where = (
            f"{link} on this computer: the sandbox can be reached from nowhere else. (On a real "
            "tenant you would scan the code below with the phone.)"
        )
    return (
        '<div role="group" aria-label="Enrol a phone">'
        "<p>No phone is enrolled for you, so nobody could be asked.</p>"
        f"<p>1. {where} The link is good once, and for you alone.</p>"
        "<p>2. Then press <strong>Continue transfer</strong>.</p></div>"
    )


def _picture(ticket_url: str) -> str:
    return qr_picture(ticket_url, "QR code of the enrolment page's address")


def _is_here(url: str) -> bool:
    """Whether an address leads no further than this computer."""
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")
