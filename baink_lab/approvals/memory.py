"""The SQLite store of approvals, made so that a crash while it is made does no harm."""

from __future__ import annotations

import asyncio
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
        async with _opened(fresh) as store:
            # Into the file itself, not a journal beside it that the move would leave behind.
            await store.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        fresh.replace(path)
    async with _opened(path) as store:
        yield store


@contextlib.asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[AsyncSqliteStore]:
    async with AsyncSqliteStore.from_conn_string(str(path)) as store:
        await store.setup()
        try:
            yield store
        finally:
            # LangGraph cancels its batching task only once the store is collected, when nobody
            # waits for the task any more: asyncio then writes a warning into a learner's cell.
            task = getattr(store, "_task", None)
            if isinstance(task, asyncio.Task):
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
