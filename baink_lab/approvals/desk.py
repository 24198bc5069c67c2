"""Where approvals are asked for and settled: records, vault and tenant, in the right order."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from langgraph.store.base import BaseStore, PutOp
from pydantic import BaseModel

from baink_lab.approvals.approval import Approval, State, approval_id, digest_of
from baink_lab.approvals.binding import code_words, fit
from baink_lab.approvals.tool import Call, GatedTool, ToolRefused, line_of
from baink_lab.approvals.vault import Vault
from baink_lab.auth0 import Auth0Error, CibaClient, CibaRequest, Tokens, Unavailable, Unenrolled
from baink_lab.clock import Clock, SystemClock

NAMESPACE = ("approvals",)
PAGE = 200
#: How long sealed entries outlive their use, in seconds: a day for a machine that was off.
KEEP_SECONDS = 86_400.0
#: A customer who is asked too often approves without reading (push fatigue).
PUSHES_A_MINUTE = 5
#: A tenant takes no more from all clients together (contract, section 2.1).
PUSHES_A_MINUTE_IN_ALL = 500
#: The customer's time when the tool does not say, in seconds; Auth0's own default.
DEFAULT_EXPIRY_SECONDS = 300.0

UNENROLLED_REASON = "No phone is enrolled for this customer, so nobody could be asked."
NOT_SENT_REASON = "The question was never sent to the phone: a process died before it could be."


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What the vault says about one tool call; see `Desk.outcome`.

    `token_expires_at` is in seconds since the epoch. The token is not in `repr`.
    """

    state: State
    reason: str
    digest: str
    acting: bool
    access_token: str | None = dataclasses.field(default=None, repr=False)
    token_expires_at: float = 0.0
    enrollment_url: str | None = None


