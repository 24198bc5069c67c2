"""A small part of Lucene's query language, for users and logs (contract sections 5.8, 5.9)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from baink_lab.sandbox.tenant.management.payload import refuse_query

MAX_QUERY = 1024  # characters
MAX_TERMS = 20
_VALUE = r'"(?P<quoted>[^"\\]*)"|(?P<plain>[^\s"():\[\]{}]+)'
_TERM = re.compile(rf"(?P<not>NOT\s+|-)?(?:(?P<field>[A-Za-z_][\w.]*):)?(?:{_VALUE})")
_SPACE = re.compile(r"\s+")
_JOIN = re.compile(r"\s+(?:(?P<join>AND|OR)\s+)?")

Test = Callable[[Mapping[str, Any]], bool]


def compile_query(text: str, fields: tuple[str, ...]) -> Test:
    """A test for documents: terms `field:value`, `field:"a value"`, `field:pre*`, bare words.

    AND binds tighter than OR; terms side by side are joined by AND. Brackets and ranges are
    refused rather than misread.

    Args:
        text: the query.
        fields: where bare words are looked for.

    Raises:
        ManagementError: 400 `invalid_query_string`.
    """
    rest = text.strip()
    if len(rest) > MAX_QUERY:
        refuse_query(f"q is too long ({len(rest)} chars), maximum {MAX_QUERY}")
    alternatives: list[list[Test]] = [[]]
    terms = 0
    while rest:
        found = _TERM.match(rest)
        terms += 1
        if found is None or terms > MAX_TERMS:
            refuse_query("The sandbox reads only simple queries: field:value terms, AND, OR, NOT")
        alternatives[-1].append(_test(found, fields))
        rest = rest[found.end() :]
        join = _JOIN.match(rest)
        if rest and join is None:
            refuse_query("Malformed q")
        if join is not None:
            rest = rest[join.end() :]
            if join["join"] == "OR":
                alternatives.append([])
    return lambda document: any(all(test(document) for test in group) for group in alternatives)


def _test(found: re.Match[str], fields: tuple[str, ...]) -> Test:
    wanted = found["plain"] if found["quoted"] is None else found["quoted"]
    wildcards = found["quoted"] is None
    names = (found["field"],) if found["field"] else fields
    if wanted == "*" and wildcards and not found["field"]:
        return lambda document: not found["not"]

    def holds(document: Mapping[str, Any]) -> bool:
        values = [value for name in names for value in _values(document, name.split("."))]
        matched = any(_equal(value, wanted, wildcards=wildcards) for value in values)
        return matched is not bool(found["not"])

    return holds


def _values(value: Any, path: list[str]) -> list[str]:
    """The texts at a dotted path, those inside lists included. Private fields are not found."""
    if isinstance(value, list):
        return [text for item in value for text in _values(item, path)]
    if not path:
        if isinstance(value, bool):
            return [str(value).lower()]
        return [str(value)] if isinstance(value, str | int | float) else []
    if isinstance(value, Mapping) and path[0] in value:
        return _values(value[path[0]], path[1:])
    return []


def _equal(value: str, wanted: str, *, wildcards: bool) -> bool:
    value, wanted = value.lower(), wanted.lower()
    return _like(value, wanted.split("*")) if wildcards else value == wanted


def _like(value: str, pieces: list[str]) -> bool:
    """True when the pieces follow one another, with anything between them.

    No regular expression: Python keeps those that callers make.
    """
    first, *rest = pieces
    if not rest:
        return value == first
    if not value.startswith(first):
        return False
    at = len(first)
    for piece in rest[:-1]:
        found = value.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(value) - at >= len(rest[-1]) and value.endswith(rest[-1])
