"""Aiya on real parts: the lab's practice agent, with a model that tests play and doors for them."""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3

from baink_lab.approvals.desk import PUSHES_A_MINUTE
from baink_lab.bank.money import to_minor
from baink_lab.lab.practice import agent as practice_agent
from baink_lab.lab.practice.agent import tool_call as call
from baink_lab.lab.practice.bank import URL as BANK

__all__ = ["PlayedModel", "World", "call", "check_order"]


class PlayedModel(practice_agent.PlayedModel):
    """The same, which checks OpenAI's order in what it reads."""

    async def __call__(self, messages, tools, say):
        check_order(messages)
        return await super().__call__(messages, tools, say)


def check_order(messages):
    """OpenAI's rule: each tool call is answered, once, before anything else is said."""
    open_calls = []
    for message in messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] in open_calls, "an answer to no open call"
            open_calls.remove(message["tool_call_id"])
            continue
        assert not open_calls, f"{open_calls} not answered before {message}"
        open_calls = [one["id"] for one in message.get("tool_calls") or []]
    assert not open_calls, f"{open_calls} not answered"


class World(practice_agent.PracticeAgent):
    """Everything of one customer, as the tests name it."""

    def __init__(self, folder, tenant, tenant_http, world, clock):
        world = dataclasses.replace(world, bank=BANK)
        super().__init__(folder, tenant, tenant_http, world, clock)
        self.model = PlayedModel()
        self.pushes_a_minute = PUSHES_A_MINUTE
        self.ledger = self.bank.ledger

    @contextlib.asynccontextmanager
    async def process(self, tools=None, **nodes):
        """One life of the agent's process: graph, memory, resumer. Enter again to restart."""
        more = tools or []
        async with super().process(tools=lambda ours: [*ours, *more], nodes=lambda *_: nodes):
            yield self

    def pushes(self):
        """Every CIBA request that the tenant accepted, in order, whatever became of it."""
        return list(self.tenant.ciba._requests.values())

    async def say_until_full(self, thread="t"):
        """Write into the thread until its disk is full."""
        with contextlib.suppress(sqlite3.OperationalError):
            for _ in range(200):
                await self.say("x" * 2000, thread)

    @property
    def bank_calls(self):
        return [one.key for one in self.bank.asked]

    @property
    def bank_drops(self):
        return self.bank.lose

    @bank_drops.setter
    def bank_drops(self, count):
        self.bank.lose = count

    def moved(self):
        """Amounts of the transfers so far, in cents."""
        assert self.ledger.total() == 0
        return [to_minor(amount) for amount in self.bank.moved()]
