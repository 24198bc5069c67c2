"""The bank's HTTP interface: a resource server for RFC 9068 tokens."""

from __future__ import annotations

import asyncio
import logging
import re
import sqlite3

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from baink_lab.auth0.tokens import TokenVerifier
from baink_lab.bank.bearer import authenticate, challenge, require_scope
from baink_lab.bank.ledger import Ledger
from baink_lab.bank.order import check_approved, order_in
from baink_lab.bank.postings import Authority
from baink_lab.bank.problems import Refusal, response_to
from baink_lab.bank.protected import Protected
from baink_lab.bank.requests import answer, key_in, object_in
from baink_lab.clock import Clock
from baink_lab.settings import READ_SCOPE, TRANSFER_SCOPE

HISTORY_ENTRIES = 20  # when the caller does not say
HISTORY_MOST = 100

_LIMIT = re.compile(r"[0-9]{1,4}")
_log = logging.getLogger(__name__)


def create_app(
    ledger: Ledger, verifier: TokenVerifier, *, transfers_audience: str, clock: Clock
) -> Starlette:
    """The bank as an ASGI application.

    Args:
        ledger: where the money is.
        verifier: checks tokens for every audience that reads are answered for.
        transfers_audience: the one audience whose tokens may move money, read a year's statement
            or open a dispute, each with a scope of its own.
        clock: dates what is written.
    """
    bank = _Bank(ledger, verifier, transfers_audience, clock)
    protected = Protected(ledger, verifier, transfers_audience, clock)
    app = Starlette(
        routes=[
            Route("/health", bank.health),
            Route("/api/accounts", bank.accounts),
            Route("/api/accounts/transfers", bank.transfer, methods=["POST"]),
            *protected.routes(),
            Route("/api/accounts/{account_id}/history", bank.history),
        ],
        exception_handlers={
            Refusal: _refused,
            HTTPException: _not_routed,
            sqlite3.OperationalError: _ledger_busy,
            Exception: _broken,
        },
    )
    app.router.redirect_slashes = False  # one path for each thing: anything else is a 404
    return app


class _Bank:
    """The routes, and what they share."""

    def __init__(
        self, ledger: Ledger, verifier: TokenVerifier, transfers_audience: str, clock: Clock
    ) -> None:
        self._ledger, self._verifier = ledger, verifier
        self._transfers_audience, self._clock = transfers_audience, clock

    async def health(self, request: Request) -> Response:
        return answer({"status": "ok"})

    async def accounts(self, request: Request) -> Response:
        owner = await self._reader(request)
        accounts = await asyncio.to_thread(self._ledger.accounts, owner)
        payees = await asyncio.to_thread(self._ledger.payees, owner)
        return answer({"accounts": accounts, "payees": payees})

    async def history(self, request: Request) -> Response:
        owner = await self._reader(request)
        account_id = request.path_params["account_id"]
        limit = _limit_in(request)
        entries = await asyncio.to_thread(self._ledger.history, owner, account_id, limit)
        return answer({"account_id": account_id, "entries": entries})

    async def transfer(self, request: Request) -> Response:
        access = await authenticate(request, self._verifier, self._transfers_audience)
        require_scope(access, [TRANSFER_SCOPE])
        key = key_in(request)
        order = order_in(await object_in(request))
        try:
            check_approved(access.authorization_details, order)
            posting = await asyncio.to_thread(
                self._ledger.transfer,
                order,
                Authority(access.subject, key, access.token_id),
                at=self._clock.now(),
            )
        except Refusal as refusal:
            refusal.headers.update(_CHALLENGES.get(refusal.code, {}))
            raise
        headers = {"Idempotent-Replayed": "true"} if posting.replayed else {}
        return answer(posting.receipt, 201, headers)

    async def _reader(self, request: Request) -> str:
        access = await authenticate(request, self._verifier)
        require_scope(access, [READ_SCOPE, TRANSFER_SCOPE])
        return access.subject


# RFC 9396 has no resource-server code of its own: insufficient_scope, as contract section 7.2 says.
_CHALLENGES = {
    "authorization_details_mismatch": challenge(
        "insufficient_scope", "The access token was approved for another transfer", TRANSFER_SCOPE
    ),
    "token_already_used": challenge("invalid_token", "The access token was already used"),
}


def _limit_in(request: Request) -> int:
    text = request.query_params.get("limit", str(HISTORY_ENTRIES))
    if not _LIMIT.fullmatch(text) or not 1 <= int(text) <= HISTORY_MOST:
        raise Refusal("invalid_limit", f"limit must be a whole number from 1 to {HISTORY_MOST}.")
    return int(text)


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return response_to(refusal)


async def _not_routed(request: Request, wrong: Exception) -> Response:
    assert isinstance(wrong, HTTPException)
    if wrong.status_code == 405:
        detail = f"{request.method} is not for this path."
        return response_to(Refusal("method_not_allowed", detail, headers=wrong.headers))
    return response_to(Refusal("not_found", "The API is under /api/accounts."))


async def _ledger_busy(request: Request, failure: Exception) -> Response:
    _log.warning("ledger: %s", failure)
    detail = "The ledger cannot be written now. Send the same request again in a moment."
    return response_to(Refusal("ledger_busy", detail, headers={"Retry-After": "1"}))


async def _broken(request: Request, failure: Exception) -> Response:
    detail = "This is our mistake. If it was a transfer, send it again with the same key."
    return response_to(Refusal("internal", detail))
