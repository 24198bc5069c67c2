"""What the chat offers when nobody could be asked: enrol a phone, then go on with the transfer."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from baink_lab.lab.qr import qr_picture

CONTINUE = "continue transfer"


class Offer:
    """The part of the chat with the ticket's link, its QR code, and the way on.

    Args:
        go_on: called when the customer wants to go on.

    Attributes:
        box: the widget; empty while nothing is offered.
    """

    def __init__(self, go_on: Callable[[], object]) -> None:
        import ipywidgets as w  # noqa: PLC0415 - the lab works without widgets too

        self._text = w.HTML()
        self._button = w.Button(
            description="Continue transfer",
            button_style="primary",
            tooltip="Once the phone is enrolled: go on with the same transfer",
        )
        self._button.on_click(lambda _: go_on())
        self.box = w.VBox([])

    def show(self, ticket_url: str) -> None:
        """Offer to enrol behind this ticket."""
        self._text.value = _invitation(ticket_url)
        self.box.children = (self._text, self._button)

    def hide(self) -> None:
        """There is nothing to offer any more."""
        self.box.children = ()
        self._text.value = ""

    def hold(self, busy: bool) -> None:
        """While Aiya thinks, nobody presses twice."""
        self._button.disabled = busy

    @property
    def state(self) -> dict[str, Any]:
        """For tests: what is offered now."""
        return {"text": self._text.value, "open": bool(self.box.children)}


def _invitation(ticket_url: str) -> str:
    link = (
        f'<a href="{html.escape(ticket_url)}" target="_blank" rel="noreferrer" '
        'style="text-decoration:underline;color:var(--jp-content-link-color,LinkText)">'
        "Open the enrolment page</a>"
    )
    code = qr_picture(ticket_url, "QR code of the enrolment page's address")
    return (
        '<div role="group" aria-label="Enrol a phone">'
        "<p>No phone is enrolled for you, so nobody could be asked.</p>"
        f"<p>1. {link} here, or on another device by its camera. The link is good once, and "
        "for you alone.</p>"
        f"{code}<p>2. Then press <strong>Continue transfer</strong>.</p></div>"
    )
