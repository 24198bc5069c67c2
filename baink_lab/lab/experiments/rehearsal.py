"""A rehearsal: the model reads its tools and chooses, and nothing that it chooses is done.

Only accounts and history are really read, since a model looks accounts up before it names one.
"""

from __future__ import annotations

import dataclasses
import html
import json
from collections.abc import Sequence
from typing import Any

import httpx
from openai import AsyncOpenAI

from baink_lab.aiya.messages import arguments_of, for_model, tool_answer
from baink_lab.aiya.model import openai_model
from baink_lab.aiya.prompts import SYSTEM_PROMPT
from baink_lab.approvals import Call, GatedTool, Tool
from baink_lab.lab.widgets.show import LEFT, flowing, no_formula
from baink_lab.lab.wire.watched import Exchange, watched_http
from baink_lab.settings import Settings, World

_WHOLE = f'{LEFT[:-1]};white-space:nowrap"'
MOST_TURNS = 6
READ = ("get_accounts", "get_history")


@dataclasses.dataclass(frozen=True)
class Rehearsal:
    """What a model made of one message.

    Attributes:
        text: what the customer said.
        steps: what the model did, in order: ``("calls", "get_accounts {}")`` or ``("says", …)``.
        request: the body of the last request to the model, as it went over the wire.
    """

    text: str
    steps: list[tuple[str, str]]
    request: dict[str, Any]

    @property
    def calls(self) -> list[str]:
        """The names of the tools that were called, in order."""
        return [what.partition(" ")[0] for verb, what in self.steps if verb == "calls"]

    def __repr__(self) -> str:
        return "\n".join([f"You: {self.text}", *(f"Aiya {v} {what}" for v, what in self.steps)])

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        rows = "".join(
            f"<tr><th scope='row' {_WHOLE}>Aiya {verb}</th><td {LEFT}>{flowing(what)}</td></tr>"
            for verb, what in self.steps
        )
        # A caption is as wide as its table, and broken into lines as narrow as a tool's name.
        said = f"<p>You: “{html.escape(self.text)}”</p>"
        return {
            "text/html": no_formula(f"{said}<table>{rows}</table>"),
            "text/plain": repr(self),
        }

    def tool(self, name: str) -> str:
        """A tool as the model got it, as JSON; the sentence of a missing one."""
        for one in self.request.get("tools", []):
            if one["function"]["name"] == name:
                return json.dumps(one, indent=2, ensure_ascii=False)
        return f"The request has no tool {name}."


async def rehearse(
    text: str, tools: Sequence[Tool], call: Call, world: World, settings: Settings
) -> Rehearsal:
    """Say one thing to the model, with these tools, in a conversation of its own.

    Args:
        text: what the customer says.
        tools: the registry; accounts and history are read, everything else is only noted.
        call: whose accounts these are.
        world: where the model is.
        settings: the model's name and key.

    Raises:
        ModelUnavailable: the model gave no answer.
    """
    said: list[Exchange] = []
    steps: list[tuple[str, str]] = []
    readable = {
        one.name: one for one in tools if one.name in READ and not isinstance(one, GatedTool)
    }
    messages: list[dict[str, Any]] = [{"role": "user", "content": text}]
    async with watched_http("", said.append, to="Model") as http:
        line: Any = http  # openai's types name a fork of httpx; it takes httpx as well
        chat = openai_model(_client(world, settings, line), settings.openai_model)
        for _ in range(MOST_TURNS):
            schemas = [one.schema() for one in tools]
            answer = await chat(for_model(messages, SYSTEM_PROMPT), schemas, lambda _: None)
            messages.append(answer)
            if answer.get("content"):
                steps.append(("says", str(answer["content"])))
            calls = answer.get("tool_calls") or []
            for one in calls:
                function = one["function"]
                steps.append(("calls", f"{function['name']} {function['arguments']}"))
            if not calls or any(one["function"]["name"] not in readable for one in calls):
                break
            for one in calls:
                tool = readable[one["function"]["name"]]
                read = await tool.run(tool.arguments.model_validate(arguments_of(one)), call)
                messages.append(tool_answer(one["id"], read))
    return Rehearsal(text, steps, said[-1].sent if said else {})


def _client(world: World, settings: Settings, http: httpx.AsyncClient) -> AsyncOpenAI:
    key = settings.openai_api_key.get_secret_value() or "sandbox"
    return AsyncOpenAI(base_url=world.model, api_key=key, http_client=http)  # type: ignore[arg-type]
