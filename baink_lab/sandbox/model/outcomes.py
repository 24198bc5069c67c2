"""Say what came of gated calls: the truth about each, and a way on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from baink_lab.sandbox.model.amounts import amount_text
from baink_lab.sandbox.model.book import Book
from baink_lab.sandbox.model.conversation import Answer, Call
from baink_lab.sandbox.model.layout import capital, laid_out
from baink_lab.sandbox.model.toolbox import Tool, words_of

ASK_AGAIN = "Shall I ask again?"
TOO_OFTEN = "too_many_pushes"
_OTHER_WAYS = "You can change it, or say \u201ctry again\u201d to ask once more."
NOT_APPROVED = {"denied", "expired", "unenrolled", "failed"}
MEANWHILE = "We can talk on meanwhile."
_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
STATUSES = NOT_APPROVED | {"approved", "waiting"}

# What a refusal's code means, in words for a customer.
_REASONS = {
    "insufficient_funds": "there is not enough money in that account",
    "unknown_account": "the bank does not know that account",
    "not_your_account": "that account is not yours",
    "same_account": "both accounts are the same",
    "currency_mismatch": "the two accounts have different currencies",
    "invalid_amount": "the bank cannot use that amount",
    "invalid_memo": "the bank cannot use that memo",
    "insufficient_scope": "I am not allowed to do that yet",
    "invalid_token": "the bank did not accept my access token",
    "missing_token": "I had no access token for the bank",
    "bad_arguments": "the details were not complete or not right",
    "not_approved_details": "it is not what you approved",
}


def tell(answers: list[Answer], book: Book, transfer: Tool | None) -> str:
    """One paragraph for each outcome among the answers, and one for all that wait.

    It is empty when there is none.
    """
    ended = [answer for answer in answers if answer.status in STATUSES - {"waiting"}]
    told = [_tell(answer, book, transfer) for answer in ended]
    waiting = [answer.call for answer in answers if answer.status == "waiting"]
    return "\n\n".join([*told, *([_waiting(waiting, book, transfer)] if waiting else [])])


def _waiting(calls: list[Call], book: Book, transfer: Tool | None) -> str:
    counted = Counter(subject(call, book, transfer) for call in calls)
    if len(counted) > 1:
        lines = [f"- {_several(what, count)}" for what, count in counted.items()]
        lead = "Waiting for your approval on your phone; until then nothing of it is done:"
        return "\n".join([lead, *lines, MEANWHILE])
    [(what, count)] = counted.items()
    moves = transfer is not None and calls[0].name == transfer.name
    if count > 1:
        what, is_, yet = _several(what, count), "are", "they move nothing"
    else:
        is_, yet = "is", "it moves nothing"
    yet = yet if moves else "nothing of it is done"
    return (
        f"{capital(what)} {is_} waiting for your approval on your phone; until then {yet}. "
        f"{MEANWHILE}"
    )


def _several(what: str, count: int) -> str:
    """The same thing several times: "two transfers of $20.00 from Checking to Savings"."""
    if count == 1:
        return what
    number = _NUMBERS.get(count, str(count))
    return re.sub(r"^(?:the|your) (\w+)", rf"{number} \1s", what)


def subject(call: Call, book: Book, transfer: Tool | None) -> str:
    """What a call is about: "the transfer of $25.00 from Checking to Savings"."""
    if transfer is None or call.name != transfer.name:
        return f"your request “{' '.join(words_of(call.name))}”"
    return f"the transfer of {_moved(call, book, transfer)}"


def _moved(call: Call, book: Book, transfer: Tool, between: str = "") -> str:
    found = {slot: call.arguments.get(name) for slot, name in transfer.slots.items()}
    amount = amount_text(found.get("amount"), found.get("currency"), transfer.slots["amount"])
    source = f" from {book.name(found['source'])}" if found.get("source") else ""
    return f"{amount}{between}{source} to {book.name(found.get('target'))}"


def _tell(answer: Answer, book: Book, transfer: Tool | None) -> str:
    content: Mapping[str, Any] = answer.content
    what = subject(answer.call, book, transfer)
    moves = transfer is not None and answer.call.name == transfer.name
    nothing = "Nothing was moved." if moves else "Nothing was done."
    match answer.status:
        case "approved":
            return _approved(answer, book, transfer)
        case "denied" | "expired":
            why = f"You denied {what} on your phone."
            if answer.status == "expired":
                why = f"Nobody answered on the phone in time, so {what} expired."
            return f"{nothing} {why} {ASK_AGAIN} Say \u201ctry again\u201d."
        case "unenrolled":
            return f"{nothing} {_enrol(what, content)}"
        case _:
            return _failed(what, content, nothing)


def _approved(answer: Answer, book: Book, transfer: Tool | None) -> str:
    result = answer.content.get("result")
    if transfer is None or answer.call.name != transfer.name:
        found = f"\n{laid_out(result, book)}" if result not in (None, "", {}, []) else ""
        return f"Approved and done: {subject(answer.call, book, transfer)}.{found}"
    moved = _moved(answer.call, book, transfer, " moved")
    known = result if isinstance(result, Mapping) else {}
    said = [f"Done: {moved}."]
    if known.get("id"):
        said.append(f"Reference: {known['id']}.")
    if known.get("balance_after") is not None:
        balance = amount_text(known["balance_after"], known.get("currency"))
        said.append(f"The new balance of the account it came from is {balance}.")
    return " ".join(said)


def _enrol(what: str, content: Mapping[str, Any]) -> str:
    url = content.get("enrollment_url")
    how = f"Enrol it here: {url}" if isinstance(url, str) and url else "Enrol one first"
    end = " \u2013 then" if "http" in how else ", then"
    return (
        f"No phone is enrolled, so nobody could be asked to approve {what}. "
        f"{how}{end} say \u201ccontinue transfer\u201d."
    )


def _failed(what: str, content: Mapping[str, Any], nothing: str) -> str:
    code, message = content.get("reason"), content.get("message")
    known = _REASONS.get(code) if isinstance(code, str) else None
    unsure = isinstance(message, str) and re.search(r"check the history|may have", message, re.I)
    why = f"{known}. {message or ''}" if known else _sentence(message or code)
    lead = f"I cannot say that {what} was made" if unsure else f"{nothing} {capital(what)} failed"
    # Who was asked too often is told when to ask again, and that is the one way on.
    way = "" if code == TOO_OFTEN else f" {_OTHER_WAYS}"
    return f"{lead}: {why.strip()}{way}"


def _sentence(said: object) -> str:
    text = str(said or "the bank gave no reason").strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
