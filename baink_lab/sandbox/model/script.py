"""Decide what the scripted model says or calls next, from the messages and tools alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from baink_lab.sandbox.model import answers, entries, hearing, others, outcomes
from baink_lab.sandbox.model.aside import answer_aside, look_into
from baink_lab.sandbox.model.conversation import Answer, Conversation
from baink_lab.sandbox.model.drafts import Draft, Reader
from baink_lab.sandbox.model.repeat import again, unanswered, wants_again
from baink_lab.sandbox.model.toolbox import toolbox
from baink_lab.sandbox.model.transfers import Question, Transfer, plan
from baink_lab.sandbox.model.turn import Turn
from baink_lab.sandbox.model.wire import Reply


def reply_to(request: Mapping[str, Any], year: int) -> Reply:
    """The next message of the assistant; the same for the same request.

    Args:
        request: a request's body that `read_request` has checked.
        year: the one that it is now.
    """
    turn = Turn(Conversation(request["messages"]), toolbox(request), year)
    waits = turn.talk.customer_waits and not turn.acted
    reply = _answer(turn) if waits else Reply(_results(turn))
    if reply.calls:
        return reply  # what came is told with the next words
    news = (
        []
        if reply.tells_news
        else [one for one in turn.talk.untold if waits or not _old(turn, one)]
    )
    told = outcomes.tell(news, turn.book, turn.box.transfer)
    text = "\n\n".join(part for part in (told, reply.text) if part)
    return Reply(text or "Tell me what I can do for you.")


def _old(turn: Turn, answer: Answer) -> bool:
    """Whether the customer has talked on since this was asked, and it waits, as they know.

    An outcome is told without it: what waited a moment ago may have ended in the same moment.
    """
    return answer.status == "waiting" and answer.call.at < turn.talk.last_user


def _results(turn: Turn) -> str:
    found = [answer for answer in turn.talk.untold if answer.status not in outcomes.STATUSES]
    told = [answer for answer in found if answer.call.name not in turn.lookups]
    return answers.results(told, turn.book)


def _answer(turn: Turn) -> Reply:
    turn = unanswered(turn)
    if len(turn.text) > hearing.LONGEST:
        return Reply(answers.TOO_LONG)
    if wants_again(turn):
        return again(turn)
    reader = Reader(turn.box, turn.book, turn.year)
    draft = reader.follow(turn.talk)
    if draft is None:
        return answer_aside(turn)
    if not draft.asides:
        return _act(turn, reader, draft)
    reply = answer_aside(turn) if _is_aside(turn.text) else Reply()
    if reply.calls:
        return reply
    more = _again(reader, draft)
    return replace(reply, text="\n\n".join(part for part in (reply.text, more) if part))


def _is_aside(text: str) -> bool:
    """Whether a message has an answer of its own, and is no mere "yes" or "hm"."""
    return hearing.asks_aside(text) and not hearing.agrees(text)


def _again(reader: Reader, draft: Draft) -> str:
    """The question that is still open, in one sentence."""
    asked = reader.question(draft)
    if isinstance(asked, Question):
        return asked.again
    if asked is not None:
        return others.question_again(draft.tool, asked)
    return _confirmation(reader, draft)


def _confirmation(reader: Reader, draft: Draft) -> str:
    planned = [plan(wish, reader.book, draft.tool) for wish in draft.wishes]
    listed = [found.words for found in planned if isinstance(found, Transfer)]
    if listed:
        return f"Shall I move {' and '.join(listed)}? Please answer yes or no."
    given = "; ".join(f"{key}: {value}" for key, value in draft.arguments.items())
    detail = f" ({given})" if given else ""
    return f"Shall I do {others.said(draft.tool)}{detail}? Please answer yes or no."


def _act(turn: Turn, reader: Reader, draft: Draft) -> Reply:
    if turn.box.accounts and not turn.book.entries and _needs_book(draft):
        if turn.looked_up:
            return Reply(answers.unreadable(turn.looked_up))
        return Reply(calls=((turn.box.accounts.name, {}),))
    if draft.wishes:
        return _transfer(reader, draft)
    return _find(turn, draft) if draft.pointed else _other(reader, draft)


def _transfer(reader: Reader, draft: Draft) -> Reply:
    asked = reader.question(draft)
    if isinstance(asked, Question):
        return Reply(asked.words)
    if draft.tool.asks_to_confirm and not draft.confirmed:
        return Reply(_confirmation(reader, draft))
    planned = [plan(wish, reader.book, draft.tool) for wish in draft.wishes]
    ready = [found for found in planned if isinstance(found, Transfer)]
    return Reply(calls=tuple((draft.tool.name, found.arguments) for found in ready))


def _find(turn: Turn, draft: Draft) -> Reply:
    """Look up the entry that was pointed at, or ask which one is meant."""
    history = turn.box.history
    if history is not None and not draft.looked and not turn.talk.called_since_user(history.name):
        chosen = entries.accounts(draft.pointed, turn.book, turn.talk, history)
        if (reply := look_into(history, chosen)).calls:
            return reply
    if not draft.choice:
        return Reply(f"{answers.NO_ENTRY} {answers.WHICH_ENTRY} {answers.HOW_TO_POINT}")
    lines = [f"- {words}" for words in draft.choice]
    return Reply("\n".join([answers.WHICH_ENTRY, *lines, answers.HOW_TO_POINT]))


def _other(reader: Reader, draft: Draft) -> Reply:
    name = others.missing(draft.tool, draft.arguments)
    if name is not None:
        way = f" {answers.HOW_TO_POINT}" if _can_point(reader, draft, name) else ""
        return Reply(others.question(draft.tool, name, draft.about) + way)
    if draft.tool.asks_to_confirm and not draft.confirmed:
        return Reply(_confirmation(reader, draft))
    return Reply(calls=((draft.tool.name, draft.arguments),))


def _can_point(reader: Reader, draft: Draft, name: str) -> bool:
    return reader.box.history is not None and name == entries.parameter(draft.tool)


def _needs_book(draft: Draft) -> bool:
    return bool(draft.wishes or draft.pointed) or others.needs_book(draft.tool)
