"""CIBA requests: one record each, and the state machine of the contract's section 10."""

from __future__ import annotations

import dataclasses
import heapq
import secrets
from typing import Any, Literal

from baink_lab.sandbox.tenant.errors import AlreadyDecided, UnknownNotification
from baink_lab.sandbox.tenant.store import Store
from baink_lab.sandbox.tenant.values import iso

SLOW_DOWN_STEP = 5  # seconds added for each poll that comes too early
KEEP_AFTER_EXPIRY = 24 * 3600  # seconds until a record is purged
# Seconds. An epoch time as a float is exact to 0.2 µs, and clocks are slewed while we wait: a
# client that waits exactly the interval must not be told to slow down.
CLOCK_ERROR = 0.001
_KIND = "ciba"

State = Literal["pending", "approved", "denied", "consumed"]
Poll = Literal["slow_down", "pending", "expired", "denied", "approved", "unknown"]


@dataclasses.dataclass(slots=True)
class CibaRequest:
    """One accepted `/bc-authorize` and what became of it. Times are seconds since the epoch."""

    auth_req_id: str = dataclasses.field(repr=False)
    consent_id: str
    client_id: str
    client_name: str
    user_id: str
    scope: list[str]
    audience: str | None
    binding_message: str
    authorization_details: list[dict[str, Any]] | None
    channel: str
    created_at: float
    expires_at: float
    interval: float
    state: State = "pending"
    last_poll: float | None = None
    sent_to: list[str] = dataclasses.field(default_factory=list)
    """The enrolments that got the push; empty for e-mail, and in a file of an older version."""

    def poll(self, now: float) -> Poll:
        """Count one poll of the client and say what it gets. Nothing is written to disk.

        Args:
            now: seconds since the epoch.
        """
        if self.state == "consumed":
            return "unknown"
        last, self.last_poll = self.last_poll, now
        if last is not None and now - last < self.interval - CLOCK_ERROR:
            self.interval += SLOW_DOWN_STEP
            return "slow_down"
        if self.state == "denied":
            return "denied"
        # expires_in is the life of the auth_req_id itself: a late poll gets nothing, whatever
        # the phone said before.
        if now >= self.expires_at:
            return "expired"
        return "approved" if self.state == "approved" else "pending"

    def notification(self, userinfo: str) -> dict[str, Any]:
        """What the phone shows (contract section 6.3, as DESIGN.md's phone prints it)."""
        return {
            "id": self.consent_id,
            "binding_message": self.binding_message,
            "authorization_details": self.authorization_details,
            "scope": " ".join(self.scope),
            "audience": self.audience or userinfo,
            "client_name": self.client_name,
            "created_at": iso(self.created_at),
            "expires_at": iso(self.expires_at),
        }


class CibaBook:
    """Every CIBA request that is not purged yet, in memory and on disk."""

    def __init__(self, store: Store) -> None:
        self._store = store
        saved = [CibaRequest(**body) for body in store.load(_KIND).values()]
        saved.sort(key=lambda item: item.created_at)
        self._requests = {item.auth_req_id: item for item in saved}
        self._by_consent = {item.consent_id: item for item in self._requests.values()}
        self._list_pending()

    def open(self, request: CibaRequest) -> None:
        """Record a new request, and forget those that ended long ago."""
        self._purge(request.created_at)
        self._save(request)
        self._store.on_rollback(lambda: self._forget(request))
        self._requests[request.auth_req_id] = request
        self._by_consent[request.consent_id] = request
        self._pending[request.auth_req_id] = request
        heapq.heappush(self._ends, (request.expires_at, request.auth_req_id))

    def find(self, auth_req_id: str, client_id: str) -> CibaRequest | None:
        """The request, if this client made it."""
        found = self._requests.get(auth_req_id)
        return found if found is not None and found.client_id == client_id else None

    def consume(self, request: CibaRequest) -> None:
        """Mark as exchanged: on disk before any token leaves."""
        self._settle(request, "consumed")

    def pending(self, now: float) -> list[CibaRequest]:
        """Those that the phone may still answer, oldest first."""
        self._lapse(now)
        return list(self._pending.values())

    def count_pending(self, now: float) -> int:
        """How many the phone may still answer."""
        self._lapse(now)
        return len(self._pending)

    def open_at(self, now: float) -> list[CibaRequest]:
        """Those that may still be answered, and those whose tokens wait to be fetched."""
        alive = ("pending", "approved")
        return [
            one for one in self._requests.values() if one.state in alive and now < one.expires_at
        ]

    def set_back(self) -> None:
        """The clock shows an earlier time: polls that it has not seen yet never were.

        What has lapsed, and was told to the client, stays so; what nobody has asked about since
        may be answered again, as client and phone go by the same clock.
        """
        for one in self._requests.values():
            told = one.last_poll is not None and one.last_poll >= one.expires_at
            if told and one.state == "pending":
                self._settle(one, "denied")
            one.last_poll = None
        self._list_pending()

    def decide(self, consent_id: str, state: Literal["approved", "denied"], now: float) -> None:
        """Take the phone's answer.

        Raises:
            UnknownNotification: no such consent.
            AlreadyDecided: answered before, or expired.
        """
        request = self._by_consent.get(consent_id)
        if request is None:
            raise UnknownNotification("There is no notification with that id.")
        if request.state != "pending":
            raise AlreadyDecided("This request was answered before.")
        if now >= request.expires_at:
            raise AlreadyDecided("This request has expired: it can no longer be answered.")
        self._settle(request, state)

    def by_consent(self, consent_id: str) -> CibaRequest | None:
        """The request behind a notification, or None."""
        return self._by_consent.get(consent_id)

    def _list_pending(self) -> None:
        self._pending = {
            key: item for key, item in self._requests.items() if item.state == "pending"
        }
        # By expiry, so that counting what waits costs nothing for what has not changed.
        self._ends = [(item.expires_at, key) for key, item in self._pending.items()]
        heapq.heapify(self._ends)

    def _lapse(self, now: float) -> None:
        while self._ends and now >= self._ends[0][0]:
            self._pending.pop(heapq.heappop(self._ends)[1], None)

    def _settle(self, request: CibaRequest, state: State) -> None:
        before = request.state
        self._save(dataclasses.replace(request, state=state))
        self._store.on_rollback(lambda: self._unsettle(request, before))
        request.state = state
        self._pending.pop(request.auth_req_id, None)

    def _unsettle(self, request: CibaRequest, state: State) -> None:
        request.state = state
        if state == "pending":
            self._pending[request.auth_req_id] = request

    def _forget(self, request: CibaRequest) -> None:
        del self._requests[request.auth_req_id]
        del self._by_consent[request.consent_id]
        self._pending.pop(request.auth_req_id, None)

    def _save(self, request: CibaRequest) -> None:
        body = dataclasses.asdict(request) | {"last_poll": None}
        self._store.put(_KIND, request.auth_req_id, body)

    def _purge(self, now: float) -> None:
        # Dicts keep insertion order and requests are inserted as they are made, so the oldest
        # come first; a long-lived one may shield a few younger ones for a while.
        while self._requests:
            oldest = next(iter(self._requests.values()))
            if now < oldest.expires_at + KEEP_AFTER_EXPIRY:
                return
            self._store.remove(_KIND, oldest.auth_req_id)
            self._forget(oldest)


def new_auth_req_id() -> str:
    """An opaque id as long as the recorded ones (contract section 2)."""
    return secrets.token_urlsafe(51)


def new_consent_id() -> str:
    """`cns_` and 22 characters: the transaction linking id."""
    return f"cns_{secrets.token_urlsafe(16)}"
