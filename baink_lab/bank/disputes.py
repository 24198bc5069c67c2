"""Dispute tickets: a customer says that an entry of theirs is wrong, once for each request."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import secrets
import sqlite3
from collections.abc import Mapping
from typing import Any

from baink_lab.bank.postings import timestamp
from baink_lab.bank.problems import Refusal

REASON_CHARACTERS = 280
_FIELDS = {"transfer_id", "reason"}


@dataclasses.dataclass(frozen=True)
class Dispute:
    """What is disputed, and why."""

    transfer_id: str
    reason: str

    @property
    def digest(self) -> str:
        """The same for two disputes exactly when they say the same."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def dispute_in(body: Mapping[str, Any]) -> Dispute:
    """Read a dispute from a request's JSON object.

    Raises:
        Refusal: `invalid_field`, naming what to change.
    """
    if sorted(body.keys() - _FIELDS):
        raise Refusal("invalid_field", "I know the fields reason and transfer_id, and no others.")
    return Dispute(_line(body, "transfer_id", 64), _line(body, "reason", REASON_CHARACTERS))


def open_dispute(
    book: sqlite3.Connection, dispute: Dispute, owner: str, key: str, at: float
) -> tuple[dict[str, Any], bool]:
    """Write a ticket down, inside the transaction that the caller has begun.

    Returns:
        The ticket, and whether it was written by an earlier request with the same key.

    Raises:
        Refusal: `idempotency_key_reused` or `unknown_transfer`.
    """
    row = book.execute(
        "SELECT digest, ticket FROM disputes WHERE owner = ? AND idempotency_key = ?", (owner, key)
    ).fetchone()
    if row is not None:
        if row[0] != dispute.digest:
            raise Refusal("idempotency_key_reused", "This Idempotency-Key opened another dispute.")
        return json.loads(row[1]), True
    mine = book.execute(
        "SELECT 1 FROM entries e JOIN accounts a ON a.id = e.account_id "
        "WHERE e.transfer_id = ? AND a.owner = ?",
        (dispute.transfer_id, owner),
    ).fetchone()
    if mine is None:
        raise Refusal("unknown_transfer", "No entry of your accounts has that transfer_id.")
    ticket = {"id": f"dsp_{secrets.token_hex(8)}", **dataclasses.asdict(dispute)}
    ticket |= {"status": "open", "opened_at": timestamp(at)}
    book.execute(
        "INSERT INTO disputes VALUES (?, ?, ?, ?, ?, ?)",
        (ticket["id"], owner, key, dispute.digest, dispute.transfer_id, json.dumps(ticket)),
    )
    return ticket, False


def _line(body: Mapping[str, Any], name: str, longest: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.isprintable() or not 1 <= len(value) <= longest:
        raise Refusal("invalid_field", f"{name} must be one line of 1 to {longest} characters.")
    return value
