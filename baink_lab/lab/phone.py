"""The stand-in phone in a notebook: what waits on it, two buttons each, and the same in words."""

from __future__ import annotations

import asyncio
import contextlib
import html
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import httpx

from baink_lab.clock import Clock, SystemClock
from baink_lab.errors import BainkError, InOneSentence
from baink_lab.lab.durations import in_words
from baink_lab.lab.from_widgets import Runner
from baink_lab.lab.show import Shown, WidgetShown, clock_face, paragraph, table, time_of_day
from baink_lab.sandbox.loopback import loopback_http

LOOK_SECONDS = 0.5
LIVE = "In live mode the phone is a real one: answer in the Guardian app."

Decision = Literal["approve", "deny"]
Notification = dict[str, Any]


class PhoneError(InOneSentence, BainkError):
    """The phone cannot do that; the sentence says why."""

    code = "phone"


class Phone:
    """The customer's phone, seen through its HTTP API.

    Args:
        url: base URL, secret segment included; None in live mode.
        clock: the lab's; the machine's when left out.
        pressed: told of each decision that was made here, and its binding message.
    """

    def __init__(
        self,
        url: str | None,
        clock: Clock | None = None,
        pressed: Callable[[str, str], object] = lambda decision, message: None,
    ) -> None:
        self._url = url
        self._pressed = pressed
        self.clock = clock or SystemClock()
        self._watcher: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The phone's web page, to open in a tab or on another screen.

        Raises:
            PhoneError: in live mode, where the phone is a real one.
        """
        if self._url is None:
            raise PhoneError(LIVE)
        return f"{self._url}/"

    async def waiting(self) -> list[Notification]:
        """What waits for an answer, oldest first; see DESIGN.md, Public surface.

        Raises:
            PhoneError: live mode, or the phone does not answer.
        """
        answer = await self._call("GET", "notifications")
        return list(answer.json())

    async def approve(self, notification_id: str | None = None) -> Shown:
        """Approve one notification: the newest, unless its id is given.

        Raises:
            PhoneError: nothing waits, it was answered before, or it has expired.
        """
        if self._url is None:
            return paragraph(LIVE)
        return await self.decide("approve", notification_id)

    async def deny(self, notification_id: str | None = None) -> Shown:
        """Deny one notification: the newest, unless its id is given; raises like `approve`."""
        if self._url is None:
            return paragraph(LIVE)
        return await self.decide("deny", notification_id)

    async def ignore(self, notification_id: str | None = None) -> Shown:
        """Leave one unanswered, and say when it lapses and how to get there at once.

        Raises:
            PhoneError: nothing waits, or not that one.
        """
        if self._url is None:
            return paragraph(LIVE)
        one = _chosen(await self.waiting(), notification_id)
        ends = datetime.fromisoformat(one["expires_at"]).timestamp()
        left = ends - self.clock.now()
        return paragraph(
            f"Nobody answers “{one['binding_message']}”: it lapses in {clock_face(left)} minutes, "
            f"at {time_of_day(ends)}. To be there at once: "
            f'await lab.clock.advance("{in_words(left + 1)}")'
        )

    async def decide(self, decision: Decision, notification_id: str | None = None) -> Shown:
        """Press a button, and say on what.

        Raises:
            PhoneError: nothing waits, it was answered before, or it has expired.
        """
        one = _chosen(await self.waiting(), notification_id)
        answer = await self._call("POST", f"notifications/{one['id']}", json={"decision": decision})
        if answer.status_code != 204:
            raise PhoneError(answer.json()["error"])
        self._pressed(decision, one["binding_message"])
        verb = "Approved" if decision == "approve" else "Denied"
        return table("Phone", ["", "message"], [[verb, one["binding_message"]]])

    def widget(self) -> WidgetShown:
        """The phone as a widget that looks for new requests by itself."""
        screen = _Screen(self)
        if self._watcher is not None:
            self._watcher.cancel()
        self._watcher = asyncio.create_task(screen.watch(), name="phone widget")
        address = f"open {self.url}, or " if self._url else ""
        words = f"The phone. Without widgets: {address}run await lab.phone.approve()"
        return WidgetShown(screen.box, words)

    async def _call(self, method: str, path: str, **content: Any) -> httpx.Response:
        url = self.url
        async with loopback_http(5.0) as http:
            # httpx's errors hold the address, which is a secret here.
            with contextlib.suppress(httpx.HTTPError):
                return await http.request(method, f"{url}{path}", **content)
        raise PhoneError("The phone does not answer: is the sandbox running?")


def _chosen(waiting: list[Notification], notification_id: str | None) -> Notification:
    for one in reversed(waiting):
        if notification_id in {None, one["id"]}:
            return one
    if notification_id is None:
        raise PhoneError("Nothing waits on the phone. Ask Aiya for a transfer first.")
    raise PhoneError("That request does not wait on the phone: it was answered, or has lapsed.")


def _order(each: dict[str, Any]) -> float:
    at = each.get("display_order")
    return at if isinstance(at, int | float) else 0


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


class _Screen:
    """The widget: one card for each notification."""

    def __init__(self, phone: Phone) -> None:
        import ipywidgets  # noqa: PLC0415 - the lab works without widgets too

        self._w = ipywidgets
        self._phone = phone
        self._runner = Runner()
        self._cards: dict[str, tuple[Any, Any, Notification]] = {}
        self._none = ipywidgets.HTML("<p>Nothing waits for you.</p>")
        self._told = ipywidgets.HTML()
        self._list = ipywidgets.VBox()
        title = ipywidgets.HTML("<strong>Your phone</strong>")
        self.box = ipywidgets.VBox(
            [title, self._none, self._list, self._told],
            layout=ipywidgets.Layout(
                border="1px solid", padding="0.8em", width="26em", max_width="100%"
            ),
        )

    async def watch(self) -> None:
        """Show what waits, until cancelled."""
        while True:
            try:
                self._update(await self._phone.waiting())
            except PhoneError as problem:
                self._say(problem.sentence)
                self._update([])
            await asyncio.sleep(LOOK_SECONDS)

    def _update(self, waiting: list[Notification]) -> None:
        now = {one["id"]: one for one in waiting}
        if now.keys() != self._cards.keys():
            self._cards = {key: self._cards.get(key) or self._card(one) for key, one in now.items()}
            self._list.children = [card for card, _, _ in self._cards.values()]
        self._none.layout.display = "none" if now else ""
        for _, left, one in self._cards.values():
            seconds = (
                datetime.fromisoformat(one["expires_at"]).timestamp() - self._phone.clock.now()
            )
            text = f"<small>{clock_face(seconds)} left</small>"
            if left.value != text:
                left.value = text

    def _card(self, one: Notification) -> tuple[Any, Any, Notification]:
        w = self._w
        message = html.escape(one["binding_message"])
        who = html.escape(one["client_name"])
        self._say(f"New request from {who}: {message}")
        left = w.HTML()
        deny = w.Button(description="Deny", button_style="danger", tooltip=f"Deny: {message}")
        approve = w.Button(
            description="Approve", button_style="success", tooltip=f"Approve: {message}"
        )
        deny.on_click(lambda _: self._press("deny", one))
        approve.on_click(lambda _: self._press("approve", one))
        text = w.HTML(
            f"<p>{who} asks for your approval:</p>"
            f'<p style="font-size:1.2em"><strong>{message}</strong></p>{_facts(one)}'
        )
        card = w.VBox([text, left, w.HBox([deny, approve])])
        return card, left, one

    def _press(self, decision: Decision, one: Notification) -> None:
        card, _, _ = self._cards[one["id"]]
        for button in card.children[-1].children:
            button.disabled = True

        async def send() -> None:
            try:
                await self._phone.decide(decision, one["id"])
                verb = "Approved" if decision == "approve" else "Denied"
                self._say(f"{verb}: {html.escape(one['binding_message'])}")
            except PhoneError as problem:
                self._say(problem.sentence)
                for button in card.children[-1].children:
                    button.disabled = False

        self._runner.start(send)

    def _say(self, text: str) -> None:
        self._told.value = f'<p role="status" aria-live="polite">{text}</p>'
