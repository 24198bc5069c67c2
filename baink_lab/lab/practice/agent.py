"""A practice agent: Aiya's own graph, memory and resumer on a practice tenant and a practice bank.

Checks run a learner's pieces in it, and tests run Aiya. Every part is the real one; only the lines
between them are short (ASGI, no sockets) and the clock is turned by hand. Whoever wants to know
what happened asks the parts: `tenant`, `bank`, `graph`, `desk`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal, Self

import httpx
from openai import AsyncOpenAI

from baink_lab.aiya.app import ChooseNodes, ChooseTools, open_aiya
from baink_lab.aiya.messages import Message
from baink_lab.aiya.model import ChatModel, openai_model
from baink_lab.approvals import Approval, Tool
from baink_lab.approvals.nodes import EVENT
from baink_lab.auth0.login import SessionTokens, log_in_with_form
from baink_lab.clock import VirtualClock
from baink_lab.lab.practice.bank import URL as BANK_URL
from baink_lab.lab.practice.bank import PracticeBank
from baink_lab.lab.practice.folder import practice_folder
from baink_lab.lab.practice.fresh import ISSUER, NOON, fresh_tenant
from baink_lab.sandbox.model import create_app as create_model
from baink_lab.sandbox.tenant import Tenant, create_app
from baink_lab.settings import DEFAULT_MODEL, World

THREAD = "t"
PATIENCE_SECONDS = 20.0  # of the machine's own time; only a fault reaches it
ASKS_OFTEN = 1000  # pushes a minute: the practice customer does not tire


class PlayedModel:
    """Calls what was written for it, in order; then it tells how much it reads."""

    def __init__(self) -> None:
        self.script: list[list[dict[str, Any]]] = []
        self.requests: list[list[Message]] = []

    async def __call__(self, messages: list[Message], tools: Any, say: Any) -> Message:
        """The next message of the script."""
        self.requests.append(messages)
        if self.script:
            return {"role": "assistant", "content": "", "tool_calls": self.script.pop(0)}
        text = f"I read {len(messages)} messages."
        say(text)
        return {"role": "assistant", "content": text}


@contextlib.asynccontextmanager
async def scripted_model() -> AsyncIterator[ChatModel]:
    """The sandbox's own model, without a network: it reads the tools' descriptions."""
    transport = httpx.ASGITransport(create_model())
    async with httpx.AsyncClient(transport=transport) as http:
        line: Any = http  # openai's types name a fork of httpx; it takes httpx as well
        client = AsyncOpenAI(base_url="http://model/v1", api_key="practice", http_client=line)
        yield openai_model(client, DEFAULT_MODEL)


def tool_call(name: str, arguments: dict[str, Any], call_id: str) -> dict[str, Any]:
    """A model's call of a tool."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": call_id, "type": "function", "function": function}


