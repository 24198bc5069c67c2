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
        ManagementError: 404 unknown ticket, 401 used or expired, 404 the user is gone,
            409 already enrolled and the ticket is not for one more device, 400 no usable name.
    """
    ticket = usable_ticket(tenant, ticket_id)
    user = tenant.users.get(ticket["user_id"])
    if user is None:
        raise ManagementError(404, "User not found.", "inexistent_user")
    name = device_name.strip()
    if not 0 < len(name) <= MAX_DEVICE_NAME:
        refuse_payload(f"A device name has 1 to {MAX_DEVICE_NAME} characters")
    if not ticket["allow_multiple"] and models.enrollments_of(tenant, user["user_id"]):
        raise ManagementError(409, "The user is already enrolled.", "already_enrolled")
    with tenant.store.atomic():
        tenant.tickets.put(ticket_id, {**ticket, "used": True})
        enrollment = models.enroll(tenant, user["user_id"], name)
        for kind in ("gd_start_enroll", "gd_enrollment_complete"):
            tenant.events.add(kind, user=user, details=enrollment_details(tenant, enrollment))
    return models.public(enrollment)


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


def enrollment_details(tenant: Tenant, enrollment: dict[str, Any]) -> dict[str, Any]:
    """The `details` of the Guardian log events (contract section 5.9)."""
    return {
        "authenticator": "guardian",
        "device_id": enrollment["id"],
        "enrollment": {
            "_id": enrollment["id"],
            "identifier": enrollment["identifier"],
            "name": enrollment["name"],
            "tenant": tenant.name,
            "user_id": enrollment["_user_id"],
        },
    }


def _create(call: Call) -> Response:
    new, tenant = call.body(_NewTicket), call.tenant
    if new.factor != "push-notification":
        refuse_payload("The sandbox enrolls push-notification only")
    if new.user_id not in tenant.users:
        raise ManagementError(404, "User not found.", "inexistent_user")
    now = tenant.now()
    for key in [key for key, item in tenant.tickets.items() if item["expires_at"] <= now]:
        tenant.tickets.remove(key)
    ticket_id = f"gten_{base62(32)}"
    ticket = {
        "user_id": new.user_id,
        "allow_multiple": new.allow_multiple_enrollments,
        "expires_at": now + TICKET_LIFE,
        "used": False,
    }
    tenant.tickets.put(ticket_id, ticket)
    url = f"{tenant.issuer}guardian/enroll?ticket={ticket_id}"
    return answer({"ticket_id": ticket_id, "ticket_url": url})
