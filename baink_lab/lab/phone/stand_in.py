"""The stand-in phone in a notebook, in words; as a widget it is in `screen`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import httpx

from baink_lab.clock import Clock, SystemClock
from baink_lab.errors import BainkError, InOneSentence
from baink_lab.lab.durations import in_words
from baink_lab.lab.phone.card import PRESSED, Decision
from baink_lab.lab.phone.push import Notification, Push, push_of
from baink_lab.lab.phone.screen import Screen, Standing
from baink_lab.lab.widgets.from_widgets import has_widgets
from baink_lab.lab.widgets.show import Shown, WidgetShown, clock_face, paragraph, table, time_of_day
from baink_lab.sandbox.loopback import loopback_http

LIVE = "In live mode the phone is a real one: answer in the Guardian app."


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
        self._screen: Screen | None = None

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

    async def standing(self) -> Standing:
        """Whether a phone is enrolled, and what waits on phones that are gone.

        Raises:
            PhoneError: live mode, or the phone does not answer.
        """
        told = (await self._call("GET", "standing")).json()
        return Standing(told["enrolled"], [push_of(one) for one in told["lost"]])

    async def lost(self) -> list[Push]:
        """What waits on phones that are gone; of a real phone nobody here knows."""
        with contextlib.suppress(PhoneError):
            return (await self.standing()).lost
        return []

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
        ends = push_of(one).expires_at
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
        return table("Phone", ["", "message"], [[PRESSED[decision], one["binding_message"]]])

    def widget(self) -> WidgetShown:
        """The phone as a widget that looks for new requests by itself.

        There is one, however often it is shown: all of its pictures live.
        """
        if self._screen is None:
            self._screen = Screen(self.waiting, self.standing, self.decide, self.clock)
        self._screen.switch_on()
        address = f"open {self.url}, or " if self._url else ""
        words = f"The phone. Without widgets: {address}run await lab.phone.approve()"
        return WidgetShown(self._screen.box, words)

    def show_once(self) -> None:
        """Show the widget here, unless this kernel has shown it already.

        After a restart the one above belongs to a kernel that is gone: its buttons do nothing.
        """
        if self._url is not None and self._screen is None and has_widgets():
            from IPython import display as ipython  # noqa: PLC0415 - notebooks only

            show: Any = ipython.display
            show(self.widget())

    def close(self) -> None:
        """Switch the widget off, wherever it is shown; showing it again switches it on."""
        if self._screen is not None:
            self._screen.switch_off()

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