class PracticeAgent:
    """Everything of one customer, with doors for those who look in.

    Args:
        folder: its memory, and the bank's ledger.
        tenant: whom it asks.
        tenant_http: reaches the tenant.
        world: names and addresses.
        clock: everybody's time.

    Attributes:
        model: what plays the model; a real one may take its place before `process`.
        events: what the graph streamed, oldest first.
        runs: how often the graph ran.
        agent_http: the agent's own line to the tenant, for those who break it.
        aiya, graph, desk, resumer, tools: of the process that runs.
    """

    def __init__(
        self,
        folder: Path,
        tenant: Tenant,
        tenant_http: httpx.AsyncClient,
        world: World,
        clock: VirtualClock,
    ) -> None:
        self.folder, self.tenant, self.tenant_http = folder, tenant, tenant_http
        self.world, self.clock = world, clock
        self.agent_http: httpx.AsyncClient | None = None
        self.model: ChatModel = PlayedModel()
        self.events: list[dict[str, Any]] = []
        self.runs = 0
        self.pushes_a_minute = ASKS_OFTEN
        self.bank = PracticeBank(folder, world, tenant_http, clock)
        own = self.bank.ledger.accounts(world.user_id)
        self.checking, self.savings = own[0]["id"], own[1]["id"]

    @contextlib.asynccontextmanager
    async def process(
        self,
        *,
        tools: ChooseTools | None = None,
        nodes: ChooseNodes | None = None,
        watch: bool = True,
    ) -> AsyncIterator[Self]:
        """One life of the agent's process. Enter again to restart it on the same memory.

        Args:
            tools: as `open_aiya` takes it.
            nodes: as `open_aiya` takes it.
            watch: whether its resumer polls as the clock is turned; else see `collect` and `ring`.
        """

        def chosen(ours: list[Tool]) -> list[Tool]:
            self.tools = tools(ours) if tools else ours
            return self.tools

        session = SessionTokens(
            lambda: log_in_with_form(self.world, http=self.tenant_http, clock=self.clock),
            clock=self.clock,
        )
        async with open_aiya(
            self.world,
            self.folder,
            chat=self.model,
            tools=chosen,
            nodes=nodes,
            session=session,
            pushes_a_minute=self.pushes_a_minute,
            clock=self.clock,
            tenant_http=self.agent_http or self.tenant_http,
            bank_http=self.bank.http,
            watch=watch,
        ) as self.aiya:
            self.graph, self.resumer = self.aiya.graph, self.aiya.resumer
            self.desk = self.resumer.desk
            self._count()
            with self.aiya.listen(lambda thread, event: self.events.append(event)):
                yield self

    def close(self) -> None:
        """Close the bank's book."""
        self.bank.ledger.close()

    def config(self, thread: str = THREAD) -> Any:
        """What names a thread to the graph."""
        return {"configurable": {"thread_id": thread, "user_id": self.world.user_id}}

    async def say(self, text: str, thread: str = THREAD) -> str:
        """Say something to Aiya; returns what she says in this turn."""
        return await self.aiya.say(text, thread=thread)

    async def ask_transfer(
        self, amount: str = "25.00", call_id: str = "call_1", thread: str = THREAD, **changes: Any
    ) -> None:
        """Have the played model call `transfer_funds` once."""
        assert isinstance(self.model, PlayedModel)
        self.model.script.append([self.transfer_call(amount, call_id, **changes)])
        await self.say(f"move {amount}", thread)

    def transfer_call(
        self, amount: str = "25.00", call_id: str = "call_1", **changes: Any
    ) -> dict[str, Any]:
        """A call of `transfer_funds` from Checking to Savings, or what `changes` make of it."""
        arguments = {
            "from_account": self.checking,
            "to_account": self.savings,
            "amount": amount,
            "currency": "USD",
        }
        return tool_call("transfer_funds", arguments | changes, call_id)

    def decide(self, decision: Literal["approve", "deny"], position: int = -1) -> None:
        """Press a button on the phone, for the newest push unless told otherwise."""
        self.tenant.decide(self.tenant.notifications()[position]["id"], decision)

    async def pass_time(self, seconds: float, step: float = 0.5) -> None:
        """Let the clock run, and everything that it wakes."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            self.clock.advance(step)
            await self.rest()

    async def rest(self) -> None:
        """Let tasks and SQLite's threads work until the resumer sleeps on the clock again."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        quiet = 0
        while quiet < 3 and time.monotonic() < deadline:
            await asyncio.sleep(0.001)
            asleep = self.clock.next_wake() is not None
            quiet = quiet + 1 if asleep and not self.resumer._under_way else 0

    async def settle(self, seconds: float = 30) -> None:
        """Let time pass until no approval waits any more."""
        end = self.clock.now() + seconds
        while self.clock.now() < end and await self.waiting():
            await self.pass_time(0.5)

    async def waiting(self, thread: str | None = None) -> list[Approval]:
        """The approvals that somebody still waits for, oldest first."""
        return await self.aiya.waiting(thread)

    async def messages(self, thread: str = THREAD) -> list[Message]:
        """What was said on a thread."""
        return await self.aiya.messages(thread)

    async def answers(self, thread: str = THREAD) -> dict[str, list[dict[str, Any]]]:
        """What the model was told of each tool call, in order."""
        found: dict[str, list[dict[str, Any]]] = {}
        for message in await self.messages(thread):
            content = str(message.get("content") or "")
            if message["role"] == "tool":
                found.setdefault(message["tool_call_id"], []).append(json.loads(content))
            elif content.startswith(f"{EVENT} "):
                key = content.split()[5]
                found.setdefault(key, []).append(json.loads(content[content.index("{") :]))
        return found

    async def statuses(self, thread: str = THREAD) -> dict[str, list[Any]]:
        """The statuses in those answers."""
        answers = await self.answers(thread)
        return {key: [one.get("status") for one in told] for key, told in answers.items()}

    def _count(self) -> None:
        threads = self.resumer.threads
        run = threads.run

        async def counted(entry: Any, config: Any) -> None:
            self.runs += 1
            await run(entry, config)

        threads.run = counted  # type: ignore[method-assign]


@contextlib.asynccontextmanager
async def practice_agent() -> AsyncIterator[PracticeAgent]:
    """A fresh practice agent, gone at the end of the block; `process` starts it."""
    clock = VirtualClock(NOON)
    with practice_folder() as folder, fresh_tenant(clock.now) as tenant:
        transport = httpx.ASGITransport(create_app(tenant))
        async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
            place = {"tenant": ISSUER.rstrip("/"), "issuer": ISSUER, "bank": BANK_URL}
            world = World.from_ready(place | {"model": ""} | tenant.credentials())
            agent = PracticeAgent(folder, tenant, http, world, clock)
            with contextlib.closing(agent):
                yield agent
