"""Write a reply as OpenAI's API does: one completion, or chunks of server-sent events."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_WORDS_A_CHUNK = 3
_PIECE = re.compile(rf"(?:\s*\S+){{1,{_WORDS_A_CHUNK}}}\s*|\s+")


@dataclass(frozen=True)
class Reply:
    """What the model says or calls; never both.

    `tells_news` when the text tells what came since the last words, which is not told twice.
    """

    text: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = field(default=())
    tells_news: bool = False


class Completion:
    """One reply to one request; ids come from the request, so that they repeat with it."""

    def __init__(self, request: Mapping[str, Any], reply: Reply) -> None:
        self._reply = reply
        self._model = request["model"]
        self._said = json.dumps(request["messages"])
        digest = hashlib.sha256(self._said.encode()).hexdigest()
        self._id, self._created = f"chatcmpl-{digest[:24]}", int(time.time())
        self._calls: list[dict[str, Any]] = [
            {
                "id": f"call_{hashlib.sha256(f'{digest}{number}'.encode()).hexdigest()[:24]}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for number, (name, arguments) in enumerate(reply.calls)
        ]

    def whole(self) -> dict[str, Any]:
        """The completion as one object."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if self._calls else self._reply.text,
            "refusal": None,
        }
        if self._calls:
            message["tool_calls"] = self._calls
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": self._finish_reason,
        }
        return {**self._head("chat.completion"), "choices": [choice], "usage": self._usage()}

    def events(self, *, usage: bool) -> Iterator[bytes]:
        """The completion as server-sent events.

        Args:
            usage: whether `stream_options.include_usage` was set.
        """
        for delta, reason in self._deltas():
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
            chunk = {**self._head("chat.completion.chunk"), "choices": [choice]}
            yield _event(chunk | ({"usage": None} if usage else {}))
        if usage:
            last = {"choices": [], "usage": self._usage()}
            yield _event(self._head("chat.completion.chunk") | last)
        yield b"data: [DONE]\n\n"

    def _deltas(self) -> Iterator[tuple[dict[str, Any], str | None]]:
        content = None if self._calls else ""
        yield {"role": "assistant", "content": content, "refusal": None}, None
        for index, call in enumerate(self._calls):
            function = call["function"]
            begun = {**call, "function": {**function, "arguments": ""}}
            yield {"tool_calls": [{"index": index, **begun}]}, None
            arguments = function["arguments"]
            half = len(arguments) // 2
            for piece in (arguments[:half], arguments[half:]):
                yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, None
        for piece in [] if self._calls else _PIECE.findall(self._reply.text):
            yield {"content": piece}, None
        yield {}, self._finish_reason

    @property
    def _finish_reason(self) -> str:
        return "tool_calls" if self._calls else "stop"

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": kind,
            "created": self._created,
            "model": self._model,
            "service_tier": "default",
            "system_fingerprint": "fp_baink_stand_in",
        }

    def _usage(self) -> dict[str, int]:
        """Tokens, counted as four characters each: an estimate, and always the same one."""
        said = json.dumps(self._calls) if self._calls else self._reply.text
        prompt, answer = -(-len(self._said) // 4), -(-len(said) // 4)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": answer,
            "total_tokens": prompt + answer,
        }


def _event(data: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"
