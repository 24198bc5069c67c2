"""What the lab changed at a real tenant: one file of JSON lines, written before and after."""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from baink_lab.lab.wire.watched import masked

FILE = "changes.jsonl"


@dataclasses.dataclass(frozen=True)
class Change:
    """One request that changed something, or may have.

    Attributes:
        id: of the change, in the file.
        at: when it was sent.
        tenant: its domain.
        method: of the request.
        path: below `/api/v2/`.
        sent: the body, secrets masked.
        before: what the touched fields held; None when there was nothing, or it is not known.
        unread: why `before` is not known; empty when it is.
        status: of the answer; None when none came, so that it may have happened.
        made: the ids in the answer.
    """

    id: str
    at: str
    tenant: str
    method: str
    path: str
    sent: Any = None
    before: Any = None
    unread: str = ""
    status: int | None = None
    made: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def happened(self) -> bool | None:
        """True or False once the tenant has answered, else None."""
        return None if self.status is None else 200 <= self.status < 300


class Journal:
    """Appends; nothing in it is ever changed. Several notebooks may write at once.

    Args:
        folder: where the file is.
        tenant: whose changes are written; all of them are read.
    """

    def __init__(self, folder: Path, tenant: str) -> None:
        self.path = folder / FILE
        self._tenant = tenant

    def begin(self, method: str, path: str, sent: Any, before: Any, unread: str = "") -> str:
        """Write down what is about to be sent; returns the change's id.

        Args:
            method: of the request.
            path: below `/api/v2/`.
            sent: the body.
            before: what it will replace.
            unread: why that is not known.
        """
        change = Change(
            id=secrets.token_hex(8),
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            tenant=self._tenant,
            method=method,
            path=path,
            sent=masked(sent),
            before=masked(before),
            unread=unread,
        )
        self._append(dataclasses.asdict(change))
        return change.id

    def end(self, change_id: str, status: int, made: dict[str, str]) -> None:
        """Write down what the tenant answered."""
        self._append({"id": change_id, "status": status, "made": made})

    def read(self) -> list[Change]:
        """Every change, oldest first; a line that a crash cut off is left out."""
        try:
            lines = self.path.read_text("utf-8").splitlines()
        except OSError:
            return []
        known = {field.name for field in dataclasses.fields(Change)}
        found: dict[str, dict[str, Any]] = {}
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and isinstance(record.get("id"), str):
                kept = {name: value for name, value in record.items() if name in known}
                found[record["id"]] = found.get(record["id"], {}) | kept
        needed = {"at", "tenant", "method", "path"}
        return [Change(**one) for one in found.values() if needed <= one.keys()]

    def _append(self, record: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A line break first: what a crash cut off must not swallow this line.
        line = f"\n{json.dumps(record, ensure_ascii=False)}\n".encode()
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line)
            os.fsync(handle)
        finally:
            os.close(handle)


def ids_in(answer: Any) -> dict[str, str]:
    """What names the thing that a tenant's answer is about."""
    names = ("id", "client_id", "user_id", "ticket_id")
    if not isinstance(answer, dict):
        return {}
    return {name: answer[name] for name in names if isinstance(answer.get(name), str)}
