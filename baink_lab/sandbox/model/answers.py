"""The sentences of the scripted model that tell accounts, history and what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from baink_lab.sandbox.model import entries, others
from baink_lab.sandbox.model.amounts import amount_text
from baink_lab.sandbox.model.book import Book, Entry, mentioned
from baink_lab.sandbox.model.conversation import Answer
from baink_lab.sandbox.model.layout import laid_out
from baink_lab.sandbox.model.toolbox import Toolbox, words_of

STAND_IN = (
    "I am a stand-in: a small script that answers in a language model's place, so that the lab "
    "works without an account or a key. I am not a real AI and not a person. I read the tools and "
    "messages that I am sent, by fixed rules; what I call is real and goes through the same "
    "approvals."
)
WHY = (
    "A chat is easily misheard, and I may be wrong or be tricked. So what is risky waits for your "
    "yes on your phone, which says what it is for. Without it the bank takes no order from me."
)
TOO_LONG = "That is more than I can read at once, so I did nothing. Please say it in a few words."
NOTHING_MOVED = "All right. I will not move anything."
DENY_THERE = (
    "All right. I cannot take back what waits on your phone: deny it there, or let it expire, "
    "and nothing is moved."
)
ONLY_NOW = (
    "I cannot wait for a condition or a date, so I did not move anything. "
    "Tell me again when it should happen at once."
)
NO_TRANSFER = "I have no tool to move money here, so nothing was moved."
NO_TOOL = "I have no tool for that here."
NO_STATEMENT = "I have no tool to read a statement here."
NO_DISPUTE = "I have no tool to open a dispute here."
NOTHING_WAITS = "Nothing is waiting for your approval."
NO_ENTRY = "I find no such entry in the history of your accounts."
WHICH_ENTRY = "Which one do you mean?"
HOW_TO_POINT = "Say \u201cthe last one\u201d, its amount, who it was with, or its id."
NO_ACCOUNTS = "I have no tool to look into your accounts here."
NOTHING_TO_REPEAT = (
    "There is no transfer to continue. Tell me what to move, from where and to whom."
)
HELLO = "Hello, I am Aiya."
HELP = "Tell me what to do and I will do it, with your approval where it is needed."
NOT_UNDERSTOOD = "I am not sure what you would like."
NOTHING_UNDER_WAY = "No transfer was made or is under way in this conversation."
WELCOME = "You are welcome."


def balances(book: Book, text: str) -> str:
    """Say what is in the accounts that a message names, or in all of them."""
    chosen = mentioned(text, book.own) or book.own
    lines = [f"- {_balance(entry)}" for entry in chosen]
    if not lines:
        return "You have no accounts here."
    return "\n".join(["Here is what you have:", *lines])


def payees(book: Book) -> str:
    """Say whom the customer can pay."""
    names = ", ".join(entry.name for entry in book.payees)
    return f"You can pay: {names}." if names else "You have no payees yet."


def history(answers: Sequence[Answer], book: Book, most: int | None = None) -> str:
    """Say what happened on each account that was looked up.

    Args:
        answers: to the lookups.
        book: the accounts that are known.
        most: how many entries of each are told, the newest; None for all.
    """
    return "\n\n".join(_history(answer, book, most) for answer in answers)


def unreadable(answer: Answer | None) -> str:
    """Say that accounts could not be read, with the tool's own words."""
    detail = ""
    if answer is not None and isinstance(answer.content, Mapping):
        said = next((answer.content.get(k) for k in ("message", "detail", "error", "reason")), "")
        detail = f" {said}" if isinstance(said, str) else ""
    return f"I could not read your accounts, so nothing was moved.{detail}".strip()


def results(answers: Sequence[Answer], book: Book) -> str:
    """Say what tools answered that this model was not written for."""
    said = [
        f"Here is what \u201c{' '.join(words_of(answer.call.name))}\u201d says:\n"
        f"{laid_out(answer.content, book)}"
        for answer in answers
    ]
    return "\n\n".join(said)


def abilities(box: Toolbox, start: str) -> str:
    """Say what can be asked here, by the tools at hand.

    Args:
        box: the tools.
        start: the sentence before: a greeting, or that the message was not understood.
    """
    able = []
    if box.transfer:
        able.append("move money (\u201cmove $25 from checking to savings\u201d)")
    if box.accounts:
        able.append("tell your balances")
    if box.history:
        able.append("show an account's history")
    more = ", ".join(others.said(tool) for tool in box.others)
    if not able and not more:
        return f"{start} I was given no tools, so I can only talk."
    said = f" I can {_and(able)}." if able else ""
    return f"{start}{said}" + (f" You can also ask me for: {more}." if more else "")


def _and(parts: Sequence[str]) -> str:
    """Parts of a sentence: "one", "one and two", "one, two and three"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if parts[1:] else parts)


def _balance(entry: Entry) -> str:
    if not entry.balance:
        return entry.name
    return f"{entry.name}: {amount_text(entry.balance, entry.currency)}"


def _history(answer: Answer, book: Book, most: int | None) -> str:
    content = answer.content
    account = answer.call.arguments.get("account_id", "")
    name = book.name(account) if account else "your account"
    found = _entries(content)
    if found is None:
        return f"I could not read the history of {name}: {laid_out(content, book)}"
    if not found:
        return f"Nothing has happened on {name} yet."
    told = [f"- {_entry(entry, book)}" for entry in found[:most]]
    return "\n".join([f"The latest on {name}:", *told])


def _entries(content: Any) -> list[Any] | None:
    if isinstance(content, Mapping):
        content = next((value for value in content.values() if isinstance(value, list)), None)
    return content if isinstance(content, list) else None


def _entry(entry: Any, book: Book) -> str:
    if not isinstance(entry, Mapping) or "amount" not in entry:
        return ", ".join(laid_out(entry, book).splitlines())
    return entries.words(entry)
