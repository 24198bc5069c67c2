"""Follow a conversation to what it still wants done: transfers or a tool, with open questions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from baink_lab.sandbox.model import entries, hearing, others
from baink_lab.sandbox.model.book import Book
from baink_lab.sandbox.model.conversation import Conversation
from baink_lab.sandbox.model.orders import Wish, fragment, wishes
from baink_lab.sandbox.model.phrases import Speech, listen
from baink_lab.sandbox.model.spanish import is_spanish
from baink_lab.sandbox.model.toolbox import Tool, Toolbox
from baink_lab.sandbox.model.transfers import Question, plan

_TURNS = 40  # of the customer's messages, how many are remembered
_EXPLICIT = re.compile(r"\b(?:to|into|onto|towards)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Draft:
    """What the customer wants done and has not been done: `wishes`, or `arguments` of a tool.

    `asides` counts the messages since that were about something else. Of an entry of the history
    that is not known by its id, `pointed` is what was said of it, `looked` whether the history was
    looked up since, `choice` what was found if it is not one, and `about` the one in words.
    """

    tool: Tool
    wishes: tuple[Wish, ...] = ()
    arguments: dict[str, Any] = field(default_factory=dict)
    confirmed: bool = False
    asides: int = 0
    pointed: str = ""
    looked: bool = False
    choice: tuple[str, ...] = ()
    about: str = ""


@dataclass(frozen=True)
class Heard:
    """One message of the customer, where it stands, and whether anything was said to the last."""

    text: str
    speech: Speech
    at: int
    until: int
    unanswered: bool


@dataclass(frozen=True)
class Reader:
    """Reads the customer's messages one after the other, with the tools and accounts at hand."""

    box: Toolbox
    book: Book
    year: int

    def follow(self, conversation: Conversation) -> Draft | None:
        """What is wanted with the customer's last message, and was not done."""
        draft: Draft | None = None
        last = -1
        turns = conversation.user_turns[-_TURNS:]
        for at, until in zip(turns, [*turns[1:], len(conversation.messages)], strict=True):
            before = draft if draft and _alive(draft, conversation, last, at) else None
            text = conversation.text(at)
            speech = listen(text[: hearing.LONGEST])
            unanswered = not conversation.replies(last, at)
            draft = self._hear(before, Heard(text, speech, at, until, unanswered))
            draft = self._looked_up(draft, conversation, at, until)
            last = at
        return draft

    def question(self, draft: Draft) -> Question | str | None:
        """What must still be asked: of a transfer, or which parameter of a tool."""
        if not draft.wishes:
            return others.missing(draft.tool, draft.arguments)
        planned = (plan(wish, self.book, draft.tool) for wish in draft.wishes)
        return next((found for found in planned if isinstance(found, Question)), None)

    def _hear(self, draft: Draft | None, heard: Heard) -> Draft | None:
        text = heard.text
        if len(text) > hearing.LONGEST or is_spanish(text):  # a number in it answers nothing
            return None
        new = tuple(wishes(heard.speech)) if self.box.transfer else ()
        if self.box.transfer and new and not _answers_tool(draft, new):
            return self._ordered(draft, new, self.box.transfer, unanswered=heard.unanswered)
        if draft is None:
            return self._other(heard)
        if hearing.agrees(text):
            # A yes to "to whom?" is no answer.
            asked = self.question(draft) is not None
            return _aside(draft) if asked else replace(draft, confirmed=not heard.unanswered)
        if draft.wishes:
            return self._answered(draft, heard)
        return self._told(draft, heard)

    def _ordered(
        self, draft: Draft | None, new: tuple[Wish, ...], tool: Tool, *, unanswered: bool
    ) -> Draft:
        if draft is None or not draft.wishes:
            return Draft(tool, new)
        if len(new) == 1 and not (new[0].amounts and new[0].target):
            return self._merged(draft, new[0])
        return Draft(tool, draft.wishes + new if unanswered else new)

    def _answered(self, draft: Draft, heard: Heard) -> Draft | None:
        """Take what is no order as the answer to the question that was asked last."""
        text, speech = heard.text, heard.speech
        if other := self._other(heard, strong=True):
            return other
        if hearing.asks_aside(text):
            return _aside(draft)
        refused = any(clause.mood == "negated" for clause in speech.clauses)
        asked = self._open(draft)[1]
        found = fragment(text, speech)
        if not _EXPLICIT.search(text):
            bare = found.target
            found = replace(found, target=bare if asked == "target" else "")
            if asked == "source" and not found.source:
                found = replace(found, source=bare)
        if refused or hearing.refuses(text):
            explicit = found.amounts or (_EXPLICIT.search(text) and found.target)
            return self._merged(draft, found) if explicit and not refused else None
        merged = self._merged(draft, found)
        return _aside(draft) if merged.wishes == draft.wishes else merged

    def _told(self, draft: Draft, heard: Heard) -> Draft | None:
        """Take a message as the answer to what was asked for a tool, unless it is a new request."""
        text = heard.text
        name = others.missing(draft.tool, draft.arguments)
        if hearing.refuses(text) and not (name and others.is_free(name) and _says_more(text)):
            return None
        requests = hearing.begins_as_request(text)
        if requests and (other := self._other(heard, strong=True)):
            return other
        asks = hearing.asks_who(text) or text.rstrip().endswith("?")
        if name is None or asks or (requests and hearing.asks_anew(text)):
            return _aside(draft)
        if name == entries.parameter(draft.tool) and entries.points(text):
            pointed = f"{draft.pointed} {text}".strip()
            return replace(draft, pointed=pointed, looked=False, choice=(), asides=0)
        value = others.answer_for(draft.tool, name, text, self.book, self.year)
        more = others.fill(draft.tool, text, self.book, self.year)
        more |= {} if value is None else {name: value}
        arguments = draft.arguments | more
        if arguments == draft.arguments:
            return _aside(draft)
        return replace(draft, arguments=arguments, confirmed=False, asides=0)

    def _other(self, heard: Heard, *, strong: bool = False) -> Draft | None:
        tool = others.choose(self.box.others, heard.speech, strong=True)
        if tool is None and not strong and not hearing.asks_known(heard.text):
            tool = others.choose(self.box.others, heard.speech, strong=False)
        if tool is None:
            return None
        found = Draft(tool, arguments=others.fill(tool, heard.text, self.book, self.year))
        entry = entries.parameter(tool)
        unknown = entry and entry not in found.arguments and self.box.history
        return (
            replace(found, pointed=heard.text) if unknown and entries.points(heard.text) else found
        )

    def _looked_up(
        self, draft: Draft | None, conversation: Conversation, at: int, until: int
    ) -> Draft | None:
        """The same with the entry that was pointed at, once the history was looked up for it."""
        if draft is None or not draft.pointed or draft.looked or self.box.history is None:
            return draft
        told = entries.told(conversation, self.box.history, at, until)
        name = entries.parameter(draft.tool)
        if told is None or name is None:
            return draft
        found = entries.meant(draft.pointed, told)
        if len(found) != 1:
            return replace(draft, looked=True, choice=tuple(map(entries.words, found)))
        arguments = draft.arguments | {name: str(found[0]["id"])}
        return replace(draft, arguments=arguments, pointed="", about=entries.words(found[0]))

    def _merged(self, draft: Draft, said: Wish) -> Draft:
        at, _ = self._open(draft)
        changed = list(draft.wishes)
        changed[at] = changed[at].merged(said)
        return replace(draft, wishes=tuple(changed), confirmed=False, asides=0)

    def _open(self, draft: Draft) -> tuple[int, str]:
        """Which wish has a question open, and for what; the last one when all are complete."""
        for at, wish in enumerate(draft.wishes):
            found = plan(wish, self.book, draft.tool)
            if isinstance(found, Question):
                return at, found.asked
        return len(draft.wishes) - 1, ""


def _says_more(text: str) -> bool:
    """Whether "no idea who that is" is rather a reason than a no."""
    return len(text.split()) > 3 and not hearing.calls_off(text)


def _aside(draft: Draft) -> Draft | None:
    """What is still wanted after a message about something else: after a second one, nothing."""
    return None if draft.asides else replace(draft, asides=1)


def _answers_tool(draft: Draft | None, new: tuple[Wish, ...]) -> bool:
    """Whether what sounds like an order is rather the answer to a tool's open question."""
    if draft is None or draft.wishes:
        return False
    return not all(wish.amounts and wish.target for wish in new)


def _alive(draft: Draft, conversation: Conversation, since: int, until: int) -> bool:
    """Whether a draft still waits: nothing was said yet, or a question, and nothing was called."""
    replies = conversation.replies(since, until)
    called = {call.name for call in conversation.calls if since < call.at < until}
    if draft.tool.name in called:
        return False
    asked = any("?" in str(message.get("content")) for message in replies)
    return asked or not replies
