"""Find amounts of money in a sentence: "$1,200.50", "25 bucks", "twenty-five dollars", "1.2k"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_UNITS = {
    "$": "USD", "us$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD",
    "buck": "USD", "bucks": "USD", "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR",
    "£": "GBP", "gbp": "GBP", "pound": "GBP", "pounds": "GBP", "quid": "GBP",
}  # fmt: skip
_SMALL_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {word: value for value, word in enumerate(_SMALL_WORDS.split())} | {"a": 1, "an": 1}
_TENS = {word: 10 * value for value, word in enumerate(_TENS_WORDS.split(), start=2)}
_SCALES = {"hundred": 100, "thousand": 1000, "grand": 1000, "million": 1_000_000}
_MULTIPLIERS = {"k": 1000, **_SCALES}

_NUMBER = r"(?:\d(?:[\d.,]*\d)?|\.\d+)"
_WORD = "|".join(sorted({*_SMALL, *_TENS, *_SCALES}, key=len, reverse=True))
_NEXT_WORD = "|".join(sorted({*_SMALL, *_TENS, *_SCALES} - {"a", "an"}, key=len, reverse=True))
_WORDS = rf"(?:{_WORD})(?:(?:[\s-]+and)?[\s-]+(?:{_NEXT_WORD}))*"
_CENTS = rf"(?:\s+and)?\s+(?:\d{{1,2}}|{_WORDS})\s+cents?(?!\w)"
_UNIT = r"dollars?|bucks?|usd|euros?|eur|pounds?|gbp|quid"
_NOT_MONEY = (
    r"(?!\s*(?:%|percent|days?|weeks?|months?|years?|hours?|minutes?|times|transfers?|payments?"
    r"|transactions?|people|o'clock|am|pm|st|nd|rd|th)(?!\w))"
)
_MINUS = r"[-\u2212]\s?"
_MONEY = re.compile(
    rf"""(?<![\w.,])(?:
      (?P<minus>{_MINUS})? (?P<sign>us\$|[$€£]) \s? (?P<minus2>{_MINUS})? (?P<signed>{_NUMBER})
        (?:\s?(?P<signed_scale>k|thousand|grand|million))? (?:\s?(?:{_UNIT}))? (?![\w%])
        (?P<signed_cents>{_CENTS})?
    | (?P<minus3>{_MINUS})? (?P<code>usd|eur|gbp) \s? (?P<coded>{_NUMBER}) (?![\w%])
    | (?P<minus4>{_MINUS})? (?:(?P<digits>{_NUMBER}) (?:\s?(?P<scale>k|thousand|hundred|million))?
        | (?P<words>{_WORDS}))
        (?: \s?(?P<unit>{_UNIT}|(?P<cent>cents?|¢)|(?<=grand)) (?![\w]) | [$€£](?!\w) )
        (?P<cents>{_CENTS})?
    | (?P<minus5>{_MINUS})? (?P<bare>{_NUMBER}) (?:\s?(?P<bare_scale>k|thousand|grand|million))?
        (?![\w%]) {_NOT_MONEY}
    | (?P<bare_words>{_WORDS}) (?!\w) {_NOT_MONEY}
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_SHAPE = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?")
_VAGUE = re.compile(
    r"\b(?:half|everything|all(?: of it)?|all (?:of )?my \w+|the rest|some|a few|a couple(?: of)?"
    r"|a (?:third|quarter)|\d+(?:\.\d+)?\s?(?:%|percent))(?!\w)(?! right)",
    re.IGNORECASE,
)
_FRACTION = re.compile(r"\s+(?:and (?:a )?(?:half|third|quarter)|point)\b", re.IGNORECASE)
_MOST_DIGITS = 12
_MOST_SHOWN = 15
_MOST_IN_GROUP = 999
_ALTERNATIVE = re.compile(r"\s*(?:or|to|-|–)\s*", re.IGNORECASE)  # noqa: RUF001 - an en dash


@dataclass(frozen=True)
class Amount:
    """An amount as the customer said it.

    `value` is None when the words cannot be used as an amount; then `problem` says why.
    `currency` (ISO 4217) is None for a bare number. `start` and `end` are where it was found.
    """

    value: Decimal | None
    currency: str | None
    said: str
    start: int
    end: int
    problem: str = ""


def find_amounts(text: str) -> list[Amount]:
    """Find every exact amount in `text`, in order; bare numbers only when nothing has a unit.

    Returns:
        The amounts found. With none, a vague one ("half", "everything", "10 %") if there is one.
    """
    found = [amount for match in _MONEY.finditer(text) if (amount := _read(match))]
    starts = {amount.start for amount in found if amount.currency}
    named = [
        amount
        for amount in found
        if amount.currency or _leads_to(text, amount, starts)  # "5 or 6 dollars" is two amounts
    ]
    if not starts:
        named = []
    return named or found or [_vague(match) for match in _VAGUE.finditer(text)][:1]


def _leads_to(text: str, amount: Amount, starts: set[int]) -> bool:
    between = _ALTERNATIVE.match(text, amount.end)
    return bool(between and between.end() in starts)


def money(value: Decimal, currency: str) -> str:
    """Write an amount for a person: `$1,200.50`, or `EUR 1,200.50` for other currencies."""
    sign = "-" if value < 0 else ""
    mark = "$" if currency == "USD" else f"{currency} "
    return f"{sign}{mark}{abs(value):,.2f}"


def amount_text(value: object, currency: object, parameter: str = "") -> str:
    """Write an amount of a call or an answer for a person; what is no number stays as it is."""
    try:
        number = Decimal(str(value))
        if "cent" in parameter:
            number /= 100
        if number.adjusted() > _MOST_SHOWN:
            return str(value)
        return money(number, str(currency or "USD"))
    except (InvalidOperation, ValueError):
        return str(value)


def _read(match: re.Match[str]) -> Amount | None:
    parts = match.groupdict()
    if words := parts["bare_words"]:
        # "a" and "one" alone are articles and pronouns far more often than amounts.
        if words.lower() in _SMALL | _SCALES and words.lower() in {"a", "an", "one", *_SCALES}:
            return None
        usable = not _FRACTION.match(match.string, match.end())
        return _finish(match, _number_words(words) if usable else None, None)
    negative = any(parts[name] for name in ("minus", "minus2", "minus3", "minus4", "minus5"))
    digits = parts["signed"] or parts["coded"] or parts["digits"] or parts["bare"]
    value = _digits(digits) if digits else _number_words(parts["words"])
    scale = parts["signed_scale"] or parts["scale"] or parts["bare_scale"]
    if value is not None:
        value = value * _MULTIPLIERS[scale.lower()] if scale else value
        value = _with_cents(value, parts)
    if _FRACTION.match(match.string, match.end()):
        value = None
    if value is not None and negative:
        value = value.copy_negate()
    return _finish(match, value, _currency(match))


def _with_cents(value: Decimal, parts: dict[str, str | None]) -> Decimal | None:
    if parts["cent"]:
        return value / 100
    tail = parts["cents"] or parts["signed_cents"]
    if not tail:
        return value
    said = re.sub(r"^\s*(?:and\s+)?|\s*cents?$", "", tail, flags=re.IGNORECASE)
    cents = Decimal(said) if said.isdigit() else _number_words(said)
    return None if cents is None else value + cents / 100


def _currency(match: re.Match[str]) -> str | None:
    parts = match.groupdict()
    if parts["bare"]:
        return None
    if parts["cent"]:
        return "USD"
    said = parts["sign"] or parts["code"] or parts["unit"]
    return _UNITS[said.lower()] if said else _UNITS.get(match.group()[-1], "USD")


def _finish(match: re.Match[str], value: Decimal | None, currency: str | None) -> Amount:
    problem = _problem(value)
    usable = None if problem or value is None else value.quantize(Decimal("0.01"))
    return Amount(usable, currency, match.group().strip(), match.start(), match.end(), problem)


def _problem(value: Decimal | None) -> str:
    if value is None:
        return "I cannot tell which number that is"
    if value <= 0:
        return "An amount must be more than zero"
    if value.adjusted() >= _MOST_DIGITS:
        return "That is more than I can move"
    if value != value.quantize(Decimal("0.01")):
        return "An amount has at most two decimals"
    return ""


def _vague(match: re.Match[str]) -> Amount:
    return Amount(
        None, None, match.group(), match.start(), match.end(), "I need an exact amount for that"
    )


def _digits(said: str) -> Decimal | None:
    return Decimal(said.replace(",", "")) if _SHAPE.fullmatch(said) else None


def _number_words(said: str) -> Decimal | None:
    """Read number words; None for a run that is no number ("five five", "twenty eleven")."""
    total = group = 0
    room = _MOST_IN_GROUP  # what the next word may add at the most
    for word in re.split(r"[\s-]+", said.lower()):
        if word == "and":
            continue
        if scale := _SCALES.get(word):
            group = (group or 1) * scale
            room = 99 if scale == 100 else _MOST_IN_GROUP
            if scale > 100:
                total, group = total + group, 0
            continue
        value = _SMALL.get(word, _TENS.get(word, 0))
        if value > room:
            return None
        group += value
        room = 9 if word in _TENS else -1
    return Decimal(total + group)
