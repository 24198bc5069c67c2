"""The tenant's log: what happened, in Auth0's event codes (contract section 5.9)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from baink_lab.sandbox.tenant.store import Store
from baink_lab.sandbox.tenant.values import iso

KEEP = 10_000  # entries; Auth0 keeps 1 to 30 days, by plan
_LONGEST = 1024  # characters of one text: callers choose some of them, and need no key for it


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is at the other end of the connection, as far as a log tells."""

    ip: str = "127.0.0.1"
    user_agent: str = ""


class EventLog:
    """An append-only log in the tenant's file, the newest `KEEP` entries.

    Args:
        store: the tenant's file.
        hostname: the tenant's host, printed in each entry.
        now: seconds since the epoch.
    """

    def __init__(self, store: Store, hostname: str, now: Callable[[], float]) -> None:
        self._connection = store.connection
        self._hostname = hostname
        self._now = now

    def add(
        self,
        kind: str,
        *,
        client: Mapping[str, Any] | None = None,
        user: Mapping[str, Any] | None = None,
        caller: Caller | None = None,
        description: str = "",
        details: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        """Append one entry.

        Args:
            kind: Auth0's code, such as `ciba_start_succeeded`.
            client: the application, once known.
            user: the user, once known.
            caller: the connection.
            description: one sentence; for failures, the error's.
            details: the event's own members (contract section 5.9). No secrets.
            fields: further top-level members, such as `audience`.
        """
        caller = caller or Caller()
        entry: dict[str, Any] = {
            "date": iso(self._now()),
            "type": kind,
            "description": description[:_LONGEST],
            "ip": caller.ip,
            "user_agent": caller.user_agent[:255],
            "hostname": self._hostname,
            "isMobile": False,
            "details": _cut(dict(details or {})),
            **fields,
        }
        if client:
            entry |= {"client_id": client["client_id"], "client_name": client["name"]}
        if user:
            entry |= {"user_id": user["user_id"], "user_name": user.get("email", "")}
        self._append(entry)

    def _append(self, entry: dict[str, Any]) -> None:
        row = self._connection.execute("SELECT max(seq) FROM logs").fetchone()
        seq = (row[0] or 0) + 1
        stamp = datetime.fromtimestamp(self._now(), UTC).strftime("%Y%m%d%H%M%S%f")
        log_id = f"9002{stamp}{seq:026d}"
        body = json.dumps({**entry, "log_id": log_id, "_id": log_id})
        self._connection.execute("INSERT INTO logs VALUES (?, ?, ?)", (seq, log_id, body))
        self._connection.execute("DELETE FROM logs WHERE seq <= ?", (seq - KEEP,))

    def newest_first(self) -> list[dict[str, Any]]:
        """All entries, the newest first."""
        rows = self._connection.execute("SELECT body FROM logs ORDER BY seq DESC")
        return [json.loads(row[0]) for row in rows]

    def after(self, log_id: str | None, take: int) -> list[dict[str, Any]] | None:
        """Entries newer than `log_id`, oldest first; from the start when None.

        Args:
            log_id: the checkpoint.
            take: at most this many.

        Returns:
            None when `log_id` is not in the log.
        """
        seq = 0
        if log_id is not None:
            found = self._connection.execute("SELECT seq FROM logs WHERE log_id=?", (log_id,))
            row = found.fetchone()
            if row is None:
                return None
            seq = row[0]
        rows = self._connection.execute(
            "SELECT body FROM logs WHERE seq > ? ORDER BY seq LIMIT ?", (seq, take)
        )
        return [json.loads(row[0]) for row in rows]

    def find(self, log_id: str) -> dict[str, Any] | None:
        """One entry, or None."""
        row = self._connection.execute("SELECT body FROM logs WHERE log_id=?", (log_id,)).fetchone()
        return json.loads(row[0]) if row else None


def _cut(value: Any) -> Any:
    """The same, with each text shortened to `_LONGEST` characters."""
    if isinstance(value, str):
        return value[:_LONGEST]
    if isinstance(value, Mapping):
        return {name: _cut(item) for name, item in value.items()}
    return [_cut(item) for item in value] if isinstance(value, list | tuple) else value
