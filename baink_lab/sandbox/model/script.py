"""Decide what the scripted model says or calls next, from the messages and tools alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from baink_lab.sandbox.model import answers, hearing, others, outcomes
from baink_lab.sandbox.model.aside import answer_aside
from baink_lab.sandbox.model.conversation import Conversation
from baink_lab.sandbox.model.drafts import Draft, Reader
from baink_lab.sandbox.model.repeat import again, unanswered, wants_again
from baink_lab.sandbox.model.toolbox import toolbox
from baink_lab.sandbox.model.transfers import Question, plan
from baink_lab.sandbox.model.turn import Turn
from baink_lab.sandbox.model.wire import Reply


def reply_to(request: Mapping[str, Any]) -> Reply:
    """The next message of the assistant; the same for the same request.

    Args:
        request: a request's body that `read_request` has checked.
    """
    turn = Turn(Conversation(request["messages"]), toolbox(request))
    told = outcomes.tell(turn.talk.untold, turn.book, turn.box.transfer)
    waits = turn.talk.customer_waits and not turn.acted
    reply = _answer(turn) if waits else Reply(_results(turn))
    if reply.calls:
        return reply  # what came is told with the next words
    text = "\n\n".join(part for part in (told, reply.text) if part)
    return Reply(text or "Tell me what I can do for you.")


def _results(turn: Turn) -> str:
    found = [answer for answer in turn.talk.untold if answer.status not in outcomes.STATUSES]
    return answers.results([answer for answer in found if answer.call.name not in turn.lookups])


def _answer(turn: Turn) -> Reply:
    turn = unanswered(turn)
    if len(turn.text) > hearing.LONGEST:
        return Reply(answers.TOO_LONG)
    if wants_again(turn):
        return again(turn)
    before, draft = Reader(turn.box, turn.book).follow(turn.talk)
    if draft and (draft != before or not _is_aside(turn, draft)):
        return _act(turn, draft)
    reply = answer_aside(turn)
    if draft is None or reply.calls:
        return reply
    return Reply(f"{reply.text}\n\n{_act(turn, draft).text}".strip())


def _is_aside(turn: Turn, draft: Draft) -> bool:
    if draft.wishes:
        return hearing.asks_aside(turn.text)
    return hearing.asks_who(turn.text) or turn.text.endswith("?")


def _act(turn: Turn, draft: Draft) -> Reply:
    if turn.box.accounts and not turn.book.entries and _needs_book(draft):
        if turn.looked_up:
            return Reply(answers.unreadable(turn.looked_up))
        return Reply(calls=((turn.box.accounts.name, {}),))
    return _transfer(turn, draft) if draft.wishes else _other(draft)


def _transfer(turn: Turn, draft: Draft) -> Reply:
    planned = [plan(wish, turn.book, draft.tool) for wish in draft.wishes]
    ready = [found for found in planned if not isinstance(found, Question)]
    for found in planned:
        if isinstance(found, Question):
            return Reply(found.words)
    if draft.tool.asks_to_confirm and not draft.confirmed:
        listed = " and ".join(found.words for found in ready)
        return Reply(f"Shall I move {listed}? Please answer yes or no.")
    return Reply(calls=tuple((draft.tool.name, found.arguments) for found in ready))


def _other(draft: Draft) -> Reply:
    name = others.missing(draft.tool, draft.arguments)
    if name is not None:
        return Reply(others.question(draft.tool, name))
    if draft.tool.asks_to_confirm and not draft.confirmed:
        given = "; ".join(f"{key}: {value}" for key, value in draft.arguments.items())
        detail = f" ({given})" if given else ""
        return Reply(f"Shall I {others.said(draft.tool)}{detail}? Please answer yes or no.")
    return Reply(calls=((draft.tool.name, draft.arguments),))


def _needs_book(draft: Draft) -> bool:
    return bool(draft.wishes) or others.needs_book(draft.tool)
