"""Turn a wish into the arguments of a transfer call, or into the question that is still open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from baink_lab.sandbox.model.amounts import Amount, money
from baink_lab.sandbox.model.book import Book, Entry, matches
from baink_lab.sandbox.model.orders import Wish
from baink_lab.sandbox.model.toolbox import Tool

Asked = Literal["amount", "source", "target"]


@dataclass(frozen=True)
class Question:
    """What must be asked before a call can be made.

    `ask` is a question without its mark, `choice` what it can be answered with, and `problem`
    what was wrong with what was said.
    """

    asked: Asked
    ask: str
    choice: Sequence[Entry] = ()
    problem: str = ""

    @property
    def words(self) -> str:
        """The question as it is asked the first time."""
        names = ", ".join(entry.name for entry in self.choice)
        listed = f" I know: {names}." if names else ""
        return f"{self.problem} {self.ask}?{listed}".strip()

    @property
    def again(self) -> str:
        """The same in one sentence, for who has heard it before."""
        names = ", ".join(entry.name for entry in self.choice)
        return f"{self.ask} ({names})?" if names else f"{self.ask}?"


@dataclass(frozen=True)
class Transfer:
    """A transfer with nothing left open: the call's arguments, and how to say it."""

    arguments: dict[str, Any]
    words: str


def plan(wish: Wish, book: Book, tool: Tool) -> Transfer | Question:
    """Find out what a wish means with these accounts and this tool.

    Args:
        wish: what the customer wants, in their words.
        book: the accounts; empty when no tool lists any, then names are passed on as said.
        tool: the one that moves money.
    """
    found = _ends(wish, book, tool)
    if isinstance(found, Question):
        return found
    source, target = found
    amount = _amount(wish, source, target)
    if isinstance(amount, Question):
        return amount
    currency = amount.currency or (source.currency if source else "") or "USD"
    value = amount.value or Decimal(0)
    values = {
        "source": source.id if source else None,
        "target": target.id,
        "amount": value,
        "currency": currency,
        "memo": wish.memo or None,
    }
    origin = f" from {source.name}" if source else ""
    memo = f" with the memo \u201c{wish.memo}\u201d" if wish.memo else ""
    words = f"{money(value, currency)}{origin} to {target.name}{memo}"
    return Transfer(_arguments(values, tool), words)


def _ends(wish: Wish, book: Book, tool: Tool) -> tuple[Entry | None, Entry] | Question:
    needs_source = "source" in tool.slots
    known = bool(book.entries)
    source: Entry | Question | None = None
    if needs_source and wish.source:
        source = _one(wish.source, book.own, "source") if known else _unlisted(wish.source)
    if isinstance(source, Question):
        return source
    others = [entry for entry in book.entries if source is None or entry.id != source.id]
    target: Entry | Question | None = None
    if wish.target:
        target = _one(wish.target, others, "target", source) if known else _unlisted(wish.target)
    if isinstance(target, Question):
        return target
    if needs_source and source is None:
        source = _only_source(book, target)
        if source is None and target is not None:
            choice = [entry for entry in book.own if entry.id != target.id]
            ask = _with_amount(wish, "from which account")
            return Question("source", ask, choice)
    if target is None:
        return _ask_target(wish, source, others, tool)
    return source, target


def _ask_target(wish: Wish, source: Entry | None, others: Sequence[Entry], tool: Tool) -> Question:
    where = "to whom or to which account"
    if source is None and "source" in tool.slots:
        where = f"from which account, and {where}"
    return Question("target", _with_amount(wish, where), others)


def _with_amount(wish: Wish, ask: str) -> str:
    """Ask for the amount in the same breath when it is missing too."""
    return ask[0].upper() + ask[1:] if wish.amounts else f"How much, and {ask}"


def _only_source(book: Book, target: Entry | None) -> Entry | None:
    """The one account that the money can come from, if there is just one."""
    left = [entry for entry in book.own if target is None or entry.id != target.id]
    return left[0] if len(left) == 1 else None


def _one(
    said: str, among: Sequence[Entry], asked: Asked, taken: Entry | None = None
) -> Entry | Question:
    fit = matches(said, among)
    if len(fit) == 1:
        return fit[0]
    if taken is not None and not fit and matches(said, [taken]):
        problem = f"The money cannot go to {taken.name} and come from it."
        return Question(asked, "Where to, then", among, problem)
    if fit:
        return Question(asked, f"Which one do you mean by \u201c{said}\u201d", fit)
    end = "an account of yours called" if asked == "source" else "an account or payee called"
    where = "From which account" if asked == "source" else "To whom or to which account"
    return Question(asked, where, among, f"I do not find {end} \u201c{said}\u201d.")


def _unlisted(said: str) -> Entry:
    return Entry(said, said, own=True)


def _amount(wish: Wish, source: Entry | None, target: Entry) -> Amount | Question:
    origin = f" from {source.name}" if source else ""
    if not wish.amounts:
        return Question("amount", f"How much shall I move{origin} to {target.name}")
    if len(wish.amounts) > 1:
        said = " or ".join(amount.said for amount in wish.amounts)
        return Question("amount", f"Which amount shall I move to {target.name}: {said}")
    amount = wish.amounts[0]
    if amount.value is None:
        problem = f"{amount.problem} (\u201c{amount.said}\u201d)."
        return Question("amount", "How much exactly", problem=problem)
    own = source.currency if source else ""
    if own and amount.currency and amount.currency != own:
        problem = f"{source.name if source else ''} is in {own}, and I cannot exchange money."
        return Question("amount", f"How much in {own}", problem=problem)
    return amount


def _arguments(values: Mapping[str, Any], tool: Tool) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for slot, name in tool.slots.items():
        value = values.get(slot)
        if slot == "amount":
            value = _number(values["amount"], name, tool.properties[name].get("type"))
        if value is None and name in tool.required:
            value = ""
        if value is not None:
            arguments[name] = value
    return arguments


def _number(value: Decimal, name: str, kind: object) -> Any:
    if "cent" in name.lower() or "minor" in name.lower():
        value = value * 100
        return int(value) if kind in {"integer", "number"} else str(int(value))
    if kind == "integer" and value == int(value):
        return int(value)
    return float(value) if kind in {"integer", "number"} else str(value)
