"""The phone as a widget: one card for each request that waits, with two buttons."""

from __future__ import annotations

import asyncio
import dataclasses
import html
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Literal

from baink_lab.clock import Clock
from baink_lab.errors import BainkError
from baink_lab.lab.from_widgets import Runner
from baink_lab.lab.show import clock_face

LOOK_SECONDS = 0.5
OFF = "This phone is switched off, as its lab was closed. Run the cell again to see it live."

Decision = Literal["approve", "deny"]
Notification = dict[str, Any]


@dataclasses.dataclass
class _Card:
    """One request on the screen."""

    one: Notification
    box: Any
    left: Any
    buttons: tuple[Any, Any]


class Screen:
    """The widget. It may be shown in many places; each of them is a picture of this one.

    Args:
        waiting: tells what waits.
        decide: presses a button.
        clock: the lab's.

    Attributes:
        box: the widget.
    """

    def __init__(
        self,
        waiting: Callable[[], Awaitable[list[Notification]]],
        decide: Callable[[Decision, str], Awaitable[object]],
        clock: Clock,
    ) -> None:
        import ipywidgets  # noqa: PLC0415 - the lab works without widgets too

        self._w = ipywidgets
        self._waiting = waiting
        self._decide = decide
        self._clock = clock
        self._runner = Runner()
        self._watcher: asyncio.Task[None] | None = None
        self._cards: dict[str, _Card] = {}
        self._none = ipywidgets.HTML("<p>Nothing waits for you.</p>")
        self._told = ipywidgets.HTML()
        self._list = ipywidgets.VBox()
        title = ipywidgets.HTML("<strong>Your phone</strong>")
        self.box = ipywidgets.VBox(
            [title, self._none, self._list, self._told],
            layout=ipywidgets.Layout(
                border="1px solid", padding="0.8em", width="100%", max_width="26em"
            ),
        )

    def switch_on(self) -> None:
        """Show what waits from now on; does nothing while it does so already."""
        if self._watcher is None or self._watcher.done():
            self._say("")
            self._watcher = asyncio.create_task(self._watch(), name="phone widget")

    def switch_off(self) -> None:
        """Show nothing any more, and say so."""
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None
            self._update([])
            self._none.layout.display = "none"
            self._say(OFF)

    async def _watch(self) -> None:
        while True:
            try:
                self._update(await self._waiting())
            except BainkError as problem:
                self._say(problem.sentence)
                self._update([])
            await asyncio.sleep(LOOK_SECONDS)

    def _update(self, waiting: list[Notification]) -> None:
        now = {one["id"]: one for one in waiting}
        if now.keys() != self._cards.keys():
            gone = [card for key, card in self._cards.items() if key not in now]
            self._cards = {key: self._cards.get(key) or self._card(one) for key, one in now.items()}
            self._list.children = [card.box for card in self._cards.values()]
            for card in gone:
                _discard(card.box)
        self._none.layout.display = "none" if now else ""
        for card in self._cards.values():
            ends = datetime.fromisoformat(card.one["expires_at"]).timestamp()
            text = f"<small>{clock_face(ends - self._clock.now())} left</small>"
            if card.left.value != text:
                card.left.value = text

    def _card(self, one: Notification) -> _Card:
        w = self._w
        message, who = one["binding_message"], html.escape(one["client_name"])
        self._say(f"New request from {one['client_name']}: {message}")
        left = w.HTML()
        deny = w.Button(description="Deny", button_style="danger", tooltip=f"Deny: {message}")
        approve = w.Button(
            description="Approve", button_style="success", tooltip=f"Approve: {message}"
        )
        deny.on_click(lambda _: self._press("deny", one))
        approve.on_click(lambda _: self._press("approve", one))
        text = w.HTML(
            f'<p>{who} asks for your approval:</p><p style="font-size:1.2em">'
            f"<strong>{html.escape(message)}</strong></p>{_facts(one)}"
        )
        return _Card(one, w.VBox([text, left, w.HBox([deny, approve])]), left, (deny, approve))

    def _press(self, decision: Decision, one: Notification) -> None:
        card = self._cards.get(one["id"])
        if card is None:  # it went while the finger came down
            return
        for button in card.buttons:
            button.disabled = True

        async def send() -> None:
            try:
                await self._decide(decision, one["id"])
                verb = "Approved" if decision == "approve" else "Denied"
                self._say(f"{verb}: {one['binding_message']}")
            except BainkError as problem:
                self._say(problem.sentence)
                for button in card.buttons:
                    button.disabled = False

        self._runner.start(send)

    def _say(self, text: str) -> None:
        self._told.value = f'<p role="status" aria-live="polite">{html.escape(text)}</p>'


def _facts(one: Notification) -> str:
    """What Auth0's own app shows of rich details: instruction, then each property, in order."""
    rows: list[tuple[str, str]] = []
    for details in one.get("authorization_details") or []:
        if details.get("instruction"):
            rows.append(("Asks", str(details["instruction"])))
        named = details.get("properties")
        shown = [
            each
            for each in (named.values() if isinstance(named, dict) else [])
            if isinstance(each, dict) and each.get("display")
        ]
        shown.sort(key=_order)
        rows += [(str(each.get("name", "")).rstrip(":"), str(each.get("value"))) for each in shown]
    if not rows:
        return ""
    told = "".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in rows)
    return f"<dl>{told}</dl>"


def _order(each: dict[str, Any]) -> float:
    at = each.get("display_order")
    return at if isinstance(at, int | float) else 0


def _discard(widget: Any) -> None:
    """Close a widget and all that it is made of, so that neither side keeps a model of it."""
    for child in getattr(widget, "children", ()):
        _discard(child)
    for part in (getattr(widget, "style", None), widget.layout):
        if part is not None:
            part.close()
    widget.close()
