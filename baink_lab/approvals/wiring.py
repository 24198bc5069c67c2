"""How the gate's nodes are put into a graph, and when the model may speak again.

model → request_approval → (acting node of each gated tool) → join → model
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from langgraph.graph import END, StateGraph
from langgraph.types import Send

from baink_lab.approvals.approval import State
from baink_lab.approvals.desk import Desk
from baink_lab.approvals.nodes import EVENT, JOIN, WAITING, Node, acting_node, request_node
from baink_lab.approvals.tool import GatedTool

REQUEST_APPROVAL = "request_approval"


def add_approvals(
    builder: StateGraph[Any],
    desk: Desk,
    gates: Sequence[GatedTool],
    *,
    back_to: str = "model",
    request_approval: Node | None = None,
    act: dict[str, Node] | None = None,
) -> None:
    """Add `request_approval`, one acting node a gate, and `join` to a graph under construction.

    Args:
        builder: a graph whose state has the keys of `ApprovalState`.
        desk: asks and keeps the answers.
        gates: the tools that wait for the customer.
        back_to: the node that speaks once every tool call has an answer.
        request_approval: a node to use in place of ours.
        act: nodes to use in place of ours, by the name of the node.
    """
    by_name = {gate.name: gate for gate in gates}
    nodes = tuple(gate.node for gate in gates)
    builder.add_node(
        REQUEST_APPROVAL,
        request_approval or request_node(desk, by_name),
        destinations=(*nodes, JOIN),
    )
    for gate in gates:
        builder.add_node(gate.node, (act or {}).get(gate.node) or acting_node(desk, gate))
        builder.add_edge(gate.node, JOIN)
    builder.add_node(JOIN, _nothing)
    builder.add_conditional_edges(JOIN, lambda state: after_answers(state, back_to), [back_to, END])


def send_call(
    call_id: str, name: str, arguments: dict[str, Any], messages: Sequence[Any] = ()
) -> Send:
    """The way from a model's tool call to its approval.

    Args:
        call_id: of the tool call.
        name: of the gated tool.
        arguments: as the model wrote them.
        messages: the conversation so far. When the customer has denied something and said
            nothing since, the call is answered with a refusal, and the phone is left alone.
    """
    call = {"id": call_id, "name": name, "arguments": arguments}
    return Send(REQUEST_APPROVAL, {"call": call, "denied": denied_since_user(messages)})


def denied_since_user(messages: Sequence[Any]) -> bool:
    """Whether a denial is the customer's last word: no message of theirs came after it."""
    for message in reversed(messages):
        seen = plain(message)
        if seen["role"] == "user":
            return False
        if seen["role"] in {"tool", "system"} and _status(seen["content"]) == State.DENIED:
            return True
    return False


def after_answers(state: dict[str, Any], back_to: str) -> str:
    """Where to go after an answer: to the model once all calls have one and there is news.

    A call that was answered with "waiting" is no news: the customer knows, and is waiting too.
    """
    news = False
    unanswered: set[str] = set()
    for message in state["messages"]:
        seen = plain(message)
        if seen["role"] == "assistant":
            unanswered, news = set(seen["calls"]), False
        elif seen["role"] == "tool":
            unanswered.discard(seen["tool_call_id"])
            news = news or not is_waiting(seen["content"])
        elif seen["role"] == "system":
            news = True
    return back_to if news and not unanswered else END


def plain(message: Any) -> dict[str, Any]:
    """Role, content and tool call ids of an OpenAI or LangChain message."""
    names = ("role", "type", "content", "tool_calls", "tool_call_id")
    if not isinstance(message, dict):
        message = {name: getattr(message, name, None) for name in names}
    kind = message.get("type")
    return {
        "role": message.get("role") or {"ai": "assistant", "human": "user"}.get(kind, kind),
        "content": message.get("content") or "",
        "calls": [call["id"] for call in message.get("tool_calls") or []],
        "tool_call_id": message.get("tool_call_id"),
    }


def is_waiting(content: str) -> bool:
    """Whether a tool's answer says that its approval still waits."""
    return _status(content) == WAITING


def _status(content: str) -> str | None:
    """The status in a tool's answer, or in the event that tells of one later."""
    start = content.find("{") if content.startswith(EVENT) else 0
    try:
        answer = json.loads(content[start:])
    except ValueError:
        return None
    status = answer.get("status") if isinstance(answer, dict) else None
    return status if isinstance(status, str) else None


async def _nothing(state: dict[str, Any]) -> dict[str, Any]:
    return {}
