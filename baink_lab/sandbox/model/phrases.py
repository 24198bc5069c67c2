"""Cut what a customer wrote into clauses, and tell an order from a question or a "don't"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from baink_lab.sandbox.model.amounts import Amount, find_amounts

Mood = Literal["order", "negated", "conditional", "other"]

# Amounts and quotations are replaced by one-character-fenced marks before anything is cut, so
# that neither the point in "12.50" nor a verb inside a quotation can be taken for grammar.
AMOUNT_MARK = re.compile("\ue000(\\d+)\ue001")
QUOTE_MARK = re.compile("\ue002(\\d+)\ue003")
_MARKS = re.compile("[\ue000-\ue003]")
_QUOTED = re.compile(r"\"([^\"]*)\"|“([^”]*)”|«([^»]*)»|`([^`]*)`|(?<!\w)'([^']*)'(?!\w)")
_ARROW = re.compile(r"(\w+(?: account)?)\s*(?:-+>|→|=>)\s*")

_FILLER = (
    r"please|pls|plz|kindly|just|now|then|also|and|so|ok(?:ay)?|yes|yeah|yep|sure|well|hey|hi"
    r"|hello|dear|aiya|thanks|thank you|al(?:l )?right|right|good (?:morning|afternoon|evening|day)"
    r"|first|next|finally|quickly|immediately|instead|actually|no|but|plus|go ahead(?: and)?"
    r"|let's|lets|let us|a"
)
_REQUEST = (
    r"(?:can|could|would|will) (?:you|u)|would you mind|help me(?: to)?"
    r"|i(?:'d| would) (?:like|love)(?: you)? to|i (?:want|need|wish)(?: you)? to|i wanna"
    r"|i(?:'d| would) like|i (?:want|need)"
)
_PREFIX = re.compile(rf"\W*(?:{_REQUEST}|{_FILLER})(?![\w'])", re.IGNORECASE)
_CAPABILITY = re.compile(r"\W*(?:(?:can|could|will|would) (?:you|u))(?!\w)", re.IGNORECASE)
_NOUN = r"(?:another |new |quick |small |bank |money |wire )*(?:transfer|payment)"
STRONG_VERB = (
    rf"(?:make|do|initiate|start|set up|arrange) (?:a |an |the )?{_NOUN}(?: of)?"
    r"|transfer of|payment of"
    r"|move|moving|transfer|transferring|send|sending|pay|paying|wire|wiring|remit|zelle|venmo"
)
WEAK_VERB = r"shift|put|give|deposit|take|add|lend|top up|pass|drop|slide"
VERB = re.compile(rf"\W*(?P<verb>{STRONG_VERB}|{WEAK_VERB})(?!\w)", re.IGNORECASE)
_NEGATION = re.compile(
    r"\b(?:don'?t|do not|never|not|won'?t|shouldn'?t|can'?t|cannot|without|rather than"
    r"|instead of|avoid|refuse|stop|cancel|hold off|no longer)\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"^\W*(?:and |but |so )?(?:when|once|suppose|supposing|imagine|assuming|in case|after|before)\b"
    r"|\b(?:if|unless|whenever|as soon as|provided)\b"
    r"|\b(?:tomorrow|tonight|next (?:week|month|year|\w+day)|(?:every|each) "
    r"(?:day|week|month|year|\w+day)|weekly|monthly|daily|yearly|recurring|schedule[ds]?"
    r"|standing order|on (?:mon|tues|wednes|thurs|fri|satur|sun)day|in \d+ \w+|later"
    r"|at (?:noon|midnight|\d+ ?(?:am|pm|o'clock)))\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_JOINT = re.compile(r"\s*(?:,|;|:|&|\+|\s-\s|\b(?:and|then|but|plus|or)\b)\s*", re.IGNORECASE)
_CONTRAST = re.compile(r"\b(?:but|instead|rather|just)\b", re.IGNORECASE)
_STARTS = re.compile(
    r"\W*(?:(?:don'?t|do not|never|not|what|how|show|tell|list|who|which|when|where|why|is|are|did"
    r"|has|if|unless|can i|could i|may i|should i)(?!\w)|\ue000)",
    re.IGNORECASE,
)
_NAME_THEN_AMOUNT = re.compile(r"\W*(?:\w+ ){0,2}\w+\s*\ue000\d+\ue001(?!\s*(?:each|apiece))")


@dataclass(frozen=True)
class Clause:
    """One clause of a message: its words (amounts and quotations masked) and its mood.

    `asks_ability` marks "can you …", which is an order only when it names what to move.
    """

    words: str
    mood: Mood
    asks_ability: bool = False


@dataclass(frozen=True)
class Speech:
    """A message cut up: its clauses, and what the amount and quotation marks stand for."""

    clauses: tuple[Clause, ...]
    amounts: tuple[Amount, ...]
    quotes: tuple[str, ...]

    def amounts_in(self, words: str) -> list[Amount]:
        """The amounts whose marks stand in `words`, in order."""
        return [self.amounts[int(number)] for number in AMOUNT_MARK.findall(words)]

    def plain(self, words: str) -> str:
        """Put amounts and quotations back as they were said."""
        words = AMOUNT_MARK.sub(lambda mark: self.amounts[int(mark[1])].said, words)
        return QUOTE_MARK.sub(lambda mark: self.quotes[int(mark[1])], words)


def listen(text: str) -> Speech:
    """Cut a customer's message into clauses.

    Args:
        text: the message as written.
    """
    text = _MARKS.sub("", text).replace("\u2019", "'").strip()
    if (whole := _QUOTED.fullmatch(text)) is not None:
        text = next(part for part in whole.groups() if part is not None)
    quotes: list[str] = []
    text = _QUOTED.sub(lambda match: _store(quotes, match), text)
    text = _ARROW.sub(r"from \1 to ", text)
    masked, amounts = _mask_amounts(text)
    clauses = [clause for part in _SENTENCE.split(masked) for clause in _clauses(part)]
    return Speech(tuple(clauses), tuple(amounts), tuple(quotes))


def strip_prefix(words: str) -> str:
    """Take "please", "can you", "I'd like to" and their like off the front."""
    while match := _PREFIX.match(words):
        words = words[match.end() :]
    return words.strip()


def _store(quotes: list[str], match: re.Match[str]) -> str:
    quotes.append(next(part for part in match.groups() if part is not None))
    return f"\ue002{len(quotes) - 1}\ue003"


def _mask_amounts(text: str) -> tuple[str, list[Amount]]:
    # A quotation's mark holds a digit; amounts are looked for around it, never in it.
    blanked = QUOTE_MARK.sub(lambda match: "\ue002" + "_" * (len(match[0]) - 2) + "\ue003", text)
    amounts = find_amounts(blanked)
    for number, amount in reversed(list(enumerate(amounts))):
        text = f"{text[: amount.start]}\ue000{number}\ue001{text[amount.end :]}"
    return text, amounts


def _clauses(sentence: str) -> Iterator[Clause]:
    """Give the clauses of one sentence; a condition anywhere in it covers all of it."""
    conditional = bool(_CONDITION.search(sentence))
    negated = False
    for joint, words in _cut(sentence):
        if negated and not _CONTRAST.search(joint):
            mood: Mood = "negated"  # "don't send $5 and pay Mia": the "don't" may cover both
        elif _NEGATION.search(words):
            mood = "negated"
        elif conditional:
            mood = "conditional"
        else:
            mood = "order" if _is_order(words) else "other"
        negated = mood == "negated"
        if words.strip(" .!?,;:"):
            yield Clause(words.strip(), mood, bool(_CAPABILITY.match(words)))


def _cut(sentence: str) -> Iterator[tuple[str, str]]:
    """Cut at commas and conjunctions, but only where a new clause really starts."""
    start, joint = 0, ""
    for match in _JOINT.finditer(sentence):
        before, after = sentence[start : match.start()], sentence[match.end() :]
        if not before.strip() or not _starts_clause(before, after):
            continue
        yield joint, before
        start, joint = match.end(), match.group()
    yield joint, sentence[start:]


def _starts_clause(before: str, after: str) -> bool:
    if _STARTS.match(after) or _is_order(after):
        return True
    return bool(AMOUNT_MARK.search(before) and _NAME_THEN_AMOUNT.match(after))


def _is_order(words: str) -> bool:
    return VERB.match(strip_prefix(words)) is not None
