"""What approvals led to, by conversation and ledger; what the tenant refused, by its log."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from baink_lab.approvals import Approval
from baink_lab.approvals.nodes import EVENT, WAITING

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

TRANSFER = "transfer_funds"
ANEW = (
    " (You asked anew, with all the words. “continue transfer” would have done: Aiya still knew "
    "what you wanted.)"
)


@dataclasses.dataclass(frozen=True)
class Told:
    """An answer to a tool call, and where in the conversation it came."""

    at: int
    answer: dict[str, Any]

    @property
    def status(self) -> str:
        """How the call stood then."""
        return str(self.answer.get("status"))


class Story:
    """The approvals of one lab, and what was told of each.

    Attributes:
        approvals: oldest first.
    """

    def __init__(self, lab: Lab, approvals: list[Approval], messages: list[dict[str, Any]]) -> None:
        self._lab = lab
        self.approvals = approvals
        self._messages = messages
        self._told = _answers(messages)

    @classmethod
    async def of(cls, lab: Lab) -> Story:
        """Read it."""
        return cls(lab, await lab.approvals(), await (await lab.aiya()).messages(lab.thread))

    def told(self, approval: Approval) -> list[Told]:
        """What the model was told of an approval's call, in order."""
        return self._told.get(approval.tool_call_id, [])

    def outcome(self, approval: Approval) -> dict[str, Any]:
        """The last that was told of it, unless it still waits; else nothing."""
        told = self.told(approval)
        return told[-1].answer if told and told[-1].status != WAITING else {}

    def talked_on(self, approval: Approval) -> bool:
        """Whether the customer spoke, and was answered, between the push and its outcome."""
        told = self.told(approval)
        if len(told) < 2 or told[0].status != WAITING:
            return False
        between = self._messages[told[0].at : told[-1].at]
        roles = [one["role"] for one in between if one.get("content")]
        return "user" in roles and "assistant" in roles[roles.index("user") :]

    def asked_anew(self, since: Approval) -> bool:
        """Whether the customer never spoke of going on, nor of trying again, since an approval."""
        told = self.told(since)
        later = self._messages[told[0].at if told else 0 :]
        words = (str(one.get("content")).lower() for one in later if one["role"] == "user")
        return not any("continue" in text or "again" in text for text in words)

    async def times_moved(self, approval: Approval) -> int:
        """How often the ledger has the transfer that an approval led to."""
        result = self.outcome(approval).get("result") or {}
        if not isinstance(result, dict) or not result.get("id"):
            return 0
        entries = await self._lab.history(str(approval.arguments["from_account"]))
        return sum(one["id"] == result["id"] for one in entries)


def _answers(messages: list[dict[str, Any]]) -> dict[str, list[Told]]:
    found: dict[str, list[Told]] = {}
    for at, message in enumerate(messages):
        content = str(message.get("content") or "")
        if message["role"] == "tool":
            key = str(message["tool_call_id"])
        elif message["role"] == "system" and content.startswith(f"{EVENT} "):
            key, content = content.split()[5], content[content.index("{") :]
        else:
            continue
        answer = json.loads(content)
        if isinstance(answer, dict):
            found.setdefault(key, []).append(Told(at, answer))
    return found


async def refusals(lab: Lab, words: str) -> list[dict[str, Any]]:
    """The requests of this lab to the phone that the tenant refused with these words."""
    entries: list[dict[str, Any]] = await lab.log_of_lab("ciba_start_failed")
    return [one for one in entries if words in str(one.get("description"))]
