"""A customer, tools and a bank for the scripted model: drives it over HTTP as an agent would."""

import copy
import json

import httpx
from openai import AsyncOpenAI

from baink_lab.clock import VirtualClock
from baink_lab.sandbox.model import create_app

BOOK = {
    "accounts": [
        {
            "id": f"acc_{name}",
            "name": name.title(),
            "type": name,
            "currency": "USD",
            "balance": balance,
        }
        for name, balance in (("checking", "2500.00"), ("savings", "10000.00"))
    ],
    "payees": [{"id": "acc_mia", "name": "Mia Moreau"}, {"id": "acc_ben", "name": "Ben Brandt"}],
}
APPROVED = {"status": "approved", "result": {"id": "tr_9", "balance_after": "2475.00"}}
TEXT = {"type": "string"}


def tool(name, description, required=(), optional=()):
    properties = dict.fromkeys((*required, *optional), TEXT)
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


TRANSFER = tool(
    "transfer_funds",
    "Move money between accounts or to a payee.",
    ("from_account", "to_account", "amount", "currency"),
    ("memo",),
)
TOOLS = [
    tool("get_accounts", "The customer's accounts and payees."),
    tool("get_history", "The latest entries of one account.", ("account_id",)),
    TRANSFER,
    tool("open_dispute", "Dispute a transaction.", ("transaction_id", "reason")),
    tool("read_tax_documents", "Read the customer's tax documents."),
]

STATEMENT = tool("read_statement", "Read the customer's statement of one year.", ("year",))
STATEMENT["function"]["parameters"]["properties"]["year"] = {
    "type": "integer", "minimum": 1000, "maximum": 9000,
}  # fmt: skip
DISPUTE = tool(
    "open_dispute",
    "Open a dispute ticket at the bank for one entry of the customer's accounts.",
    ("transfer_id", "reason"),
)
#: What Aiya has at the end of lab 06.
GATED = [*TOOLS[:3], STATEMENT, DISPUTE]


def entry(name, at, amount, counterparty):
    return {
        "id": f"tr_{name}", "amount": amount, "currency": "USD", "memo": "", "at": at,
        "counterparty": counterparty,
    }  # fmt: skip


ENTRIES = {
    "acc_checking": [
        entry("c2", "2023-11-10T08:00:00Z", "-20.00", "Mia Moreau"),
        entry("c1", "2023-11-02T08:00:00Z", "-35.50", "Ben Brandt"),
    ],
    "acc_savings": [
        entry("s2", "2023-11-12T08:00:00Z", "9.00", "Interest"),
        entry("s1", "2023-11-01T08:00:00Z", "5.00", "Mia Moreau"),
    ],
}


def confirming():
    tools = copy.deepcopy(TOOLS)
    tools[2]["function"]["description"] += " Always confirm with the customer before calling."
    return tools


def http():
    """The model's server, whose clock stands still in November 2023."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=create_app(VirtualClock())), base_url="http://model"
    )


def openai(client):
    return AsyncOpenAI(base_url="http://model/v1", api_key="any", http_client=client)


class Chat:
    """One conversation; `made` are the calls so far without lookups of accounts."""

    def __init__(self, answer=None, tools=None, entries=None):
        self.messages = [{"role": "system", "content": "You are Aiya."}]
        self.answer, self.tools, self.made = answer or APPROVED, tools or TOOLS, []
        self.lookups, self.entries = 0, entries or {}

    async def say(self, text, role="user"):
        self.messages.append({"role": role, "content": text})
        async with http() as client:
            for _ in range(5):
                body = {"model": "m", "messages": self.messages, "tools": self.tools}
                response = await client.post("/v1/chat/completions", json=body)
                assert response.status_code == 200, response.text
                message = response.json()["choices"][0]["message"]
                self.messages.append(message)
                if not message.get("tool_calls"):
                    return message["content"]
                if self._run(message["tool_calls"]):
                    return ""
        raise AssertionError("the model calls without end")

    async def event(self, number, outcome):
        return await self.say(self._event(number, outcome), role="system")

    def told(self, number, outcome):
        """The same, and nothing is said to it yet."""
        self.messages.append({"role": "system", "content": self._event(number, outcome)})

    def _event(self, number, outcome):
        name, _, call_id = self.made[number]
        return f"Event: outcome of tool call {call_id} ({name}): {json.dumps(outcome)}"

    def called(self, name):
        return [arguments for made, arguments, _ in self.made if made == name]

    def transfers(self):
        return self.called("transfer_funds")

    def _run(self, calls):
        waits = False
        for call in calls:
            name = call["function"]["name"]
            content = self.answer
            if name == "get_accounts":
                content, self.lookups = BOOK, self.lookups + 1
            else:
                self.made.append((name, json.loads(call["function"]["arguments"]), call["id"]))
                if name == "get_history":
                    account = self.made[-1][1]["account_id"]
                    found = self.entries.get(account, [])
                    content = {"account_id": account, "entries": found}
            waits = waits or content.get("status") == "waiting"
            answer = {"role": "tool", "tool_call_id": call["id"], "content": json.dumps(content)}
            self.messages.append(answer)
        return waits
