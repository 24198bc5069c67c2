"""Lab 05: a learner's nodes as they are, and notes of what they do beside what is seen of it.

The desk never asks twice for one call, and the bank never moves money twice under one key: they
save a node that does more than it should, so only such notes tell.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import Any

from langgraph.types import Command, Send

from baink_lab.approvals import Desk, GatedTool
from baink_lab.approvals.nodes import Push
from baink_lab.lab.learner.pieces import Transfer

#: What a gate's node is called while a learner's `request_approval` runs.
ELSEWHERE = "a_node_of_another_name"
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


@dataclasses.dataclass
class Notes:
    """What was noted.

    Attributes:
        asks: how often the node has called `desk.ask`.
        returned: what it returned, oldest first.
        printed: what was printed meanwhile.
    """

    asks: int = 0
    returned: list[Any] = dataclasses.field(default_factory=list)
    printed: str = ""

    @property
    def token_printed(self) -> bool:
        """Whether an access token was printed."""
        return _TOKEN.search(self.printed) is not None


class _NotedDesk:
    """A desk that notes each `ask`; a gate of another node is asked for by its own."""

    def __init__(self, desk: Desk, notes: Notes, node: str = "") -> None:
        self._desk, self._notes, self._node = desk, notes, node

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)

    def ask(self, *given: Any, **named: Any) -> Any:
        """`Desk.ask`."""
        self._notes.asks += 1
        by_name = {name: self._with_own_node(one) for name, one in named.items()}
        return self._desk.ask(*map(self._with_own_node, given), **by_name)

    def _with_own_node(self, one: Any) -> Any:
        if isinstance(one, GatedTool) and one.node == ELSEWHERE:
            return dataclasses.replace(one, node=self._node)
        return one


def noted_transfer(written: Transfer, notes: Notes) -> Transfer:
    """The same node; its questions to the desk are noted."""

    @functools.wraps(written)
    async def transfer(desk: Desk, bank: Any, task: Any, call: Any) -> Any:
        noted: Any = _NotedDesk(desk, notes)
        return await written(noted, bank, task, call)

    return transfer


def noted_request(written: Push, notes: Notes) -> Push:
    """The same node, for a gate whose node has another name than its tool.

    What it returns is noted, and then goes on to the gate's own node.
    """

    @functools.wraps(written)
    async def request_approval(desk: Desk, gate: GatedTool, arguments: Any, call: Any) -> Any:
        noted: Any = _NotedDesk(desk, notes, gate.node)
        way: Any = await written(noted, dataclasses.replace(gate, node=ELSEWHERE), arguments, call)
        notes.returned.append(way)
        return _to_own_node(way, gate)

    return request_approval


def _to_own_node(way: Any, gate: GatedTool) -> Any:
    if isinstance(way, Command):
        return dataclasses.replace(way, goto=_to_own_node(way.goto, gate))
    if isinstance(way, Send) and way.node == ELSEWHERE:
        return Send(gate.node, way.arg)
    if isinstance(way, list | tuple):
        return [_to_own_node(one, gate) for one in way]
    return gate.node if way == ELSEWHERE else way


def node_of(returned: Any) -> Any:
    """Where what a node returned leads to; empty when that is not one node."""
    way = _way(returned)
    return way.node if isinstance(way, Send) else ""


def task_of(returned: Any) -> Any:
    """What is sent there; None when that is not one node."""
    way = _way(returned)
    return way.arg if isinstance(way, Send) else None


def is_late(returned: Any) -> bool:
    """Whether a task was sent on as one whose call has its answer already."""
    task = task_of(returned)
    return isinstance(task, dict) and bool(task.get("late"))


def _way(returned: Any) -> Any:
    way = returned.goto if isinstance(returned, Command) else returned
    return way[0] if isinstance(way, list | tuple) and len(way) == 1 else way
