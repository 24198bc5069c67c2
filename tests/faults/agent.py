"""The agent's process as the campaign runs it: it does one transfer, or dies at one step of it.

Run from a fork server, so that a life costs a fork and not an import.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import uuid
from pathlib import Path

from baink_lab.aiya import open_aiya
from baink_lab.auth0.login import SessionToken, SessionTokens
from baink_lab.settings import World

SETTLE_SECONDS = 60


class MortalLoop(asyncio.SelectorEventLoop):
    """An event loop that kills its process with SIGKILL at the n-th callback.

    Each await that really waits ends in a callback, so counting callbacks reaches every one of
    them, in our code and in LangGraph's, httpx's and SQLite's.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.taken = 0
        super().__init__()

    def call_soon(self, *args, **kwargs):
        self._step()
        return super().call_soon(*args, **kwargs)

    def call_soon_threadsafe(self, *args, **kwargs):
        self._step()
        return super().call_soon_threadsafe(*args, **kwargs)

    def _step(self) -> None:
        self.taken += 1
        if self.taken == self.steps:
            os.kill(os.getpid(), signal.SIGKILL)


def live(folder: str, place: dict, order: dict, steps: int, report: str = "") -> None:
    """One life: ask for the transfer unless that was done, and wait until it is settled.

    Args:
        folder: the agent's memory.
        place: the sandbox's ready line, with `session` (access token, subject, expires_at).
        order: the transfer's arguments, and `expiry` in seconds.
        steps: die at this callback; 0 to live.
        report: file for what is known in the end; only for a life that does not die.
    """
    loop = MortalLoop(steps)
    asyncio.set_event_loop(loop)
    try:
        found = loop.run_until_complete(_live(Path(folder), place, dict(order)))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
    if report:
        Path(report).write_text(json.dumps(found | {"steps": loop.taken}))


async def _live(folder: Path, place: dict, order: dict) -> dict:
    expiry = order.pop("expiry")
    token = SessionToken(**place["session"])

    async def log_in() -> SessionToken:
        return token

    async with open_aiya(
        World.from_ready(place),
        folder,
        chat=_played(order),
        session=SessionTokens(log_in),
        requested_expiry=expiry,
        pushes_a_minute=10**6,
    ) as aiya:
        # A thread that a crash cut off goes on when somebody enters it: the customer does. They
        # do not ask twice: a message that has its checkpoint is not lost, shown or not.
        state = await aiya.graph.aget_state({"configurable": {"thread_id": "main"}})
        await aiya.say("and now?" if state.created_at else "move it")
        await asyncio.wait_for(aiya.settled(), SETTLE_SECONDS)
        state = await aiya.graph.aget_state({"configurable": {"thread_id": "main"}})
        return {"messages": await aiya.messages(), "at_rest": not state.next}


def _played(order: dict):
    """A model without memory of its own: a re-run after a crash reads the thread, as a real one."""

    async def chat(messages, tools, say):
        if messages[-1]["role"] == "user" and messages[-1]["content"] == "move it":
            function = {"name": "transfer_funds", "arguments": json.dumps(order)}
            call = {"id": f"call_{uuid.uuid4().hex}", "type": "function", "function": function}
            return {"role": "assistant", "content": "", "tool_calls": [call]}
        return {"role": "assistant", "content": "I see."}

    return chat
