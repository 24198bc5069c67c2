"""The SQLite store of approvals, made so that a crash while it is made does no harm."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from langgraph.store.sqlite.aio import AsyncSqliteStore


@contextlib.asynccontextmanager
async def sqlite_store(path: Path) -> AsyncIterator[AsyncSqliteStore]:
    """Open the store in `path`, which is made when it is missing. One process at a time.

    LangGraph's set-up is several steps, and a process that dies between them leaves a file on
    which no later set-up succeeds ("duplicate column name"). So a new store is set up beside its
    place and moved there whole.
    """
    if not path.exists():  # noqa: ASYNC240 - once, at the start
        fresh = path.with_name(f"{path.name}.new")
        for left in path.parent.glob(f"{fresh.name}*"):  # of an earlier try, with its journals
            left.unlink()
        async with AsyncSqliteStore.from_conn_string(str(fresh)) as store:
            await store.setup()
            # Into the file itself, not a journal beside it that the move would leave behind.
            await store.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        fresh.replace(path)
    async with AsyncSqliteStore.from_conn_string(str(path)) as store:
        await store.setup()
        yield store
