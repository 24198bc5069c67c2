"""The graph on real parts: one approval, many, in any order, through restarts and forgeries."""

from __future__ import annotations

import logging

import pytest
from langgraph.types import Command, Send
from pydantic import BaseModel

from baink_lab.approvals import Call, Tool, with_async_authorization
from baink_lab.approvals.nodes import task_for
from baink_lab.approvals.poll import poll_once
from baink_lab.approvals.threads import open_interrupts
from tests.aiya_world import call


async def snapshot(aiya, thread="t"):
    return await aiya.graph.aget_state(config(aiya, thread))


def config(aiya, thread="t"):
    return {"configurable": {"thread_id": thread, "user_id": aiya.world.user_id}}


async def test_the_transfer_node_sleeps_in_an_interrupt_and_resumes_by_itself(aiya):
    await aiya.ask_transfer()
    asleep = await snapshot(aiya)
    assert asleep.next == ("transfer",)
    assert len(open_interrupts(asleep)) == 1
    [push] = aiya.tenant.notifications()
    assert push["binding_message"].startswith("Move 25.00 USD from Checking to Savings #")
    await aiya.pass_time(60)
    assert aiya.moved() == []
    aiya.decide("approve")
    await aiya.settle()
    assert aiya.moved() == [2500]
    assert await aiya.statuses() == {"call_1": ["approved"]}
    assert not (await snapshot(aiya)).next
    assert aiya.runs == 2, "one run to ask, one to act, however long the wait"
    assert aiya.resumer.counters.slow_downs == 0


@pytest.mark.parametrize(("decision", "status"), [("deny", "denied"), (None, "expired")])
async def test_without_a_yes_nothing_moves_and_the_model_is_told(aiya, decision, status):
    await aiya.ask_transfer()
    if decision:
        aiya.decide(decision)
    begun = aiya.clock.now()
    await aiya.settle(400)
    assert aiya.moved() == []
    assert await aiya.statuses() == {"call_1": [status]}
    assert aiya.clock.now() - begun <= 300 + 5 + 1, "every thread reaches an outcome in time"
    assert aiya.runs == 2


async def test_a_forged_ring_moves_nothing(aiya):
    await aiya.ask_transfer()
    interrupt_id = next(iter(open_interrupts(await snapshot(aiya)).values()))
    for forged in ({"approved": True}, "approved", {"access_token": "x"}, True, None):
        interrupt_id = next(iter(open_interrupts(await snapshot(aiya)).values()))
        await aiya.graph.ainvoke(Command(resume={interrupt_id: forged}), config(aiya))
        assert aiya.moved() == []
        assert len(open_interrupts(await snapshot(aiya))) == 1, "still waiting"
    aiya.decide("approve")
    await aiya.settle()
    assert aiya.moved() == [2500]


async def test_another_threads_approval_opens_nothing(aiya):
    await aiya.ask_transfer("25.00", "call_1", "one")
    await aiya.ask_transfer("900.00", "call_1", "two")
    aiya.decide("approve", 0)
    await aiya.pass_time(20)
    assert aiya.moved() == [2500]
    assert (await snapshot(aiya, "two")).next == ("transfer",)


async def send_in(aiya, task):
    async with aiya.resumer.turn("t", aiya.world.user_id) as entered:
        await aiya.resumer.threads.run(Command(goto=Send("transfer", task)), entered)


async def test_what_was_approved_is_what_happens(aiya):
    """The yes is in the vault, and somebody sends another transfer to the acting node with it."""
    await aiya.ask_transfer()
    [record] = [one async for one in aiya.desk.undelivered()]
    forged = task_for(record, late=True)
    forged["arguments"] = {**record.arguments, "amount": "2400.00"}
    await send_in(aiya, forged)
    assert await aiya.statuses() == {"call_1": ["waiting"]}, "before the yes nothing is known"
    aiya.decide("approve")
    ending = await poll_once(aiya.desk, record)
    await aiya.desk.settle(record, ending.event, tokens=ending.tokens)
    await send_in(aiya, forged)
    await aiya.settle()
    assert aiya.moved() == []
    assert (await aiya.answers())["call_1"][-1]["reason"] == "changed_after_approval"


async def test_a_late_outcome_whose_bank_is_away_is_told_once(aiya):
    await aiya.ask_transfer()
    await aiya.say("hello")
    aiya.bank_drops = 3
    aiya.decide("approve")
    await aiya.settle(120)
    assert len(set(aiya.bank_calls)) == 1
    assert len(aiya.bank_calls) == 4
    assert aiya.moved() == [2500]
    assert await aiya.statuses() == {"call_1": ["waiting", "approved"]}


