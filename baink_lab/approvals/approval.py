"""The durable record of one CIBA request for one tool call, and the moves that it may make."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from baink_lab.errors import BainkError


class State(enum.StrEnum):
    """Where an approval stands. The last five are outcomes: nothing follows them."""

    REQUESTING = "requesting"
    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    UNENROLLED = "unenrolled"
    FAILED = "failed"

    @property
    def is_outcome(self) -> bool:
        """True when nothing more is expected from the customer."""
        return not MOVES[self]


#: The whole state machine. Read: from this state, what can happen, and where it leads.
MOVES: Mapping[State, Mapping[str, State]] = {
    State.REQUESTING: {
        "push sent": State.PENDING,
        "no device enrolled": State.UNENROLLED,
        "tenant refused": State.FAILED,
        "not sent": State.FAILED,
    },
    State.PENDING: {
        "token arrived": State.APPROVED,
        "customer said no": State.DENIED,
        "time was up": State.EXPIRED,
        "token was lost": State.EXPIRED,
        "tenant refused": State.FAILED,
    },
    State.APPROVED: {},
    State.DENIED: {},
    State.EXPIRED: {},
    State.UNENROLLED: {},
    State.FAILED: {},
}


class ApprovalError(BainkError):
    """An approval was asked to make a move that its state does not have."""

    code = "approval"


@dataclasses.dataclass(frozen=True)
class Approval:
    """One question to one customer about one tool call. Holds no secret.

    Attributes:
        id: derived from thread and tool call, so that a re-run finds its own record. It is also
            the Idempotency-Key of what is done once it is approved.
        node: the graph's node that acts on the outcome.
        arguments: of the tool call, as JSON values.
        digest: of tool and arguments, see `digest_of`.
        created_at, expires_at: seconds since the epoch; `expires_at` is exact once pending.
        interval: least seconds between two polls.
        reason: one sentence for the customer about an outcome other than approved.
        event: the name of the last move, a key of `MOVES`.
        acting: the approved action has been started at least once.
        delivered: the outcome has become part of the conversation.
    """

    id: str
    thread_id: str
    tool_call_id: str
    user_id: str
    tool: str
    node: str
    arguments: dict[str, Any]
    digest: str
    scope: str
    audience: str | None
    binding_message: str
    created_at: float
    expires_at: float
    authorization_details: list[dict[str, Any]] | None = None
    interval: float = 5.0
    state: State = State.REQUESTING
    event: str = "asked"
    reason: str = ""
    acting: bool = False
    delivered: bool = False

    def move(self, event: str, **changes: Any) -> Approval:
        """The record after `event`.

        Raises:
            ApprovalError: the present state has no such move.
        """
        target = MOVES[self.state].get(event)
        if target is None:
            raise ApprovalError(f"Approval {self.id} is {self.state}: {event!r} cannot happen.")
        return dataclasses.replace(self, state=target, event=event, **changes)

    def to_json(self) -> dict[str, Any]:
        """A JSON object for the store."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Approval:
        """What `to_json` wrote; fields of a later version are left alone."""
        known = {field.name for field in dataclasses.fields(cls)}
        fields = {name: item for name, item in value.items() if name in known}
        return cls(**fields | {"state": State(fields["state"])})


def approval_id(thread_id: str, tool_call_id: str) -> str:
    """The same id for the same call of the same thread, however often its node is re-run."""
    return "apr_" + hashlib.sha256(f"{thread_id}\0{tool_call_id}".encode()).hexdigest()[:32]


def digest_of(tool: str, arguments: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a tool's name and arguments, whatever the order of their keys."""
    text = json.dumps([tool, arguments], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
