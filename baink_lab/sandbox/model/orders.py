"""What a customer wants moved: the wishes that the order clauses of a message express."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from baink_lab.sandbox.model.amounts import Amount
from baink_lab.sandbox.model.phrases import (
    AMOUNT_MARK,
    QUOTE_MARK,
    STRONG_VERB,
    VERB,
    Clause,
    Speech,
    strip_prefix,
)

_STOP = (
    r"(?=\s+(?:to|into|onto|in|from|out of|towards?|for|with|using|via|please|thanks|thank you"
    r"|right (?:now|away)|now|today|asap|immediately|each|apiece|memo|note|saying|quickly|then"
    r"|instead)\b|\s*[\ue000\ue002]|\s*[,.!?;:()\[\]]|\s*$)"
)
_SOURCE = re.compile(rf"\b(?:from|out of|using|via)\s+(.+?){_STOP}", re.IGNORECASE)
_TARGET = re.compile(rf"\b(?:to|into|onto|in|towards?)\s+(.+?){_STOP}", re.IGNORECASE)
_QUOTE = QUOTE_MARK.pattern
_MEMO = re.compile(
    r"\b(?:with )?(?:the |a )?(?:memo|note|reference|message|description|saying|labell?ed)\b"
    rf"(?:\s+(?:of|is|saying))?\s*[:=]?\s*(?P<said>{_QUOTE}|[^,.!?]+)",
    re.IGNORECASE,
)
_PURPOSE = re.compile(
    rf"\bfor\s+(?!\ue000|me\b|us\b|now\b|today\b|sure\b)(?P<said>{_QUOTE}|.+?)"
    r"(?=\s+(?:from|to|into|out of|please|thanks)\b|\s*[,.!?]|\s*\ue000|\s*$)",
    re.IGNORECASE,
)
_NO_NAME = re.compile(
    r"\b(?:my|the|our|your|his|her|their|accounts?|acct|please|pls|thanks|thank you|money|funds"
    r"|cash|some|a|an|another|over|back|of|about|exactly|one|other|me|myself|payment|transfer|friend"
    r"|payee|each|apiece|it|them|that|this|somebody|someone|between|across|around|now|today|up)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"\W*(?:it|them|that|this|the money)\b", re.IGNORECASE)
_MONEY_WORD = re.compile(r"\b(?:money|funds|cash|transfer|payment|dollars|bucks)\b", re.IGNORECASE)
_PLACE = re.compile(r"\b(?:from|to|into|out of)\s", re.IGNORECASE)
_NOT_MONEY = re.compile(
    r"\b(?:statements?|history|transactions?|documents?|balances?|e-?mails?|disputes?|reports?"
    r"|attention|help|link|code|push|reminder|invoice)\b",
    re.IGNORECASE,
)
_EACH = re.compile(r"\b(?:each|apiece)\b", re.IGNORECASE)
_ORDER_VERB = re.compile(rf"\W*(?:{STRONG_VERB})(?!\w)", re.IGNORECASE)


@dataclass(frozen=True)
class Wish:
    """One transfer that the customer wants, as far as it has been said.

    `source` and `target` are the customer's words, not ids; empty when not said. `repeat` holds
    the arguments of an earlier call that is to be made again, word for word.
    """

    amounts: tuple[Amount, ...] = ()
    source: str = ""
    target: str = ""
    memo: str = ""
    joins_last: bool = False
    confirmed: bool = False
    repeat: dict[str, Any] | None = field(default=None, compare=False)

    def merged(self, said: Wish) -> Wish:
        """This wish with whatever `said` adds or changes; what was agreed to is asked again."""
        return replace(
            self,
            amounts=said.amounts or self.amounts,
            source=said.source or self.source,
            target=said.target or self.target,
            memo=said.memo or self.memo,
            confirmed=False,
            repeat=None,
        )


def wishes(speech: Speech) -> list[Wish]:
    """The transfers that a message orders; questions, refusals and conditions are none."""
    found: list[Wish] = []
    for clause in speech.clauses:
        if clause.mood == "order":
            new = _from_order(clause, speech)
        elif clause.mood == "other" and (found or _stands_alone(clause)):
            new = _from_rest(clause.words, speech) if AMOUNT_MARK.search(clause.words) else []
            found, new = _share(found, new)
        else:
            new = []
        for wish in new:
            if wish.joins_last and found:
                found[-1] = found[-1].merged(wish)
            else:
                found.append(wish)
    return found


def fragment(text: str, speech: Speech) -> Wish:
    """What an answer such as "20 dollars from savings" says, where no order is expected."""
    masked = " ".join(clause.words for clause in speech.clauses)
    return replace(_slots(masked, speech), joins_last=False)


def bare_name(words: str) -> str:
    """Take articles, "account" and politeness off a name: "my savings account" → "savings"."""
    words = re.sub(r"'s\b", "", QUOTE_MARK.sub("", AMOUNT_MARK.sub("", words)))
    return " ".join(_NO_NAME.sub(" ", words).strip(" .,!?;:").split())


def _from_order(clause: Clause, speech: Speech) -> list[Wish]:
    words = strip_prefix(clause.words)
    verb = VERB.match(words)
    if verb is None:
        return []
    rest = words[verb.end() :]
    if AMOUNT_MARK.search(rest) or _PRONOUN.match(rest):
        return _from_rest(rest, speech)
    strong = _ORDER_VERB.match(words) is not None
    if not strong or clause.asks_ability or _NOT_MONEY.search(rest):
        # "can you move money?" asks what Aiya can do; with both ends named it is an order.
        both_ends = clause.asks_ability and _PLACE.search(rest)
        return _from_rest(rest, speech) if strong and both_ends else []
    return _from_rest(rest, speech) if _means_money(verb["verb"], rest) else []


def _means_money(verb: str, rest: str) -> bool:
    name = bare_name(rest)
    if " " in verb or not rest.strip(" .!?") or _MONEY_WORD.search(rest) or _PLACE.search(rest):
        return True
    return verb.lower() in {"pay", "send", "wire"} and 0 < len(name.split()) <= 3


def _stands_alone(clause: Clause) -> bool:
    """Whether "$25 from checking to savings", without a verb, is meant as an order."""
    words = strip_prefix(clause.words)
    starts = AMOUNT_MARK.match(words) or re.match(r"from\s", words, re.IGNORECASE)
    return bool(starts and _SOURCE.search(words) and _TARGET.search(words))


def _from_rest(rest: str, speech: Speech) -> list[Wish]:
    wish = _slots(rest, speech)
    if _EACH.search(rest) and " and " in wish.target:
        return [replace(wish, target=bare_name(name)) for name in _names(wish.target)]
    return [wish]


def _names(several: str) -> Iterator[str]:
    return (name for name in re.split(r"\s*,\s*|\s+and\s+", several) if name)


def _share(found: list[Wish], new: list[Wish]) -> tuple[list[Wish], list[Wish]]:
    """Let a list share its ends: both of "$5 to Mia and $10 to Ben from savings" leave savings.

    So do both of "$5 from savings to Mia and $10 to Ben"; "$5 and $10 to Mia" both go to Mia.
    """
    if not new:
        return found, new
    source, target = new[0].source, new[0].target
    found = [
        replace(wish, source=wish.source or source, target=wish.target or target) for wish in found
    ]
    before = found[-1].source if found else ""
    return found, [replace(wish, source=wish.source or before) for wish in new]


def _slots(rest: str, speech: Speech) -> Wish:
    memo, rest = _take_memo(rest, speech)
    source = _SOURCE.search(rest)
    target = _TARGET.search(rest)
    target_words = bare_name(target[1]) if target else _object(rest)
    return Wish(
        amounts=tuple(speech.amounts_in(rest)),
        source=bare_name(source[1]) if source else "",
        target=target_words,
        memo=memo,
        joins_last=bool(_PRONOUN.match(rest)) and not AMOUNT_MARK.search(rest),
    )


def _take_memo(rest: str, speech: Speech) -> tuple[str, str]:
    match = _MEMO.search(rest) or _PURPOSE.search(rest)
    if match is None:
        return "", rest
    said = speech.plain(match["said"]).strip(" '\"")
    return said, rest[: match.start()] + rest[match.end() :]


def _object(rest: str) -> str:
    """The name between verb and amount, as in "send Mia $30", or all there is in "pay Ben"."""
    until = re.split(r"[\ue000\ue002,.!?;]|\b(?:from|out of|using|via|with)\b", rest, maxsplit=1)[0]
    name = bare_name(until)
    return name if len(name.split()) <= 4 else ""
