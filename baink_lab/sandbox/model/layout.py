"""Lay out for a person what a tool answered: lines and lists, whatever its shape."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from baink_lab.sandbox.model.amounts import amount_text
from baink_lab.sandbox.model.book import Book
from baink_lab.sandbox.model.toolbox import words_of

_MONEY = re.compile(r"-?\d{1,15}\.\d\d")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?Z?")
_TITLES = ("name", "title", "label")
_DEEPEST = 8
_NAMELESS = "value"


def laid_out(result: Any, book: Book) -> str:
    """A result in lines: a field on each, and a list's items below its name, each on its own.

    Args:
        result: whatever the tool answered.
        book: tells the name behind an account's id.
    """
    return "\n".join(_lines(result, book, 0))


def _lines(value: Any, book: Book, depth: int) -> Iterator[str]:
    # Spaces at the start of a line do not show in the chat, so depth is told by dashes.
    dash = "\u2013 " * max(depth - 1, 0) + "- " if depth else ""
    if depth > _DEEPEST:
        yield f"{dash}\u2026"
    elif isinstance(value, Mapping):
        yield from _fields(value, book, depth)
    elif isinstance(value, list):
        for item in value:
            yield from _lines(item, book, max(depth, 1))
    else:
        yield f"{dash}{_plain(value, book)}"


def _fields(value: Mapping[str, Any], book: Book, depth: int) -> Iterator[str]:
    currency = value.get("currency")
    currency = currency if isinstance(currency, str) else ""
    fields = dict(_named(value, book, currency))
    deep = {name: inner for name, inner in fields.items() if isinstance(inner, Mapping | list)}
    flat = {name: said for name, said in fields.items() if name not in deep}
    if depth:
        title = next((flat.pop(name) for name in _TITLES if name in flat), "")
        rest = ", ".join(f"{name} {said}" for name, said in flat.items())
        head = f"{title}: {rest}" if title and rest else title or rest
        if head:
            yield "\u2013 " * (depth - 1) + f"- {head}"
    else:
        yield from (f"{capital(name)}: {said}" for name, said in flat.items())
    for name, inner in deep.items():
        lead = "\u2013 " * (depth - 1) + "- " if depth else ""
        if not inner:
            yield f"{lead}{capital(name)}: none"
            continue
        yield f"{lead}{capital(name)}:"
        yield from _lines(inner, book, depth + 1)


def _named(value: Mapping[str, Any], book: Book, currency: str) -> Iterator[tuple[str, Any]]:
    """The fields worth telling, with names for people: no id beside a name, no lone currency."""
    titled = any(isinstance(value.get(name), str) for name in _TITLES)
    money = any(isinstance(said, str) and _MONEY.fullmatch(said) for said in value.values())
    for key, said in value.items():
        words = words_of(str(key)) or (" ".join(str(key).split()) or _NAMELESS,)
        if said is None or said == "" or (key == "currency" and money):
            continue
        if words[-1] == "id":
            if titled and len(words) > 1:
                continue
            words = words[:-1] or ("reference",)
        if isinstance(said, Mapping | list):
            yield " ".join(words), said
        elif currency and isinstance(said, str) and _MONEY.fullmatch(said):
            yield " ".join(words), amount_text(said, currency)
        else:
            yield " ".join(words), _plain(said, book)


def _plain(value: Any, book: Book) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and (moment := _MOMENT.fullmatch(value)):
        return f"{moment[1]} {moment[2]} UTC"
    return " ".join(book.name(value).split()) if isinstance(value, str) else str(value)


def capital(text: str) -> str:
    """The same with a capital letter first."""
    return text[:1].upper() + text[1:]
