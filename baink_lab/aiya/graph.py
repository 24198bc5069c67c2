"""Aiya's graph: model → tools, or request_approval → transfer, → model. Each node can be replaced.

START → model ─┬→ tools ─────────────────────────┐
          ↑    └→ request_approval → transfer ─→ join
          └──────────────────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Send
from pydantic import ValidationError

from baink_lab.aiya.messages import arguments_of, tool_answer
from baink_lab.aiya.model import ModelNode
from baink_lab.approvals import (
    ApprovalState,
    Call,
    Desk,
    GatedTool,
    Tool,
    ToolRefused,
    ToolUnavailable,
    add_approvals,
    send_call,
)
from baink_lab.approvals.nodes import JOIN, Node, session_of


def build_graph(
    *,
    model: ModelNode,
    tools: Sequence[Tool],
    desk: Desk,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
    run_tool: Node | None = None,
    request_approval: Node | None = None,
    act: dict[str, Node] | None = None,
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Wire the nodes and compile.

    Args:
        model: the node that thinks, see `model_node`.
        tools: gated ones wait for the phone, the others run at once.
        desk: asks the customer and keeps the answers.
        checkpointer: where threads sleep; without one no approval can wait.
        run_tool: a node to use in place of ours for tools without a gate.
        request_approval: a node to use in place of ours.
        act: nodes to use in place of ours, by name, such as ``{"transfer": my_transfer}``.
    """
    gates = [tool for tool in tools if isinstance(tool, GatedTool)]
    free = {tool.name: tool for tool in tools if not isinstance(tool, GatedTool)}
    builder: StateGraph[Any] = StateGraph(ApprovalState)
    thinking: Any = model  # LangGraph's overloads do not know a function of a plain dict
    builder.add_node("model", thinking)
    builder.add_node("tools", run_tool or tools_node(free))
    add_approvals(builder, desk, gates, request_approval=request_approval, act=act)
    builder.add_edge(START, "model")
    reachable = ["tools", "request_approval", END] if gates else ["tools", END]
    builder.add_conditional_edges("model", after_model(gates), reachable)
    builder.add_edge("tools", JOIN)
    return builder.compile(checkpointer=checkpointer)


def after_model(gates: Sequence[GatedTool]) -> Callable[[dict[str, Any]], list[Send] | str]:
    """Where the model's message leads: one branch for each tool call, or the end of the turn."""
    gated = {gate.name for gate in gates}

    def route(state: dict[str, Any]) -> list[Send] | str:
        sends = []
        messages = state["messages"]
        for call in messages[-1].get("tool_calls") or []:
            name, arguments = call["function"]["name"], arguments_of(call)
            if name in gated and arguments is not None:
                sends.append(send_call(call["id"], name, arguments, messages))
            else:
                one = {"id": call["id"], "name": name, "arguments": arguments}
                sends.append(Send("tools", {"call": one}))
        return sends or END

    return route


def tools_node(tools: dict[str, Tool]) -> Node:
    """The node `tools`: runs one tool that needs no approval and answers its call.

    Whatever goes wrong becomes an answer that the model can explain.
    """

    async def run_tool(task: dict[str, Any], config: RunnableConfig) -> dict[str, Any]:
        call = task["call"]
        thread_id, user_id = session_of(config)
        get_stream_writer()({"type": "tool", "tool": call["name"]})
        tool = tools.get(call["name"])
        if tool is None:
            return _failed(call["id"], "unknown_tool", f"There is no tool {call['name']!r}.")
        try:
            arguments = tool.arguments.model_validate(call["arguments"])
            answer = await tool.run(arguments, Call(user_id, thread_id, call["id"]))
        except ValidationError as wrong:
            first = wrong.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "arguments"
            return _failed(call["id"], "bad_arguments", f"{where}: {first['msg']}")
        except (ToolRefused, ToolUnavailable) as refusal:
            return _failed(call["id"], refusal.code, refusal.sentence)
        return {"messages": [tool_answer(call["id"], answer)]}

    return run_tool


def _failed(call_id: str, reason: str, message: str) -> dict[str, Any]:
    answer = {"status": "failed", "reason": reason, "message": message}
    return {"messages": [tool_answer(call_id, answer)]}
