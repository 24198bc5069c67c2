"""A year's statement of a customer, as tax offices ask for it, added up from the ledger."""

from __future__ import annotations

import sqlite3
from typing import Any

from baink_lab.bank import money

_SUMS = """
SELECT a.id AS account_id, a.name, a.currency,
    coalesce(sum(e.amount) FILTER (WHERE t.created_at < :begin), 0) AS opening,
    coalesce(sum(e.amount) FILTER (WHERE t.created_at >= :begin AND e.amount > 0), 0) AS paid_in,
    coalesce(-sum(e.amount) FILTER (WHERE t.created_at >= :begin AND e.amount < 0), 0) AS paid_out,
    coalesce(sum(e.amount), 0) AS closing
FROM accounts a
LEFT JOIN entries e ON e.account_id = a.id
    AND (SELECT created_at FROM transfers WHERE id = e.transfer_id) < :end
LEFT JOIN transfers t ON t.id = e.transfer_id
WHERE a.owner = :owner GROUP BY a.id ORDER BY a.rowid
"""
_MONEY = ("opening", "paid_in", "paid_out", "closing")


def statement_of(book: sqlite3.Connection, owner: str, year: int) -> dict[str, Any]:
    """The statement of `owner` for one year (UTC): each account with its sums."""
    bounds = {"begin": f"{year:04d}-01-01", "end": f"{year + 1:04d}-01-01", "owner": owner}
    cursor = book.execute(_SUMS, bounds)
    names = [column[0] for column in cursor.description]
    accounts = []
    for values in cursor:
        row = dict(zip(names, values, strict=True))
        accounts.append(row | {name: money.to_text(row[name]) for name in _MONEY})
    holder = book.execute("SELECT holder FROM accounts WHERE owner = ?", (owner,)).fetchone()
    return {"year": year, "holder": holder[0] if holder else "", "accounts": accounts}
