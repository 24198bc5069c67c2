"""Choose a tool that this model was not written for, and fill its parameters from what was said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from baink_lab.sandbox.model.book import Book, mentioned
from baink_lab.sandbox.model.phrases import Speech
from baink_lab.sandbox.model.toolbox import READS, Tool, words_of

_EMPTY_WORDS = (
    "get list read show fetch find view check do make create request submit the and for from with "
    "that this your you customer user when what which tool call use into about bank their them has "
    "have will can only after before returns return given one all any its not must should are "
    "money account accounts transfer phone please want need would like my me"
)
_EMPTY = set(_EMPTY_WORDS.split())
_BLOCKED = re.compile(
    r"\b(?:don'?t|do not|never|not|won'?t|shouldn'?t|cannot|can'?t|without|stop|cancel|if|how"
    r"|should|unless|why|suppose|imagine)\b",
    re.IGNORECASE,
)
_BECAUSE = re.compile(
    r"\b(?:because|since|reason(?: is| being)?\s*:?|as i|due to|saying|:)\s*(?P<why>.+)",
    re.IGNORECASE | re.DOTALL,
)
_AS_I = re.compile(r"\bas (i\b.+)", re.IGNORECASE | re.DOTALL)
_FREE = {
    "reason", "memo", "note", "message", "description", "comment", "text", "explanation", "details",
    "question", "query", "subject", "purpose", "why",
}  # fmt: skip
_ID = re.compile(r"\b(?=[\w-]*\d)[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)+\b|\b(?=\w*\d)[A-Za-z0-9]{4,}\b")
_QUOTED = re.compile(r"[\"\u201c]([^\"\u201d]+)[\"\u201d]|(?<!\w)'([^']+)'(?!\w)")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,12}(?:\.\d{1,6})?(?!\w)")


def choose(tools: Iterable[Tool], speech: Speech, *, strong: bool) -> Tool | None:
    """The tool whose name, or description, shares most words with a message.

    Args:
        tools: those to choose from.
        speech: the message; what stands in quotation marks does not count.
        strong: take only a tool whose name is said in full.
    """
    text = " ".join(clause.words for clause in speech.clauses)
    scored = [(score, tool) for tool in tools if (score := _score(tool, text, strong=strong))]
    return max(scored, key=lambda found: found[0], default=(0, None))[1]


def fill(tool: Tool, text: str, book: Book) -> dict[str, Any]:
    """The arguments that a message itself gives; what it does not say is left out."""
    found = {
        name: _value(name, schema, text, book)
        for name, schema in tool.properties.items()
        if name in tool.required or schema.get("type") == "string"
    }
    return {name: value for name, value in found.items() if value is not None}


def answer_for(tool: Tool, name: str, text: str, book: Book) -> Any:
    """What a message says when it answers the question for one parameter; None for no answer."""
    schema = tool.properties.get(name, {})
    found = _value(name, schema, text, book)
    if found is None and schema.get("type", "string") == "string" and not schema.get("enum"):
        return text.strip() or None
    return found


def missing(tool: Tool, arguments: Mapping[str, Any]) -> str | None:
    """The first required parameter without a value."""
    return next((name for name in tool.required if name not in arguments), None)


def question(tool: Tool, name: str) -> str:
    """Ask for a parameter, with its choices if there are any."""
    schema = tool.properties.get(name, {})
    choices = schema.get("enum")
    listed = f" It is one of: {', '.join(map(str, choices))}." if isinstance(choices, list) else ""
    return f"To {said(tool)} I need the {' '.join(words_of(name))}. What is it?{listed}"


def said(tool: Tool) -> str:
    """A tool's name in words: "open dispute"."""
    return " ".join(words_of(tool.name))


def needs_book(tool: Tool) -> bool:
    """Whether a parameter is an account, so that accounts must be known first."""
    return any("account" in words_of(name) for name in tool.properties)


def _score(tool: Tool, text: str, *, strong: bool) -> float:
    heard = {_stem(at.group()): at.start() for at in re.finditer(r"[a-z]+", text.lower())}
    nouns = {_stem(word) for word in _subject(tool)}
    hits = nouns & heard.keys()
    about = {_stem(word) for word in re.findall(r"[a-z]{4,}", tool.description.lower()[:2000])}
    told = (about - _EMPTY - hits) & heard.keys()
    first = min((heard[word] for word in hits | told), default=0)
    if not (hits or len(told) > 1) or _BLOCKED.search(text[:first]):
        return 0
    if strong and (not nouns or hits != nouns or _only_asks(tool, text, heard)):
        return 0
    return 2 * len(hits) + min(len(told), 4) / 2


def _subject(tool: Tool) -> list[str]:
    """The words of a name that say what it is about: "dispute" in open_dispute."""
    words = tool.words[1:] or tool.words
    return [word for word in words if word not in _EMPTY]


def _only_asks(tool: Tool, text: str, heard: Mapping[str, int]) -> bool:
    """Whether "is my card new?" is no wish for freeze_card: a question without the verb."""
    verb = tool.words[0]
    return "?" in text and verb not in READS and _stem(verb) not in heard


def _stem(word: str) -> str:
    for ending in ("ies", "ing", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)].removesuffix("e")
    return word.removesuffix("y").removesuffix("e") if len(word) > 3 else word


def _value(name: str, schema: Mapping[str, Any], text: str, book: Book) -> Any:
    choices, kind = schema.get("enum"), schema.get("type", "string")
    if isinstance(choices, list):
        lower = text.lower()
        named = (c for c in choices if re.search(rf"\b{re.escape(str(c).lower())}\b", lower))
        return next(named, None)
    if kind in {"integer", "number"}:
        number = _NUMBER.search(text.replace(",", ""))
        if number is None:
            return None
        return int(float(number[0])) if kind == "integer" else float(number[0])
    if kind in ("array", "object", "boolean"):
        return None
    return _string(name, schema, text, book)


def _string(name: str, schema: Mapping[str, Any], text: str, book: Book) -> str | None:
    words = set(words_of(name))
    if "account" in words:
        named = mentioned(text, book.own)
        return named[0].id if len(named) == 1 else None
    if words & {"date", "day"} or schema.get("format") == "date":
        return _first(_DATE, text)
    if words & {"id", "number", "reference", "code"}:
        return _first(_ID, text)
    label = r"[\s_]".join(map(re.escape, words_of(name)))
    labelled = re.search(rf"\b{label}\s*(?:is|=|:)\s*(?P<said>[^,;\n]+)", text, re.IGNORECASE)
    if labelled:
        return labelled["said"].strip(" \"'.") or None
    if words & _FREE:
        because = _BECAUSE.search(text) or _AS_I.search(text)
        if because:
            return because[1].strip(" \"'.") or None
    quoted = _QUOTED.search(text)
    return next((part for part in quoted.groups() if part), None) if quoted else None


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[0] if found else None