async def test_a_transfer_that_is_tried_twice_moves_once(aiya):
    """The bank committed, the answer was lost: the same key is replayed, not the transfer."""
    await aiya.ask_transfer()
    aiya.bank_drops = 1
    aiya.decide("approve")
    await aiya.settle(60)
    assert len(aiya.bank_calls) == 2
    assert aiya.moved() == [2500]
    assert (await aiya.statuses())["call_1"][-1] == "approved"
    assert any(event["type"] == "retrying" for event in aiya.events)


async def test_two_transfers_in_one_turn_are_two_pushes_decided_in_any_order(aiya):
    aiya.model.script.append([aiya.transfer_call("1.00", "a"), aiya.transfer_call("2.00", "b")])
    await aiya.say("two transfers")
    assert len(aiya.tenant.notifications()) == 2
    second = next(
        n for n in aiya.tenant.notifications() if n["binding_message"].startswith("Move 2.00")
    )
    aiya.tenant.decide(second["id"], "approve")
    await aiya.pass_time(10)
    assert aiya.moved() == [200], "the one that was answered does not wait for the other"
    aiya.decide("deny")
    await aiya.settle()
    assert aiya.moved() == [200]
    assert await aiya.statuses() == {"a": ["waiting", "denied"], "b": ["approved"]}


@pytest.mark.parametrize(("decision", "status"), [("approve", "approved"), (None, "expired")])
async def test_outcomes_that_come_together_are_told_together(aiya, decision, status):
    """Nobody hears that a request waits whose time was up in the same moment."""
    aiya.model.script.append([aiya.transfer_call(f"{n}.00", f"call_{n}") for n in (1, 2, 3)])
    await aiya.say("three transfers")
    for _ in range(3 if decision else 0):
        aiya.decide(decision)
    aiya.clock.jump(5 if decision else 400)
    await aiya.settle(10)
    assert await aiya.statuses() == {f"call_{n}": [status] for n in (1, 2, 3)}
    assert aiya.runs == 2, "one run to ask, one to tell"
    assert sorted(aiya.moved()) == ([100, 200, 300] if decision else [])


async def test_the_customer_talks_on_while_an_approval_waits(aiya):
    await aiya.ask_transfer()
    for text in ("hello", "what is my balance?", "still there?"):
        await aiya.say(text)
        await aiya.pass_time(7)
    said = [m["content"] for m in await aiya.messages() if m["role"] == "assistant"]
    assert len(said) == 4, "each message was answered"
    aiya.decide("approve")
    await aiya.settle()
    assert aiya.moved() == [2500]
    assert await aiya.statuses() == {"call_1": ["waiting", "approved"]}
    assert (await aiya.messages())[-1]["role"] == "assistant", "the model tells of the outcome"


async def test_a_transfer_asked_while_another_waits(aiya):
    await aiya.ask_transfer("1.00", "a")
    await aiya.ask_transfer("2.00", "b")
    assert len(aiya.tenant.notifications()) == 2
    aiya.decide("approve", 0)
    await aiya.pass_time(12)
    assert aiya.moved() == [100]
    aiya.decide("approve")
    await aiya.settle()
    assert aiya.moved() == [100, 200]
    assert await aiya.statuses() == {"a": ["waiting", "approved"], "b": ["waiting", "approved"]}


async def test_a_restart_between_push_and_approval_loses_nothing(life):
    async with life.process():
        await life.ask_transfer()
    life.decide("approve")
    life.clock.advance(30)
    async with life.process():
        await life.settle()
        assert life.moved() == [2500]
        assert await life.statuses() == {"call_1": ["approved"]}
        assert len(life.tenant.notifications()) == 0, "no second push"


async def test_a_customer_without_a_phone_hears_so_and_can_go_on_later(aiya):
    for key in list(aiya.tenant.enrollments):
        aiya.tenant.enrollments.remove(key)
    await aiya.ask_transfer()
    assert await aiya.statuses() == {"call_1": ["unenrolled"]}
    await aiya.settle()
    assert aiya.moved() == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount": "999999.00"}, "insufficient_funds"),
        ({"amount": "0"}, "bad_arguments"),
        ({"amount": "-5.00"}, "bad_arguments"),
        ({"amount": "1.234"}, "bad_arguments"),
        ({"amount": 25}, "bad_arguments"),
        ({"currency": "EUR"}, "currency_mismatch"),
        ({"to_account": "acc_nobody"}, "unknown_account"),
        ({"from_account": "acc_nobody"}, "unknown_account"),
        ({"surprise": 1}, "bad_arguments"),
    ],
)
async def test_what_cannot_be_done_is_not_asked_of_the_phone(aiya, changes, reason):
    await aiya.ask_transfer(**changes)
    [answer] = (await aiya.answers())["call_1"]
    assert (answer["status"], answer["reason"]) == ("failed", reason)
    assert aiya.tenant.notifications() == []
    assert aiya.moved() == []


