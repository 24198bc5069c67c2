"""What a reply is made from: the conversation, the tools, and what both say together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from baink_lab.sandbox.model import hearing
from baink_lab.sandbox.model.book import Book, read_book
from baink_lab.sandbox.model.conversation import Answer, Conversation
from baink_lab.sandbox.model.phrases import Speech, listen
from baink_lab.sandbox.model.toolbox import Toolbox


@dataclass(frozen=True)
class Turn:
    """One request, read.

    `talk` is what was said so far, `box` the tools at hand, `year` the one that it is now.
    """

    talk: Conversation
    box: Toolbox
    year: int

    @cached_property
    def book(self) -> Book:
        """The accounts and payees that are known by now."""
        return read_book(self.talk.answers)

    @cached_property
    def text(self) -> str:
        """The customer's last message."""
        return self.talk.text(self.talk.last_user).strip()

    @cached_property
    def speech(self) -> Speech:
        """The same, cut into clauses."""
        return listen(self.text[: hearing.LONGEST])

    @cached_property
    def lookups(self) -> set[str]:
        """The tools that only look: their answers are told with what they were asked for."""
        return {tool.name for tool in (self.box.accounts, self.box.history) if tool}

    @property
    def acted(self) -> bool:
        """Whether a tool that is no mere lookup was called for the customer's last message."""
        since = (call for call in self.talk.calls if call.at > self.talk.last_user)
        return any(call.name not in self.lookups for call in since)

    @property
    def looked_up(self) -> Answer | None:
        """The answer to the accounts lookup made for the customer's last message."""
        tool = self.box.accounts
        made = self.talk.called_since_user(tool.name) if tool else []
        return self.talk.latest.get(made[-1].id) if made else None
