"""A bank with a tenant's key in its hand: what the tests of the bank share."""

from __future__ import annotations

import dataclasses
import itertools
import json
import secrets
from functools import cache
from pathlib import Path

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette

from baink_lab.auth0.tokens import TokenVerifier
from baink_lab.bank.api import create_app
from baink_lab.bank.ledger import Ledger
from baink_lab.clock import Clock, VirtualClock

ISSUER = "http://tenant.test/"
TRANSFERS = "https://bank.test/api/accounts/transfers"
ACCOUNTS = "https://bank.test/api/accounts"
ANA, BEN = "auth0|ana", "auth0|ben"
START = 1_700_000_000

_keys = itertools.count()


@cache
def signing_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})


def mint(key: RSAKey | None = None, now: float = START, **changes) -> str:
    """A token that is good for one transfer of Ana, unless `changes` (None: leave out) say more."""
    claims = {
        "iss": ISSUER,
        "sub": ANA,
        "aud": [TRANSFERS, f"{ISSUER}userinfo"],
        "client_id": "agent",
        "iat": int(now),
        "exp": int(now) + 300,
        "jti": secrets.token_hex(11),
        "scope": "openid create:transfer",
    } | changes
    said = {name: value for name, value in claims.items() if value is not None}
    header = {"alg": "RS256", "typ": "at+jwt", "kid": "k1"}
    return jwt.encode(header, said, key or signing_key())


def new_key() -> str:
    return f"key-{next(_keys)}"


def tenant_http() -> httpx.AsyncClient:
    """A tenant that publishes its keys, and nothing else."""
    keys = {"keys": [signing_key().as_dict(private=False)]}
    return httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json=keys))
    )


def bank_app(ledger: Ledger, clock: Clock, http: httpx.AsyncClient | None = None) -> Starlette:
    verifier = TokenVerifier(ISSUER, [TRANSFERS, ACCOUNTS], http or tenant_http(), clock)
    return create_app(ledger, verifier, transfers_audience=TRANSFERS, clock=clock)


def open_ledger(path: Path) -> Ledger:
    ledger = Ledger.open(path)
    ledger.seed(ANA, BEN, at=START)
    return ledger


@dataclasses.dataclass
class Bank:
    """The bank's API over ASGI, its ledger and its clock."""

    ledger: Ledger
    clock: VirtualClock
    http: httpx.AsyncClient

    def account(self, name: str, owner: str = ANA) -> str:
        return next(a["id"] for a in self.ledger.accounts(owner) if a["name"] == name)

    def payee(self, name: str) -> str:
        return next(p["id"] for p in self.ledger.payees(ANA) if p["name"] == name)

    def balances(self, owner: str = ANA) -> dict[str, str]:
        return {a["name"]: a["balance"] for a in self.ledger.accounts(owner)}

    def order(self, **changes) -> dict:
        order = {
            "from_account": self.account("Checking"),
            "to_account": self.account("Savings"),
            "amount": "25.00",
            "currency": "USD",
            "memo": "",
        } | changes
        return {name: value for name, value in order.items() if value is not None}

    async def get(self, path: str, token: str | None = None, **kwargs) -> httpx.Response:
        return await self.http.get(path, headers=_bearer(token or mint()), **kwargs)

    async def post(
        self, order: object, token: str | None = None, key: str | None = None
    ) -> httpx.Response:
        headers = _bearer(token or mint()) | {
            "Idempotency-Key": key or new_key(),
            "Content-Type": "application/json",
        }
        # Not httpx's own `json=`: it cannot write a lone surrogate, and an attacker can.
        body = json.dumps(order).encode()
        return await self.http.post("/api/accounts/transfers", content=body, headers=headers)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
