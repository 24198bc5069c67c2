"""The phone as a widget: one card for each request that waits, the newest on top."""

from __future__ import annotations

import asyncio
import dataclasses
import html
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from baink_lab.clock import Clock
from baink_lab.errors import BainkError
from baink_lab.lab.phone.card import PRESSED, Decision, card, cards
from baink_lab.lab.phone.push import Notification, Push, push_of
from baink_lab.lab.widgets.from_widgets import Runner
from baink_lab.lab.widgets.show import UNSEEN, clock_face

LOOK_SECONDS = 0.5
OFF = "This phone is switched off, as its lab was closed. Run the cell again to see it live."

NOTHING = "Nothing waits for you."
NO_PHONE = "No phone is enrolled, so nobody can be asked here."
OVER = "Waits no longer, as it was answered or its time was up"
SENT_TO_NOBODY = "Nobody can answer it, as it was sent to a phone that is gone"


@dataclasses.dataclass(frozen=True)
class Standing:
    """Whether a phone is enrolled, and what was sent to phones that are gone.

    What is lost nobody can answer any more.
    """

    enrolled: bool
    lost: list[Push]


class Screen:
    """The widget. It may be shown in many places; each of them is a picture of this one.

    Args:
        waiting: tells what waits.
        standing: tells whether there is a phone at all.
        decide: presses a button.
        clock: the lab's.

    Attributes:
        box: the widget.
    """

    def __init__(
        self,
        waiting: Callable[[], Awaitable[list[Notification]]],
        standing: Callable[[], Awaitable[Standing]],
        decide: Callable[[Decision, str], Awaitable[object]],
        clock: Clock,
    ) -> None:
        import ipywidgets  # noqa: PLC0415 - the lab works without widgets too

        self._waiting = waiting
        self._standing = standing
        self._decide = decide
        self._clock = clock
        self._runner = Runner()
        self._watcher: asyncio.Task[None] | None = None
        self._shown: dict[str, Notification] = {}
        self._new = ""  # the request that is being told as new
        self._none, self._lost, self._told = (ipywidgets.HTML() for _ in range(3))
        self._cards = cards(self._press)
        title = self._title = ipywidgets.HTML()
        self.box = ipywidgets.VBox(
            [title, self._cards, self._none, self._lost, self._told],
            layout=ipywidgets.Layout(
                border="1px solid",
                padding="0.8em",
                width="100%",
                max_width="26em",
                overflow="visible",  # it grows with its requests: an "auto" shows an idle bar
            ),
        )
        self._show({})

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
                # In this order: what goes in between is lost, and not answered.
                waiting = await self._waiting()
                self._update(waiting, await self._standing())
            except BainkError as problem:
                self._clear()
                self._say(problem.sentence)
            await asyncio.sleep(LOOK_SECONDS)

    def _update(self, waiting: list[Notification], standing: Standing) -> None:
        now = {one["id"]: one for one in waiting}
        new = [one for key, one in now.items() if key not in self._shown]
        if self._new and self._new not in now:  # before the list says that nothing waits
            lost = self._new in {one.id for one in standing.lost}
            message = self._shown[self._new]["binding_message"]
            self._say(f"{SENT_TO_NOBODY if lost else OVER}: {message}")
        _put(self._lost, lapsing(standing.lost, self._clock.now()))
        self._show(now, empty=NOTHING if standing.enrolled else NO_PHONE)
        for one in new:
            # For ears: eyes see it on its card.
            self._say(f"New request from {one['client_name']}: {one['binding_message']}", UNSEEN)
            self._new = one["id"]

    def _clear(self) -> None:
        """What waits is not known."""
        self._new = ""
        _put(self._lost, "")
        self._show({})

    def _show(self, waiting: dict[str, Notification], empty: str = "") -> None:
        self._shown = waiting
        left = {key: push_of(one).expires_at - self._clock.now() for key, one in waiting.items()}
        self._cards.left = {key: f"{clock_face(seconds)} left" for key, seconds in left.items()}
        self._cards.busy = [key for key in self._cards.busy if key in waiting]
        self._cards.cards = [_card(one) for one in reversed(waiting.values())]
        waits = f": {len(waiting)} requests wait" if len(waiting) > 1 else ""
        self._title.value = f"<strong>Your phone{waits}</strong>"
        _put(self._none, "" if waiting else empty)

    def _press(self, decision: Decision, key: str) -> None:
        one = self._shown.get(key)
        if one is None or key in self._cards.busy:  # it went while the finger came down
            return
        self._cards.busy = [*self._cards.busy, key]
        self._say("Sending your answer …")

        async def send() -> None:
            try:
                await self._decide(decision, key)
                self._say(f"{PRESSED[decision]}: {one['binding_message']}")
            except BainkError as problem:
                self._say(problem.sentence)
                self._cards.busy = [other for other in self._cards.busy if other != key]

        self._runner.start(send)

    def _say(self, text: str, style: str = "") -> None:
        self._new = ""
        look = f' style="{style}"' if style else ""
        self._told.value = f'<p role="status" aria-live="polite"{look}>{html.escape(text)}</p>'


def lapsing(lost: Sequence[Push], now: float) -> str:
    """What is to be said of requests that were sent to a phone which is gone; "" for none."""
    if not lost:
        return ""
    left = clock_face(max(one.expires_at for one in lost) - now)
    if len(lost) == 1:
        return f"A request went to a phone that is gone, and lapses in {left}."
    return f"{len(lost)} requests went to a phone that is gone, and lapse in {left}."


def _put(widget: Any, text: str) -> None:
    shown = f"<p>{html.escape(text)}</p>" if text else ""
    if widget.value != shown:
        widget.value = shown


def _card(one: Notification) -> dict[str, Any]:
    return card(one["id"], one["client_name"], one["binding_message"], _facts(one))


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