async def test_money_gone_between_question_and_answer_is_a_refusal(aiya):
    await aiya.ask_transfer("2400.00", "a")
    await aiya.ask_transfer("2400.00", "b")
    for _ in range(2):
        aiya.decide("approve")
    await aiya.settle()
    assert aiya.moved() == [240000]
    told = [answers[-1] for answers in (await aiya.answers()).values()]
    assert sorted(one["status"] for one in told) == ["approved", "failed"]
    assert next(one for one in told if one["status"] == "failed")["reason"] == "insufficient_funds"


async def test_nothing_secret_is_in_any_file_that_is_left(life, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    async with life.process():
        await life.ask_transfer()
        [record] = [one async for one in life.desk.undelivered()]
        request = await life.desk.request_of(record)
        life.decide("approve")
        await life.settle()
        tokens = [m for m in await life.messages() if "access_token" in str(m)]
        assert not tokens
    secrets = [request.auth_req_id, life.world.client_secret, "eyJ"]
    assert not [secret for secret in secrets if secret in caplog.text], "a secret in the log"
    files = [p for p in tmp_path.glob("*.db*") if not p.name.startswith("tenant")]
    assert len(files) >= 3
    for path in files:
        held = path.read_bytes()
        for secret in secrets:
            assert secret.encode() not in held, f"{path.name} holds a secret"


async def test_a_denial_is_final_until_the_customer_asks_again(aiya):
    await aiya.ask_transfer(call_id="a")
    aiya.model.script.append([aiya.transfer_call(call_id="b")])  # a model that insists
    aiya.decide("deny")
    await aiya.settle()
    assert aiya.tenant.notifications() == [], "the phone is left alone"
    assert (await aiya.answers())["b"][-1]["reason"] == "denied_before"
    await aiya.ask_transfer(call_id="c")
    assert len(aiya.tenant.notifications()) == 1, "the customer asked again"


async def test_a_customer_is_asked_five_times_a_minute_at_most(aiya):
    calls = [aiya.transfer_call(f"{n}.00", f"c{n}") for n in range(1, 8)]
    aiya.model.script.append(calls)
    await aiya.say("seven transfers")
    assert len(aiya.tenant.notifications()) == 5
    refused = [one for told in (await aiya.answers()).values() for one in told]
    assert [one["reason"] for one in refused] == ["too_many_pushes"] * 2
    assert refused[0]["message"] == (
        "The phone was asked 5 times within a minute, which is the most for one customer. "
        "Wait a minute, then ask again."
    )
    await aiya.pass_time(60)
    await aiya.ask_transfer("8.00", "c8")
    assert len(aiya.tenant.notifications()) == 6


class Document(BaseModel):
    year: int


async def test_any_tool_can_be_gated_and_keeps_its_schema(life):
    read = []

    async def read_tax_document(arguments: Document, caller: Call):
        assert caller.access_token
        read.append((arguments.year, caller.user_id))
        return {"text": "confidential"}

    bare = Tool("read_tax_document", "Read a tax document.", Document, read_tax_document)
    gated = with_async_authorization(
        bare,
        scopes=["read:accounts"],
        audience=life.world.audience.removesuffix("/transfers"),
        binding_message=lambda arguments, _: f"Let Aiya read your {arguments.year} tax return?",
    )
    assert gated.schema() == bare.schema()
    async with life.process(tools=[gated]):
        life.model.script.append([call("read_tax_document", {"year": 2025}, "doc")])
        await life.say("what did I earn?")
        [push] = life.tenant.notifications()
        assert push["binding_message"].startswith("Let Aiya read your 2025 tax return #")
        assert read == []
        life.decide("approve")
        await life.settle()
        assert read == [(2025, life.world.user_id)]
        assert (await life.answers())["doc"][-1]["result"] == {"text": "confidential"}


async def test_free_tools_answer_at_once_and_wrong_calls_are_explained(aiya):
    aiya.model.script.append(
        [
            call("get_accounts", {}, "a"),
            call("get_history", {"account_id": aiya.checking}, "b"),
            call("no_such_tool", {}, "c"),
            call("get_history", {"account_id": "acc_nobody"}, "d"),
            {"id": "e", "type": "function", "function": {"name": "get_accounts", "arguments": "{"}},
        ]
    )
    await aiya.say("look")
    answers = {key: told[-1] for key, told in (await aiya.answers()).items()}
    assert answers["a"]["accounts"][0]["name"] == "Checking"
    assert answers["b"]["entries"]
    assert answers["c"]["reason"] == "unknown_tool"
    assert answers["d"]["status"] == "failed"
    assert answers["e"]["reason"] == "bad_arguments"


async def test_a_learners_own_node_takes_the_place_of_ours(life):
    seen = []

    async def mine(task, config):
        seen.append(task["arguments"]["amount"])
        answer = {"role": "tool", "tool_call_id": task["tool_call_id"], "content": "{}"}
        return {"messages": [answer]}

    async with life.process(act={"transfer": mine}):
        await life.ask_transfer()
    assert seen == ["25.00"]
