"""The ledger's tables, and the rules that SQLite itself keeps, whoever writes to them.

An entry is one line of one account; a transfer is two entries that cancel out. `totals` keeps the
sum of all entries of a currency, and refers to `zero`, whose only row is 0. The reference is
deferred: between the debit and the credit the sum may differ, at COMMIT it may not.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from baink_lab.errors import BainkError

VERSION = 2
BUSY_SECONDS = 5.0

_SCHEMA = """
CREATE TABLE zero (value INTEGER PRIMARY KEY CHECK (value = 0)) STRICT;
INSERT INTO zero VALUES (0);
CREATE TABLE totals (
    currency TEXT PRIMARY KEY,
    value INTEGER NOT NULL REFERENCES zero (value) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    holder TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    currency TEXT NOT NULL REFERENCES totals (currency),
    UNIQUE (owner, name)
) STRICT;
CREATE TABLE payees (
    owner TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (owner, account_id)
) STRICT;
CREATE TABLE transfers (
    id TEXT PRIMARY KEY,
    memo TEXT NOT NULL,
    created_at TEXT NOT NULL,
    owner TEXT,
    idempotency_key TEXT,
    digest TEXT,
    token_id TEXT UNIQUE,
    receipt TEXT,
    UNIQUE (owner, idempotency_key)
) STRICT;
CREATE TABLE entries (
    number INTEGER PRIMARY KEY,
    transfer_id TEXT NOT NULL REFERENCES transfers (id),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    amount INTEGER NOT NULL CHECK (amount <> 0),
    UNIQUE (transfer_id, account_id)
) STRICT;
CREATE INDEX entries_of_account ON entries (account_id, amount);
CREATE TRIGGER sum_up AFTER INSERT ON entries BEGIN
    UPDATE totals SET value = value + NEW.amount
    WHERE currency = (SELECT currency FROM accounts WHERE id = NEW.account_id);
END;
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN
    SELECT RAISE(ABORT, 'an entry is never changed');
END;
CREATE TRIGGER entries_remain BEFORE DELETE ON entries BEGIN
    SELECT RAISE(ABORT, 'an entry is never deleted');
END;
CREATE TRIGGER accounts_stay BEFORE UPDATE ON accounts BEGIN
    SELECT RAISE(ABORT, 'an account is never changed');
END;
"""
_DISPUTES = """
CREATE TABLE disputes (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    digest TEXT NOT NULL,
    transfer_id TEXT NOT NULL REFERENCES transfers (id),
    ticket TEXT NOT NULL,
    UNIQUE (owner, idempotency_key)
) STRICT;
"""
#: What makes version 1 of nothing, 2 of 1, and so on.
_STEPS = (_SCHEMA, _DISPUTES)


class LedgerError(BainkError):
    """The ledger's file cannot be used."""

    code = "ledger"


def open_book(path: Path) -> sqlite3.Connection:
    """Open the ledger's database, made on first use, readable by its owner only.

    The connection is in autocommit mode: transactions are begun by name. It may be used from any
    thread, by one at a time.

    Raises:
        LedgerError: the file is no ledger, or one of a newer version.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    book = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        book.execute("PRAGMA foreign_keys = ON")
        book.execute("PRAGMA journal_mode = WAL")
        book.execute("PRAGMA synchronous = FULL")  # a receipt survives a power cut
        _migrate(book, path)
    except BaseException as failure:
        book.close()
        if isinstance(failure, sqlite3.DatabaseError):
            raise LedgerError(f"{path} cannot be used as a ledger: {failure}.") from failure
        raise
    return book


def _migrate(book: sqlite3.Connection, path: Path) -> None:
    book.execute("BEGIN IMMEDIATE")  # two processes may open a new ledger at once
    version = book.execute("PRAGMA user_version").fetchone()[0]
    for step in _STEPS[version:]:
        # Not executescript: it would commit first, and let the other process in.
        for statement in _statements(step):
            book.execute(statement)
    if version < VERSION:
        book.execute(f"PRAGMA user_version = {VERSION}")
    book.execute("COMMIT")
    if version > VERSION:
        raise LedgerError(f"{path} is of a newer bAInk Lab (version {version}); update this one.")


def _statements(step: str) -> list[str]:
    found, text = [], ""
    for line in step.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            found.append(text)
            text = ""
    return found
