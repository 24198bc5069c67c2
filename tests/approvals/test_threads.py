"""The way into a thread: what waits steps aside, and a node that never does is named."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

from baink_lab.approvals.nodes import is_step_aside
from baink_lab.approvals.threads import NeverAtRest, Threads


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
