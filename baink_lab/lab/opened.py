"""What every part of a lab's helper stands on: the world, and who the customer is in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from baink_lab.auth0.login import SessionToken, SessionTokens, log_in_with_form
from baink_lab.auth0.management import ManagementClient
from baink_lab.auth0.wire import new_http
from baink_lab.lab.control import Control
from baink_lab.lab.customer.accounts import Accounts
from baink_lab.lab.customer.login import Login, LoginNeeded, open_accounts, until
from baink_lab.lab.lab_clock import LabClock
from baink_lab.lab.phone.stand_in import Phone
from baink_lab.lab.tenant.journal import Journal
from baink_lab.lab.tenant.view import management_client
from baink_lab.lab.widgets.show import Shown, paragraph
from baink_lab.lab.wire.traffic import Traffic
from baink_lab.sandbox import home
from baink_lab.sandbox.lab_time import ahead
from baink_lab.settings import Settings


class Opened:
    """One lab's world.

    Attributes:
        number: of the lab.
        settings: what is set.
        ready: the sandbox's ready line.
        world: where every service is.
        clock: what tells the time, and lets it pass.
        phone: the customer's phone.
        accounts: the customer's accounts, as the bank's web portal shows them.
        traffic: who said what to whom, secrets masked.
        journal: what was changed at a real tenant (live mode).
    """

    def __init__(self, number: int, settings: Settings, ready: dict[str, Any]) -> None:
        self.number = number
        self.settings = settings
        self.ready = ready
        self.world = settings.world(ready)
        self._live = settings.mode == "live"
        self._folder = home.folder(settings.baink_home, live=self._live)
        self.journal = Journal(self._folder, settings.auth0_domain or "")
        self._control = Control(lambda: self.ready)
        self.clock = LabClock(lambda: ahead(self._folder), self._control)
        self.traffic = Traffic(self.clock)
        self.phone = Phone(self.world.phone, self.clock, self.traffic.decided)
        self._login = Login(settings, lambda: self.world, clock=self.clock)
        self._session = SessionTokens(
            self._login.needed
            if self._live
            else lambda: log_in_with_form(self.world, clock=self.clock),
            renew=self._login.renewed,
            clock=self.clock,
        )
        self.accounts = Accounts(self.world, self.session_token)
        self._notices: list[Callable[[str], object]] = []
        self._management: httpx.AsyncClient | None = None

    def manager(self) -> ManagementClient:
        """The package's own client of the Management API, as checks use it."""
        if self._management is None or self._management.is_closed:
            self._management = new_http()
            self._client = management_client(self.world, self._management, self.clock)
        return self._client

    async def login(self, address: str = "") -> Shown:
        """The customer logs in, in a browser; in the sandbox nobody has to, but may.

        Args:
            address: where the browser ended, when it could not come back to this kernel.

        Raises:
            LoginError: it did not work; the sentence says why, and what to do.
        """
        return self._logged_in(await self._login.log_in(address))

    async def session_token(self) -> str:
        """The access token of the customer's login: a secret, so never print it.

        In live mode the customer is asked to log in when there is none.
        """
        try:
            return (await self._session.current()).access_token
        except LoginNeeded:
            await self.login()
            return (await self._session.current()).access_token

    def _logged_in(self, token: SessionToken) -> Shown:
        """Who the customer is comes from the tenant's ID token, and from nowhere else."""
        if self._live:
            open_accounts(self._folder, token.subject)
        self.world = dataclasses.replace(self.world, user_id=token.subject)
        self._session.adopt(token)
        return paragraph(f"Logged in as {token.subject}, {until(token)}.")

    async def _customer(self) -> None:
        """In live mode nothing is said in a customer's name before they have logged in."""
        if self._live:
            await self.session_token()

    @property
    def _memory(self) -> Path:
        # Below the mode's own folder: what waits at one tenant is nothing to another.
        return self._folder / f"lab{self.number:02d}"

    def _tell(self, text: str) -> None:
        """Say something about the world: under the cell that waits, else where we are."""
        for notice in self._notices or [print]:
            notice(text)
