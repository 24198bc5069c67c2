"""Enrolled devices, by device and by user (contract sections 5.7 and 5.8)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.responses import Response

from baink_lab.sandbox.tenant import models
from baink_lab.sandbox.tenant.errors import ManagementError
from baink_lab.sandbox.tenant.management.call import Call, Endpoint
from baink_lab.sandbox.tenant.management.listing import Paging, list_documents
from baink_lab.sandbox.tenant.management.payload import Payload, refuse_payload
from baink_lab.sandbox.tenant.management.users import find_user
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.wire import answer

_PUSH = "push-notification|"
_SHOWN = ("id", "status", "name", "identifier", "phone_number", "enrolled_at", "last_auth")


def endpoints() -> list[Endpoint]:
    """The operations on enrolments and on the authentication methods that they show as."""
    one, methods = "/guardian/enrollments/{id}", "/users/{id}/authentication-methods"
    method = f"{methods}/{{method}}"
    read, delete = (f"{verb}:guardian_enrollments" for verb in ("read", "delete"))
    read_methods, delete_methods = (
        (f"{verb}:authentication_methods",) for verb in ("read", "delete")
    )
    return [
        Endpoint("GET", one, (read,), _get, guardian=True),
        Endpoint("DELETE", one, (delete,), _delete, "Delete an enrollment", guardian=True),
        Endpoint("GET", "/users/{id}/enrollments", ("read:users",), _of_user),
        Endpoint("GET", methods, read_methods, _methods),
        Endpoint("POST", methods, ("create:authentication_methods",), _create_method, _NEW),
        Endpoint("DELETE", methods, delete_methods, _delete_all, _TITLE),
        Endpoint("GET", method, read_methods, _method),
        Endpoint("DELETE", method, delete_methods, _delete_method, _TITLE),
    ]


_TITLE = "Delete authentication methods"
_NEW = "Create an authentication method"


class _NewMethod(Payload):
    """The body of POST. Push is not among the types: a device enrols itself (contract 5.8)."""

    type: Literal["phone", "email", "totp", "webauthn-roaming", "passkey"]
    name: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    totp_secret: Annotated[str, Field(min_length=16, max_length=128, pattern=r"^[A-Z2-7]+$")] = ""


def remove_enrollment(tenant: Tenant, enrollment: dict[str, Any]) -> None:
    """Forget a device and say so in the log."""
    tenant.enrollments.remove(enrollment["id"])
    user = tenant.users.get(enrollment["_user_id"])
    tenant.events.add(
        "gd_unenroll", user=user, details=models.enrollment_details(tenant, enrollment)
    )


def _get(call: Call) -> Response:
    enrollment = _find(call)
    return answer({name: enrollment[name] for name in _SHOWN if enrollment.get(name) is not None})


def _delete(call: Call) -> Response:
    remove_enrollment(call.tenant, _find(call))
    return Response(status_code=204)


def _find(call: Call) -> dict[str, Any]:
    enrollment = call.tenant.enrollments.get(call.params["id"])
    if enrollment is None:
        raise ManagementError(404, "Enrollment not found", "enrollment_not_found")
    return dict(enrollment)


def _of_user(call: Call) -> Response:
    return answer([models.public(item) for item in _mine(call)])


def _methods(call: Call) -> Response:
    query = call.query(Paging)
    return list_documents(query, "authenticators", {m["id"]: m for m in map(_shown, _mine(call))})


def _create_method(call: Call) -> Response:
    user, new = find_user(call), call.body(_NewMethod)
    if new.type != "totp":
        refuse_payload("The sandbox creates authentication methods of type totp only")
    if not new.totp_secret:
        refuse_payload("Missing required property: totp_secret")
    if len(new.totp_secret) % 8 in (1, 3, 6):
        refuse_payload("totp_secret is not Base32")
    enrollment = models.enroll_otp(call.tenant, user["user_id"], new.totp_secret, name=new.name)
    return answer(_shown(enrollment) | {"totp_secret": new.totp_secret}, 201)


def _method(call: Call) -> Response:
    return answer(_shown(_find_method(call)))


def _delete_method(call: Call) -> Response:
    remove_enrollment(call.tenant, _find_method(call))
    return Response(status_code=204)


def _delete_all(call: Call) -> Response:
    for enrollment in _mine(call):
        remove_enrollment(call.tenant, enrollment)
    return Response(status_code=204)


def _mine(call: Call) -> list[dict[str, Any]]:
    return models.enrollments_of(call.tenant, find_user(call)["user_id"])


def _find_method(call: Call) -> dict[str, Any]:
    wanted = call.params["method"]
    mine = _mine(call)
    found = next((item for item in mine if wanted in (item["id"], _shown(item)["id"])), None)
    if found is None:
        text = "Authentication method not found."
        raise ManagementError(404, text, "authentication_method_not_found")
    return found


def _shown(enrollment: dict[str, Any]) -> dict[str, Any]:
    """An enrolment as an authentication method; one for push has a push and a TOTP half inside."""
    if enrollment["auth_method"] == models.AUTHENTICATOR:
        return {
            "id": f"totp|{enrollment['id']}",
            "type": "totp",
            "confirmed": enrollment["status"] == "confirmed",
            **({"name": enrollment["name"]} if enrollment.get("name") else {}),
            "created_at": enrollment["enrolled_at"],
            "enrolled_at": enrollment["enrolled_at"],
            **({"last_auth_at": enrollment["last_auth"]} if enrollment["last_auth"] else {}),
        }
    method = {
        "id": f"{_PUSH}{enrollment['id']}",
        "type": "push",
        "confirmed": enrollment["status"] == "confirmed",
        "name": enrollment["name"],
        "created_at": enrollment["enrolled_at"],
        "enrolled_at": enrollment["enrolled_at"],
        "last_auth_at": enrollment["last_auth"],
        "authentication_methods": [
            {"type": half, "id": f"{half}|{enrollment['id']}"} for half in ("push", "totp")
        ],
    }
    return {name: value for name, value in method.items() if value is not None}
