"""Whom the bAInk serves on its first day, and what they own."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence

from baink_lab.bank.postings import enter, timestamp

HOUSE = "the bAInk"  # the equity account's owner: the other side of every first deposit
PAYEE_OWNER = "customer:mia"
OTHER_CUSTOMER = "customer:ben"  # Ben, where no tenant of ours knows him
PAYEE_HOLDER = "Mia Moreau"
CUSTOMER_HOLDER = "Ana Alvarez"
OTHER_HOLDER = "Ben Brandt"
CURRENCY = "USD"

# name, type, opening balance in cents
CUSTOMER_ACCOUNTS = (("Checking", "checking", 250_000), ("Savings", "savings", 1_000_000))
OTHER_ACCOUNTS = (("Checking", "checking", 120_000),)
PAYEE_ACCOUNTS = (("Checking", "checking", 80_000),)


def open_accounts(book: sqlite3.Connection, owner_id: str, other_id: str, at: float) -> None:
    """Make the accounts and payees of Ana (`owner_id`) and Ben that are not there yet."""
    own = _accounts(book, owner_id, CUSTOMER_HOLDER, CUSTOMER_ACCOUNTS, at)
    other = _accounts(book, other_id, OTHER_HOLDER, OTHER_ACCOUNTS, at)
    payee = _accounts(book, PAYEE_OWNER, PAYEE_HOLDER, PAYEE_ACCOUNTS, at)
    pairs = [(owner_id, payee[0]), (owner_id, other[0]), (other_id, own[0])]
    book.executemany("INSERT OR IGNORE INTO payees VALUES (?, ?)", pairs)


def _accounts(
    book: sqlite3.Connection,
    owner: str,
    holder: str,
    wanted: Sequence[tuple[str, str, int]],
    at: float,
) -> list[str]:
    """Make the accounts that `owner` does not have yet; returns the ids of all of `wanted`."""
    book.execute("INSERT OR IGNORE INTO totals VALUES (?, 0)", (CURRENCY,))
    house, _ = _account(book, HOUSE, HOUSE, "Equity", "equity")
    ids = []
    for name, kind, balance in wanted:
        account_id, is_new = _account(book, owner, holder, name, kind)
        if is_new:
            deposit = f"tr_{secrets.token_hex(8)}"
            book.execute(
                "INSERT INTO transfers (id, memo, created_at) VALUES (?, ?, ?)",
                (deposit, "Opening balance", timestamp(at)),
            )
            enter(book, deposit, house, account_id, balance)
        ids.append(account_id)
    return ids


def _account(
    book: sqlite3.Connection, owner: str, holder: str, name: str, kind: str
) -> tuple[str, bool]:
    """Find or make an account; returns its id, and whether it is new."""
    row = book.execute(
        "SELECT id FROM accounts WHERE owner = ? AND name = ?", (owner, name)
    ).fetchone()
    if row:
        return str(row[0]), False
    account_id = f"acc_{secrets.token_hex(8)}"
    book.execute(
        "INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?)",
        (account_id, owner, holder, name, kind, CURRENCY),
    )
    return account_id, True
