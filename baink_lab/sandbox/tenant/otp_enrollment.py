"""Enrolments of an authenticator app that have begun: a secret shown, a first code awaited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from baink_lab.sandbox.tenant import models
from baink_lab.sandbox.tenant.errors import ManagementError
from baink_lab.sandbox.tenant.guardian_transactions import ENROLLMENT_SECONDS, MAX_OPEN
from baink_lab.sandbox.tenant.management.tickets import (
    OTP,
    enroll_otp_with_ticket,
    redeemable,
)
from baink_lab.sandbox.tenant.one_time_passwords import matching_step, new_secret
from baink_lab.sandbox.tenant.state import Tenant

MAX_TRIES = 5  # wrong codes for one secret


@dataclass(slots=True)
class _Begun:
    secret: str
    until: float
    tries: int = 0


class OtpEnrollments:
    """In memory, since a restart only means to scan another picture.

    Args:
        tenant: whose users enrol.
    """

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._begun: dict[str, _Begun] = {}

    def begin(self, ticket_id: str) -> str:
        """The secret to show; the same one for some minutes, so that a page may be loaded again.

        Raises:
            ManagementError: as `redeemable`.
        """
        redeemable(self._tenant, ticket_id, OTP)
        now = self._tenant.now()
        found = self._begun.get(ticket_id)
        if found is None or found.until <= now:
            found = self._begun[ticket_id] = _Begun(new_secret(), now + ENROLLMENT_SECONDS)
        while len(self._begun) > MAX_OPEN:
            del self._begun[next(iter(self._begun))]
        return found.secret

    def confirm(self, ticket_id: str, code: str) -> dict[str, Any]:
        """Take the first code, and with it the enrolment.

        Args:
            ticket_id: from the ticket URL.
            code: what the app shows.

        Returns:
            The enrolment, as the Management API shows it.

        Raises:
            ManagementError: as `redeemable`; 401 `invalid_otp`, a wrong code;
                401 `enrollment_transaction_not_found`, no secret is shown or too many were wrong.
        """
        _, user = redeemable(self._tenant, ticket_id, OTP)
        now = self._tenant.now()
        begun = self._begun.get(ticket_id)
        if begun is None or begun.until <= now:
            text = "Enrollment transaction not found or expired"
            raise ManagementError(401, text, "enrollment_transaction_not_found")
        step = matching_step(begun.secret, "".join(code.split()), now)
        if step is None:
            begun.tries += 1
            if begun.tries >= MAX_TRIES:
                del self._begun[ticket_id]
            details = models.enrollment_details(self._tenant, {"_user_id": user["user_id"]}, OTP)
            self._tenant.events.add("gd_auth_failed", user=user, details=details)
            raise ManagementError(401, "Invalid OTP", "invalid_otp")
        enrollment = enroll_otp_with_ticket(self._tenant, ticket_id, begun.secret, step)
        del self._begun[ticket_id]
        return enrollment
