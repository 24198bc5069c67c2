"""The bank's HTTP interface: a resource server for RFC 9068 tokens."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sqlite3
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from baink_lab.auth0.tokens import TokenVerifier
from baink_lab.bank.bearer import authenticate, challenge, require_scope
from baink_lab.bank.ledger import Ledger
from baink_lab.bank.order import check_approved, order_in
from baink_lab.bank.postings import Authority
from baink_lab.bank.problems import Refusal, response_to
from baink_lab.clock import Clock
from baink_lab.settings import READ_SCOPE, TRANSFER_SCOPE

BODY_BYTES = 16 * 1024
HISTORY_ENTRIES = 20  # when the caller does not say
HISTORY_MOST = 100

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_LIMIT = re.compile(r"[0-9]{1,4}")
_log = logging.getLogger(__name__)


def create_app(
    ledger: Ledger, verifier: TokenVerifier, *, transfers_audience: str, clock: Clock
) -> Starlette:
    """The bank as an ASGI application.

    Args:
        ledger: where the money is.
        verifier: checks tokens for every audience that reads are answered for.
        transfers_audience: the one audience whose tokens may move money.
        clock: dates the transfers.
    """
    bank = _Bank(ledger, verifier, transfers_audience, clock)
    app = Starlette(
        routes=[
            Route("/health", bank.health),
            Route("/api/accounts", bank.accounts),
            Route("/api/accounts/transfers", bank.transfer, methods=["POST"]),
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
        return _json({"status": "ok"})

    async def accounts(self, request: Request) -> Response:
        owner = await self._reader(request)
        accounts = await asyncio.to_thread(self._ledger.accounts, owner)
        payees = await asyncio.to_thread(self._ledger.payees, owner)
        return _json({"accounts": accounts, "payees": payees})

    async def history(self, request: Request) -> Response:
        owner = await self._reader(request)
        account_id = request.path_params["account_id"]
        limit = _limit_in(request)
        entries = await asyncio.to_thread(self._ledger.history, owner, account_id, limit)
        return _json({"account_id": account_id, "entries": entries})

    async def transfer(self, request: Request) -> Response:
        access = await authenticate(request, self._verifier, self._transfers_audience)
        require_scope(access, [TRANSFER_SCOPE])
        key = _key_in(request)
        order = order_in(await _object_in(request))
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
        return _json(posting.receipt, 201, headers)

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


def _key_in(request: Request) -> str:
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        raise Refusal(
            "idempotency_key_missing",
            "Send an Idempotency-Key header: a new one for each transfer, the same for each retry.",
        )
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise Refusal(
            "idempotency_key_invalid",
            "Send one Idempotency-Key of 1 to 255 visible ASCII characters.",
        )
    return keys[0]


def _limit_in(request: Request) -> int:
    text = request.query_params.get("limit", str(HISTORY_ENTRIES))
    if not _LIMIT.fullmatch(text) or not 1 <= int(text) <= HISTORY_MOST:
        raise Refusal("invalid_limit", f"limit must be a whole number from 1 to {HISTORY_MOST}.")
    return int(text)


async def _object_in(request: Request) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal("unsupported_media_type", "Send Content-Type: application/json.")
    try:
        body = json.loads((await _body(request)).decode(), object_pairs_hook=_each_once)
    except (ValueError, RecursionError, ClientDisconnect):
        body = None
    if not isinstance(body, dict):
        raise Refusal("invalid_json", "The body must be one JSON object in UTF-8.")
    return body


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; two readers of one order must not see two amounts."""
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a name is there twice")
    return found


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise Refusal("body_too_large", f"A transfer fits in {BODY_BYTES} bytes.")
    return bytes(body)


def _json(
    body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return JSONResponse(body, status, {"Cache-Control": "no-store", **(headers or {})})


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
