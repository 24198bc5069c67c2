"""Aiya on real parts: tenant, bank, SQLite memory and the graph, on one clock that tests drive.

Only the model is played: tests say what it calls. HTTP goes through ASGI, without sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import time

import httpx
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from baink_lab.aiya.graph import build_graph
from baink_lab.aiya.model import model_node
from baink_lab.aiya.tools import gated_transfer, read_tools
from baink_lab.approvals import Desk, Resumer, Vault, key_from_file
from baink_lab.approvals.memory import sqlite_store
from baink_lab.auth0 import CibaClient
from baink_lab.auth0.login import SessionTokens, log_in_with_form
from baink_lab.auth0.tokens import TokenVerifier
from baink_lab.bank.api import create_app as create_bank
from baink_lab.bank.client import BankClient
from baink_lab.bank.ledger import Ledger

OPENING = 4  # deposits on the bank's first day


def call(name, arguments, call_id):
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": call_id, "type": "function", "function": function}


class PlayedModel:
    """Says what the test wrote, in order; then tells what it reads. Checks OpenAI's order."""

    def __init__(self):
        self.script = []
        self.requests = []

    async def __call__(self, messages, tools, say):
        check_order(messages)
        self.requests.append(messages)
        if self.script:
            calls = self.script.pop(0)
            return {"role": "assistant", "content": "", "tool_calls": calls}
        text = f"I read {len(messages)} messages."
        say(text)
        return {"role": "assistant", "content": text}


async def _nobody(message):
    """Where an answer goes that is lost on the way."""


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


