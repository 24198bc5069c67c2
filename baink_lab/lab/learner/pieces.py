"""A learner's own functions in Aiya's graph, each in the place of the package's own.

The interface, for labs that put them together (05, 06):

- `Pieces(wrap_transfer=…, request_approval=…, transfer=…)`: any of them, the rest is the package's.
- ``open_aiya(…, tools=pieces.tools, nodes=pieces.nodes)`` runs Aiya with them; so does
  ``agent.process(tools=pieces.tools, nodes=pieces.nodes)`` of `lab.practice_agent` in a check, and
  ``await lab.build(wrap_transfer=…, …)`` in a notebook (until the next `build`).

What each is called with:

- ``registry(tools, wrapped)`` returns what Aiya shall have. `tools` holds the bare transfer tool.
- ``wrap_transfer(tool, audience, book)`` returns a `GatedTool`. `book(call)` is awaited for the
  bank's answer to `accounts`: ids and names of accounts and payees.
- ``await request_approval(desk, gate, arguments, call)`` returns a `Command`: where to go on.
- ``await transfer(desk, bank, task, call)`` returns what Aiya hears; None while there is no answer.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphInterrupt

from baink_lab.aiya.prompts import TRANSFER_FUNDS_CONFIRMED_IN_CHAT
from baink_lab.aiya.tools import Book, NoArguments
from baink_lab.approvals import Call, Desk, GatedTool, Tool, ToolRefused, ToolUnavailable
from baink_lab.approvals.desk import outcome_answer
from baink_lab.approvals.nodes import (
    WAITING,
    WAITING_REASON,
    Node,
    Push,
    Task,
    closing,
    lapsed,
    request_node,
    session_of,
)
from baink_lab.bank.client import BankClient, BankError, BankUnavailable
from baink_lab.errors import BainkError, InOneSentence
from baink_lab.lab.learner.noted_bank import NotedBank

TRANSFER = "transfer_funds"

Registry = Callable[[list[Tool], GatedTool], list[Tool]]
WrapTransfer = Callable[[Tool, str, Book], GatedTool]
Transfer = Callable[[Desk, BankClient, Task, Call], Awaitable[dict[str, Any] | None]]


class NoRegistry(InOneSentence, BainkError, TypeError):
    """What a learner's function returned is no list of tools that Aiya can have."""

    code = "no_registry"


class NotGated(InOneSentence, BainkError, TypeError):
    """What a learner's `wrap_transfer` returned has no gate."""

    code = "not_gated"


@dataclasses.dataclass(frozen=True)
class Pieces:
    """What a learner made; None where the package's own stays.

    Attributes:
        wrap_transfer: puts the bare tool behind the phone.
        request_approval: sends the push of one call.
        transfer: waits for the outcome, and acts on it.
        registry: puts Aiya's tools together.
        more: tools that Aiya has besides.
    """

    wrap_transfer: WrapTransfer | None = None
    request_approval: Push | None = None
    transfer: Transfer | None = None
    registry: Registry | None = None
    more: tuple[Tool, ...] = ()

    def tools(self, ours: list[Tool]) -> list[Tool]:
        """The tools that Aiya shall have; see `open_aiya`.

        Raises:
            NotGated: `wrap_transfer` returned something else than a gated tool.
            NoRegistry: `registry` returned something else than a list of tools, or two gates of
                one name.
        """
        gate = next(one for one in ours if isinstance(one, GatedTool))
        wrapped = self._wrapped(gate, ours)
        if self.registry is None:
            return [*(wrapped if one is gate else one for one in ours), *self.more]
        bare = bare_transfer(gate)
        found: object = self.registry([bare if one is gate else one for one in ours], wrapped)
        if not isinstance(found, list) or not all(isinstance(one, Tool) for one in found):
            raise NoRegistry(f"registry returned {type(found).__name__}, not a list of tools.")
        gates = collections.Counter(one.name for one in found if isinstance(one, GatedTool))
        if twice := [f"{count} times {name}" for name, count in gates.items() if count > 1]:
            raise NoRegistry(
                f"registry returned {', '.join(twice)}: `wrapped` belongs in the list once, in the "
                "place of the tool that has its name."
            )
        return [*found, *self.more]

    def _wrapped(self, gate: GatedTool, ours: list[Tool]) -> GatedTool:
        if self.wrap_transfer is None:
            return gate
        wrapped: object = self.wrap_transfer(bare_transfer(gate), str(gate.audience), book_of(ours))
        if not isinstance(wrapped, GatedTool):
            kind = type(wrapped).__name__
            raise NotGated(
                f"wrap_transfer returned {kind}, not what with_async_authorization makes: end it "
                "with `return with_async_authorization(…)`."
            )
        # What waits is woken by the node's name, after a restart by an Aiya without these pieces.
        return dataclasses.replace(wrapped, node=gate.node)

    def nodes(self, desk: Desk, bank: BankClient, tools: Sequence[Tool]) -> Mapping[str, Any]:
        """What `build_graph` shall use in place of its own nodes; see `open_aiya`."""
        gates = {one.name: one for one in tools if isinstance(one, GatedTool)}
        put: dict[str, Any] = {}
        if self.request_approval is not None:
            put["request_approval"] = request_node(desk, gates, self.request_approval)
        if self.transfer is not None and TRANSFER in gates:
            gate = gates[TRANSFER]
            put["act"] = {gate.node: transfer_node(desk, bank, gate, self.transfer)}
        return put


