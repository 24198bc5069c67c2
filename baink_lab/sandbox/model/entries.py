"""Which entry of an account's history a customer means: the last one, one of $20, one to Mia."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from baink_lab.sandbox.model.amounts import Amount, amount_text
from baink_lab.sandbox.model.book import Book, Entry, mentioned
from baink_lab.sandbox.model.conversation import Answer, Conversation
from baink_lab.sandbox.model.phrases import listen
from baink_lab.sandbox.model.toolbox import Tool, words_of

_ENTRIES = {"transfer", "transaction", "entry", "payment", "charge", "posting"}
_NEWEST = re.compile(
    r"\b(?:last|latest|newest|most recent)\b(?! (?:year|month|week|night)\b)", re.IGNORECASE
)
_NAMED = re.compile(
    r"\b(?:transaction|payment|transfer|entry|charge|purchase|debit|one)s? (?:\S+ ){0,2}?"
    r"(?:to|from|at|by|with) (?!my\b|the\b|an?\b)(?P<name>\w{3,})",
    re.IGNORECASE,
)
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


def parameter(tool: Tool) -> str | None:
    """The parameter that takes an entry's id, if a tool has one."""
    fit = (name for name in tool.required if "id" in words_of(name))
    return next((name for name in fit if _ENTRIES & set(words_of(name))), None)


def points(text: str) -> bool:
    """Whether a text says which entry is meant, other than by its id."""
    found = _NEWEST.search(text) or _NAMED.search(text) or _DATE.search(text)
    return bool(found or _amounts(text))


def told(conversation: Conversation, history: Tool, since: int, until: int) -> list[Answer] | None:
    """What the history told between two messages; None when it was not asked for there."""
    asked = [c for c in conversation.calls if c.name == history.name and since < c.at < until]
    found = [conversation.latest[call.id] for call in asked if call.id in conversation.latest]
    return found or None


def meant(text: str, answers: Iterable[Answer]) -> list[Mapping[str, Any]]:
    """The entries that a text can mean, newest first: one at the most if it asks for the last."""
    every = {str(one["id"]): one for answer in answers for one in listed(answer.content) or []}
    found = sorted(every.values(), key=lambda one: str(one.get("at") or ""), reverse=True)
    if sums := {amount.value for amount in _amounts(text)}:
        found = [one for one in found if _size(one) in sums]
    if name := _NAMED.search(text):
        found = [one for one in found if _is_with(one, name["name"].lower())]
    if date := _DATE.search(text):
        found = [one for one in found if str(one.get("at")).startswith(date[0])]
    return found[:1] if _NEWEST.search(text) else found


def accounts(text: str, book: Book, conversation: Conversation, history: Tool) -> Sequence[Entry]:
    """The accounts to look into: those that are named, else the one spoken of last, else all."""
    if named := mentioned(text, book.own):
        return named
    looked = [call for call in conversation.calls if call.name == history.name]
    together = {str(c.arguments) for c in looked if c.at == looked[-1].at}
    if len(together) == 1:
        last = set(map(str, looked[-1].arguments.values()))
        return [entry for entry in book.own if entry.id in last] or book.own
    return book.own


def listed(content: Any) -> list[Mapping[str, Any]] | None:
    """The entries with an id in what a history told; None when it told of none."""
    if isinstance(content, Mapping):
        content = next((value for value in content.values() if isinstance(value, list)), None)
    if not isinstance(content, list):
        return None
    return [one for one in content if isinstance(one, Mapping) and one.get("id")]


def words(entry: Mapping[str, Any]) -> str:
    """An entry for a person: its day, amount, who it was with, and its id."""
    parts = [str(entry.get("at") or "")[:10]]
    parts += [amount_text(entry["amount"], entry.get("currency"))] if "amount" in entry else []
    parts.append(str(entry.get("counterparty") or ""))
    parts.append(f"\u201c{entry['memo']}\u201d" if entry.get("memo") else "")
    parts.append(f"({entry['id']})" if entry.get("id") else "")
    return " ".join(part for part in parts if part)


def _amounts(text: str) -> list[Amount]:
    return [one for one in listen(_DATE.sub(" ", text)).amounts if one.value is not None]


def _size(entry: Mapping[str, Any]) -> Decimal | None:
    try:
        return abs(Decimal(str(entry.get("amount"))))
    except InvalidOperation:
        return None


def _is_with(entry: Mapping[str, Any], name: str) -> bool:
    known = re.findall(r"[^\W_]+", str(entry.get("counterparty") or "").lower())
    return any(word.startswith(name) for word in known)
