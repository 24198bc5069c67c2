"""A graph as a LangGraph Server runs it: its nodes ask at a desk whose store the resumer shares."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel

from baink_lab.approvals import (
    ApprovalState,
    Desk,
    Tool,
    Vault,
    add_approvals,
    key_from_file,
    send_call,
    sqlite_store,
    with_async_authorization,
)
from baink_lab.auth0 import CibaClient

HOME = Path(os.environ["AGENT_HOME"])
READY = json.loads((HOME / "ready.json").read_text())


class Payment(BaseModel):
    amount: str


async def pay(arguments, call):
    line = {"amount": arguments.amount, "key": call.idempotency_key, "token": call.access_token}
    with (HOME / "paid.jsonl").open("a") as book:
        book.write(json.dumps(line | {"token": bool(line["token"])}) + "\n")
    return {"id": "1"}


gate = with_async_authorization(
    Tool("pay", "Pay.", Payment, pay),
    scopes=["create:transfer"],
    audience=READY["audience"],
    binding_message=lambda arguments, call: f"Pay {arguments.amount} USD",
)


async def model(state):
    last = state["messages"][-1]
    if last["role"] != "user" or not last["content"].startswith("pay"):
        return {"messages": [{"role": "assistant", "content": "I see."}]}
    function = {"name": "pay", "arguments": json.dumps({"amount": last["content"].split()[1]})}
    call = {"id": f"call_{len(state['messages'])}", "type": "function", "function": function}
    return {"messages": [{"role": "assistant", "content": "", "tool_calls": [call]}]}


def after_model(state):
    messages = state["messages"]
    calls = messages[-1].get("tool_calls") or []
    arguments = [json.loads(call["function"]["arguments"]) for call in calls]
    sends = [send_call(c["id"], "pay", a, messages) for c, a in zip(calls, arguments, strict=True)]
    return sends or END


@contextlib.asynccontextmanager
async def graph(config=None):
    """Made anew for each run: the server keeps the checkpoints, the store is on disk."""
    client = CibaClient(READY["issuer"], READY["client_id"], READY["client_secret"])
    async with client as ciba, sqlite_store(HOME / "approvals.db") as store:
        desk = Desk(store, Vault(store, [key_from_file(HOME / "vault.key")]), ciba)
        builder = StateGraph(ApprovalState).add_node("model", model).add_edge(START, "model")
        builder.add_conditional_edges("model", after_model, ["request_approval", END])
        add_approvals(builder, desk, [gate])
        yield builder.compile()
