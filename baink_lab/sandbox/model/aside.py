"""Answer what is no order: who is there, how things stand, balances, history, small talk."""

from __future__ import annotations

from collections.abc import Sequence

from baink_lab.sandbox.model import answers, hearing, outcomes
from baink_lab.sandbox.model.book import Entry, mentioned, read_book
from baink_lab.sandbox.model.how_many import how_many, limit_of
from baink_lab.sandbox.model.lost_phone import LOST_PHONE, tells_of_lost_phone
from baink_lab.sandbox.model.spanish import ENGLISH_ONLY, is_spanish
from baink_lab.sandbox.model.toolbox import Tool
from baink_lab.sandbox.model.turn import Turn
from baink_lab.sandbox.model.wire import Reply

_FAILED = {"failed", "error", "denied"}


def answer_aside(turn: Turn) -> Reply:
    """The answer to a message that asks for nothing to be done."""
    for rule in (
        _foreign,
        _who,
        _lost,
        _why,
        _status,
        _no_order,
        _no_tool,
        _history,
        _refused,
        _balances,
    ):
        if (reply := rule(turn)) is not None:
            return reply
    if hearing.thanks(turn.text):
        return Reply(answers.WELCOME)
    return Reply(answers.abilities(turn.box, _start(turn.text)))


def _start(text: str) -> str:
    if hearing.greets(text):
        return answers.HELLO
    return answers.HELP if "?" in text or hearing.asks_help(text) else answers.NOT_UNDERSTOOD


def _foreign(turn: Turn) -> Reply | None:
    return Reply(ENGLISH_ONLY) if is_spanish(turn.text) else None


def _lost(turn: Turn) -> Reply | None:
    return Reply(LOST_PHONE) if tells_of_lost_phone(turn.text) else None


def _who(turn: Turn) -> Reply | None:
    return Reply(answers.STAND_IN) if hearing.asks_who(turn.text) else None


def _why(turn: Turn) -> Reply | None:
    return Reply(answers.WHY) if hearing.asks_why(turn.text) else None


def _status(turn: Turn) -> Reply | None:
    """What is known of the gated calls made last, and of all that wait."""
    if not hearing.asks_status(turn.text):
        return None
    gated = [found for found in turn.talk.latest.values() if found.status in outcomes.STATUSES]
    waiting = [found for found in gated if found.status == "waiting"]
    only_waiting = hearing.asks_what_waits(turn.text)
    made = turn.box.transfer if hearing.names_transfer(turn.text) else None
    asked = [found for found in gated if made and found.call.name == made.name] or gated
    last = max((found.call.at for found in asked), default=-1)
    newest = [] if only_waiting else [found for found in asked if found.call.at == last]
    told = [found for found in gated if found in (*waiting, *newest, *turn.talk.untold)]
    said = outcomes.tell(told, turn.book, turn.box.transfer)
    if only_waiting and not waiting:
        said = "\n\n".join(part for part in (said, answers.NOTHING_WAITS) if part)
    elif not told:
        return Reply(answers.NOTHING_UNDER_WAY) if turn.box.transfer else None
    return Reply(said, tells_news=True)


def _no_tool(turn: Turn) -> Reply | None:
    """What a bank's customer may want and no tool here can do: the history is no answer to it."""
    known = {word for tool in turn.box.tools for word in tool.words}
    if hearing.asks_dispute(turn.text) and not known & {"dispute", "disputes"}:
        return Reply(answers.NO_DISPUTE)
    if hearing.asks_statement(turn.text) and not known & {"statement", "statements"}:
        return Reply(answers.NO_STATEMENT)
    wanted = hearing.wants_done(turn.text)
    return Reply(answers.NO_TOOL) if wanted and wanted not in known else None


def _history(turn: Turn) -> Reply | None:
    tool = turn.box.history
    if tool is None or not _asks_history(turn, tool):
        return None
    if made := turn.talk.called_since_user(tool.name):
        latest = turn.talk.latest
        found = [latest[call.id] for call in made if call.id in latest]
        return Reply(answers.history(found, turn.book, how_many(turn.text)))
    if account_of(tool) is None:
        return Reply(calls=((tool.name, limit_of(tool, turn.text)),))
    return _look_at(turn, tool)


def account_of(history: Tool) -> str | None:
    """The parameter that says whose history is wanted."""
    return next((name for name in history.properties if "account" in name.lower()), None)


def look_into(history: Tool, accounts: Sequence[Entry]) -> Reply:
    """Call for the history of each of the accounts, or the one there is."""
    name = account_of(history)
    if name is None:
        return Reply(calls=((history.name, {}),))
    return Reply(calls=tuple((history.name, {name: entry.id}) for entry in accounts))


def _asks_history(turn: Turn, tool: Tool) -> bool:
    statement = "statement" in tool.words and hearing.asks_statement(turn.text)
    return statement or hearing.asks_history(turn.text)


def _look_at(turn: Turn, tool: Tool) -> Reply:
    """Ask for the history of each account that is named, or of all."""
    if not turn.book.own and turn.box.accounts and turn.looked_up is None:
        return Reply(calls=((turn.box.accounts.name, {}),))
    chosen = mentioned(turn.text, turn.book.own) or turn.book.own
    if not chosen:
        return Reply(answers.unreadable(turn.looked_up))
    limit = limit_of(tool, turn.text)
    return Reply(calls=tuple((n, {**given, **limit}) for n, given in look_into(tool, chosen).calls))


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
