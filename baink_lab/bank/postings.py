"""The steps of a move of money, each inside the transaction that its caller has begun."""

from __future__ import annotations

import dataclasses
import datetime
import json
import secrets
import sqlite3
from typing import Any

from baink_lab.bank import money
from baink_lab.bank.order import Order
from baink_lab.bank.problems import Refusal


@dataclasses.dataclass(frozen=True)
class Authority:
    """In whose name a transfer is made: the customer, the request's key, the token that pays."""

    owner: str
    idempotency_key: str
    token_id: str


def receipt_of(
    book: sqlite3.Connection, order: Order, authority: Authority
) -> dict[str, Any] | None:
    """What was answered to this key before; None for a new key.

    Raises:
        Refusal: `idempotency_key_reused`, when it was another order.
    """
    row = book.execute(
        "SELECT digest, receipt FROM transfers WHERE owner = ? AND idempotency_key = ?",
        (authority.owner, authority.idempotency_key),
    ).fetchone()
    if row is None:
        return None
    if row[0] != order.digest:
        raise Refusal(
            "idempotency_key_reused",
            "This Idempotency-Key belongs to another transfer. Use a new key for a new transfer.",
        )
    receipt: dict[str, Any] = json.loads(row[1])
    return receipt


def check_token(book: sqlite3.Connection, token_id: str) -> None:
    """See that the token has paid for nothing yet.

    Raises:
        Refusal: `token_already_used`.
    """
    if book.execute("SELECT 1 FROM transfers WHERE token_id = ?", (token_id,)).fetchone():
        raise Refusal(
            "token_already_used",
            "This access token has paid for a transfer, and is good for one. Ask for another.",
        )


def check_accounts(book: sqlite3.Connection, order: Order, owner: str) -> int:
    """See that `owner` can move money between the two accounts.

    Returns:
        The balance of `from_account`, in minor units.

    Raises:
        Refusal: `unknown_account`, `not_your_account` or `currency_mismatch`.
    """
    currency = own_account(book, owner, order.from_account)
    row = book.execute(
        "SELECT a.currency FROM accounts a WHERE a.id = ?1 AND (a.owner = ?2 "
        "OR EXISTS (SELECT 1 FROM payees p WHERE p.owner = ?2 AND p.account_id = ?1))",
        (order.to_account, owner),
    ).fetchone()
    if row is None:
        raise Refusal("unknown_account", "to_account is neither your account nor your payee's.")
    if {currency, row[0]} != {order.currency}:
        raise Refusal("currency_mismatch", f"The accounts are not both in {order.currency}.")
    balance = book.execute(
        "SELECT coalesce(sum(amount), 0) FROM entries WHERE account_id = ?", (order.from_account,)
    ).fetchone()
    return int(balance[0])


def own_account(book: sqlite3.Connection, owner: str, account_id: str) -> str:
    """The currency of an account of `owner`.

    Raises:
        Refusal: `unknown_account` or `not_your_account`.
    """
    row = book.execute(
        "SELECT owner, currency FROM accounts WHERE id = ?", (account_id,)
    ).fetchone()
    if row is None:
        raise Refusal("unknown_account", "There is no account with that id.")
    if row[0] != owner:
        raise Refusal("not_your_account", "That account is somebody else's.")
    return str(row[1])


def new_receipt(order: Order, balance: int, at: float) -> dict[str, Any]:
    """What the bank answers: `balance` is what is left in `from_account`, in minor units."""
    return {
        "id": f"tr_{secrets.token_hex(8)}",
        "from_account": order.from_account,
        "to_account": order.to_account,
        "amount": money.to_text(order.amount),
        "currency": order.currency,
        "memo": order.memo,
        "created_at": timestamp(at),
        "balance_after": money.to_text(balance),
    }


def post(
    book: sqlite3.Connection, order: Order, authority: Authority, receipt: dict[str, Any]
) -> None:
    """Write a transfer down: its key, token and receipt, and both entries."""
    book.execute(
        "INSERT INTO transfers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            receipt["id"],
            order.memo,
            receipt["created_at"],
            authority.owner,
            authority.idempotency_key,
            order.digest,
            authority.token_id,
            json.dumps(receipt),
        ),
    )
    enter(book, receipt["id"], order.from_account, order.to_account, order.amount)


def enter(book: sqlite3.Connection, transfer_id: str, source: str, to: str, amount: int) -> None:
    """Write the two entries of a move of `amount` minor units."""
    book.executemany(
        "INSERT INTO entries (transfer_id, account_id, amount) VALUES (?, ?, ?)",
        [(transfer_id, source, -amount), (transfer_id, to, amount)],
    )


def timestamp(at: float) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
