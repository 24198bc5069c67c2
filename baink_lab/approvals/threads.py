"""One writer a thread, and the ways into a thread on which approvals wait.

LangGraph locks no thread, and drops an open interrupt without a word when the thread is entered
another way. So everybody enters through here: what waits steps aside first, and comes back in
with `Send` once its outcome is known.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import inspect
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeAlias

from langchain_core.runnables import RunnableConfig
from langgraph.pregel.remote import RemoteGraph
from langgraph.types import Command, Send, StateSnapshot

from baink_lab.approvals.approval import Approval
from baink_lab.approvals.nodes import WAITING, step_aside, task_for
from baink_lab.errors import BainkError

#: Called with the thread's id and one status event of a graph that runs.
Listener: TypeAlias = Callable[[str, dict[str, Any]], None]

# Asking to step aside may let a node run that a crash had cut off, and which then sleeps too.
_PASSES = 8
#: How long a turn under way may still take when the threads are closed.
GRACE_SECONDS = 5.0


class NeverAtRest(BainkError):
    """A node of the graph does not step aside, so nobody can enter its thread."""

    code = "never_at_rest"


class Closed(BainkError):
    """The threads were closed; whoever opened them may open them again."""

    code = "closed"


class Threads:
    """The threads of one graph, entered by one writer at a time within this process.

    Args:
        graph: a compiled graph with a checkpointer, or a `RemoteGraph`.
        on_event: hears what the graph streams while it runs.

    Attributes:
        runs: how often the graph was run so far, by thread.
    """

    def __init__(self, graph: Any, on_event: Listener | None = None) -> None:
        self.graph = graph
        self.runs: collections.Counter[str] = collections.Counter()
        self._on_event = on_event
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._closed = False
        self._inside: set[asyncio.Task[Any]] = set()

    @contextlib.asynccontextmanager
    async def turn(self, thread_id: str, user_id: str) -> AsyncIterator[RunnableConfig]:
        """Hold the thread for one entry; on the way in, whatever waits there steps aside.

        Yields:
            The config for the graph's run.

        Raises:
            Closed: see `aclose`.
        """
        if self._closed:
            raise Closed(
                "This conversation was closed: its agent was put to sleep or built anew. "
                "In a notebook, run the cell that shows the chat again."
            )
        config = _config(thread_id, user_id)
        with self._under_way():
            async with self._lock(thread_id):
                await self._clear(config)
                yield config

    async def aclose(self) -> None:
        """Let nobody in any more, and wait for the turns under way: before the memory is closed.

        A turn that takes longer than `GRACE_SECONDS` is cut off. As after a crash nothing is lost:
        the next entry into its thread goes on from the last step on disk.
        """
        self._closed = True
        if turns := self._inside - {asyncio.current_task()}:
            _, slow = await asyncio.wait(turns, timeout=GRACE_SECONDS)
            for turn in slow:
                turn.cancel()
            if slow:
                await asyncio.wait(slow)

    async def ring(self, approval: Approval) -> bool:
        """Let the thread act on an outcome that the vault holds by now.

        Returns:
            True once the outcome is part of the conversation and nothing is left half done.
        """
        config = _config(approval.thread_id, approval.user_id)
        async with self._lock(approval.thread_id):
            waiting = open_interrupts(await self._state(config))
            if approval.id in waiting:
                await self.run(Command(resume=_ring_one(waiting, approval.id)), config)
            elif not _is_settled(await self._clear(config), approval.id):
                await self.run(Command(goto=self._back_in(approval)), config)
            snapshot = await self._state(config)
            at_rest = not snapshot.tasks or bool(open_interrupts(snapshot))
            return _is_settled(snapshot, approval.id) and at_rest

    async def run(self, entry: Any, config: RunnableConfig) -> None:
        """Run the graph from one entry to its end, passing on what it streams.

        The caller holds the thread: see `turn`.
        """
        thread_id = config["configurable"]["thread_id"]
        self.runs[thread_id] += 1
        # RemoteGraph knows no durability; there the server decides.
        known = inspect.signature(self.graph.astream).parameters
        more = {"durability": "sync"} if "durability" in known else {}
        async for event in self.graph.astream(entry, config, stream_mode="custom", **more):
            if isinstance(event, dict):
                self.tell(thread_id, event)

    def tell(self, thread_id: str, event: dict[str, Any]) -> None:
        """Pass on what concerns a thread."""
        if self._on_event:
            self._on_event(thread_id, event)

    def _back_in(self, approval: Approval) -> Any:
        task = task_for(approval, late=True)
        if isinstance(self.graph, RemoteGraph):  # which sends a Send's JSON, not a Send
            return {"node": approval.node, "input": task}
        return Send(approval.node, task)

    async def _state(self, config: RunnableConfig) -> Any:
        try:
            return await self.graph.aget_state(config)
        except TypeError:
            # A RemoteGraph cannot read a thread that has no checkpoint yet (langgraph 1.2).
            if not isinstance(self.graph, RemoteGraph):
                raise
            return _AT_REST

    async def _clear(self, config: RunnableConfig) -> Any:
        """Bring the thread to rest: interrupts step aside, a run that a crash cut off ends.

        Raises:
            NeverAtRest: a node sleeps again, however often it is asked to step aside.
        """
        for _ in range(_PASSES):
            snapshot = await self._state(config)
            if waiting := open_interrupts(snapshot):
                rings = dict.fromkeys(waiting.values(), step_aside())
                await self.run(Command(resume=rings), config)
                snapshot = await self._state(config)
            # Not `next`: a task that has written but whose superstep was never checkpointed is in
            # `tasks` alone. Its writes show in the snapshot, and any other entry loses them.
            if snapshot.tasks:
                await self.run(None, config)
                snapshot = await self._state(config)
            if not open_interrupts(snapshot):
                return snapshot
        ids = ", ".join(open_interrupts(snapshot))
        raise NeverAtRest(
            f"The node that waits for the approval {ids} sleeps again whenever it is asked to "
            "step aside. Have it return when `is_step_aside(interrupt(…))` is true, as "
            "baink_lab.approvals.nodes.acting_node does."
        )

    @contextlib.contextmanager
    def _under_way(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None  # an async function runs in one
        self._inside.add(task)
        try:
            yield
        finally:
            self._inside.discard(task)

    def _lock(self, thread_id: str) -> asyncio.Lock:
        return self._locks.setdefault(thread_id, asyncio.Lock())


_AT_REST = StateSnapshot(
    values={},
    next=(),
    config={},
    metadata=None,
    created_at=None,
    parent_config=None,
    tasks=(),
    interrupts=(),
)


def open_interrupts(snapshot: Any) -> dict[str, str]:
    """Approval id → interrupt id, read at this moment: the ids change when a node waits again."""
    found = {}
    for task in snapshot.tasks:
        for interrupt in task.interrupts if hasattr(task, "interrupts") else task["interrupts"]:
            value, key = _value_and_id(interrupt)
            if isinstance(value, dict) and "approval_id" in value:
                found[value["approval_id"]] = key
    return found


def _value_and_id(interrupt: Any) -> tuple[Any, str]:
    if isinstance(interrupt, dict):  # as a RemoteGraph tells it
        return interrupt.get("value"), str(interrupt.get("id"))
    return interrupt.value, interrupt.id


def _ring_one(waiting: dict[str, str], approval_id: str) -> dict[str, Any]:
    """Wake one and let the rest step aside, so that the customer hears of the one at once."""
    rings: dict[str, Any] = dict.fromkeys(waiting.values(), step_aside())
    return rings | {waiting[approval_id]: {"approval_id": approval_id}}


def _is_settled(snapshot: Any, approval_id: str) -> bool:
    return bool(snapshot.values.get("approvals", {}).get(approval_id, WAITING) != WAITING)


def _config(thread_id: str, user_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id, "user_id": user_id}}
