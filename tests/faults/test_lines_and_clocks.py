"""Broken lines, clocks that jump, a full disk, two resumers: each alone, and what it leads to."""

from __future__ import annotations

import contextlib

import httpx
import pytest

from baink_lab.approvals import Resumer
from tests.aiya_world import World
from tests.faults.chaos import FAULTS, ChaosTransport


@pytest.fixture
async def life(tmp_path, tenant, tenant_http, world, clock):
    life = World(tmp_path, tenant, tenant_http, world, clock)
    life.chaos = ChaosTransport(tenant_http._transport)
    async with httpx.AsyncClient(transport=life.chaos) as http:
        life.agent_http = http
        yield life
    life.close()


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_poll_without_an_answer_is_no_denial(life, fault):
    async with life.process():
        await life.ask_transfer()
        life.chaos.plan = [fault] * 4
        await life.pass_time(40)
        assert life.resumer.counters.failures >= 1
        assert await life.statuses() == {}
        life.chaos.plan = []
        life.decide("approve")
        await life.settle(120)
        assert life.moved() == [2500]
        assert await life.statuses() == {"call_1": ["approved"]}


@pytest.mark.parametrize("fault", ["lost", "half"])
async def test_tokens_lost_on_the_way_are_asked_for_again_and_move_nothing(life, fault):
    async with life.process():
        await life.ask_transfer()
        life.decide("approve")
        life.chaos.plan = [fault]
        await life.settle(60)
        assert life.chaos.lost == [("/oauth/token", 200)]
        [answer] = (await life.answers())["call_1"]
        assert answer["status"] == "expired"
        assert "ask again" in answer["message"]
        assert life.moved() == []


async def test_retry_after_is_obeyed(life):
    async with life.process():
        await life.ask_transfer()
        life.decide("approve")
        life.chaos.plan = ["429"]
        await life.pass_time(34)
        assert life.resumer.counters.polls == 1, "the tenant asked for 30 seconds"
        await life.settle(30)
        assert life.moved() == [2500]


@pytest.mark.parametrize("fault", ["reset", "lost", "500", "garbage", "half"])
async def test_a_question_that_got_no_answer_is_not_sent_twice(life, fault):
    async with life.process():
        life.chaos.plan = [fault]
        await life.ask_transfer()
        assert len(life.tenant.notifications()) <= 1
        assert await life.statuses() == {"call_1": ["failed"]}
        if life.tenant.notifications():  # it rang all the same: an approval has no effect
            life.decide("approve")
        await life.settle()
        assert life.moved() == []


async def test_a_tenant_that_is_gone_does_not_keep_a_thread_waiting(life):
    async with life.process():
        await life.ask_transfer()
        life.chaos.plan = ["refused"] * 1000
        begun = life.clock.now()
        await life.settle(400)
        assert await life.statuses() == {"call_1": ["expired"]}
        # A poll may be a minute of back-off after the moment at which time was up.
        assert life.clock.now() - begun <= 300 + 5 + 75


@pytest.mark.parametrize("seconds", [-86_400, -3600, -60, 60])
async def test_a_clock_that_is_set_does_not_stop_the_resumer(life, seconds):
    async with life.process():
        await life.ask_transfer()
        await life.pass_time(12)
        life.clock.jump(seconds)
        life.decide("approve")
        await life.settle(40)
        assert life.moved() == [2500]
        assert await life.statuses() == {"call_1": ["approved"]}


async def test_a_machine_that_slept_past_the_expiry_says_so(life):
    async with life.process():
        await life.ask_transfer()
        life.clock.jump(86_400)
        await life.settle(40)
        assert await life.statuses() == {"call_1": ["expired"]}


async def test_a_full_disk_is_waited_for_and_money_moves_once(life):
    async with life.process() as process:
        await life.ask_transfer()
        connection = process.graph.checkpointer.conn
        pages = (await (await connection.execute("PRAGMA page_count")).fetchone())[0]
        await connection.execute(f"PRAGMA max_page_count={pages}")
        await life.say_until_full()
        life.decide("approve")
        await life.pass_time(60)
        assert life.resumer.counters.failures >= 1
        assert await life.statuses() in ({}, {"call_1": ["waiting"]})
        await connection.execute("PRAGMA max_page_count=1000000")
        await life.settle(200)
        assert life.moved() == [2500]
        assert (await life.statuses())["call_1"][-1] == "approved"


async def test_two_resumers_on_one_store_do_no_harm(life):
    async with life.process() as process:
        twin = Resumer(process.graph, desk=process.desk, clock=life.clock)
        twin.threads._locks = process.resumer.threads._locks  # one process, one lock a thread
        async with twin:
            await life.ask_transfer("1.00", "a")
            await life.ask_transfer("2.00", "b", "other")
            await life.pass_time(20)
            for _ in range(2):
                life.decide("approve")
            await life.settle(120)
        assert sorted(life.moved()) == [100, 200]
        assert (await life.statuses())["a"][-1] == "approved"
        assert (await life.statuses("other"))["b"] == ["approved"]


async def test_seventy_two_hours_pass_and_the_graph_runs_twice(life):
    client = life.tenant.clients[life.world.client_id]
    channels = {"async_approval_notification_channels": ["guardian-push", "email"]}
    life.tenant.clients.put(life.world.client_id, client | channels)
    async with life.process() as process:
        gate = next(tool for tool in process.tools if tool.name == "transfer_funds")
        object.__setattr__(gate, "requested_expiry", 259_200)
        await life.ask_transfer()
        for _ in range(71):
            life.clock.advance(3600)
            await life.rest()
        assert life.runs == 1
        life.decide("approve")
        await life.settle()
        assert life.runs == 2
        assert life.moved() == [2500]


async def test_a_resumer_that_is_closed_leaves_its_work_for_the_next(life):
    async with life.process():
        await life.ask_transfer()
        life.decide("approve")
        life.clock.advance(5)  # the poll begins …
    assert life.moved() in ([], [2500])  # … and is finished, or left
    async with life.process():
        await life.settle()
    assert life.moved() == [2500]


async def test_a_thousand_waiting_approvals_are_taken_up_page_by_page(life):
    import dataclasses

    async with life.process():
        await life.ask_transfer()
        [record] = [one async for one in life.desk.undelivered()]
        for number in range(450):
            copy = dataclasses.replace(record, id=f"apr_{number}", thread_id=f"t{number}")
            await life.desk.save(copy)
    async with life.process():
        assert life.resumer.waiting == 451
        with contextlib.suppress(AssertionError):
            await life.rest()


async def test_an_outcome_that_was_written_but_not_checkpointed_is_told(life, monkeypatch):
    """The fault campaign found it: such writes look settled in a snapshot, and the next message
    throws them away."""
    async with life.process() as process:
        await life.ask_transfer()
        saver = process.graph.checkpointer

        async def dies(*args, **kwargs):
            raise OSError("as if the process ended here")

        with monkeypatch.context() as patched:
            patched.setattr(saver, "aput", dies)
            life.decide("approve")
            await life.pass_time(6)
            assert life.moved() == [2500]
            assert life.resumer.counters.failures >= 1
        await life.pass_time(30)
        await life.say("and now?")
        await life.settle(30)
        assert (await life.statuses())["call_1"][-1] == "approved"
        assert life.moved() == [2500]
