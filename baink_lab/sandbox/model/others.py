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
    r"\b(?:don'?t|do not|never|not|won'?t|shouldn'?t|cannot|can'?t|without|stop|cancel|how"
    r"|should|why)\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"\b(?:if|unless|suppose|imagine)\b", re.IGNORECASE)
# Here a wish begins: a "don't" before it, as in "I don't know it, please …", does not undo it.
_PLEA = (
    r"[,;.!?]\s*(?:(?:and|so|but|then)\s+)*(?=(?:please|can you|could you|would you|i want|i need"
    r"|i would|i'd|let's|%s)\b)|\b(?=please\b)"
)
_NOT_MINE = re.compile(
    r"\bi (?:\w+ )?(?:do not|don't|didn't|did not|never|have not|haven't|have never|can't|cannot)"
    r" (?:\w+ )?(?:recogni[sz]ed?|know|knew|remember|make|made|authori[sz]ed?|approved?"
    r"|order(?:ed)?|buy|bought|understand|placed?)\b[^,.;!?\n]*",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<![\w.,$])(?:1[89]|20|21)\d\d(?![\w-])")
_YEARS_AGO = re.compile(
    r"\b(\d{1,2}|one|two|three|four|five|six|seven) years? ago\b", re.IGNORECASE
)
_RELATIVE = [
    (re.compile(pattern, re.IGNORECASE), back)
    for pattern, back in (
        (r"\byear before last\b", 2),
        (r"\b(?:last|past|previous) year\b|\byear ago\b", 1),
        (r"\b(?:this|current|running) year\b|\bso far\b|\byear to date\b", 0),
    )
]
_ONES = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
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
    text = ", ".join(clause.words for clause in speech.clauses)
    scored = [(score, tool) for tool in tools if (score := _score(tool, text, strong=strong))]
    return max(scored, key=lambda found: found[0], default=(0, None))[1]


def fill(tool: Tool, text: str, book: Book, year: int) -> dict[str, Any]:
    """The arguments that a message itself gives; what it does not say is left out.

    Args:
        tool: whose parameters they are.
        text: the message.
        book: the accounts that are known.
        year: the one that it is now.
    """
    text = text.replace("\u2019", "'")
    found = {
        name: _value(name, schema, text, book, year)
        for name, schema in tool.properties.items()
        if name in tool.required or schema.get("type") == "string"
    }
    return {name: value for name, value in found.items() if value is not None}


def answer_for(tool: Tool, name: str, text: str, book: Book, year: int) -> Any:
    """What a message says when it answers the question for one parameter; None for no answer."""
    schema = tool.properties.get(name, {})
    if is_free(name):
        return text.strip() or None  # whatever it is, in the customer's words
    found = _value(name, schema, text, book, year)
    if found is None and schema.get("type", "string") == "string" and not schema.get("enum"):
        return text.strip() or None
    return found


def missing(tool: Tool, arguments: Mapping[str, Any]) -> str | None:
    """The first required parameter without a value."""
    return next((name for name in tool.required if name not in arguments), None)


def question(tool: Tool, name: str, about: str = "") -> str:
    """Ask for a parameter, with its choices if there are any.

    Args:
        tool: whose parameter it is.
        name: the parameter's.
        about: which entry of the history it is about, in words.
    """
    schema = tool.properties.get(name, {})
    choices = schema.get("enum")
    listed = f" It is one of: {', '.join(map(str, choices))}." if isinstance(choices, list) else ""
    of = f" of the entry {about}" if about else ""
    return f"For {said(tool)}{of} I need the {' '.join(words_of(name))}. What is it?{listed}"


def question_again(tool: Tool, name: str) -> str:
    """The same in one sentence, for who has heard it before."""
    return f"For {said(tool)}: what is the {' '.join(words_of(name))}?"


def said(tool: Tool) -> str:
    """A tool's name in words, quoted, since it is no sentence: “open dispute”."""
    return f"\u201c{' '.join(words_of(tool.name))}\u201d"


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
    if not (hits or len(told) > 1) or _is_blocked(tool, text, first):
        return 0
    if strong and (not nouns or hits != nouns or _only_asks(tool, text, heard)):
        return 0
    return 2 * len(hits) + min(len(told), 4) / 2


def _is_blocked(tool: Tool, text: str, at: int) -> bool:
    """Whether what is said before a tool's word makes it no wish: "don't …", "if …", "how …"."""
    own = (*tool.words, *READS)
    pleas = re.finditer(_PLEA % "|".join(map(re.escape, own)), text, re.IGNORECASE)
    begin = max((plea.end() for plea in pleas if plea.end() <= at), default=0)
    return bool(_BLOCKED.search(text[begin:at]) or _CONDITION.search(text[:at]))


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


def _value(name: str, schema: Mapping[str, Any], text: str, book: Book, year: int) -> Any:
    choices, kind = schema.get("enum"), schema.get("type", "string")
    if isinstance(choices, list):
        lower = text.lower()
        named = (c for c in choices if re.search(rf"\b{re.escape(str(c).lower())}\b", lower))
        return next(named, None)
    if "year" in words_of(name) and kind in {"integer", "number", "string"}:
        said = _year(text, year)
        return str(said) if said and kind == "string" else said
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
        found = (at[0] for at in _ID.finditer(text) if not _DATE.fullmatch(at[0]))
        return next((one for one in found if not _YEAR.fullmatch(one)), None)
    label = r"[\s_]".join(map(re.escape, words_of(name)))
    labelled = re.search(rf"\b{label}\s*(?:is|=|:)\s*(?P<said>[^,;\n]+)", text, re.IGNORECASE)
    if labelled:
        return labelled["said"].strip(" \"'.") or None
    if words & _FREE and (why := _why(text)):
        return why
    quoted = _QUOTED.search(text)
    return next((part for part in quoted.groups() if part), None) if quoted else None


def _why(text: str) -> str | None:
    """The reason that a text gives: "because …", or "I did not buy it"."""
    if because := _BECAUSE.search(text) or _AS_I.search(text):
        return because[1].strip(" \"'.") or None
    not_mine = _NOT_MINE.search(text)
    return not_mine[0].strip() if not_mine else None


def is_free(name: str) -> bool:
    """Whether a parameter takes whatever the customer says: a reason, a note."""
    return bool(_FREE & set(words_of(name)))


def _year(text: str, now: int) -> int | None:
    """The year that a text means, as a number or from now on: "last year", "two years ago"."""
    if ago := _YEARS_AGO.search(text):
        said = ago[1].lower()
        return now - (_ONES.get(said) or int(said))
    if found := _YEAR.search(text):
        return int(found[0])
    for pattern, back in _RELATIVE:
        if pattern.search(text):
            return now - back
    return None


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[0] if found else None
