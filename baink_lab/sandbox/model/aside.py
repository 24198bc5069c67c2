"""Answer what is no order: who is there, how things stand, balances, history, small talk."""

from __future__ import annotations

from baink_lab.sandbox.model import answers, hearing, outcomes
from baink_lab.sandbox.model.book import mentioned, read_book
from baink_lab.sandbox.model.toolbox import Tool
from baink_lab.sandbox.model.turn import Turn
from baink_lab.sandbox.model.wire import Reply

_FAILED = {"failed", "error", "denied"}


def answer_aside(turn: Turn) -> Reply:
    """The answer to a message that asks for nothing to be done."""
    for rule in (_who, _status, _no_order, _history, _refused, _balances):
        if (reply := rule(turn)) is not None:
            return reply
    if hearing.thanks(turn.text):
        return Reply(answers.WELCOME)
    return Reply(answers.abilities(turn.box, _start(turn.text)))


def _start(text: str) -> str:
    if hearing.greets(text):
        return answers.HELLO
    return answers.HELP if "?" in text or hearing.asks_help(text) else answers.NOT_UNDERSTOOD


def _who(turn: Turn) -> Reply | None:
    return Reply(answers.STAND_IN) if hearing.asks_who(turn.text) else None


def _status(turn: Turn) -> Reply | None:
    """What is known of the gated calls made last; no words when they are told anyway."""
    if not hearing.asks_status(turn.text):
        return None
    gated = [found for found in turn.talk.latest.values() if found.status in outcomes.STATUSES]
    last = max((found.call.at for found in gated), default=-1)
    newest = [found for found in gated if found.call.at == last]
    if not newest:
        return Reply(answers.NOTHING_UNDER_WAY) if turn.box.transfer else None
    told_before = [found for found in newest if found not in turn.talk.untold]
    return Reply(outcomes.tell(told_before, turn.book, turn.box.transfer))


def _history(turn: Turn) -> Reply | None:
    tool = turn.box.history
    if tool is None or not hearing.asks_history(turn.text):
        return None
    if made := turn.talk.called_since_user(tool.name):
        latest = turn.talk.latest
        found = [latest[call.id] for call in made if call.id in latest]
        return Reply(answers.history(found, turn.book))
    name = next((name for name in tool.properties if "account" in name.lower()), None)
    return Reply(calls=((tool.name, {}),)) if name is None else _look_at(turn, tool, name)


def _look_at(turn: Turn, tool: Tool, parameter: str) -> Reply:
    """Ask for the history of each account that is named, or of all."""
    if not turn.book.own and turn.box.accounts and turn.looked_up is None:
        return Reply(calls=((turn.box.accounts.name, {}),))
    chosen = mentioned(turn.text, turn.book.own) or turn.book.own
    if not chosen:
        return Reply(answers.unreadable(turn.looked_up))
    return Reply(calls=tuple((tool.name, {parameter: entry.id}) for entry in chosen))


def _refused(turn: Turn) -> Reply | None:
    clauses = turn.speech.clauses
    negated = any(clause.mood == "negated" for clause in clauses)
    rest = " ".join(clause.words for clause in clauses if clause.mood != "negated")
    if "?" in turn.text or not (negated or hearing.refuses(turn.text)):
        return None
    if hearing.asks_balances(rest):
        return None  # "don't move anything, just show my balances"
    waiting = any(answer.status == "waiting" for answer in turn.talk.latest.values())
    return Reply(answers.DENY_THERE if waiting else answers.NOTHING_MOVED)


def _balances(turn: Turn) -> Reply | None:
    payees = hearing.asks_payees(turn.text)
    named = "?" in turn.text and not turn.speech.amounts and mentioned(turn.text, turn.book.own)
    if not payees and not named and not hearing.asks_balances(turn.text):
        return None
    if turn.box.accounts is None:
        return Reply(answers.NO_ACCOUNTS)
    if turn.looked_up is None:
        return Reply(calls=((turn.box.accounts.name, {}),))
    book = read_book([turn.looked_up])
    if not book.entries and (
        turn.looked_up.status in _FAILED or "accounts" not in str(turn.looked_up.content)
    ):
        return Reply(answers.unreadable(turn.looked_up))
    return Reply(answers.payees(book) if payees else answers.balances(book, turn.text))


def _no_order(turn: Turn) -> Reply | None:
    """What sounds like an order and cannot be one."""
    moods = {clause.mood for clause in turn.speech.clauses}
    if "conditional" in moods and turn.speech.amounts:
        return Reply(answers.ONLY_NOW)
    if "order" in moods and turn.box.transfer is None:
        return Reply(answers.NO_TRANSFER)
    return None
