"""One poll for one approval, and what follows from the tenant's answer."""

from __future__ import annotations

import dataclasses

from baink_lab.approvals.approval import Approval
from baink_lab.approvals.desk import Desk
from baink_lab.auth0 import (
    AccessDenied,
    CibaError,
    Expired,
    Pending,
    RequestSpent,
    Tokens,
    Unavailable,
)

DENIED_REASON = "The customer denied the request on the phone. Nothing was done."
EXPIRED_REASON = "Nobody answered on the phone in time. Nothing was done."
LOST_REASON = "The approval was lost on the way to us. Nothing was done; ask again."


@dataclasses.dataclass(frozen=True)
class Ending:
    """The approval is settled by this move of its state machine."""

    event: str
    reason: str = ""
    tokens: Tokens | None = None


@dataclasses.dataclass(frozen=True)
class NotYet:
    """Poll again after `seconds`; from now on never more often than `interval`."""

    seconds: float
    interval: float


@dataclasses.dataclass(frozen=True)
class NoAnswer:
    """The tenant gave no usable answer; it asks for `retry_after` seconds, if it said so."""

    retry_after: float | None


@dataclasses.dataclass(frozen=True)
class Spent:
    """The tenant knows this request no more: its tokens went to somebody, maybe to our twin."""


async def poll_once(desk: Desk, approval: Approval) -> Ending | NotYet | NoAnswer | Spent:
    """Ask the tenant once about a pending approval. Written is only a slower pace."""
    request = await desk.request_of(approval)
    if request is None:
        return Ending("token was lost", LOST_REASON)
    try:
        answer = await desk.ciba.poll(request)
    except Unavailable as failure:
        if desk.clock.now() >= approval.expires_at + approval.interval:
            return Ending("time was up", EXPIRED_REASON)
        return NoAnswer(failure.retry_after)
    except CibaError as refusal:
        return Spent() if isinstance(refusal, RequestSpent) else _ending(refusal)
    if isinstance(answer, Pending):
        if answer.slowed_down:
            await desk.slow_down(approval, answer.request.interval)
        return NotYet(answer.wait, answer.request.interval)
    return Ending("token arrived", tokens=answer)


def _ending(refusal: CibaError) -> Ending:
    match refusal:
        case AccessDenied():
            return Ending("customer said no", DENIED_REASON)
        case Expired():
            return Ending("time was up", EXPIRED_REASON)
        case _:
            return Ending("tenant refused", refusal.sentence)
