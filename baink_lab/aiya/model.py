"""The node that thinks: one streamed chat completion, told piece by piece while it arrives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeAlias

import openai
from langgraph.config import get_stream_writer

from baink_lab.aiya.messages import Message, for_model, with_unique_ids
from baink_lab.aiya.prompts import SYSTEM_PROMPT
from baink_lab.approvals import Tool
from baink_lab.errors import BainkError, InOneSentence

ModelNode: TypeAlias = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class ModelUnavailable(InOneSentence, BainkError):
    """The model gave no usable answer. What was said is kept; the next message tries again."""

    code = "model_unavailable"


class ChatModel(Protocol):
    """Answers a conversation: `openai.AsyncOpenAI` behind `openai_model`, or a learner's own."""

    async def __call__(
        self, messages: list[Message], tools: list[dict[str, Any]], say: Callable[[str], None]
    ) -> Message:
        """The assistant's message; `say` is called with each piece of text as it arrives."""
        ...


def model_node(
    chat: ChatModel, tools: Sequence[Tool], *, system_prompt: str = SYSTEM_PROMPT
) -> ModelNode:
    """The node `model`: reads the thread's messages, adds the assistant's next one.

    It streams ``{"type": "token", "text"}`` for each piece, then ``{"type": "said", "text"}``.
    """
    schemas = [tool.schema() for tool in tools]

    async def model(state: dict[str, Any]) -> dict[str, Any]:
        write = get_stream_writer()
        messages = state["messages"]
        answer = await chat(
            for_model(messages, system_prompt),
            schemas,
            lambda text: write({"type": "token", "text": text}),
        )
        answer = with_unique_ids(answer, messages)
        if answer.get("content"):
            write({"type": "said", "text": answer["content"]})
        return {"messages": [answer]}

    return model


def openai_model(client: openai.AsyncOpenAI, name: str) -> ChatModel:
    """A chat model behind any OpenAI-compatible server (Chat Completions, streamed).

    Args:
        client: knows the server and the key; it retries twice by itself.
        name: of the model, like ``gpt-4o-mini``.

    Raises:
        ModelUnavailable: from the call, in place of the client's errors, which carry the request.
    """

    async def chat(
        messages: list[Message], tools: list[dict[str, Any]], say: Callable[[str], None]
    ) -> Message:
        offered: dict[str, Any] = {"tools": tools} if tools else {}
        written = _Written()
        try:
            stream: Any = await client.chat.completions.create(
                model=name,
                messages=messages,  # type: ignore[arg-type]
                stream=True,
                **offered,
            )
            async with stream:
                async for chunk in stream:
                    for choice in chunk.choices:
                        if text := written.add(choice.delta):
                            say(text)
        except openai.APIStatusError as refusal:
            raise ModelUnavailable(
                f"The model {name} at {client.base_url.host} answered HTTP {refusal.status_code}"
                f"{_advice(refusal.status_code)}."
            ) from None
        except openai.OpenAIError as failure:
            raise ModelUnavailable(
                f"No answer from the model at {client.base_url.host} ({type(failure).__name__}). "
                "Is it running? Say it again in a moment."
            ) from None
        return written.message()

    return chat


def _advice(status: int) -> str:
    return {
        401: ": check OPENAI_API_KEY",
        404: ": check OPENAI_MODEL and OPENAI_BASE_URL",
        429: ": too many requests, or no credit left",
    }.get(status, "")


class _Written:
    """An assistant's message, put together from the pieces of a stream."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._calls: dict[int, dict[str, str]] = {}

    def add(self, delta: Any) -> str:
        """Take in one piece; returns its text."""
        for piece in delta.tool_calls or []:
            call = self._calls.setdefault(piece.index, {"id": "", "name": "", "arguments": ""})
            call["id"] = piece.id or call["id"]
            if piece.function:
                call["name"] += piece.function.name or ""
                call["arguments"] += piece.function.arguments or ""
        text = delta.content or ""
        self._text.append(text)
        return str(text)

    def message(self) -> Message:
        """What was written, as a message that can be sent back."""
        message: Message = {"role": "assistant", "content": "".join(self._text)}
        calls = [self._calls[index] for index in sorted(self._calls)]
        if calls:
            message["tool_calls"] = [
                {
                    "id": call["id"],
                    "type": "function",
                    "function": {"name": call["name"], "arguments": call["arguments"]},
                }
                for call in calls
            ]
        return message
