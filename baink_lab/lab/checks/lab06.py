"""Lab 06: the gate is in the registry, the resumer rings once, each story ended as it should."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from baink_lab.aiya.tools import behind_its_gate
from baink_lab.approvals import GatedTool, Tool
from baink_lab.lab.checks import lab06_stories as stories
from baink_lab.lab.checks.exercises import Exercise, Reference, exercise_of, raised
from baink_lab.lab.checks.looking_after import LOOK_AFTER, looks_after, stand_in
from baink_lab.lab.checks.result import Result, failed, passed, slip
from baink_lab.lab.checks.shelf import Shelf
from baink_lab.lab.learner import solutions
from baink_lab.lab.learner.pieces import NoRegistry, Pieces
from baink_lab.lab.practice.agent import PracticeAgent, practice_agent
from baink_lab.lab.widgets.show import counted

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

REGISTRY = "registry"


async def gate_is_in(lab: Lab) -> Result:
    """Aiya with the learner's registry asks the phone once, and moves the money after the yes."""
    mine = exercise_of(lab, REGISTRY)
    seen = _Seen(mine)
    async with practice_agent() as agent:
        try:
            async with agent.process(tools=Pieces(registry=seen).tools):
                return await _judge(agent, seen)
        except Exception as failure:
            if seen.problem is not None:
                return raised(REGISTRY, seen.problem, mine.written)
            if isinstance(failure, NoRegistry):
                return _no_list(seen.returned)
            raise


class _Seen:
    """The learner's function, and what went in and came out."""

    def __init__(self, mine: Exercise) -> None:
        self._mine = mine
        self.called = False
        self.given: list[Tool] = []
        self.returned: Any = None
        self.problem: Exception | None = None

    def __call__(self, tools: list[Tool], wrapped: GatedTool) -> list[Tool]:
        self.called, self.given = True, list(tools)
        try:
            self.returned = self._mine(tools, wrapped)
        except Exception as failure:
            self.problem = failure
            raise
        found: list[Tool] = self.returned
        return found


async def _judge(agent: PracticeAgent, seen: _Seen) -> Result:
    name = next(one.name for one in seen.given if one.name == "transfer_funds")
    transfers = [one for one in agent.tools if one.name == name]
    await agent.ask_transfer()
    pushes = agent.tenant.notifications()
    if pushes:
        agent.decide("approve")
        await agent.settle()
    told = (await agent.answers()).get("call_1", [{}])[-1]
    if not transfers:
        why = (
            f"Aiya has no {name} at all: {_names(agent.tools)}. The model called it, since the "
            f"customer asked, and heard {told.get('reason')}."
        )
        return failed(
            REGISTRY, why, "Return every tool of `tools`, and `wrapped` for the bare one."
        )
    if not any(isinstance(one, GatedTool) for one in transfers):
        why = (
            f"The {name} in your registry is the bare one. I asked Aiya for a transfer: the phone "
            f"got {counted(len(pushes), 'push', 'pushes')}, and the tool, which has no token that "
            f"an approval brought, answered {told.get('reason')}. Nothing moved, as in lab 01."
        )
        step = (
            "Where the bare tool stands, put `wrapped`: it has the same name, and the gate. (They "
            "are two tools, and `==` between them is False: compare `.name`.)"
        )
        return failed(REGISTRY, why, step, "C15")
    if len(transfers) > 1:
        why = (
            f"There are {len(transfers)} tools called {name}, and at least one of them has no "
            "gate. A model knows tools by their names, so it is left to chance which one runs."
        )
        step = (
            "Leave the bare one out: `wrapped` takes its place. (They are two tools, and `!=` "
            "between them is True: compare `.name`.)"
        )
        return failed(REGISTRY, why, step)
    if (wrong := _judge_the_rest(agent, seen)) is not None:
        return wrong
    if len(pushes) != 1 or agent.bank.moved() != ["25.00"]:
        why = (
            f"I asked Aiya for one transfer of 25.00: the phone got "
            f"{counted(len(pushes), 'push', 'pushes')}, and what moved was "
            f"{agent.bank.moved() or 'nothing'} ({told})."
        )
        return failed(REGISTRY, why, "Return `wrapped` itself, unchanged.")
    why = (
        "I asked Aiya for a transfer: the phone got one push, and after the yes the money moved, "
        "once. The model sees the same name and the same arguments as before; only the gate is new."
    )
    return passed(REGISTRY, why)


def _judge_the_rest(agent: PracticeAgent, seen: _Seen) -> Result | None:
    twice = collections.Counter(one.name for one in agent.tools)
    if again := [f"{count} times {one}" for one, count in twice.items() if count > 1]:
        why = (
            f"The transfer is right, but Aiya has {', '.join(again)}. A model calls its tools by "
            "their names, and some providers (Anthropic is one) refuse a list with a name twice."
        )
        step = "Put each tool of `tools` into the list once."
        return slip(REGISTRY, why, step)
    missing = {one.name for one in seen.given} - {one.name for one in agent.tools}
    if missing:
        why = f"Aiya cannot read any more: she lost {' and '.join(sorted(missing))}."
        return failed(REGISTRY, why, "Return the other tools of `tools` too.")
    return None


def _no_list(returned: object) -> Result:
    if isinstance(returned, list):
        at, one = next(
            ((at, one) for at, one in enumerate(returned) if not isinstance(one, Tool)),
            (0, None),
        )
        if one is None:
            why = "The list that it returned has `wrapped` in it more than once."
            step = "Keep each other tool, and put `wrapped` where the tool with its name stands."
            return slip(REGISTRY, why, step)
        why = f"In the list that it returned, item {at} is of type {type(one).__name__}: no tool."
        step = "Return the tools themselves: `wrapped`, and those of `tools`, in one flat list."
        return failed(REGISTRY, why, step)
    why = f"It returned {type(returned).__name__}. Aiya's registry is a list of tools."
    match returned:
        case None:
            step = "End with `return [ … ]`. (Changing `tools` alone returns None.)"
        case dict():
            step = "Of a dictionary of tools, return the values: `list(… .values())`."
        case Iterator() | tuple() | set():
            step = "Make a list of it: `[ … ]` in place of `( … )`, or `list( … )` around it."
        case _:
            step = "End with `return [ … ]`: all of her tools, in one list."
    return slip(REGISTRY, why, step)


def _names(tools: list[Tool]) -> str:
    return ", ".join(one.name for one in tools) or "she has no tools"


SHELF = Shelf(
    6,
    {REGISTRY: gate_is_in, LOOK_AFTER: looks_after, **stories.CHECKS},
    {
        REGISTRY: (
            "A registry is a list. Which of its tools is the bare one, and how do you know it?",
            "Both have the same `name`. Go through `tools`, and keep all the others.",
            "[wrapped if tool.name == wrapped.name else tool for tool in tools]",
        ),
        LOOK_AFTER: (
            "A loop: sleep, poll, look at what kind of answer it is. Only an Ending ends it.",
            "At an Ending: first `desk.settle`, then `ring`. A no is an ending too.",
            "match await poll_once(desk, approval): case NotYet(seconds): …",
            "await desk.settle(approval, event, reason, tokens=tokens); await ring(approval); "
            "return",
        ),
        **stories.HINTS,
    },
    {
        REGISTRY: Reference(behind_its_gate, in_a_cell=True),
        LOOK_AFTER: Reference(
            solutions.look_after,
            stand_in,
            in_a_cell=True,
            note=(
                "Aiya herself runs baink_lab.approvals.resumer.Resumer: these steps for thousands "
                "of approvals at once, and kept up over a restart."
            ),
        ),
    },
)
