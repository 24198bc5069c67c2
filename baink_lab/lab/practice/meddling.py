"""What may happen to a thread between push and money: lies, edits, lost answers, curious eyes.

For checks, on a practice agent whose resumer does not run (``process(watch=False)``): then each
step is taken here, one at a time.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

from langgraph.types import Command, Send

from baink_lab.approvals import Approval
from baink_lab.approvals.nodes import task_for
from baink_lab.approvals.poll import Ending, poll_once
from baink_lab.auth0 import CibaClient, Tokens
from baink_lab.lab.practice.agent import PracticeAgent
from baink_lab.settings import TRANSFER_SCOPE


async def collect(agent: PracticeAgent, approval: Approval) -> Approval:
    """Ask the tenant for the answer and seal it in the vault; the thread is not rung yet."""
    agent.clock.advance(approval.interval)
    answer = await poll_once(agent.desk, approval)
    assert isinstance(answer, Ending), answer
    return await agent.desk.settle(approval, answer.event, answer.reason, tokens=answer.tokens)


async def ring(agent: PracticeAgent, approval: Approval) -> bool:
    """Wake the thread as the resumer does; True once the outcome is part of the conversation."""
    return await agent.resumer.threads.ring(approval)


async def forge(agent: PracticeAgent, word: Any, thread: str) -> None:
    """Wake the thread with any word, as somebody could who can write to it."""
    await agent.graph.ainvoke(Command(resume=word), agent.config(thread), durability="sync")


async def edit_amount(agent: PracticeAgent, approval: Approval, amount: str) -> None:
    """Change the amount in the thread's own state, where the waiting task is kept."""
    task = task_for(approval, late=False)
    task["arguments"] = {**task["arguments"], "amount": amount}
    forged: Any = Command(goto=Send(approval.node, task))
    config = agent.config(approval.thread_id)
    await agent.graph.aupdate_state(config, forged, as_node="request_approval")


async def token_for(agent: PracticeAgent, line: str) -> str:
    """An access token that the customer approved for something else."""
    world = agent.world
    client = CibaClient(
        world.issuer,
        world.client_id,
        world.client_secret,
        http=agent.tenant_http,
        clock=agent.clock,
    )
    asked = await client.start(world.user_id, TRANSFER_SCOPE, world.audience, line)
    agent.decide("approve")
    agent.clock.advance(asked.interval)
    answer = await client.poll(asked)
    assert isinstance(answer, Tokens)
    return answer.access_token


@contextlib.contextmanager
def no_phone(agent: PracticeAgent) -> Iterator[None]:
    """In this block the customer has no phone: a question ends as *unenrolled*."""
    devices = agent.tenant.enrollments
    kept = dict(devices)
    for key in kept:
        devices.remove(key)
    try:
        yield
    finally:
        for key, device in kept.items():
            devices.put(key, device)


@contextlib.contextmanager
def no_grant(agent: PracticeAgent) -> Iterator[None]:
    """In this block the client may not ask phones: a question ends as *failed*."""
    clients, name = agent.tenant.clients, agent.world.client_id
    client = clients[name]
    clients.put(name, client | {"grant_types": ["authorization_code"]})
    try:
        yield
    finally:
        clients.put(name, client)


@contextlib.contextmanager
def no_more_pushes(agent: PracticeAgent) -> Iterator[None]:
    """In this block the customer was asked too often: the desk refuses to ask."""
    kept = agent.desk._pushes_a_minute
    agent.desk._pushes_a_minute = 0
    try:
        yield
    finally:
        agent.desk._pushes_a_minute = kept


def kept_in_threads(agent: PracticeAgent, secret: str) -> bool:
    """Whether a secret can be read in the checkpoints on disk, by anybody who has the file."""
    path = agent.folder / "threads.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
        tables = [
            row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        for table in tables:
            for row in file.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - SQLite's own names
                if any(secret.encode() in _bytes(cell) for cell in row):
                    return True
    return False


def _bytes(cell: Any) -> bytes:
    return cell if isinstance(cell, bytes) else str(cell).encode("utf-8", "surrogatepass")
