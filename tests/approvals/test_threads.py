"""The way into a thread: what waits steps aside, and a node that never does is named."""

from __future__ import annotations

import asyncio
from typing import Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

from baink_lab.approvals import threads as module
from baink_lab.approvals.nodes import is_step_aside
from baink_lab.approvals.threads import Closed, NeverAtRest, Threads


class Said(TypedDict, total=False):
    words: str
    approvals: dict[str, Any]


def graph_of(act):
    builder = StateGraph(Said).add_node("act", act).add_edge(START, "act").add_edge("act", END)
    return builder.compile(checkpointer=InMemorySaver())


async def asleep(act):
    threads = Threads(graph_of(act))
    async with threads.turn("t", "auth0|ana") as config:
        await threads.run({"words": "hello"}, config)
    return threads


async def deaf(state):
    while True:
        interrupt({"approval_id": "apv_1"})


async def polite(state):
    while not is_step_aside(interrupt({"approval_id": "apv_1"})):
        pass
    return {"words": "waiting"}


async def other_question(state):
    return {"words": interrupt("May I? (another part of the app asks)")}


async def test_a_node_that_never_steps_aside_is_named_and_ends():
    threads = await asleep(deaf)
    with pytest.raises(NeverAtRest, match="apv_1 sleeps again"):
        async with threads.turn("t", "auth0|ana"):
            pass


async def test_a_node_that_steps_aside_lets_others_in():
    threads = await asleep(polite)
    async with threads.turn("t", "auth0|ana") as config:
        state = await threads.graph.aget_state(config)
    assert state.values["words"] == "waiting"
    assert not state.tasks


async def test_an_interrupt_that_is_no_approval_is_left_as_it_is():
    threads = await asleep(other_question)
    async with threads.turn("t", "auth0|ana") as config:
        state = await threads.graph.aget_state(config)
    assert [one.value for one in state.interrupts] == ["May I? (another part of the app asks)"]


def held(entered, leave):
    """A node that tells that it was entered and waits to be let out."""

    async def act(state):
        entered.set()
        await leave.wait()
        return {"words": "done"}

    return act


async def test_closing_waits_for_the_turn_under_way_and_lets_nobody_in_after_it():
    entered, leave = asyncio.Event(), asyncio.Event()
    threads = Threads(graph_of(held(entered, leave)))
    turn = asyncio.create_task(_enter(threads))
    await entered.wait()
    closing = asyncio.create_task(threads.aclose())
    await asyncio.sleep(0)
    with pytest.raises(Closed, match="was closed"):
        await _enter(threads)
    assert not closing.done()
    leave.set()
    await closing
    assert turn.done()
    config = {"configurable": {"thread_id": "t"}}
    assert (await threads.graph.aget_state(config)).values["words"] == "done"


async def test_a_turn_that_takes_too_long_is_cut_off_and_the_next_goes_on_with_it(monkeypatch):
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.01)
    entered, leave = asyncio.Event(), asyncio.Event()
    graph = graph_of(held(entered, leave))
    threads = Threads(graph)
    turn = asyncio.create_task(_enter(threads))
    await entered.wait()
    await threads.aclose()
    assert turn.cancelled()

    leave.set()
    async with Threads(graph).turn("t", "auth0|ana") as config:
        assert (await graph.aget_state(config)).values["words"] == "done"


async def _enter(threads):
    async with threads.turn("t", "auth0|ana") as config:
        await threads.run({"words": "hello"}, config)
