"""What a learner's pieces do wrong while Aiya runs, in a sentence: the exception, and its line."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp
from langgraph.types import Command, Send

from baink_lab.approvals import Call, Desk, GatedTool, Tool
from baink_lab.approvals.nodes import Node, Task, push_once
from baink_lab.bank.client import BankClient
from baink_lab.errors import BainkError, InOneSentence
from baink_lab.lab.checks.exercises import Exercise
from baink_lab.lab.checks.lab05_noted import is_late, node_of
from baink_lab.lab.checks.tips import tip
from baink_lab.lab.checks.tips_of_exercises import LOOK, WAY_ON
from baink_lab.lab.learner.cells import depth_in, line_in, said_by
from baink_lab.lab.learner.pieces import Pieces, Transfer

_ASK_AGAIN = (
    'run await lab.say("hello"): the transfer is taken up there, so do not ask for it again'
)
_WAIT_ON = "run await lab.settled(): the approval is kept, and good for five minutes"


class PieceRaised(InOneSentence, BainkError):
    """A function that a learner wrote raised, or led nowhere, while it was part of Aiya."""

    code = "piece_raised"


def guarded_tools(pieces: Pieces) -> Callable[[list[Tool]], list[Tool]]:
    """`pieces.tools` for a notebook: what a piece raises comes out as `PieceRaised`."""

    def tools(ours: list[Tool]) -> list[Tool]:
        try:
            return pieces.tools(ours)
        except BainkError:
            raise
        except Exception as failure:
            written = (pieces.wrap_transfer, pieces.registry)
            raise PieceRaised(_sentence(failure, written, "go on")) from failure

    return tools


def guarded(pieces: Pieces) -> Callable[[Desk, BankClient, Sequence[Tool]], Mapping[str, Any]]:
    """`pieces.nodes` for a notebook: what a piece raises comes out as `PieceRaised`."""

    def nodes(desk: Desk, bank: BankClient, tools: Sequence[Tool]) -> Mapping[str, Any]:
        watched = pieces
        if pieces.transfer is not None:
            watched = dataclasses.replace(watched, transfer=_taking(pieces.transfer))
        if pieces.wrap_transfer is not None:  # its line on the phone is made in this node
            watched = dataclasses.replace(
                watched, request_approval=pieces.request_approval or push_once
            )
        put = dict(watched.nodes(desk, bank, tools))
        if "request_approval" in put:
            written = (pieces.request_approval, pieces.wrap_transfer)
            waits = {tool.node for tool in tools if isinstance(tool, GatedTool)}
            asks = _guard(put["request_approval"], written, _ASK_AGAIN)
            put["request_approval"] = _leading(asks, waits)
        if "act" in put:
            put["act"] = {
                at: _guard(node, (pieces.transfer,), _WAIT_ON) for at, node in put["act"].items()
            }
        return put

    return nodes


def _guard(node: Node, written: Sequence[Any], then: str) -> Node:
    @functools.wraps(node)
    async def guard(task: Any, config: RunnableConfig) -> Any:
        try:
            return await node(task, config)
        except (BainkError, GraphBubbleUp):
            raise
        except Exception as failure:
            raise PieceRaised(_sentence(failure, written, then)) from failure

    return guard


def _leading(node: Node, waits: Collection[str]) -> Node:
    """The node that asks; a push that no node waits for is told while it can be mended."""

    @functools.wraps(node)
    async def lead(task: Any, config: RunnableConfig) -> Any:
        way = await node(task, config)
        wrong = _leads_nowhere(way, waits)
        if not wrong:
            return way
        raise PieceRaised(
            f"Your request_approval {wrong}, so no node waits for the phone's answer. End it with "
            f"`{WAY_ON}`, {_again(_ASK_AGAIN)} "
            "(The desk remembers the question: it is not sent twice.)"
        )

    return lead


def _leads_nowhere(way: Any, waits: Collection[str]) -> str:
    """What the node that asks did wrong in the end; empty when a node waits."""
    if not isinstance(way, Command | Send | list | tuple):
        return f"returned {type(way).__name__} and no Command"
    named = node_of(way)
    if named and named not in waits:
        return f"goes on to “{named}”, which is no node that waits"
    if is_late(way):
        return "sends its task on with late=True, as if Aiya's call had its answer"
    return ""


def _taking(written: Transfer) -> Transfer:
    """The function that waits; an answer that it does not take, or makes up, is told."""

    @functools.wraps(written)
    async def transfer(desk: Desk, bank: Any, task: Task, call: Call) -> dict[str, Any] | None:
        def look() -> Awaitable[Any]:
            return desk.outcome(task["approval_id"], call.thread_id, call.id)

        known = await look()
        try:
            answer = await written(desk, bank, task, call)
        except GraphBubbleUp:
            if known is None:
                raise
            raise _not_taken("called interrupt() again") from None
        if known is not None:
            _judge_paid(answer, bank)
        if answer is not None and known is None and await look() is None:
            raise PieceRaised(
                "Your transfer told Aiya an answer, and nobody has answered on the phone yet. Does "
                "an `except` catch the signal with which interrupt() stops the node? "
                f"{_MEND_TRANSFER}"
            )
        return answer

    return transfer


def _judge_paid(answer: Any, bank: Any) -> None:
    """Whether an outcome led to what the bank says of it."""
    if answer is None and bank.moved:
        raise PieceRaised(
            "The money moved, and your transfer returned None, so Aiya cannot say so. Is the "
            f'`return {{"status": "approved", "result": receipt}}` missing? {_MEND_TRANSFER}'
        )
    if bank.refused and (answer is None or answer.get("status") == "approved"):
        heard = "returned None" if answer is None else "told Aiya “approved”"
        raise PieceRaised(
            f"The bank refused the transfer ({bank.refused}). Your transfer caught that, and "
            f"{heard}. Catch no error of the bank's: the node around your function tells Aiya. "
            f"{_MEND_TRANSFER}"
        )
    if answer is None:
        raise _not_taken("returned None")
    if isinstance(answer, Mapping) and answer.get("status") == "approved" and not bank.moved:
        raise PieceRaised(
            "Your transfer told Aiya “approved”, and the bank has confirmed no transfer. Does the "
            "yes get as far as bank.transfer(…), and are the bank's errors let out? "
            f"{_MEND_TRANSFER}"
        )


def _not_taken(did: str) -> PieceRaised:
    return PieceRaised(
        f"The phone was answered, and the vault has the answer, but your transfer {did}. Does it "
        f"look with {LOOK}, in this order, and "
        f"go on when that is not None? {_MEND_TRANSFER}"
    )


def _sentence(failure: Exception, written: Sequence[Any], then: str) -> str:
    """What was raised, by that of these functions which was nearest to it."""
    given = [one for one in written if one is not None]
    named = max(given, key=lambda one: depth_in(failure, one))
    if str(failure).startswith("binding_message"):  # raised at the desk, of what the line returned
        named = given[-1]
    name, said = named.__name__, said_by(failure)
    told = [f"Your {name} raised {said}. {line_in(failure, named)}.", tip(name, said)]
    if isinstance(named, Exercise):
        told.append(f'(await lab.check("{name}") looks closer.)')
    return " ".join([*filter(None, told), f"Mend it, {_again(then)}"])


def _again(then: str) -> str:
    return f"run its cell and the one with lab.build(…) again, and {then}."


_MEND_TRANSFER = f'(await lab.check("transfer") looks closer.) Mend it, {_again(_WAIT_ON)}'
