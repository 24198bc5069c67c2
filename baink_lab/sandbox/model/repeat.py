"""Make a call that was not approved once more, word for word: "continue transfer"."""

from __future__ import annotations

import json
import re

from baink_lab.sandbox.model import answers, hearing, outcomes
from baink_lab.sandbox.model.conversation import Answer
from baink_lab.sandbox.model.turn import Turn
from baink_lab.sandbox.model.wire import Reply

_ALL = re.compile(r"\b(?:transfers|payments|requests|both|all|them)\b", re.IGNORECASE)


def wants_again(turn: Turn) -> bool:
    """Whether a call is to be made again: in words, or by a yes to "Shall I ask again?"."""
    if hearing.wants_again(turn.text, turn.speech):
        return True
    before = turn.talk.text(turn.talk.last_spoken)
    return outcomes.ASK_AGAIN in before and hearing.agrees(turn.text)


def again(turn: Turn) -> Reply:
    """Repeat the last call that was not approved; all of that turn if the customer says so."""
    gated = _gated(turn)
    open_ones = [
        answer
        for answer in gated
        if answer.status in outcomes.NOT_APPROVED and turn.box.named(answer.call.name)
    ]
    if not open_ones:
        return Reply(_nothing(turn, gated))
    last = max(answer.call.at for answer in open_ones)
    calls = [answer.call for answer in open_ones if answer.call.at == last]
    chosen = calls if _ALL.search(turn.text) else calls[-1:]
    return Reply(calls=tuple((call.name, call.arguments) for call in chosen))


def _gated(turn: Turn) -> list[Answer]:
    """How each gated call stands; of calls with the same arguments, the newest."""
    newest: dict[tuple[str, str], Answer] = {}
    for answer in turn.talk.latest.values():
        if answer.status in outcomes.STATUSES and answer.call.name not in turn.lookups:
            newest[answer.call.name, json.dumps(answer.call.arguments, sort_keys=True)] = answer
    return list(newest.values())


def _nothing(turn: Turn, gated: list[Answer]) -> str:
    waiting = [answer for answer in gated if answer.status == "waiting"]
    if any(answer in turn.talk.untold for answer in waiting):
        return ""  # it is being told anyway
    return outcomes.tell(waiting, turn.book, turn.box.transfer) or answers.NOTHING_TO_REPEAT
