"""The bank's book: who has how much, and every move of money, exactly once."""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from baink_lab.bank import money, opening
from baink_lab.bank.book import open_book
from baink_lab.bank.disputes import Dispute, open_dispute
from baink_lab.bank.order import Order
from baink_lab.bank.postings import (
    Authority,
    check_accounts,
    check_token,
    new_receipt,
    own_account,
    post,
    receipt_of,
)
from baink_lab.bank.problems import Refusal
from baink_lab.bank.statements import statement_of


@dataclasses.dataclass(frozen=True)
class Posting:
    """What the bank answers to a transfer; `replayed` when it was made by an earlier request."""

    receipt: dict[str, Any]
    replayed: bool


class Ledger:
    """A double-entry book in one SQLite file, shared by threads and processes.

    Amounts are whole minor units (cents). Every change is one transaction that takes the write
    lock first, so that what it read is still so when it writes.
    """

    def __init__(self, book: sqlite3.Connection) -> None:
        self._book = book
        self._lock = threading.Lock()  # one connection: one thread at a time

    @classmethod
    def open(cls, path: Path) -> Ledger:
        """Open the ledger in `path`, made on first use.

        Raises:
            LedgerError: the file cannot be used.
        """
        return cls(open_book(path))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._book.close()

    def seed(self, owner_id: str, other_id: str, *, at: float | None = None) -> None:
        """Give the two demo customers their accounts and payees, unless they have them.

        Args:
            owner_id: user id of Ana, who has Checking and Savings and can pay Mia and Ben.
            other_id: user id of Ben, who has Checking and can pay Ana.
            at: the time of the first deposits, in seconds since the epoch; now by default.
        """
        with self._transaction() as book:
            opening.open_accounts(book, owner_id, other_id, time.time() if at is None else at)

    def accounts(self, owner: str) -> list[dict[str, str]]:
        """The accounts of `owner`, as the API shows them: id, name, type, currency, balance."""
        rows = self._rows(
            "SELECT a.id, a.name, a.type, a.currency, "
            "(SELECT coalesce(sum(amount), 0) FROM entries WHERE account_id = a.id) AS balance "
            "FROM accounts a WHERE a.owner = ? ORDER BY a.rowid",
            owner,
        )
        return [{**row, "balance": money.to_text(row["balance"])} for row in rows]

    def payees(self, owner: str) -> list[dict[str, str]]:
        """Whom `owner` can pay: account id and name."""
        return self._rows(
            "SELECT a.id, a.holder AS name FROM payees p JOIN accounts a ON a.id = p.account_id "
            "WHERE p.owner = ? ORDER BY p.rowid",
            owner,
        )

    def history(self, owner: str, account_id: str, limit: int) -> list[dict[str, str]]:
        """The latest entries of an account of `owner`, newest first.

        Raises:
            Refusal: `unknown_account` or `not_your_account`.
        """
        with self._lock:
            own_account(self._book, owner, account_id)
        rows = self._rows(
            "SELECT t.id, mine.amount, a.currency, t.memo, t.created_at AS at, "
            "CASE b.owner WHEN a.owner THEN b.name ELSE b.holder END AS counterparty "
            "FROM entries mine JOIN transfers t ON t.id = mine.transfer_id "
            "JOIN accounts a ON a.id = mine.account_id "
            "JOIN entries theirs ON theirs.transfer_id = t.id AND theirs.number <> mine.number "
            "JOIN accounts b ON b.id = theirs.account_id "
            "WHERE mine.account_id = ? ORDER BY mine.number DESC LIMIT ?",
            account_id,
            limit,
        )
        return [{**row, "amount": money.to_text(row["amount"])} for row in rows]

    def transfer(self, order: Order, authority: Authority, *, at: float) -> Posting:
        """Move money once: both entries, key, token and receipt in one transaction.

        The same key with the same order is answered as before, and moves nothing.

        Args:
            order: what to move.
            authority: in whose name.
            at: seconds since the epoch.

        Raises:
            Refusal: `idempotency_key_reused`, `token_already_used`, `unknown_account`,
                `not_your_account`, `currency_mismatch` or `insufficient_funds`. Nothing moved,
                and neither key nor token is used up.
        """
        with self._transaction() as book:
            before = receipt_of(book, order, authority)
            if before is not None:
                return Posting(before, replayed=True)
            check_token(book, authority.token_id)
            balance = check_accounts(book, order, authority.owner)
            if balance < order.amount:
                raise Refusal(
                    "insufficient_funds",
                    f"There are {money.to_text(balance)} {order.currency} in that account, "
                    f"and {money.to_text(order.amount)} are needed. Nothing moved.",
                )
            receipt = new_receipt(order, balance - order.amount, at)
            post(book, order, authority, receipt)
        return Posting(receipt, replayed=False)

    def statement(self, owner: str, year: int) -> dict[str, Any]:
        """One year of `owner`: each account with what was paid in and out."""
        with self._lock:
            return statement_of(self._book, owner, year)

    def open_dispute(
        self, dispute: Dispute, owner: str, key: str, *, at: float
    ) -> tuple[dict[str, Any], bool]:
        """Open a ticket once; the same key is answered as before.

        Returns:
            The ticket, and whether an earlier request opened it.

        Raises:
            Refusal: `idempotency_key_reused` or `unknown_transfer`.
        """
        with self._transaction() as book:
            return open_dispute(book, dispute, owner, key, at)

    def total(self) -> int:
        """The sum of all entries, in minor units; anything but 0 is a broken ledger."""
        return int(self._rows("SELECT coalesce(sum(amount), 0) AS total FROM entries")[0]["total"])

    def _rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with self._lock:
            cursor = self._book.execute(query, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, alone with the book: IMMEDIATE takes the write lock before reading."""
        with self._lock:
            self._book.execute("BEGIN IMMEDIATE")
            try:
                yield self._book
                self._book.execute("COMMIT")
            finally:
                if self._book.in_transaction:
                    self._book.execute("ROLLBACK")