def bare_transfer(gate: GatedTool) -> Tool:
    """`transfer_funds` as it was before the phone came in: no gate, and it confirms in the chat."""
    return Tool(gate.name, TRANSFER_FUNDS_CONFIRMED_IN_CHAT, gate.arguments, gate.run)


def book_of(tools: Sequence[Tool]) -> Book:
    """Reads accounts and payees of a call's customer, as `get_accounts` does."""
    accounts = next(one for one in tools if one.name == "get_accounts")

    async def book(call: Call) -> dict[str, Any]:
        return dict(await accounts.run(NoArguments(), call))

    return book


def transfer_node(desk: Desk, bank: BankClient, gate: GatedTool, written: Transfer) -> Node:
    """A node of the graph around a learner's `transfer`.

    The node keeps the conversation in order; the learner's function decides about money. When it
    has no answer (a ring without an outcome, a bank that is away), the call is answered with
    "waiting", and the resumer sends the task in again once there is something to do.

    A function that sleeps again when it was woken for nothing (a loop round its `interrupt()`) is
    treated the same: it cannot know that the ring asked it to let the customer speak, as
    `acting_node` does, since it throws the ring's value away.
    """
    slept: set[str] = set()  # after a restart a node sleeps once more, and is then woken again

    async def node(task: Task, config: RunnableConfig) -> dict[str, Any]:
        thread_id, user_id = session_of(config)
        call = Call(user_id, thread_id, task["tool_call_id"])
        known = await desk.outcome(task["approval_id"], call.thread_id, call.id)
        if task["late"] and known is None:
            return {}  # an interrupt in a task that was sent in does not show: see `acting_node`
        if known is not None and (too_late := lapsed(known, desk.clock.now())) is not None:
            return closing(task, gate.name, too_late)
        # As soon as the bank is asked the money may have moved, whatever comes after.
        noted: Any = NotedBank(bank, functools.partial(desk.begin_acting, task["approval_id"]))
        answer: Mapping[str, Any] | None
        try:
            answer = await written(desk, noted, task, call)
        except (BankUnavailable, ToolUnavailable):
            answer = None
        except GraphInterrupt:
            if not task["late"] and task["approval_id"] not in slept:
                slept.add(task["approval_id"])
                raise
            answer = None
        except (BankError, ToolRefused) as refusal:
            answer = outcome_answer("failed", reason=refusal.code, message=refusal.sentence)
        return _closed(task, gate.name, answer, written.__name__)

    return node


def _closed(task: Task, tool: str, answer: object, by: str) -> dict[str, Any]:
    """What the node returns for what the function `by` returned."""
    if answer is None and task["late"]:
        return {}
    if answer is None:
        answer = outcome_answer(WAITING, message=WAITING_REASON)
    if not (isinstance(answer, Mapping) and "status" in answer):
        raise TypeError(f"{by} returned {type(answer).__name__} without a `status`.")
    return closing(task, tool, answer)
