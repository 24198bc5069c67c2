"""What a learner's node raises while Aiya runs, in a sentence: the exception, and its line."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp

from baink_lab.approvals import Desk, Tool
from baink_lab.approvals.nodes import Node
from baink_lab.bank.client import BankClient
from baink_lab.errors import BainkError, InOneSentence
from baink_lab.lab.checks.cells import line_in, said_by
from baink_lab.lab.pieces import Pieces


class PieceRaised(InOneSentence, BainkError):
    """A function that a learner wrote raised while it was part of Aiya's graph."""

    code = "piece_raised"


def guarded(pieces: Pieces) -> Callable[[Desk, BankClient, Sequence[Tool]], Mapping[str, Any]]:
    """`pieces.nodes` for a notebook: what a piece raises comes out as `PieceRaised`."""

    def nodes(desk: Desk, bank: BankClient, tools: Sequence[Tool]) -> Mapping[str, Any]:
        put = dict(pieces.nodes(desk, bank, tools))
        if "request_approval" in put:
            then = "talk on with Aiya: she asks then"
            put["request_approval"] = _guard(put["request_approval"], pieces.request_approval, then)
        if "act" in put:
            then = "run await lab.settled(): the approval is kept"
            put["act"] = {
                at: _guard(node, pieces.transfer, then) for at, node in put["act"].items()
            }
        return put

    return nodes


def _guard(node: Node, written: Any, then: str) -> Node:
    @functools.wraps(node)
    async def guard(task: Any, config: RunnableConfig) -> Any:
        try:
            return await node(task, config)
        except (BainkError, GraphBubbleUp):
            raise
        except Exception as failure:
            raise PieceRaised(_sentence(failure, written, then)) from failure

    return guard


def _sentence(failure: Exception, written: Any, then: str) -> str:
    return (
        f"Your {written.__name__} raised {said_by(failure)}. {line_in(failure, written)}. "
        f"Mend it, run its cell and the one with lab.build(…) again, and {then}."
    )
