"""The tenant's state on disk: JSON documents in one SQLite file, mirrored in memory."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from baink_lab.sandbox.tenant.errors import TenantFileError

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE documents (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
                        PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE logs (seq INTEGER PRIMARY KEY AUTOINCREMENT, log_id TEXT NOT NULL UNIQUE,
                   body TEXT NOT NULL);
"""


class Store:
    """One SQLite file, readable by its owner alone, that outlives a kill -9 at any moment."""

    def __init__(self, path: Path) -> None:
        self._undo: list[Callable[[], object]] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        # Callers share one thread at a time; tests open in one and serve in another.
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except sqlite3.DatabaseError as broken:
            self.connection.close()
            raise TenantFileError(
                f"{path} is not a sandbox tenant's file ({broken}): move it away to start anew."
            ) from None

    def _prepare(self) -> None:
        # WAL with synchronous=NORMAL loses nothing when the process dies, only when the OS does.
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=NORMAL")
        version = self.connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self.connection.executescript(
                f"BEGIN; {_SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;"
            )
        elif version != SCHEMA_VERSION:
            self.connection.close()
            raise TenantFileError(
                f"The tenant's file has version {version}, this program knows {SCHEMA_VERSION}: "
                "run `baink-lab reset`, or use the newer program."
            )

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """All writes inside happen, or none, in the file and in memory alike.

        Inner uses join the outer one.
        """
        if self.connection.in_transaction:
            yield
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._undo.clear()

    def on_rollback(self, undo: Callable[[], object]) -> None:
        """Call `undo` if the writes of now are taken back; outside `atomic` they never are.

        The last one registered is called first. Register before you change memory.
        """
        if self.connection.in_transaction:
            self._undo.append(undo)

    def _roll_back(self) -> None:
        try:
            if self.connection.in_transaction:  # a full disk may have ended it already
                self.connection.execute("ROLLBACK")
        finally:
            while self._undo:
                self._undo.pop()()

    def load(self, kind: str) -> dict[str, Any]:
        """Every document of one kind, by id."""
        rows = self.connection.execute("SELECT id, body FROM documents WHERE kind=?", (kind,))
        return {row[0]: json.loads(row[1]) for row in rows}

    def put(self, kind: str, key: str, body: Any) -> None:
        """Write one document, in place of an older one with the same id."""
        self.connection.execute(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (kind, key, json.dumps(body))
        )

    def remove(self, kind: str, key: str) -> None:
        """Forget one document; no complaint when there is none."""
        self.connection.execute("DELETE FROM documents WHERE kind=? AND id=?", (kind, key))

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self.connection.close()


class Collection(Mapping[str, Any]):
    """All documents of one kind: read from memory, written through to the file.

    Documents are JSON values. Treat what you read as frozen; write a changed copy with `put`.
    """

    def __init__(self, store: Store, kind: str) -> None:
        self._store = store
        self._kind = kind
        self._items = store.load(kind)

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def put(self, key: str, body: Any) -> Any:
        """Write one document, to the file first; returns it."""
        self._store.put(self._kind, key, body)
        self._remember(key)
        self._items[key] = body
        return body

    def remove(self, key: str) -> Any:
        """Forget one document; returns it, or None when there was none."""
        self._store.remove(self._kind, key)
        self._remember(key)
        return self._items.pop(key, None)

    def on_rollback(self, undo: Callable[[], object]) -> None:
        """For what others derive from this collection; see `Store.on_rollback`."""
        self._store.on_rollback(undo)

    def _remember(self, key: str) -> None:
        """A rollback puts back what stands under this key now."""
        if key in self._items:
            former = self._items[key]
            self._store.on_rollback(lambda: self._items.__setitem__(key, former))
        else:
            self._store.on_rollback(lambda: self._items.pop(key, None))
