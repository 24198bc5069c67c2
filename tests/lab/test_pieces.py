"""A learner's pieces in the real graph: whatever the order of events, money moves once."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from langgraph.types import Command, Send, interrupt

from baink_lab.approvals.nodes import task_for, tell_push
from baink_lab.lab.learner.pieces import Pieces
from baink_lab.lab.learner.solutions import transfer, wrap_transfer
from baink_lab.lab.practice.agent import practice_agent


async def request_approval(desk, gate, arguments, call):
    approval = await desk.ask(gate, arguments, call)
    tell_push(approval)
    return Command(goto=Send(gate.node, task_for(approval, late=False)))


@pytest.fixture
async def agent():
    pieces = Pieces(wrap_transfer, request_approval, transfer)
    async with practice_agent() as agent, agent.process(tools=pieces.tools, nodes=pieces.nodes):
        yield agent


async def test_asked_and_approved(agent):
    await agent.ask_transfer()
    [push] = agent.tenant.notifications()
    assert push["binding_message"].startswith("Pay 25.00 USD to Savings #")
    state = await agent.graph.aget_state(agent.config())
    assert [task.name for task in state.tasks] == ["transfer"]
    agent.decide("approve")
    await agent.settle()
    assert agent.bank.moved() == ["25.00"]
    assert await agent.statuses() == {"call_1": ["approved"]}
    assert agent.runs == 2


async def test_denied_and_expired(agent):
    await agent.ask_transfer()
    agent.decide("deny")
    await agent.settle()
    assert await agent.statuses() == {"call_1": ["denied"]}
    await agent.ask_transfer(call_id="call_2", thread="other")
    await agent.settle(400)
    assert await agent.statuses("other") == {"call_2": ["expired"]}
    assert agent.bank.moved() == []


async def test_the_customer_talks_on_and_a_lie_is_told(agent):
    await agent.ask_transfer()
    await agent.graph.ainvoke(Command(resume="approved"), agent.config())
    await agent.say("hello")
    await agent.ask_transfer("3.00", "call_2")
    agent.decide("approve", 0)
    agent.decide("approve")
    await agent.settle()
    assert sorted(agent.bank.moved()) == ["25.00", "3.00"]
    assert (await agent.statuses())["call_1"] == ["waiting", "approved"]


async def test_the_banks_answer_is_lost_and_money_moves_once(agent):
    await agent.ask_transfer()
    agent.bank.lose = 2
    agent.decide("approve")
    await agent.settle(120)
    assert agent.bank.moved() == ["25.00"]
    assert [one.lost for one in agent.bank.asked] == [True, True, False]
    assert (await agent.statuses())["call_1"] == ["waiting", "approved"]


async def transfer_in_a_loop(desk, bank, task, call):
    key = task["approval_id"]
    while await desk.outcome(key, call.thread_id, call.id) is None:
        interrupt({"approval_id": key})
    return await transfer(desk, bank, task, call)


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_loop_round_the_sleep_lets_the_customer_talk_on(restarted):
    pieces = Pieces(wrap_transfer, request_approval, transfer_in_a_loop)
    async with practice_agent() as agent, contextlib.AsyncExitStack() as lives:
        life = agent.process(tools=pieces.tools, nodes=pieces.nodes)
        await lives.enter_async_context(life)
        await agent.ask_transfer()
        if restarted:
            await lives.aclose()
            life = agent.process(tools=pieces.tools, nodes=pieces.nodes)
            await lives.enter_async_context(life)
        async with asyncio.timeout(20):
            assert (await agent.say("hello")).startswith("I read")
        await agent.graph.ainvoke(Command(resume="denied"), agent.config())
        agent.decide("approve")
        await agent.settle()
        assert agent.bank.moved() == ["25.00"]
        assert (await agent.statuses())["call_1"] == ["waiting", "approved"]


async def test_what_the_bank_refuses_is_told(agent):
    await agent.ask_transfer("2500.00")
    agent.decide("approve")
    await agent.pass_time(4)
    await agent.ask_transfer("1.00", "call_2", "other")
    agent.decide("approve")
    await agent.settle()
    told = {**await agent.answers(), **await agent.answers("other")}
    assert {key: one[-1]["status"] for key, one in told.items()} == {
        "call_1": "approved",
        "call_2": "failed",
    }
    assert told["call_2"][-1]["reason"] == "insufficient_funds"


async def test_two_in_one_turn_are_answered_in_any_order(agent):
    calls = [agent.transfer_call("1.00", "a"), agent.transfer_call("2.00", "b")]
    agent.model.script.append(calls)
    await agent.say("two")
    agent.decide("deny", 0)
    await agent.pass_time(6)
    agent.decide("approve")
    await agent.settle()
    assert len(agent.bank.moved()) == 1
    assert sorted(one[-1] for one in (await agent.statuses()).values()) == ["approved", "denied"]


async def test_what_is_no_gated_tool_is_told(agent):
    with pytest.raises(TypeError, match="wrap_transfer returned NoneType"):
        async with practice_agent() as other:
            pieces = Pieces(wrap_transfer=lambda *_: None)
            async with other.process(tools=pieces.tools):
                pass
