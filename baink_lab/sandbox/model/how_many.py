"""How many entries of the history a customer wants to see: "my last 3 transactions"."""

from __future__ import annotations

import re

from baink_lab.sandbox.model.toolbox import Tool, words_of

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBER = rf"(?P<number>\d{{1,3}}|{'|'.join(_WORDS)})"
_LATEST = r"(?:last|latest|newest|most recent|recent|previous|past)"
_ENTRY = r"(?:transaction|payment|transfer|movement|entry|entrie)"
_MANY = re.compile(
    rf"\b(?:{_LATEST} {_NUMBER}|{_NUMBER.replace('number', 'before')} {_LATEST}) {_ENTRY}s?\b"
    rf"|\b{_LATEST} {_ENTRY}\b(?!s)",
    re.IGNORECASE,
)
_LIMITS = {"limit", "count", "number", "most", "max"}


def how_many(text: str) -> int | None:
    """The number that a message names; None for as many as there are."""
    found = _MANY.search(text)
    if found is None:
        return None
    said = (found["number"] or found["before"] or "one").lower()
    number = int(said) if said.isdecimal() else _WORDS.index(said) + 1
    return number or None


def limit_of(history: Tool, text: str) -> dict[str, int]:
    """The same as an argument, for a history that can be asked for a number of entries."""
    number = how_many(text)
    whole = (n for n, schema in history.properties.items() if schema.get("type") == "integer")
    name = next((name for name in whole if _LIMITS & set(words_of(name))), None)
    return {name: number} if name and number else {}
