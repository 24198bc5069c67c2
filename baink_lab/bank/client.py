"""The bAInk seen from outside: what an agent calls with a customer's token."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from baink_lab.errors import BainkError, InOneSentence

TIMEOUT_SECONDS = 10.0

_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1
_TRY_AGAIN = frozenset({408, 425, 429})


class BankError(BainkError):
    """The bank refused, and will refuse again: `code` says why, `sentence` says it to people.

    Args:
        code: the problem's stable code, such as `insufficient_funds` or `invalid_token`.
        sentence: the bank's own words.
        status: the HTTP status.
    """

    code = "bank_error"

    def __init__(self, code: str, sentence: str, status: int) -> None:
        super().__init__(sentence, code=code)
        self.status = status


class BankUnavailable(InOneSentence, BainkError):
    """The bank gave no usable answer; it may have acted. Ask again with the same key.

    Not a `BankError`: this says nothing about whether the money moved.

    Args:
        sentence: what happened.
        retry_after: seconds that the bank asks us to wait, when it says so.
    """

    code = "bank_unavailable"

    def __init__(self, sentence: str, *, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class BankClient:
    """The calls that an agent makes. Tokens go into headers and nowhere else.

    Args:
        base_url: the bank's base URL, without `/api`.
        http: a client to use instead of our own; whoever made it closes it.
    """

    def __init__(self, base_url: str, *, http: httpx.AsyncClient | None = None) -> None:
        self._base = base_url.rstrip("/")
        self._own = http is None
        # On this machine no proxy comes between, whatever the environment says.
        straight = {"all://127.0.0.1": None, "all://localhost": None}
        self._http = http or httpx.AsyncClient(timeout=TIMEOUT_SECONDS, mounts=straight)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._own:
            await self._http.aclose()

    async def accounts(self, token: str) -> dict[str, Any]:
        """The customer's accounts with balances, and whom they can pay.

        Raises:
            BankError: the bank refused.
            BankUnavailable: no usable answer.
        """
        return await self._call(token, "GET", "/api/accounts")

    async def history(self, token: str, account_id: str, *, limit: int = 20) -> dict[str, Any]:
        """The latest `limit` entries (1 to 100) of one account, newest first.

        Raises:
            BankError: the bank refused.
            BankUnavailable: no usable answer.
        """
        path = f"/api/accounts/{quote(account_id, safe='')}/history"
        return await self._call(token, "GET", path, params={"limit": limit})

    async def transfer(
        self,
        token: str,
        idempotency_key: str,
        *,
        from_account: str,
        to_account: str,
        amount: str,
        currency: str,
        memo: str = "",
    ) -> dict[str, Any]:
        """Move money once, however often this is called with the same key and order.

        Args:
            token: an access token with the scope `create:transfer`, good for one transfer.
            idempotency_key: names this transfer; 1 to 255 visible ASCII characters.
            from_account: id of an account of the customer.
            to_account: id of another account of the customer, or of a payee.
            amount: decimal text, such as `25.00`.
            currency: ISO 4217 code, such as `USD`.
            memo: a word for both statements, at most 140 characters.

        Returns:
            The bank's receipt: `id`, the order, `created_at` and `balance_after`.

        Raises:
            BankError: the bank refused; nothing moved by this call.
            BankUnavailable: no usable answer; it may have moved. Call again with the same key.
        """
        order = {
            "from_account": from_account,
            "to_account": to_account,
            "amount": amount,
            "currency": currency,
            "memo": memo,
        }
        headers = {"Idempotency-Key": idempotency_key}
        return await self._call(
            token, "POST", "/api/accounts/transfers", json=order, headers=headers
        )

    async def statement(self, token: str, year: int) -> dict[str, Any]:
        """One year of the customer: each account with what was paid in and out.

        Args:
            token: an access token with the scope `read:statements`.
            year: such as 2026.

        Raises:
            BankError: the bank refused.
            BankUnavailable: no usable answer.
        """
        return await self._call(token, "GET", f"/api/accounts/statements/{int(year)}")

    async def dispute(
        self, token: str, idempotency_key: str, *, transfer_id: str, reason: str
    ) -> dict[str, Any]:
        """Open one ticket for an entry of the customer's, however often this is called.

        Args:
            token: an access token with the scope `create:dispute`.
            idempotency_key: names this ticket; 1 to 255 visible ASCII characters.
            transfer_id: the `id` of an entry, from `history`.
            reason: one line, at most 280 characters.

        Returns:
            The ticket: `id`, `transfer_id`, `reason`, `status` and `opened_at`.

        Raises:
            BankError: the bank refused; there is no ticket.
            BankUnavailable: no usable answer; there may be one. Call again with the same key.
        """
        said = {"transfer_id": transfer_id, "reason": reason}
        headers = {"Idempotency-Key": idempotency_key}
        return await self._call(token, "POST", "/api/accounts/disputes", json=said, headers=headers)

    async def _call(self, token: str, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        if not _B64TOKEN.fullmatch(token):
            # httpx would raise too, with the token in its message.
            raise BankError("invalid_token", "What was given as a token is no access token.", 401)
        headers = {"Authorization": f"Bearer {token}", **kwargs.pop("headers", {})}
        response = await self._send(method, path, headers=headers, **kwargs)
        if response is None:
            raise BankUnavailable("The bank cannot be reached. Try again in a moment.")
        return _answer(response)

    async def _send(self, method: str, path: str, **kwargs: Any) -> httpx.Response | None:
        # None, not an exception raised here: httpx's errors carry the request, and so the token.
        try:
            return await self._http.request(method, f"{self._base}{path}", **kwargs)
        except httpx.RequestError:
            return None


def _answer(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of a success.

    Raises:
        BankError: a refusal (4xx).
        BankUnavailable: anything else.
    """
    status = response.status_code
    body = _json_object(response)
    if status in _TRY_AGAIN or status >= 500:
        raise BankUnavailable(
            f"The bank answered HTTP {status}. Try again in a moment.", retry_after=_wait(response)
        )
    if status >= 400:
        code, detail = (body or {}).get("code"), (body or {}).get("detail")
        raise BankError(
            code if isinstance(code, str) else f"http_{status}",
            detail if isinstance(detail, str) else f"The bank refused with HTTP {status}.",
            status,
        )
    if body is None or not 200 <= status < 300:
        raise BankUnavailable(f"The bank's answer (HTTP {status}) could not be read.")
    return body


def _json_object(response: httpx.Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _wait(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None
