"""Enrolment tickets: given out by the API, redeemed once by a page (contract 5.7 and 6.1)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.responses import Response

from baink_lab.sandbox.tenant import models
from baink_lab.sandbox.tenant.errors import ManagementError
from baink_lab.sandbox.tenant.management.call import Call, Endpoint
from baink_lab.sandbox.tenant.management.payload import Payload, refuse_payload
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.values import base62
from baink_lab.sandbox.tenant.wire import answer

PUSH = "push-notification"
OTP = "otp"
TICKET_LIFE = 5 * 24 * 3600  # seconds
MAX_DEVICE_NAME = 128  # characters


class _NewTicket(Payload):
    user_id: Annotated[str, Field(min_length=1, max_length=255)]
    email: Annotated[str, Field(min_length=3, max_length=320)] | None = None
    email_locale: Annotated[str, Field(max_length=16)] | None = None
    send_mail: bool = False
    factor: Literal[
        "push-notification", "phone", "email", "otp", "webauthn-roaming", "webauthn-platform"
    ] = "push-notification"
    allow_multiple_enrollments: bool = False


def endpoints() -> list[Endpoint]:
    """The operation that gives out tickets."""
    scopes = ("create:guardian_enrollment_tickets",)
    path, title = "/guardian/enrollments/ticket", "Create a Guardian enrollment ticket"
    return [Endpoint("POST", path, scopes, _create, title, guardian=True)]


def enroll_with_ticket(tenant: Tenant, ticket_id: str, device_name: str) -> dict[str, Any]:
    """Redeem a ticket: enrol a device for push.

    Args:
        tenant: the tenant.
        ticket_id: from the ticket URL.
        device_name: what the person calls the device.

    Returns:
        The enrolment, as the Management API shows it.

    Raises:
        ManagementError: as `redeemable`; 400 no usable name.
    """
    ticket, user = redeemable(tenant, ticket_id, PUSH)
    name = device_name.strip()
    if not 0 < len(name) <= MAX_DEVICE_NAME:
        refuse_payload(f"A device name has 1 to {MAX_DEVICE_NAME} characters")
    with tenant.store.atomic():
        enrollment = models.enroll(tenant, user["user_id"], name)
        _redeem(tenant, ticket_id, ticket, user, enrollment)
    return models.public(enrollment)


def enroll_otp_with_ticket(
    tenant: Tenant, ticket_id: str, secret: str, step: int
) -> dict[str, Any]:
    """Redeem a ticket: enrol an authenticator app whose first code was right.

    Args:
        tenant: the tenant.
        ticket_id: from the ticket URL.
        secret: that the app and we share.
        step: of the code that was taken; no code of this step or before is good again.

    Raises:
        ManagementError: as `redeemable`.
    """
    ticket, user = redeemable(tenant, ticket_id, OTP)
    with tenant.store.atomic():
        enrollment = models.enroll_otp(tenant, user["user_id"], secret, step)
        _redeem(tenant, ticket_id, ticket, user, enrollment)
    return models.public(enrollment)


def redeemable(
    tenant: Tenant, ticket_id: str, factor: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The ticket and its user, when this factor can be enrolled with it now.

    Raises:
        ManagementError: 404 unknown ticket, 401 used or expired, 404 the user is gone,
            409 already enrolled and the ticket is not for one more, 403
            `enrollment_method_disabled`, the ticket or the tenant is not for this factor.
    """
    ticket = usable_ticket(tenant, ticket_id)
    user = tenant.users.get(ticket["user_id"])
    if user is None:
        raise ManagementError(404, "User not found.", "inexistent_user")
    if factor not in factors_of(tenant, ticket):
        text = "The enrollment method is disabled"
        raise ManagementError(403, text, "enrollment_method_disabled")
    if not ticket["allow_multiple"] and models.enrollments_of(tenant, user["user_id"]):
        raise ManagementError(409, "The user is already enrolled.", "already_enrolled")
    return ticket, user


def factors_of(tenant: Tenant, ticket: dict[str, Any]) -> list[str]:
    """What may be enrolled with a ticket: the factor that it names, else any that we have."""
    named = ticket.get("factor")
    on = [PUSH, *([OTP] if tenant.guardian[f"factor:{OTP}"]["enabled"] else [])]
    return [factor for factor in on if named in (None, factor)]


def _redeem(
    tenant: Tenant,
    ticket_id: str,
    ticket: dict[str, Any],
    user: dict[str, Any],
    enrollment: dict[str, Any],
) -> None:
    tenant.tickets.put(ticket_id, {**ticket, "used": True})
    details = models.enrollment_details(tenant, enrollment)
    for kind in ("gd_start_enroll", "gd_enrollment_complete"):
        tenant.events.add(kind, user=user, details=details)


def usable_ticket(tenant: Tenant, ticket_id: str) -> dict[str, Any]:
    """The ticket, when it can still be redeemed.

    Raises:
        ManagementError: 404 unknown, 401 used or expired.
    """
    ticket = tenant.tickets.get(ticket_id)
    if ticket is None:
        text = "Enrollment transaction not found"
        raise ManagementError(404, text, "enrollment_transaction_not_found")
    if ticket["used"] or ticket["expires_at"] <= tenant.now():
        raise ManagementError(401, "The ticket was used or has expired", "invalid_token")
    return dict(ticket)


def _create(call: Call) -> Response:
    new, tenant = call.body(_NewTicket), call.tenant
    if new.factor not in (PUSH, OTP):
        refuse_payload(f"The sandbox enrolls {PUSH} and {OTP} only")
    if new.user_id not in tenant.users:
        raise ManagementError(404, "User not found.", "inexistent_user")
    now = tenant.now()
    for key in [key for key, item in tenant.tickets.items() if item["expires_at"] <= now]:
        tenant.tickets.remove(key)
    ticket_id = f"gten_{base62(32)}"
    ticket = {
        "user_id": new.user_id,
        "factor": new.given().get("factor"),
        "allow_multiple": new.allow_multiple_enrollments,
        "expires_at": now + TICKET_LIFE,
        "used": False,
    }
    tenant.tickets.put(ticket_id, ticket)
    url = f"{tenant.issuer}guardian/enroll?ticket={ticket_id}"
    return answer({"ticket_id": ticket_id, "ticket_url": url})
