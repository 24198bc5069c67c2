"""The store's file is there whole or not at all."""

import asyncio

import pytest

from baink_lab.approvals import memory
from baink_lab.approvals.memory import sqlite_store


async def test_a_process_that_dies_while_it_makes_the_store_leaves_none(tmp_path, monkeypatch):
    """The fault campaign found a store on which no set-up ever succeeded again."""
    path = tmp_path / "approvals.db"

    class Dies(memory.AsyncSqliteStore):
        MIGRATIONS = (*memory.AsyncSqliteStore.MIGRATIONS[:-1], "DIE HERE")

    with monkeypatch.context() as patched:
        patched.setattr(memory, "AsyncSqliteStore", Dies)
        with pytest.raises(Exception, match="DIE"):
            async with sqlite_store(path):
                pass
    assert not path.exists()
    async with sqlite_store(path) as store:
        await store.aput(("a",), "key", {"value": 1})
    async with sqlite_store(path) as store:
        assert (await store.aget(("a",), "key")).value == {"value": 1}


async def test_a_closed_store_leaves_no_task_behind(tmp_path):
    async with sqlite_store(tmp_path / "approvals.db") as store:
        await store.aput(("a",), "b", {"c": 1})
    here = asyncio.current_task()
    assert [task for task in asyncio.all_tasks() if task is not here] == []
