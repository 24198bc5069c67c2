"""The part of a lab's helper that talks with the tenant and the bank over a watched wire."""

from __future__ import annotations

import weakref
from typing import Any
from urllib.parse import quote

import httpx

from baink_lab.auth0.wire import LOOPBACK_DIRECT
from baink_lab.bank.client import BankClient
from baink_lab.lab.durations import Duration, in_words, seconds_of
from baink_lab.lab.learner.texts import text_of
from baink_lab.lab.opened import Opened
from baink_lab.lab.tenant.careful import Careful, ask_person, make_careful
from baink_lab.lab.tenant.enrolment import enroll_stand_in
from baink_lab.lab.tenant.view import TenantView, look
from baink_lab.lab.widgets.show import Shown, WidgetShown, link, paragraph, time_of_day
from baink_lab.lab.wire.brief import brief
from baink_lab.lab.wire.diagram import Diagram
from baink_lab.lab.wire.live_diagram import live_diagram
from baink_lab.lab.wire.not_asked import why_not_asked
from baink_lab.lab.wire.not_moved import why_not_moved
from baink_lab.lab.wire.tokens import claims_of, no_token, side_by_side, wanted_by_bank
from baink_lab.lab.wire.watched import Exchange, management_http, watched_http
from baink_lab.settings import Settings


