"""Routes that want a scope of their own: a year's statement, and disputes."""

from __future__ import annotations

import asyncio
import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from baink_lab.auth0.tokens import AccessToken, TokenVerifier
from baink_lab.bank.bearer import authenticate, require_scope
from baink_lab.bank.disputes import dispute_in
from baink_lab.bank.ledger import Ledger
from baink_lab.bank.problems import Refusal
from baink_lab.bank.requests import answer, key_in, object_in
from baink_lab.clock import Clock
from baink_lab.settings import DISPUTE_SCOPE, STATEMENT_SCOPE

_YEAR = re.compile(r"[0-9]{4}")


class Protected:
    """What the token of a login never opens: it takes one that an approval brought.

    Args:
        ledger: where the entries and tickets are.
        verifier: checks tokens.
        audience: the one audience whose tokens are taken.
        clock: dates the tickets.
    """

    def __init__(
        self, ledger: Ledger, verifier: TokenVerifier, audience: str, clock: Clock
    ) -> None:
        self._ledger, self._verifier = ledger, verifier
        self._audience, self._clock = audience, clock

    def routes(self) -> list[Route]:
        """Where this is served."""
        return [
            Route("/api/accounts/statements/{year}", self.statement),
            Route("/api/accounts/disputes", self.dispute, methods=["POST"]),
        ]

    async def statement(self, request: Request) -> Response:
        """One year of the token's subject."""
        access = await self._access(request, STATEMENT_SCOPE)
        year = request.path_params["year"]
        if not _YEAR.fullmatch(year) or not 1000 <= int(year) <= 9000:
            raise Refusal("invalid_year", "The year must have four digits, like 2026.")
        told = await asyncio.to_thread(self._ledger.statement, access.subject, int(year))
        return answer(told)

    async def dispute(self, request: Request) -> Response:
        """A ticket for an entry of the token's subject."""
        access = await self._access(request, DISPUTE_SCOPE)
        key, dispute = key_in(request), dispute_in(await object_in(request))
        ticket, replayed = await asyncio.to_thread(
            self._ledger.open_dispute, dispute, access.subject, key, at=self._clock.now()
        )
        return answer(ticket, 201, {"Idempotent-Replayed": "true"} if replayed else {})

    async def _access(self, request: Request, scope: str) -> AccessToken:
        access = await authenticate(request, self._verifier, self._audience)
        require_scope(access, [scope])
        return access
