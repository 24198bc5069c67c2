"""Read a conversation: what was said, which tools were called, and what came of each call."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_EVENT = re.compile(r"\s*Event: outcome of tool call (\S+) \(([\w-]+)\):\s*(.*)", re.DOTALL)
_SYSTEM = {"system", "developer"}


@dataclass(frozen=True)
class Call:
    """A tool call that an assistant message made; `at` is that message's index."""

    id: str
    name: str
    arguments: dict[str, Any]
    at: int


@dataclass(frozen=True)
class Answer:
    """What came of a call: a `tool` message, or later a system message that tells an outcome."""

    call: Call
    content: Any
    at: int

    @property
    def status(self) -> str:
        """How a gated call ended or stands; empty for an answer without a status."""
        found = self.content.get("status") if isinstance(self.content, Mapping) else None
        return found if isinstance(found, str) else ""


@dataclass(frozen=True)
class Conversation:
    """The messages of a checked request."""

    messages: Sequence[Mapping[str, Any]]

    @cached_property
    def calls(self) -> list[Call]:
        """Every tool call so far, in order."""
        return list(self._calls())

    @cached_property
    def answers(self) -> list[Answer]:
        """Every answer to a known call, in order. Only tools and the system can answer."""
        return list(self._answers())

    @cached_property
    def latest(self) -> dict[str, Answer]:
        """The newest answer to each call, by the call's id."""
        return {answer.call.id: answer for answer in self.answers}

    @cached_property
    def last_user(self) -> int:
        """Index of the customer's last message, -1 before the first."""
        return self._last("user")

    @cached_property
    def last_assistant(self) -> int:
        """Index of the assistant's last message, -1 before the first."""
        return self._last("assistant")

    @property
    def customer_spoke_last(self) -> bool:
        """Whether the customer said something that nothing was said to yet."""
        return self.last_user > self.last_assistant

    @property
    def untold(self) -> list[Answer]:
        """The newest answer to each call that came after the assistant's last message."""
        return [answer for answer in self.latest.values() if answer.at > self.last_assistant]

    def called_since_user(self, name: str) -> list[Call]:
        """The calls of one tool made in answer to the customer's last message."""
        return [call for call in self.calls if call.name == name and call.at > self.last_user]

    def text(self, index: int) -> str:
        """The words of a message; empty for an index of -1."""
        return text_of(self.messages[index]) if index >= 0 else ""

    def said_before(self, index: int) -> str:
        """The assistant's last words before a message."""
        before = range(index - 1, -1, -1)
        return next((self.text(i) for i in before if self._role(i) == "assistant"), "")

    def _role(self, index: int) -> str:
        return str(self.messages[index]["role"])

    def _last(self, role: str) -> int:
        found = (i for i in range(len(self.messages) - 1, -1, -1) if self._role(i) == role)
        return next(found, -1)

    def _calls(self) -> Iterator[Call]:
        for at, message in enumerate(self.messages):
            for call in message.get("tool_calls") or []:
                function = call["function"]
                arguments = parse(function["arguments"])
                known = arguments if isinstance(arguments, dict) else {}
                yield Call(call["id"], function["name"], known, at)

    def _answers(self) -> Iterator[Answer]:
        for at, message in enumerate(self.messages):
            call_id, content = message.get("tool_call_id"), text_of(message)
            if message["role"] in _SYSTEM and (event := _EVENT.match(content)):
                call_id, content = event[1], event[3]
            call = self._call_before(call_id, at)
            if call is not None:
                yield Answer(call, parse(content), at)

    def _call_before(self, call_id: object, at: int) -> Call | None:
        known = (call for call in reversed(self.calls) if call.at < at and call.id == call_id)
        return next(known, None)


def text_of(message: Mapping[str, Any]) -> str:
    """The words of a message, whose content is a string, a list of parts, or nothing."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content or [] if part["type"] == "text")


def parse(content: str) -> Any:
    """Read JSON; what is none stays the text that it is."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content
