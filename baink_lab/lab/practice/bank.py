"""A practice bank: the bank's own app and ledger in this process, whose answers can be lost."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
import uuid
from pathlib import Path
from typing import Any

import httpx

from baink_lab.auth0.tokens import TokenVerifier
from baink_lab.bank.api import create_app
from baink_lab.bank.ledger import Ledger
from baink_lab.bank.money import to_minor
from baink_lab.bank.order import Order
from baink_lab.bank.postings import Authority
from baink_lab.clock import Clock
from baink_lab.sandbox.world import accounts_audience
from baink_lab.settings import World

URL = "http://bank"
OTHER_CUSTOMER = "auth0|other"
_ALL = 1_000_000


@dataclasses.dataclass(frozen=True)
class Asked:
    """One transfer that the bank was asked for.

    Attributes:
        key: the Idempotency-Key; empty when there was none.
        order: the body.
        status: what the bank answered, whether or not the answer arrived.
        code: of its refusal; empty for a success.
        replayed: the answer was that of an earlier request with the same key.
        lost: nobody ever got the answer.
    """

    key: str
    order: Any
    status: int
    code: str
    replayed: bool
    lost: bool


class PracticeBank(httpx.AsyncBaseTransport):
    """The bank, reached through `http` without a network.

    Args:
        folder: where its ledger is.
        world: whose tokens it takes.
        tenant_http: reaches the tenant, for its keys.
        clock: dates the transfers.

    Attributes:
        ledger: the book itself.
        http: reaches the bank.
        asked: the transfers that were asked for, oldest first.
        lose: how many answers to transfers are still to be lost on the way.
    """

    def __init__(
        self, folder: Path, world: World, tenant_http: httpx.AsyncClient, clock: Clock
    ) -> None:
        self._file = folder / "ledger.db"
        self.ledger = Ledger.open(self._file)
        self.ledger.seed(world.user_id, OTHER_CUSTOMER)
        self.asked: list[Asked] = []
        self.lose = 0
        self._customer, self._clock = world.user_id, clock
        audiences = [world.audience, accounts_audience(world.audience)]
        verifier = TokenVerifier(world.issuer, audiences, tenant_http, clock)
        app = create_app(self.ledger, verifier, transfers_audience=world.audience, clock=clock)
        self._app = httpx.ASGITransport(app)
        self.http = httpx.AsyncClient(transport=self, base_url=URL)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Let the bank answer, note what was asked, and lose the answer if that is planned."""
        response = await self._app.handle_async_request(request)
        if request.method == "POST":
            lost = self.lose > 0
            self.lose -= lost
            await response.aread()
            self.asked.append(_noted(request, response, lost=lost))
            if lost:
                raise httpx.ReadTimeout("The answer was lost on the way.", request=request)
        return response

    def moved(self) -> list[str]:
        """What left the customer's accounts so far, in decimal text, oldest first."""
        entries: list[dict[str, str]] = []
        for account in self.ledger.accounts(self._customer):
            entries += reversed(self.ledger.history(self._customer, account["id"], _ALL))
        out = [one for one in entries if one["amount"].startswith("-")]
        return [one["amount"][1:] for one in sorted(out, key=lambda one: one["at"])]

    def move_all(self, from_account: str, to_account: str) -> None:
        """The customer empties an account elsewhere, say at a branch."""
        owned = {one["id"]: one for one in self.ledger.accounts(self._customer)}
        balance, currency = (owned[from_account][name] for name in ("balance", "currency"))
        order = Order(from_account, to_account, to_minor(balance), currency)
        key = str(uuid.uuid4())
        self.ledger.transfer(order, Authority(self._customer, key, key), at=self._clock.now())

    def open_account(self, name: str) -> str:
        """The customer opens one more account, at a branch; its id."""
        key = f"acc_{uuid.uuid4().hex}"
        with contextlib.closing(sqlite3.connect(self._file)) as book, book:
            book.execute(
                "INSERT INTO accounts SELECT ?, owner, holder, ?, type, currency FROM accounts "
                "WHERE owner = ? LIMIT 1",
                (key, name, self._customer),
            )
        return key

    async def aclose(self) -> None:
        """Close the book."""
        self.ledger.close()


def _noted(request: httpx.Request, response: httpx.Response, *, lost: bool) -> Asked:
    try:
        order = json.loads(request.content)
    except ValueError:
        order = None
    refused = response.status_code >= 400
    return Asked(
        key=request.headers.get("idempotency-key", ""),
        order=order,
        status=response.status_code,
        code=str(response.json().get("code", "")) if refused else "",
        replayed="idempotent-replayed" in response.headers,
        lost=lost,
    )
