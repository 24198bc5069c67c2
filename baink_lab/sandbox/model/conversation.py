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

    @cached_property
    def last_spoken(self) -> int:
        """Index of the assistant's last words, -1 before the first; a bare tool call has none."""
        said = (i for i in self._backwards("assistant") if self.text(i).strip())
        return next(said, -1)

    @property
    def customer_waits(self) -> bool:
        """Whether the customer said something that nothing was said to yet."""
        return self.last_user > self.last_spoken

    @property
    def untold(self) -> list[Answer]:
        """The newest answer to each call that came after the assistant's last words."""
        return [answer for answer in self.latest.values() if answer.at > self.last_spoken]

    @property
    def told_last(self) -> list[Answer]:
        """The newest answer to each call that the assistant's last words were about."""
        said = (i for i in self._backwards("assistant") if self.text(i).strip())
        last, before = next(said, -1), next(said, -1)
        return [answer for answer in self.latest.values() if before < answer.at < last]

    def called_since_user(self, name: str) -> list[Call]:
        """The calls of one tool made in answer to the customer's last message."""
        return [call for call in self.calls if call.name == name and call.at > self.last_user]

    def text(self, index: int) -> str:
        """The words of a message; empty for an index of -1."""
        return text_of(self.messages[index]) if index >= 0 else ""

    @cached_property
    def user_turns(self) -> list[int]:
        """Indexes of the customer's messages, in order."""
        return [i for i in range(len(self.messages)) if self._role(i) == "user"]

    def replies(self, after: int, before: int) -> list[Mapping[str, Any]]:
        """The assistant's messages between two indexes."""
        between = self.messages[after + 1 : before]
        return [message for message in between if message["role"] == "assistant"]

    @property
    def was_answered(self) -> bool:
        """Whether anything was said or done between the customer's last two messages."""
        turns = self.user_turns
        return len(turns) < 2 or bool(self.replies(turns[-2], turns[-1]))

    @property
    def without_last(self) -> Conversation:
        """The same without the customer's last message."""
        at = self.last_user
        return Conversation([*self.messages[:at], *self.messages[at + 1 :]])

    def _role(self, index: int) -> str:
        return str(self.messages[index]["role"])

    def _backwards(self, role: str) -> Iterator[int]:
        return (i for i in range(len(self.messages) - 1, -1, -1) if self._role(i) == role)

    def _last(self, role: str) -> int:
        return next(self._backwards(role), -1)

    def _calls(self) -> Iterator[Call]:
        for at, message in enumerate(self.messages):
            for call in message.get("tool_calls") or []:
                function = call["function"]
                arguments = parse(function["arguments"])
                known = arguments if isinstance(arguments, dict) else {}
                yield Call(call["id"], function["name"], known, at)

    def _answers(self) -> Iterator[Answer]:
        calls = iter(self.calls)
        upcoming = next(calls, None)
        known: dict[str, Call] = {}
        for at, message in enumerate(self.messages):
            while upcoming is not None and upcoming.at < at:
                known[upcoming.id] = upcoming
                upcoming = next(calls, None)
            call_id, content = message.get("tool_call_id"), text_of(message)
            if message["role"] in _SYSTEM and (event := _EVENT.match(content)):
                call_id, content = event[1], event[3]
            elif message["role"] != "tool":
                continue
            if isinstance(call_id, str) and call_id in known:
                yield Answer(known[call_id], parse(content), at)


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
