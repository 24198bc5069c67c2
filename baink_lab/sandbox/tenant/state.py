"""The tenant itself: all its state, opened from one file, and the phone's side of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from baink_lab.sandbox.tenant import models, seed
from baink_lab.sandbox.tenant.ciba import CibaBook, CibaRequest
from baink_lab.sandbox.tenant.errors import UnknownNotification
from baink_lab.sandbox.tenant.events import EventLog
from baink_lab.sandbox.tenant.keys import SigningKeys
from baink_lab.sandbox.tenant.limits import CibaLimits, ManagementBucket
from baink_lab.sandbox.tenant.store import Collection, Store
from baink_lab.sandbox.tenant.values import iso

DEFAULT_INTERVAL = 5  # seconds between polls (contract section 2)
DEFAULT_EXPIRES = 300  # seconds, when requested_expiry is not sent (contract section 2)


class Tenant:
    """A tenant with everything in one SQLite file. Make one with `Tenant.open`.

    Args:
        store: the open file.
        issuer: base URL with its trailing slash.
        interval: least number of seconds between two polls of one request.
        expires: seconds a request lives when `requested_expiry` is not sent.
        relaxed: lift the limits a minute.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        issuer: str,
        interval: float,
        expires: int,
        relaxed: bool,
        now: Callable[[], float],
    ) -> None:
        self.store = store
        self.issuer = issuer
        self.interval = interval
        self.expires = expires
        self.now = now
        self.host = urlsplit(issuer).netloc
        self.name = urlsplit(issuer).hostname or "sandbox"
        self.meta = Collection(store, "meta")
        self.clients = Collection(store, "clients")
        self.credentials_of = Collection(store, "client_credentials")
        self.apis = Collection(store, "resource_servers")
        self.grants = Collection(store, "client_grants")
        self.users = Collection(store, "users")
        self.permissions = Collection(store, "permissions")
        self.enrollments = Collection(store, "enrollments")
        self.tickets = Collection(store, "tickets")
        self.guardian = Collection(store, "guardian")
        self.codes = Collection(store, "codes")
        self.refresh_tokens = Collection(store, "refresh_tokens")
        self.opaque_tokens = Collection(store, "opaque_tokens")
        self.keys = SigningKeys(Collection(store, "keys"), self.name)
        self.ciba = CibaBook(store)
        self.events = EventLog(store, self.host, now)
        self.ciba_limits = CibaLimits(relaxed=relaxed)
        self.management_bucket = ManagementBucket(relaxed=relaxed)
        self.used_assertions: dict[tuple[str, str], float] = {}

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        issuer: str,
        interval: float = DEFAULT_INTERVAL,
        expires: int = DEFAULT_EXPIRES,
        relaxed: bool = False,
        now: Callable[[], float] = time.time,
    ) -> Tenant:
        """Open the file, or make it with a configured world inside (see `seed`).

        Args:
            path: the SQLite file; made readable by its owner alone.
            issuer: base URL; a trailing slash is added when it lacks one.
            interval: poll interval in seconds.
            expires: default life of a CIBA request in seconds.
            relaxed: lift the limits a minute, for tests.
            now: seconds since the epoch.

        Raises:
            TenantFileError: the file is damaged or of a newer version.
        """
        slashed = issuer if issuer.endswith("/") else f"{issuer}/"
        store = Store(path)
        try:
            with store.atomic():
                tenant = cls(store, slashed, interval, expires, relaxed, now)
                seed.prepare(tenant)
        except BaseException:
            store.close()
            raise
        return tenant

    @property
    def userinfo_url(self) -> str:
        """The second audience of every token whose scope has `openid`."""
        return f"{self.issuer}userinfo"

    @property
    def management_audience(self) -> str:
        """The Management API's identifier, slash included."""
        return f"{self.issuer}api/v2/"

    def issuer_forms(self) -> frozenset[str]:
        """The spellings of our issuer that callers use: SDKs always write https (quirk 24)."""
        return frozenset({f"http://{self.host}/", f"https://{self.host}/", self.issuer})

    def api(self, identifier: str) -> dict[str, Any] | None:
        """The API with exactly this identifier, or None."""
        found = (api for api in self.apis.values() if api["identifier"] == identifier)
        return next(found, None)

    def grant(self, client_id: str, audience: str, subject_type: str) -> dict[str, Any] | None:
        """The one client grant for client, API and subject type, or None."""
        key = (client_id, audience, subject_type)
        found = (
            grant
            for grant in self.grants.values()
            if (grant["client_id"], grant["audience"], grant["subject_type"]) == key
        )
        return next(found, None)

    def user_by_email(self, email: str) -> dict[str, Any] | None:
        """The user with this e-mail address, whatever the case, or None."""
        wanted = email.strip().lower()
        found = (user for user in self.users.values() if user["email"].lower() == wanted)
        return next(found, None)

    def credentials(self) -> dict[str, str]:
        """What the ready line tells: the seeded clients, the default user, the audience."""
        return dict(self.meta["credentials"])

    def notifications(self) -> list[dict[str, Any]]:
        """What waits on the phone: pending, not expired, oldest first.

        A push stays where it was sent: of a phone that was taken away nothing can be answered, and
        one that is enrolled later was sent nothing.
        """
        pending = self.ciba.pending(self.now())
        return [one.notification(self.userinfo_url) for one in pending if self._is_held(one)]

    def standing(self) -> dict[str, Any]:
        """Whether the default customer has a phone, and what waits on phones that are gone."""
        pending = self.ciba.pending(self.now())
        told = [one.notification(self.userinfo_url) for one in pending if not self._is_held(one)]
        names = ("id", "binding_message", "expires_at")
        enrolled = bool(models.push_devices(self, self.credentials()["user_id"]))
        return {"enrolled": enrolled, "lost": [{name: one[name] for name in names} for one in told]}

    def decide(
        self,
        notification_id: str,
        decision: Literal["approve", "deny"],
        *,
        enrollment: dict[str, Any] | None = None,
        reason: str | None = None,
    ) -> None:
        """The customer answers on the phone.

        Args:
            notification_id: the consent's id.
            decision: what the customer pressed.
            enrollment: the device that answers; None for the stand-in phone.
            reason: why the customer denies, for the log alone.

        Raises:
            UnknownNotification: no notification has that id.
            AlreadyDecided: it was answered before, or has expired.
        """
        approved = decision == "approve"
        asked = self.ciba.by_consent(notification_id)
        if enrollment is None and asked is not None and not self._is_held(asked):
            raise UnknownNotification(
                "That was sent to a phone which is not the customer's any more: nobody can answer "
                "it now, and it lapses."
            )
        details: dict[str, Any] = {"authenticator": "guardian"}
        if enrollment is not None:
            details = models.enrollment_details(self, enrollment)
        details["transaction_linking_id"] = notification_id
        if reason:
            details["reason"] = reason[:255]
        with self.store.atomic():
            self.ciba.decide(notification_id, "approved" if approved else "denied", self.now())
            if enrollment is not None:
                seen = {**enrollment, "last_auth": iso(self.now())}
                self.enrollments.put(enrollment["id"], seen)
            request = self.ciba.by_consent(notification_id)
            assert request is not None
            self.events.add(
                "gd_auth_succeed" if approved else "gd_auth_rejected",
                client=self.clients.get(request.client_id),
                user=self.users.get(request.user_id),
                details=details,
            )

    def open_requests(self) -> int:
        """How many CIBA requests may still be answered, or wait to be fetched."""
        return len(self.ciba.open_at(self.now()))

    def time_was_set_back(self) -> None:
        """Our clock shows an earlier time than before: forget what was counted in the future."""
        with self.store.atomic():
            self.ciba.set_back()
        self.ciba_limits.forget()
        self.management_bucket.forget()

    def rotate_key(self) -> str:
        """Sign with a new key from now on; returns its `kid`."""
        return self.keys.rotate()

    def close(self) -> None:
        """Close the file. The tenant cannot be used afterwards."""
        self.store.close()

    def _is_held(self, request: CibaRequest) -> bool:
        """Whether any phone that the request was sent to is still the customer's."""
        return not request.sent_to or any(one in self.enrollments for one in request.sent_to)
