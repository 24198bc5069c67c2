"""The phone as a widget: one card for each request that waits, with two buttons."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from baink_lab.clock import Clock
from baink_lab.errors import BainkError
from baink_lab.lab.from_widgets import Runner
from baink_lab.lab.phone_card import Decision, card
from baink_lab.lab.show import clock_face

LOOK_SECONDS = 0.5
OFF = "This phone is switched off, as its lab was closed. Run the cell again to see it live."

_UNSEEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"

Notification = dict[str, Any]


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

        self._waiting = waiting
        self._decide = decide
        self._clock = clock
        self._runner = Runner()
        self._watcher: asyncio.Task[None] | None = None
        self._cards: dict[str, Any] = {}
        self._new = ""  # the request that is being told as new
        self._none = ipywidgets.HTML("<p>Nothing waits for you.</p>")
        self._told = ipywidgets.HTML()
        self._list = ipywidgets.VBox()
        title = ipywidgets.HTML("<strong>Your phone</strong>")
        self.box = ipywidgets.VBox(
            [title, self._list, self._told],
            layout=ipywidgets.Layout(
                border="1px solid", padding="0.8em", width="100%", max_width="26em"
            ),
        )

    @property
    def is_on(self) -> bool:
        """Whether it shows what waits, now."""
        return self._watcher is not None and not self._watcher.done()

    def switch_on(self) -> None:
        """Show what waits from now on; does nothing while it does so already."""
        if not self.is_on:
            self._say("")
            self._watcher = asyncio.create_task(self._watch(), name="phone widget")

    def switch_off(self) -> None:
        """Show nothing any more, and say so."""
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None
            self._clear()
            self._say(OFF)

    async def _watch(self) -> None:
        while True:
            try:
                self._update(await self._waiting())
            except BainkError as problem:
                self._clear()
                self._say(problem.sentence)
            await asyncio.sleep(LOOK_SECONDS)

    def _update(self, waiting: list[Notification]) -> None:
        now = {one["id"]: one for one in waiting}
        new = [one for key, one in now.items() if key not in self._cards]
        if self._new and self._new not in now:  # before the list says that nothing waits
            message = self._cards[self._new].message
            self._say(f"Waits no longer, as it was answered or its time was up: {message}")
        cards = {key: self._cards.get(key) or self._card(one) for key, one in now.items()}
        self._show(cards, empty=(self._none,))
        for one in new:
            # For ears: eyes see it on its card.
            self._say(f"New request from {one['client_name']}: {one['binding_message']}", _UNSEEN)
            self._new = one["id"]
        for key, one in now.items():
            ends = datetime.fromisoformat(one["expires_at"]).timestamp()
            self._cards[key].left = f"{clock_face(ends - self._clock.now())} left"

    def _clear(self) -> None:
        """What waits is not known."""
        self._new = ""
        self._show({})

    def _show(self, cards: dict[str, Any], empty: tuple[Any, ...] = ()) -> None:
        gone = [one for key, one in self._cards.items() if key not in cards]
        self._cards = cards
        self._list.children = tuple(cards.values()) or empty
        for one in gone:
            _discard(one)

    def _card(self, one: Notification) -> Any:
        def pressed(decision: Decision) -> None:
            self._press(decision, one)

        return card(one["client_name"], one["binding_message"], _facts(one), pressed)

    def _press(self, decision: Decision, one: Notification) -> None:
        shown = self._cards.get(one["id"])
        if shown is None or shown.busy:  # it went while the finger came down
            return
        shown.busy = True
        self._say("Sending your answer …")

        async def send() -> None:
            try:
                await self._decide(decision, one["id"])
                verb = "Approved" if decision == "approve" else "Denied"
                self._say(f"{verb}: {one['binding_message']}")
            except BainkError as problem:
                self._say(problem.sentence)
                shown.busy = False

        self._runner.start(send)

    def _say(self, text: str, style: str = "") -> None:
        self._new = ""
        look = f' style="{style}"' if style else ""
        self._told.value = f'<p role="status" aria-live="polite"{look}>{html.escape(text)}</p>'


def _facts(one: Notification) -> list[tuple[str, str]]:
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
    return rows


def _order(each: dict[str, Any]) -> float:
    at = each.get("display_order")
    return at if isinstance(at, int | float) else 0


def _discard(widget: Any) -> None:
    """Close a card and its layout, so that neither side keeps a model of it."""
    widget.layout.close()
    widget.close()
