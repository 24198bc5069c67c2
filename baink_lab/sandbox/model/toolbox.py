"""Read the tools of a request: what each is for, judged by its name, description and schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

Slot = Literal["source", "target", "amount", "currency", "memo"]

# What a parameter is for, by the first word of its name that is found here.
_SLOTS: dict[str, Slot] = {
    "from": "source", "source": "source", "debit": "source", "sender": "source",
    "origin": "source", "to": "target", "target": "target", "destination": "target",
    "recipient": "target", "payee": "target", "beneficiary": "target", "receiver": "target",
    "credit": "target", "amount": "amount", "sum": "amount", "value": "amount", "cents": "amount",
    "currency": "currency", "memo": "memo", "note": "memo", "reference": "memo", "message": "memo",
    "description": "memo", "reason": "memo", "purpose": "memo",
}  # fmt: skip
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
READS = {"get", "list", "show", "read", "fetch", "find", "view", "lookup", "check", "retrieve"}
_HISTORY = {"history", "transaction", "transactions", "entries", "activity", "statement"}
_ACCOUNTS = {"account", "accounts", "balance", "balances"}
_MOVES = re.compile(r"\b(?:transfer|move|send|pay|payment|wire|remit)s?\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?;:])\s+|\n+")
_CONFIRM = re.compile(
    r"\bconfirm\w*\b|\bdouble.?check\w*\b|\bask (?:the |for )?(?:user|customer|permission)",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"\b(?:phone|push|device|guardian|second factor|out of band|automatic\w*)\b", re.IGNORECASE
)
_CHAT = re.compile(r"\b(?:chat|conversation|before (?:calling|you))\b", re.IGNORECASE)
_NO = re.compile(r"\b(?:do not|don'?t|never|no|not|without|unnecessary)\b", re.IGNORECASE)
_NO_WITHOUT = re.compile(
    r"\b(?:do not|don'?t|never)\b.*\b(?:without|before|until|unless)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Tool:
    """A function that the request offers.

    `parameters` is its JSON Schema, an empty object when it takes nothing.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The name in lower-case words: `get_accounts` and `getAccounts` are both get, accounts."""
        return words_of(self.name)

    @cached_property
    def properties(self) -> dict[str, Mapping[str, Any]]:
        """Each parameter's own schema, with references and optional types looked through."""
        found = self.parameters.get("properties")
        if not isinstance(found, Mapping):
            return {}
        return {str(name): self._plain(schema) for name, schema in found.items()}

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The parameters that a call must have."""
        names = self.parameters.get("required")
        return tuple(str(name) for name in names) if isinstance(names, list) else ()

    @cached_property
    def slots(self) -> dict[Slot, str]:
        """Which parameter says where from, where to, how much, in which currency, and why."""
        found: dict[Slot, str] = {}
        for name in self.properties:
            slot = next((_SLOTS[word] for word in words_of(name) if word in _SLOTS), None)
            if slot:
                found.setdefault(slot, name)
        return found

    @property
    def moves_money(self) -> bool:
        """Whether it takes an amount and somewhere to send it, and says that it sends it."""
        said = " ".join(self.words) + " " + self.description
        return {"amount", "target"} <= self.slots.keys() and bool(_MOVES.search(said))

    @property
    def asks_to_confirm(self) -> bool:
        """Whether the description wants the customer's yes in the chat before a call."""
        sentences = [
            part
            for part in _SENTENCE.split(self.description)
            if _CONFIRM.search(part) and (_CHAT.search(part) or not _PHONE.search(part))
        ]
        refused = [_NO.search(part) and not _NO_WITHOUT.search(part) for part in sentences]
        return bool(sentences) and not any(refused)

    def _plain(self, schema: Any, depth: int = 0) -> Mapping[str, Any]:
        """Follow `$ref` into `$defs`, and take the first real type of `anyOf`."""
        if not isinstance(schema, Mapping) or depth > 4:
            return {}
        if isinstance(reference := schema.get("$ref"), str):
            definitions = self.parameters.get("$defs")
            name = reference.rsplit("/", 1)[-1]
            inner = definitions.get(name) if isinstance(definitions, Mapping) else None
            return {**self._plain(inner, depth + 1), **_without(schema, "$ref")}
        options = schema.get("anyOf")
        if isinstance(options, list):
            plain = [self._plain(option, depth + 1) for option in options]
            real = next((option for option in plain if option.get("type") != "null"), {})
            return {**real, **_without(schema, "anyOf")}
        return schema


@dataclass(frozen=True)
class Toolbox:
    """The tools of one request."""

    tools: tuple[Tool, ...]

    @cached_property
    def transfer(self) -> Tool | None:
        """The tool that moves money."""
        return next((tool for tool in self.tools if tool.moves_money), None)

    @cached_property
    def accounts(self) -> Tool | None:
        """The tool that lists the customer's accounts; it needs nothing to be called."""
        fit = [tool for tool in self.tools if not tool.required and _reads(tool, _ACCOUNTS)]
        return min(fit, key=lambda tool: len(tool.words), default=None)

    @cached_property
    def history(self) -> Tool | None:
        """The tool that lists what happened on an account."""
        return next((tool for tool in self.tools if _reads(tool, _HISTORY)), None)

    @property
    def others(self) -> list[Tool]:
        """What is none of the above, to be chosen by its words."""
        known = (self.accounts, self.history)
        return [tool for tool in self.tools if tool not in known and not tool.moves_money]

    def named(self, name: str) -> Tool | None:
        """The tool of that name, if it is offered."""
        return next((tool for tool in self.tools if tool.name == name), None)


def toolbox(request: Mapping[str, Any]) -> Toolbox:
    """Take the tools out of a checked request, as far as `tool_choice` allows them."""
    choice = request.get("tool_choice")
    only = choice["function"]["name"] if isinstance(choice, Mapping) else None
    functions = [] if choice == "none" else [t["function"] for t in request.get("tools") or []]
    return Toolbox(
        tuple(
            Tool(found["name"], found.get("description") or "", found.get("parameters") or {})
            for found in functions
            if only in {None, found["name"]}
        )
    )


def words_of(name: str) -> tuple[str, ...]:
    """Cut a name in snake_case, kebab-case or camelCase into lower-case words."""
    return tuple(word.lower() for word in _WORD.findall(name))


def _reads(tool: Tool, subjects: set[str]) -> bool:
    if tool.moves_money or not subjects & set(tool.words):
        return False
    return tool.words[0] in READS | subjects


def _without(schema: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != key}