class Desk:
    """Asks customers and keeps their answers.

    Args:
        store: keeps the records; any LangGraph store.
        vault: keeps the secrets; its store may be the same.
        ciba: asks the tenant.
        enroll: makes an enrolment link for a user id, for customers without a phone.
        clock: what tells the time.
        pushes_a_minute: how often one customer is asked within a minute; Auth0's own limit.
        pushes_a_minute_in_all: the same for all customers of this desk; Auth0's limit a tenant.
    """

    def __init__(
        self,
        store: BaseStore,
        vault: Vault,
        ciba: CibaClient,
        *,
        enroll: Callable[[str], Awaitable[str]] | None = None,
        clock: Clock | None = None,
        pushes_a_minute: int = PUSHES_A_MINUTE,
        pushes_a_minute_in_all: int = PUSHES_A_MINUTE_IN_ALL,
    ) -> None:
        self.store = store
        self.vault = vault
        self.ciba = ciba
        self.clock = clock or SystemClock()
        self._enroll = enroll
        self._pushes_a_minute = pushes_a_minute
        self._latest: deque[float] = deque(maxlen=pushes_a_minute_in_all)
        self._one_at_a_time = asyncio.Lock()
        self._paces: dict[str, float] = {}  # by approval: seconds, once it was polled too quickly
        self._asked: list[Callable[[Approval], None]] = []
        self._delivered: list[Callable[[Approval], None]] = []

    def on_asked(self, listener: Callable[[Approval], None]) -> None:
        """Call `listener` with each approval that this desk has asked for."""
        self._asked.append(listener)

    def on_delivered(self, listener: Callable[[Approval], None]) -> None:
        """Call `listener` with each approval whose outcome has joined its conversation."""
        self._delivered.append(listener)

    async def ask(self, gate: GatedTool, arguments: BaseModel, call: Call) -> Approval:
        """Send one question to the customer's phone, once, however often this is called.

        The record is written before the push and updated after it. A record that is still
        `requesting` when its node runs again is a push that may never have been sent; it is
        not sent again, and ends as failed.

        Returns:
            The approval: pending, or already an outcome when nobody can be asked.

        Raises:
            ToolRefused: the tool has no question to ask for these arguments, or the customer was
                asked too often within a minute. Nobody was asked.
        """
        known = await self.get(approval_id(call.thread_id, call.id))
        if known is not None and known.state is not State.REQUESTING:
            return known
        if known is not None:
            return self._tell(await self.give_up_on(known))
        approval = await self._new(gate, arguments, call)
        async with self._one_at_a_time:
            await self._spare(call.user_id)
            await self.save(approval)
        try:
            request = await self._push(approval, gate.requested_expiry)
        except Unenrolled:
            url = await self._enrollment_url(call.user_id)
            approval = await self.settle(
                approval, "no device enrolled", UNENROLLED_REASON, enrollment_url=url
            )
        except Auth0Error as refusal:
            approval = await self.settle(approval, "tenant refused", refusal.sentence)
        else:
            approval = await self._sent(approval, request)
        return self._tell(approval)

    def _tell(self, approval: Approval) -> Approval:
        for listener in self._asked:
            listener(approval)
        return approval

    async def settle(
        self,
        approval: Approval,
        event: str,
        reason: str = "",
        *,
        tokens: Tokens | None = None,
        enrollment_url: str | None = None,
    ) -> Approval:
        """Make the last move: seal the outcome in the vault and say it in the record.

        Raises:
            ApprovalError: the approval has an outcome already.
        """
        settled = approval.move(event, reason=reason)
        asked = await self.vault.get(_asked(approval.id)) or {}
        now = self.clock.now()
        sealed = {
            "thread_id": approval.thread_id,
            "tool_call_id": approval.tool_call_id,
            "digest": asked.get("digest", approval.digest),
            "state": settled.state,
            "reason": reason,
            "access_token": tokens.access_token if tokens else None,
            "token_expires_at": now + tokens.expires_in if tokens else 0.0,
            "enrollment_url": enrollment_url,
        }
        lapses = now + (tokens.expires_in if tokens else 0.0) + KEEP_SECONDS
        await self.store.abatch(
            [
                self.vault.put_op(_outcome(approval.id), sealed, expires_at=lapses),
                _record(settled),
            ]
        )
        return settled

    async def outcome(self, approval_id: str, thread_id: str, tool_call_id: str) -> Outcome | None:
        """What the vault holds for this very thread and tool call; None while nothing is known.

        Raises:
            VaultError: the entry was not sealed by our vault.
        """
        sealed = await self.vault.get(_outcome(approval_id))
        if sealed is None or (sealed["thread_id"], sealed["tool_call_id"]) != (
            thread_id,
            tool_call_id,
        ):
            return None
        record = await self.get(approval_id)
        return Outcome(
            state=State(sealed["state"]),
            reason=sealed["reason"],
            digest=sealed["digest"],
            acting=record.acting if record else False,
            access_token=sealed["access_token"],
            token_expires_at=sealed["token_expires_at"],
            enrollment_url=sealed["enrollment_url"],
        )

    async def request_of(self, approval: Approval) -> CibaRequest | None:
        """What to poll the tenant with; None when it is not in the vault (any more)."""
        asked = await self.vault.get(_asked(approval.id))
        if asked is None:
            return None
        return CibaRequest(
            auth_req_id=asked["auth_req_id"],
            expires_in=asked["expires_in"],
            interval=max(approval.interval, self._paces.get(approval.id, 0.0)),
            started_at=asked["started_at"],
        )

    async def slow_down(self, approval: Approval, interval: float) -> None:
        """Never poll for this approval more often than every `interval` seconds from now on.

        Holds for whoever polls with the approval as it was before, too.
        """
        self._paces[approval.id] = interval
        record = await self.get(approval.id) or approval
        await self.save(dataclasses.replace(record, interval=interval))

    async def catch_up(self, approval: Approval) -> Approval:
        """Take over an outcome that was sealed just before a crash kept it from the record."""
        outcome = await self.outcome(approval.id, approval.thread_id, approval.tool_call_id)
        if outcome is None or approval.state.is_outcome:
            return approval
        mended = dataclasses.replace(
            approval, state=outcome.state, reason=outcome.reason, event="found in the vault"
        )
        await self.save(mended)
        return mended

    async def give_up_on(self, approval: Approval) -> Approval:
        """End a `requesting` record whose process died: nothing of it can be polled."""
        return await self.settle(approval, "not sent", NOT_SENT_REASON)

    async def get(self, approval_id: str) -> Approval | None:
        """The record of this id, if there is one."""
        item = await self.store.aget(NAMESPACE, approval_id)
        return Approval.from_json(item.value) if item else None

    async def save(self, approval: Approval) -> None:
        """Write the record as it stands."""
        await self.store.abatch([_record(approval)])

    async def begin_acting(self, approval_id: str) -> None:
        """Note that the approved action is about to be tried."""
        record = await self.get(approval_id)
        if record is not None and not record.acting:
            await self.save(dataclasses.replace(record, acting=True))

    async def delivered(self, approval: Approval) -> None:
        """Note that the conversation knows the outcome, and forget its secrets."""
        record = await self.get(approval.id) or approval
        await self.save(dataclasses.replace(record, delivered=True))
        await self.vault.forget(_asked(approval.id), _outcome(approval.id))
        self._paces.pop(approval.id, None)
        for listener in self._delivered:
            listener(record)

    async def undelivered(self) -> AsyncIterator[Approval]:
        """Every approval that somebody still waits for, read page by page."""
        offset = 0
        while True:
            items = await self.store.asearch(
                NAMESPACE, filter={"delivered": False}, limit=PAGE, offset=offset
            )
            for item in items:
                yield Approval.from_json(item.value)
            if len(items) < PAGE:
                return
            offset += PAGE

    async def _spare(self, user_id: str) -> None:
        """Refuse to ask a customer, or a tenant, that was asked too often in the last minute."""
        now = self.clock.now()
        if len(self._latest) == self._latest.maxlen and self._latest[0] > now - 60:
            raise ToolRefused(
                "Too many customers are being asked at once, so nobody was asked. Wait a minute, "
                "then ask again.",
                code="too_many_pushes",
            )
        wanted = {"user_id": user_id}
        latest = await self.store.asearch(NAMESPACE, filter=wanted, limit=PAGE)
        states = [item.value["state"] for item in latest if item.value["created_at"] > now - 60]
        if len(states) >= self._pushes_a_minute:
            raise ToolRefused(
                _too_often(self._pushes_a_minute, states),
                code="too_many_pushes",
            )
        self._latest.append(now)

    async def _new(self, gate: GatedTool, arguments: BaseModel, call: Call) -> Approval:
        values = arguments.model_dump(mode="json")
        now = self.clock.now()
        key = approval_id(call.thread_id, call.id)
        line = await line_of(gate, arguments, call)
        details = gate.authorization_details
        return Approval(
            id=key,
            thread_id=call.thread_id,
            tool_call_id=call.id,
            user_id=call.user_id,
            tool=gate.name,
            node=gate.node,
            arguments=values,
            digest=digest_of(gate.name, values),
            scope=" ".join(("openid", *(s for s in gate.scopes if s != "openid"))),
            audience=gate.audience,
            binding_message=fit(line, code_words(key)),
            authorization_details=details(arguments, call) if details else None,
            created_at=now,
            expires_at=now + (gate.requested_expiry or DEFAULT_EXPIRY_SECONDS),
        )

    async def _push(self, approval: Approval, requested_expiry: int | None) -> CibaRequest:
        try:
            return await self.ciba.start(
                user_id=approval.user_id,
                scope=approval.scope,
                audience=approval.audience,
                binding_message=approval.binding_message,
                authorization_details=approval.authorization_details,
                requested_expiry=requested_expiry,
            )
        except Unavailable as failure:
            raise Auth0Error(
                f"The question could not be sent to the phone. {failure.sentence}",
                code=failure.code,
            ) from failure

    async def _sent(self, approval: Approval, request: CibaRequest) -> Approval:
        pending = approval.move(
            "push sent", expires_at=request.expires_at, interval=request.interval
        )
        secret = {
            "auth_req_id": request.auth_req_id,
            "started_at": request.started_at,
            "expires_in": request.expires_in,
            "digest": approval.digest,
        }
        lapses = request.expires_at + KEEP_SECONDS
        sealed = self.vault.put_op(_asked(approval.id), secret, expires_at=lapses)
        await self.store.abatch([sealed, _record(pending)])
        return pending

    async def _enrollment_url(self, user_id: str) -> str | None:
        if self._enroll is None:
            return None
        try:
            return await self._enroll(user_id)
        except Auth0Error:
            return None  # the outcome is true without a link, and the lab tells how to get one


def _too_often(most: int, states: list[str]) -> str:
    if {State.UNENROLLED, State.FAILED}.intersection(states):  # these met no phone, and count too
        return (
            f"The tenant was asked {most} times within a minute to reach this customer, which is "
            "the most for one customer. If no phone is enrolled, enrol one. Wait a minute, then "
            "ask again."
        )
    return (
        f"The phone was asked {most} times within a minute, which is the most for one customer. "
        "Wait a minute, then ask again."
    )


def outcome_answer(state: str, **more: Any) -> Mapping[str, Any]:
    """The one shape in which a model hears of a gated call: status and what is known of it."""
    return {"status": state} | {key: value for key, value in more.items() if value}


def _record(approval: Approval) -> PutOp:
    return PutOp(NAMESPACE, approval.id, approval.to_json(), index=False)


def _asked(approval_id: str) -> str:
    return f"asked:{approval_id}"


def _outcome(approval_id: str) -> str:
    return f"outcome:{approval_id}"