class World:
    """Everything of one customer, with doors for tests."""

    def __init__(self, folder, tenant, tenant_http, world, clock):
        self.folder, self.tenant, self.tenant_http = folder, tenant, tenant_http
        self.world, self.clock = world, clock
        self.agent_http = None  # the agent's own line to the tenant, when tests break it
        self.model = PlayedModel()
        self.events = []
        self.runs = 0
        self.ledger = Ledger.open(folder / "ledger.db")
        self.ledger.seed(world.user_id, "auth0|other")
        own = self.ledger.accounts(world.user_id)
        self.checking, self.savings = own[0]["id"], own[1]["id"]
        audiences = [world.audience, world.audience.removesuffix("/transfers")]
        verifier = TokenVerifier(world.issuer, audiences, tenant_http, clock)
        app = create_bank(self.ledger, verifier, transfers_audience=world.audience, clock=clock)
        self.bank_app = app
        self.bank_calls = []
        self.bank_drops = 0

    @contextlib.asynccontextmanager
    async def process(self, tools=None, **nodes):
        """One life of the agent's process: graph, memory, resumer. Enter again to restart."""
        async with contextlib.AsyncExitStack() as stack:
            enter = stack.enter_async_context
            saver = await enter(AsyncSqliteSaver.from_conn_string(str(self.folder / "threads.db")))
            self.store = await enter(sqlite_store(self.folder / "approvals.db"))
            transport = httpx.ASGITransport(self._bank)
            bank_http = await enter(httpx.AsyncClient(transport=transport, base_url="http://bank"))
            bank = BankClient("http://bank", http=bank_http)
            session = SessionTokens(self._log_in, clock=self.clock)

            async def token(user_id):
                return (await session.current()).access_token

            self.tools = chosen = [
                *read_tools(bank, token),
                gated_transfer(bank, token, audience=self.world.audience),
                *(tools or []),
            ]
            self.ciba = CibaClient(
                self.world.issuer,
                self.world.client_id,
                self.world.client_secret,
                http=self.agent_http or self.tenant_http,
                clock=self.clock,
            )
            vault = Vault(self.store, [key_from_file(self.folder / "vault.key")], clock=self.clock)
            self.desk = Desk(self.store, vault, self.ciba, clock=self.clock)
            self.graph = build_graph(
                model=model_node(self.model, chosen),
                tools=chosen,
                desk=self.desk,
                checkpointer=saver,
                **nodes,
            )
            self.resumer = Resumer(
                self.graph,
                desk=self.desk,
                clock=self.clock,
                on_event=lambda thread, event: self.events.append(event),
            )
            self._count(self.resumer.threads)
            await enter(self.resumer)
            yield self

    def close(self):
        self.ledger.close()

    def pushes(self):
        """Every CIBA request that the tenant accepted, in order, whatever became of it."""
        return list(self.tenant.ciba._requests.values())

    async def say(self, text, thread="t"):
        async with self.resumer.turn(thread, self.world.user_id) as config:
            entry = {"messages": [{"role": "user", "content": text}]}
            await self.resumer.threads.run(entry, config)

    async def say_until_full(self, thread="t"):
        """Write into the thread until its disk is full."""
        with contextlib.suppress(sqlite3.OperationalError):
            for _ in range(200):
                await self.say("x" * 2000, thread)

    async def ask_transfer(self, amount="25.00", call_id="call_1", thread="t", **changes):
        self.model.script.append([self.transfer_call(amount, call_id, **changes)])
        await self.say(f"move {amount}", thread)

    def transfer_call(self, amount="25.00", call_id="call_1", **changes):
        arguments = {
            "from_account": self.checking,
            "to_account": self.savings,
            "amount": amount,
            "currency": "USD",
        }
        return call("transfer_funds", arguments | changes, call_id)

    def decide(self, decision, position=-1):
        self.tenant.decide(self.tenant.notifications()[position]["id"], decision)

    async def pass_time(self, seconds, step=0.5):
        """Let the clock run, and everything that it wakes."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            self.clock.advance(step)
            await self.rest()

    async def rest(self):
        """Let tasks and SQLite's threads work until the resumer sleeps on the clock again."""
        deadline = time.monotonic() + 20  # of the machine's own time: only a fault reaches it
        quiet = 0
        while quiet < 3 and time.monotonic() < deadline:
            await asyncio.sleep(0.001)
            asleep = self.clock.next_wake() is not None
            quiet = quiet + 1 if asleep and not self.resumer._under_way else 0

    async def settle(self, seconds=30):
        """Let time pass until no approval waits any more."""
        end = self.clock.now() + seconds
        while self.clock.now() < end and [one async for one in self.desk.undelivered()]:
            await self.pass_time(0.5)

    async def messages(self, thread="t"):
        state = await self.graph.aget_state({"configurable": {"thread_id": thread}})
        return state.values.get("messages", [])

    async def answers(self, thread="t"):
        """What the model was told of tool calls: id → list of statuses, in order."""
        found = {}
        for message in await self.messages(thread):
            content = str(message.get("content") or "")
            if message["role"] == "tool":
                found.setdefault(message["tool_call_id"], []).append(json.loads(content))
            elif content.startswith("Event: outcome of tool call "):
                key = content.split()[5]
                found.setdefault(key, []).append(json.loads(content[content.index("{") :]))
        return found

    async def statuses(self, thread="t"):
        answers = await self.answers(thread)
        return {key: [one.get("status") for one in told] for key, told in answers.items()}

    def moved(self):
        """Amounts of the transfers so far, in cents."""
        rows = self.ledger._rows("SELECT amount FROM entries WHERE amount > 0 ORDER BY number")
        assert self.ledger.total() == 0
        return [row["amount"] for row in rows][OPENING:]

    async def _bank(self, scope, receive, send):
        if scope["type"] == "http" and scope["method"] == "POST":
            headers = dict(scope["headers"])
            self.bank_calls.append(headers[b"idempotency-key"].decode())
            if self.bank_drops:  # the bank commits, and its answer never comes
                self.bank_drops -= 1
                await self.bank_app(scope, receive, _nobody)
                raise httpx.ReadTimeout("no answer")
        await self.bank_app(scope, receive, send)

    async def _log_in(self):
        return await log_in_with_form(self.world, http=self.tenant_http, clock=self.clock)

    def _count(self, threads):
        run = threads.run

        async def counted(entry, config):
            self.runs += 1
            await run(entry, config)

        threads.run = counted
