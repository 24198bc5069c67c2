"""The customer's accounts and payees as the tools told them, and which one a name means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from baink_lab.sandbox.model.conversation import Answer

_ID_KEYS = ("id", "account_id", "accountId")
_NAME_KEYS = ("name", "nickname", "label", "display_name", "type")
_PAYEES = re.compile(r"payee|recipient|beneficiar|contact", re.IGNORECASE)
_ACCOUNTS = re.compile(r"account", re.IGNORECASE)
_SHORTEST_PREFIX = 3


@dataclass(frozen=True)
class Entry:
    """An account of the customer's own, or a payee."""

    id: str
    name: str
    own: bool
    kind: str = ""
    currency: str = ""
    balance: str = ""


@dataclass(frozen=True)
class Book:
    """All accounts and payees that a tool has told of; it never holds an id from elsewhere."""

    entries: tuple[Entry, ...] = ()

    @property
    def own(self) -> list[Entry]:
        """The customer's own accounts."""
        return [entry for entry in self.entries if entry.own]

    @property
    def payees(self) -> list[Entry]:
        """Whom the customer may pay."""
        return [entry for entry in self.entries if not entry.own]

    def name(self, account_id: object) -> str:
        """The name behind an id, or the id itself when no tool has told of it."""
        known = (entry.name for entry in self.entries if entry.id == account_id)
        return next(known, str(account_id))


def read_book(answers: Iterable[Answer]) -> Book:
    """Take accounts and payees from the newest answer that lists accounts."""
    book = Book()
    for answer in answers:
        if found := tuple(_entries(answer.content)):
            book = Book(found)
    return book


def matches(said: str, among: Sequence[Entry]) -> list[Entry]:
    """Which entries a customer's words can mean: by id, else whole name, else a part of it."""
    words = _words(said)
    if not words:
        return []
    exact = [entry for entry in among if said == entry.id]
    whole = [entry for entry in among if words == _words(entry.name)]
    return exact or whole or [entry for entry in among if _part_of(words, entry)]


def mentioned(text: str, among: Sequence[Entry]) -> list[Entry]:
    """The entries whose name, or kind of account, stands in a text."""
    words = set(_words(text))
    return [entry for entry in among if words & {*_words(entry.name), entry.kind.lower()}]


def _part_of(words: list[str], entry: Entry) -> bool:
    known = [*_words(entry.name), *_words(entry.kind)]
    return all(any(_begins(name, word) for name in known) for word in words)


def _begins(name: str, word: str) -> bool:
    return name == word or (len(word) >= _SHORTEST_PREFIX and name.startswith(word))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def _entries(content: Any) -> Iterator[Entry]:
    if isinstance(content, list):
        yield from _listed(content, own=True)
    elif isinstance(content, Mapping):
        for key, value in content.items():
            payees = bool(_PAYEES.search(key))
            if isinstance(value, list) and (payees or _ACCOUNTS.search(key)):
                yield from _listed(value, own=not payees)


def _listed(items: list[Any], *, own: bool) -> Iterator[Entry]:
    for item in items:
        if not isinstance(item, Mapping):
            continue
        known, name = _first(item, _ID_KEYS), _first(item, _NAME_KEYS)
        if known and name:
            kind, currency, balance = (_first(item, (k,)) for k in ("type", "currency", "balance"))
            yield Entry(known, name, own, kind, currency, balance)


def _first(item: Mapping[str, Any], keys: Iterable[str]) -> str:
    found = (item[key] for key in keys if isinstance(item.get(key), str | int | float))
    return str(next(found, ""))
