"""What every part of a lab's helper stands on: the world, and who the customer is in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from baink_lab.auth0.login import SessionTokens, log_in_with_form
from baink_lab.lab.accounts import Accounts
from baink_lab.lab.phone import Phone
from baink_lab.settings import Settings


class Opened:
    """One lab's world.

    Attributes:
        number: of the lab.
        settings: what is set.
        ready: the sandbox's ready line.
        world: where every service is.
        phone: the customer's phone.
        accounts: the customer's accounts, as the bank's web portal shows them.
    """

    def __init__(self, number: int, settings: Settings, ready: dict[str, Any]) -> None:
        self.number = number
        self.settings = settings
        self.ready = ready
        self.world = settings.world(ready)
        self.phone = Phone(self.world.phone)
        self._session = SessionTokens(lambda: log_in_with_form(self.world))
        self.accounts = Accounts(self.world, self.session_token)
        self._notices: list[Callable[[str], object]] = []

    async def session_token(self) -> str:
        """The access token of the customer's login: a secret, so never print it."""
        return (await self._session.current()).access_token

    @property
    def _memory(self) -> Path:
        return self.settings.baink_home / f"lab{self.number:02d}"

    def _tell(self, text: str) -> None:
        """Say something about the world: under the cell that waits, else where we are."""
        for notice in self._notices or [print]:
            notice(text)
