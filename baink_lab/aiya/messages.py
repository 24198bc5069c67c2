"""The conversation in the order that chat completions want: each tool call answered at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Message = dict[str, Any]

WAITING = {"status": "waiting", "message": "Waiting for approval on the phone."}


def for_model(messages: Sequence[Message], system_prompt: str) -> list[Message]:
    """The messages to send: the prompt first, and every tool call followed by its answer.

    Nodes that run side by side may write in any order, and a call may still be without an
    answer; OpenAI refuses both. Nothing is dropped but answers to calls that nobody made.
    """
    answers = {m["tool_call_id"]: m for m in reversed(messages) if m["role"] == "tool"}
    ordered: list[Message] = [{"role": "system", "content": system_prompt}]
    for message in messages:
        if message["role"] == "tool":
            continue
        ordered.append(message)
        for call in message.get("tool_calls") or []:
            ordered.append(answers.get(call["id"]) or tool_answer(call["id"], WAITING))
    return ordered


def tool_answer(call_id: str, answer: Mapping[str, Any]) -> Message:
    """The message that answers a tool call with a JSON object."""
    return {"role": "tool", "tool_call_id": call_id, "content": json.dumps(answer)}


def with_unique_ids(message: Message, before: Iterable[Message]) -> Message:
    """The assistant's message, its tool calls renamed where an earlier call has the same id.

    An approval's id is made of thread and tool call, so one id may name one call only. OpenAI's
    ids are unique; some servers count from zero in each answer.
    """
    taken = {call["id"] for one in before for call in one.get("tool_calls") or []}
    calls = []
    for call in message.get("tool_calls") or []:
        name = first = str(call["id"]) or "call"
        count = 1
        while name in taken:
            count += 1
            name = f"{first}-{count}"
        taken.add(name)
        calls.append({**call, "id": name})
    return {**message, "tool_calls": calls} if calls else message


def arguments_of(call: Mapping[str, Any]) -> dict[str, Any] | None:
    """The arguments of a tool call; None when the model wrote something that is no JSON object."""
    try:
        found = json.loads(call["function"]["arguments"] or "{}")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
