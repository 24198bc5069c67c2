"""Make an earlier call once more, word for word: "continue transfer", "once more".

What was spoken of last is meant: of the calls that a customer can mean with these words, the one
whose ending was told last.
"""

from __future__ import annotations

import json
import re

from baink_lab.sandbox.model import answers, hearing, outcomes
from baink_lab.sandbox.model.conversation import Answer
from baink_lab.sandbox.model.turn import Turn
from baink_lab.sandbox.model.wire import Reply

_TURNS = 40  # of the customer's messages, how many are looked back upon
_ALL = re.compile(r"\b(?:transfers|payments|requests|both|all|them)\b", re.IGNORECASE)


def wants_again(turn: Turn) -> bool:
    """Whether a call is to be made again: in words, or by a yes to "Shall I ask again?"."""
    if hearing.wants_again(turn.text, turn.speech):
        return True
    before = turn.talk.text(turn.talk.last_spoken)
    return outcomes.ASK_AGAIN in before and hearing.agrees(turn.text)


def unanswered(turn: Turn) -> Turn:
    """The same without a "try again" that is about a message to which nothing was said."""
    for _ in range(_TURNS):
        if hearing.wants_to_go_on(turn.text) or not wants_again(turn) or turn.talk.was_answered:
            break
        turn = Turn(turn.talk.without_last, turn.box, turn.year)
    return turn


def again(turn: Turn) -> Reply:
    """Repeat the call that is meant; all of its turn if the customer says so."""
    gated = _gated(turn)
    meant = _meant(turn, [one for one in gated if turn.box.named(one.call.name)])
    if not meant:
        return Reply(_nothing(turn, gated))
    calls = [one.call for one in meant if one.call.at == meant[-1].call.at]
    chosen = calls if _ALL.search(turn.text) else calls[-1:]
    return Reply(calls=tuple((call.name, call.arguments) for call in chosen))


def _meant(turn: Turn, gated: list[Answer]) -> list[Answer]:
    """The calls that the customer may mean, the likeliest last."""
    ended = [one for one in gated if one.status != "waiting"]
    undone = [one for one in ended if one.status in outcomes.NOT_APPROVED]
    goes_on = hearing.wants_to_go_on(turn.text)
    unenrolled = [one for one in undone if one.status == "unenrolled"]
    if goes_on and unenrolled:
        return unenrolled
    newest = max(gated, key=lambda one: one.call.at, default=None)
    if ended and newest and newest.status == "waiting" and newest.call.at > ended[-1].at:
        return []  # since then the customer has gone on to another, which waits
    asked_about = [one for one in undone if one in turn.talk.told_last]
    # Nobody "continues" what came to nothing some time ago.
    return asked_about if goes_on else asked_about or ended


def _gated(turn: Turn) -> list[Answer]:
    """How each gated call stands, the latest news last; of calls with the same arguments, one."""
    newest: dict[tuple[str, str], Answer] = {}
    for answer in turn.talk.latest.values():
        if answer.status in outcomes.STATUSES and answer.call.name not in turn.lookups:
            newest[answer.call.name, json.dumps(answer.call.arguments, sort_keys=True)] = answer
    return sorted(newest.values(), key=lambda one: one.at)


def _nothing(turn: Turn, gated: list[Answer]) -> str:
    waiting = [answer for answer in gated if answer.status == "waiting"]
    if any(answer in turn.talk.untold for answer in waiting):
        return ""  # it is being told anyway
    return outcomes.tell(waiting, turn.book, turn.box.transfer) or answers.NOTHING_TO_REPEAT