class OnTheWire(Opened):
    """Plain httpx clients that show what they send, and what the tenant has configured.

    Attributes:
        exchanges: what was sent and answered on the wire, oldest first, secrets masked.
    """

    def __init__(self, number: int, settings: Settings, ready: dict[str, Any]) -> None:
        super().__init__(number, settings, ready)
        self.exchanges: list[Exchange] = []
        self._lent: weakref.WeakSet[httpx.AsyncClient] = weakref.WeakSet()

    def http(self) -> httpx.AsyncClient:
        """A plain httpx client for the tenant; prints what it sends and gets, secrets masked."""
        return self._lend(watched_http(f"{self.world.tenant}/", self._told))

    def bank_http(self) -> httpx.AsyncClient:
        """The same for the bank's API."""
        return self._lend(watched_http(f"{self.world.bank}/", self._told, to="Bank"))

    def bank(self) -> BankClient:
        """The bank as a tool of Aiya's calls it: what it is asked is drawn, and not printed.

        It stays open while this lab is, however often Aiya is built anew.
        """
        return BankClient(self.world.bank, http=self._lend(self.traffic.watched("Bank")))

    async def management(self, *, sure: bool = False) -> httpx.AsyncClient:
        """The same for the tenant's Management API, with a token of the lab's own.

        In live mode each change is shown before it is sent, and asked about.

        Args:
            sure: do not ask (BAINK_YES=1 says the same for all).
        """
        http = self._lend(await management_http(self.world, self._told))
        if not self._live:
            return http
        reader = self._lend(
            httpx.AsyncClient(base_url=http.base_url, headers=http.headers, mounts=LOOPBACK_DIRECT)
        )
        agreed = (lambda _: True) if sure or self.settings.baink_yes else ask_person
        domain = self.settings.auth0_domain or ""
        return make_careful(http, Careful(self.journal, domain, reader, agreed, print))

    def diagram(self, latest: int = 24) -> Diagram:
        """The latest messages that were really sent, as a sequence diagram."""
        return Diagram(self.traffic.messages[-latest:], f"Lab {self.number:02d} on the wire")

    def live_diagram(self) -> WidgetShown | Diagram:
        """The messages between you, Aiya and everybody else, drawn as they are sent."""
        title = f"Lab {self.number:02d}: who says what to whom"
        try:
            widget = live_diagram(self.traffic, title)
        except ImportError:
            return self.diagram()
        lines = [one.words for one in self.traffic.messages]
        words = "Without widgets: run lab.live_diagram() again to see what came since."
        return WidgetShown(widget, "\n".join([f"{title}.", *lines, words]))

    async def tenant(self) -> TenantView:
        """What is configured at the tenant now."""
        return await look(self.manager(), self.world)

    async def log(self, *kinds: str) -> list[dict[str, Any]]:
        """The newest entries of the tenant's log, oldest first; of some kinds, or of all."""
        entries = await self.manager().get("logs", per_page=100, sort="date:-1")
        return [one for one in reversed(entries) if not kinds or one["type"] in kinds]

    async def enroll(self, ticket_url: str | None = None) -> Shown:
        """A link to the enrolment page behind a ticket; the autopilot presses its button too.

        Args:
            ticket_url: from an enrolment ticket; in the sandbox a new one when left out. Empty
                when the tenant gave none: that is told.

        Raises:
            NoText: it is something else, such as the whole answer.
        """
        if ticket_url == "":
            return paragraph(
                "No ticket, so there is no page to open: the tenant's answer above says why. "
                "Mend that, and run the cell again."
            )
        if ticket_url is None and self._live:
            return paragraph(
                "In live mode ask Aiya for a transfer, and she offers to enrol a phone; "
                "or give me the address of a ticket."
            )
        if ticket_url is None:
            ticket_url = await self.manager().enrollment_ticket(self.world.user_id)
        if "://" not in text_of(ticket_url, "a ticket's address", "ticket_url"):
            return paragraph(
                f"“{ticket_url}” is no address that a browser could open. The tenant's answer has "
                'one: its `["ticket_url"]`.'
            )
        mine = self.settings.baink_autopilot and self.world.phone is not None
        if mine and not (await self.tenant()).devices:
            await enroll_stand_in(ticket_url)
        return link("Open the enrolment page", ticket_url)

    async def unenroll(self) -> Shown:
        """Take the customer's phone away, as if they had lost it: nobody can be asked any more.

        Sandbox only. `lab.enroll` with a new ticket brings one back.
        """
        if not self._control.is_there:
            return paragraph(
                "In live mode the phone is a real one: take it away at the tenant, "
                "User Management > Users > the customer > Multi-Factor Authentication."
            )
        devices = (await self.tenant()).devices
        sent = len(await self.phone.waiting())
        for device in devices:
            await self.manager().delete(f"guardian/enrollments/{device['id']}")
        if not devices:
            return paragraph("The customer has no phone enrolled, so there is none to take away.")
        lost = _lost(sent - len(await self.phone.waiting()))
        return paragraph(
            f"{_gone([str(one['name']) for one in devices])} {lost}Ask Aiya for a transfer and she "
            "offers to enrol one; await lab.enroll() does so without her."
        )

    async def tenant_down(self, duration: Duration = 10) -> Shown:
        """Let the tenant answer nothing but 503 for a while. Sandbox only.

        Args:
            duration: such as 10 (seconds) or "2 min", on the lab's clock.

        Raises:
            DurationError: that is no length of time.
            ControlError: the sandbox refuses, or does not answer.
        """
        seconds = seconds_of(duration)
        if not self._control.is_there:
            return paragraph("In live mode nobody here can stop the tenant: use the sandbox.")
        await self._control.order("tenant/down", seconds=seconds)
        until = time_of_day(self.clock.now() + seconds)
        return paragraph(
            f"The tenant answers 503 to everything for {in_words(seconds)}, until {until}. "
            "What waits is not lost: the resumer asks again, later each time."
        )

    def decode(self, token: Any = None, **tokens: Any) -> Shown:
        """Tokens side by side with what the bank wants; their signatures are not shown.

        Where there is no token, that is said in a sentence.

        Args:
            token: one token; or several, by whose they are: ``decode(portal=…, aiya=…)``.
            tokens: the same, by name.
        """
        given = ({} if token is None and tokens else {"Your token": token}) | tokens
        for name, one in given.items():
            if wrong := no_token(one):
                return paragraph(wrong if len(given) == 1 else f"{name}: {wrong}")
        shown = side_by_side(given, wanted_by_bank(self.world))
        lapsed = [told for name, one in given.items() if (told := self._lapsed(name, one))]
        if not lapsed:
            return shown
        words = paragraph(" ".join(lapsed))
        return Shown(f"{shown.html}{words.html}", f"{shown.text}\n{words.text}")

    def _lapsed(self, name: str, token: str) -> str:
        """That a token is too old, and where lab 04 gets another; empty for one that is not."""
        at = (claims_of(token) or {}).get("exp")
        if not isinstance(at, int | float) or self.clock.now() < at:
            return ""
        again = " Go back to “For real”, and ask again." if self.number == 4 else ""
        return (
            f"{name}: its time was up at {time_of_day(at)}, and the bank takes it no more.{again}"
        )

    def quoted(self, name: str) -> str:
        """A name as one segment of a path: an API's identifier has slashes.

        Raises:
            NoText: it is no text.
        """
        return quote(text_of(name, "a name"), safe="")

    async def hang_up(self) -> None:
        """Close the client that checks use, and those that the learner was given."""
        if self._management is not None:
            await self._management.aclose()
        for http in list(self._lent):
            await http.aclose()

    def _lend(self, http: httpx.AsyncClient) -> httpx.AsyncClient:
        self._lent.add(http)
        return http

    def _told(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.traffic.exchanged(exchange)
        print(f"{brief(exchange)}\n")  # noqa: T201 - a notebook's output
        if refused := why_not_asked(exchange):
            print(f"{refused}\n")  # noqa: T201 - a notebook's output
        if self.number == 4 and (refused := why_not_moved(exchange)):
            print(f"{refused}\n")  # noqa: T201 - a notebook's output


def _gone(names: list[str]) -> str:
    """That phones with these names are the customer's no more; several may have one name."""
    if len(names) == 1:
        return f"“{names[0]}” is not the customer's phone any more."
    called = " and ".join(f"“{one}”" for one in dict.fromkeys(names))
    return f"The customer's {len(names)} phones ({called}) are theirs no more."


def _lost(requests: int) -> str:
    if not requests:
        return ""
    if requests == 1:
        return "One request was sent to it, which nobody can answer now: it lapses. "
    return f"{requests} requests were sent to it, which nobody can answer now: they lapse. "
