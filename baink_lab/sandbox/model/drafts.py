"""Follow a conversation to what it still wants done: transfers or a tool, with open questions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from baink_lab.sandbox.model import hearing, others
from baink_lab.sandbox.model.book import Book
from baink_lab.sandbox.model.conversation import Conversation
from baink_lab.sandbox.model.orders import Wish, fragment, wishes
from baink_lab.sandbox.model.phrases import Speech, listen
from baink_lab.sandbox.model.toolbox import Tool, Toolbox
from baink_lab.sandbox.model.transfers import Question, plan

_TURNS = 40  # of the customer's messages, how many are remembered
_EXPLICIT = re.compile(r"\b(?:to|into|onto|towards)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Draft:
    """What the customer wants done and has not been done: `wishes`, or `arguments` of a tool."""

    tool: Tool
    wishes: tuple[Wish, ...] = ()
    arguments: dict[str, Any] = field(default_factory=dict)
    confirmed: bool = False


@dataclass(frozen=True)
class Reader:
    """Reads the customer's messages one after the other, with the tools and accounts at hand."""

    box: Toolbox
    book: Book

    def follow(self, conversation: Conversation) -> tuple[Draft | None, Draft | None]:
        """What was wanted before the customer's last message, and what is wanted with it."""
        before: Draft | None = None
        draft: Draft | None = None
        last = -1
        for at in conversation.user_turns[-_TURNS:]:
            before = draft if draft and _alive(draft, conversation, last, at) else None
            heard = conversation.text(at)
            unanswered = not conversation.replies(last, at)
            draft = self._hear(before, heard, unanswered=unanswered)
            last = at
        return before, draft

    def _hear(self, draft: Draft | None, text: str, *, unanswered: bool) -> Draft | None:
        if len(text) > hearing.LONGEST:
            return None
        speech = listen(text)
        new = tuple(wishes(speech)) if self.box.transfer else ()
        if self.box.transfer and new and not _answers_tool(draft, new):
            return self._ordered(draft, new, self.box.transfer, unanswered=unanswered)
        if draft is None:
            return self._other(text, speech)
        if hearing.agrees(text):
            return replace(draft, confirmed=not unanswered)
        if draft.wishes:
            return self._answered(draft, text, speech)
        return None if hearing.refuses(text) else self._told(draft, text)

    def _ordered(
        self, draft: Draft | None, new: tuple[Wish, ...], tool: Tool, *, unanswered: bool
    ) -> Draft:
        if draft is None or not draft.wishes:
            return Draft(tool, new)
        if len(new) == 1 and not (new[0].amounts and new[0].target):
            return self._merged(draft, new[0])
        return Draft(tool, draft.wishes + new if unanswered else new)

    def _answered(self, draft: Draft, text: str, speech: Speech) -> Draft | None:
        """Take what is no order as the answer to the question that was asked last."""
        refused = any(clause.mood == "negated" for clause in speech.clauses)
        if hearing.asks_aside(text):
            return draft
        if other := self._other(text, speech, strong=True):
            return other
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
        return self._merged(draft, found)

    def _told(self, draft: Draft, text: str) -> Draft | None:
        name = others.missing(draft.tool, draft.arguments)
        if name is None or hearing.asks_who(text) or text.rstrip().endswith("?"):
            return draft
        value = others.answer_for(draft.tool, name, text, self.book)
        more = {} if value is None else {name: value}
        more = others.fill(draft.tool, text, self.book) | more
        return replace(draft, arguments=draft.arguments | more, confirmed=False)

    def _other(self, text: str, speech: Speech, *, strong: bool = False) -> Draft | None:
        tool = others.choose(self.box.others, speech, strong=True)
        if tool is None and not strong and not hearing.asks_known(text):
            tool = others.choose(self.box.others, speech, strong=False)
        return Draft(tool, arguments=others.fill(tool, text, self.book)) if tool else None

    def _merged(self, draft: Draft, said: Wish) -> Draft:
        at, _ = self._open(draft)
        changed = list(draft.wishes)
        changed[at] = changed[at].merged(said)
        return replace(draft, wishes=tuple(changed), confirmed=False)

    def _open(self, draft: Draft) -> tuple[int, str]:
        """Which wish has a question open, and for what; the last one when all are complete."""
        for at, wish in enumerate(draft.wishes):
            found = plan(wish, self.book, draft.tool)
            if isinstance(found, Question):
                return at, found.asked
        return len(draft.wishes) - 1, ""


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
