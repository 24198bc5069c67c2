"""One transfer played on a practice agent, step by step, and what was seen of it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal, TypeAlias

from baink_lab.approvals import Approval
from baink_lab.approvals.nodes import WAITING
from baink_lab.approvals.threads import open_interrupts
from baink_lab.lab.learner.pieces import Pieces
from baink_lab.lab.practice import meddling
from baink_lab.lab.practice.agent import PracticeAgent, practice_agent
from baink_lab.lab.practice.bank import Asked

PATIENCE_SECONDS = 15.0
AMOUNT = "25.00"
MEMO = "for the roof"

Step: TypeAlias = Callable[["Scene"], Awaitable[object]]


@dataclasses.dataclass
class Scene:
    """One transfer on a thread of its own.

    Attributes:
        agent: on which it is played.
        thread: the conversation; of this transfer alone unless chosen.
        call_id: the id that the model gave its call.
        asleep: the nodes that slept after the push.
        named: the ids of the approvals that their interrupts named.
        approval: the record of the push; None when there is none.
        pushes: how many notifications the phone got, whatever became of them.
        asked: what the bank was asked for.
        moved: what left the account.
        told: what Aiya heard of the call, oldest first.
        problem: what was raised.
        token: what the customer's yes brought.
    """

    agent: PracticeAgent
    thread: str
    call_id: str
    asleep: list[str] = dataclasses.field(default_factory=list)
    named: set[str] = dataclasses.field(default_factory=set)
    approval: Approval | None = None
    pushes: int = 0
    asked: list[Asked] = dataclasses.field(default_factory=list)
    moved: list[str] = dataclasses.field(default_factory=list)
    told: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    problem: Exception | None = None
    token: str = ""

    @property
    def status(self) -> str:
        """What Aiya heard last; empty while she heard nothing but "waiting"."""
        last = str(self.told[-1].get("status")) if self.told else ""
        return "" if last == WAITING else last

    @property
    def reaction(self) -> tuple[Any, ...]:
        """What it all led to, to be compared with another scene."""
        return self.status, tuple(self.moved), len(self.asked), type(self.problem)

    @property
    def did(self) -> str:
        """What a node did of it, to follow the words "your node"."""
        if self.moved:
            return f"moved {' and '.join(self.moved)}"
        if self.asked:
            return f"sent a transfer to the bank, which answered {self.asked[-1].status}"
        if self.problem is not None:
            return f"raised {type(self.problem).__name__}"
        return f"told Aiya “{self.status}”" if self.status else "did nothing"

    async def answer(self, decision: Literal["approve", "deny"]) -> None:
        """The customer answers, and the vault knows; nobody has rung the thread yet."""
        for one in self.agent.tenant.notifications():
            self.agent.tenant.decide(one["id"], decision)
        await self._collect()

    async def lapse(self) -> None:
        """Nobody answers until the time is up, and the vault knows; nobody has rung yet."""
        if self.approval is not None:
            self.agent.clock.advance(self.approval.expires_at - self.agent.clock.now())
        await self._collect()

    async def _collect(self) -> None:
        if self.approval is not None:
            self.approval = await meddling.collect(self.agent, self.approval)
            call = (self.approval.id, self.thread, self.approval.tool_call_id)
            outcome = await self.agent.desk.outcome(*call)
            self.token = (outcome and outcome.access_token) or ""

    async def ring(self) -> None:
        """The resumer rings."""
        if self.approval is not None:
            await meddling.ring(self.agent, self.approval)

    async def forge(self, word: Any) -> None:
        """Somebody rings with a word of their own."""
        await meddling.forge(self.agent, word, self.thread)

    def doorbell(self) -> dict[str, str]:
        """What the resumer rings with."""
        return {"approval_id": self.approval.id if self.approval else ""}


@contextlib.asynccontextmanager
async def stage(pieces: Pieces) -> AsyncIterator[PracticeAgent]:
    """A practice agent with a learner's pieces, whose resumer waits to be told each step."""
    async with (
        practice_agent() as agent,
        agent.process(tools=pieces.tools, nodes=pieces.nodes, watch=False),
    ):
        yield agent


async def play(
    agent: PracticeAgent, *steps: Step, thread: str | None = None, call_id: str | None = None
) -> Scene:
    """Ask for one transfer, take the steps, and look at what came of it.

    What a learner's code raises ends the scene, and is noted.

    Args:
        agent: on which it is played.
        steps: what happens after the question, in order.
        thread: a conversation that goes on; a new one unless given.
        call_id: the model's id for the call, such as one that it has used in another conversation.
    """
    number = len(agent.events) + agent.runs
    scene = Scene(agent, thread or f"scene-{number}", call_id or f"call_{number}")
    before = len(agent.bank.asked), len(agent.bank.moved()), _notified(agent)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await agent.ask_transfer(AMOUNT, scene.call_id, scene.thread, memo=MEMO)
            await _look(scene, before[2])
            for step in steps:
                await step(scene)
                await _look(scene, before[2])
    except Exception as problem:
        scene.problem = problem
    scene.asked = agent.bank.asked[before[0] :]
    scene.moved = agent.bank.moved()[before[1] :]
    scene.told = (await agent.answers(scene.thread)).get(scene.call_id, [])
    return scene


async def _look(scene: Scene, before: set[str]) -> None:
    """Note the pushes, and after the first step who sleeps and for which approval."""
    scene.pushes = max(scene.pushes, len(_notified(scene.agent) - before))
    if not scene.asleep:
        state = await scene.agent.graph.aget_state(scene.agent.config(scene.thread))
        scene.asleep = [task.name for task in state.tasks if task.interrupts]
        waiting = await scene.agent.waiting(scene.thread)
        scene.approval = waiting[-1] if waiting else None  # the newest: a thread may go on
        scene.named = set(open_interrupts(state))


def _notified(agent: PracticeAgent) -> set[str]:
    return {one["id"] for one in agent.tenant.notifications()}
