"""Aiya as auth0-ai-langchain has it: a tool that waits for the phone, then moves real money."""

import json
import os
import urllib.parse
import urllib.request

from auth0_ai_langchain.async_authorization import get_async_authorization_credentials
from auth0_ai_langchain.auth0_ai import Auth0AI
from langchain_core.messages import AIMessage
from langchain_core.runnables import ensure_config
from langchain_core.tools import StructuredTool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

ready = json.loads(os.environ["READY"])
auth0_ai = Auth0AI(
    {
        "domain": urllib.parse.urlsplit(ready["issuer"]).netloc,
        "client_id": ready["client_id"],
        "client_secret": ready["client_secret"],
    }
)


def transfer(message: str, from_account: str, to_account: str, amount: str) -> str:
    """Move money between two accounts."""
    token = get_async_authorization_credentials()["access_token"]
    order = {
        "from_account": from_account,
        "to_account": to_account,
        "amount": amount,
        "currency": "USD",
        "memo": message,
    }
    request = urllib.request.Request(
        f"{ready['bank']}/api/accounts/transfers",
        data=json.dumps(order).encode(),
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": "peer-" + message.replace(" ", "-"),
        },
    )
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


protected = auth0_ai.with_async_authorization(
    scopes=["create:transfer"],
    audience=ready["audience"],
    requested_expiry=120,
    binding_message=lambda message, **_: message,
    user_id=lambda **_: ensure_config()["configurable"]["user_id"],
)(StructuredTool.from_function(transfer, name="transfer"))


def model(state):
    """The model's part, without a model: one tool call, then an end."""
    return {
        "messages": [
            AIMessage(
                "",
                tool_calls=[
                    {
                        "id": "call_1",
                        "name": "transfer",
                        "args": json.loads(state["messages"][-1].content),
                    }
                ],
            )
        ]
    }


builder = StateGraph(MessagesState)
builder.add_node("model", model)
# Errors are raised: interrupts are exceptions, and a refusal of the bank must fail the test.
builder.add_node("tools", ToolNode([protected], handle_tool_errors=False))
builder.add_edge(START, "model")
builder.add_edge("model", "tools")
builder.add_edge("tools", END)
graph = builder.compile()
