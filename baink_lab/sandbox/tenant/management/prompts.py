"""`/prompts/mfa-push`: how a customer is told of an app with the Guardian SDK (contract 5.7)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from baink_lab.sandbox.tenant.management.call import Call, Endpoint
from baink_lab.sandbox.tenant.management.payload import Payload
from baink_lab.sandbox.tenant.wire import answer

_KEY = "prompt:mfa-push"
_Link = Annotated[str, Field(max_length=2048, pattern=r"^(https://[^\s<>]+)?$")]


class _MfaPush(Payload):
    app_name: Annotated[str, Field(max_length=255, pattern=r"^[^<>]*$")] = ""
    apple_app_link: _Link = ""
    google_app_link: _Link = ""


def endpoints() -> list[Endpoint]:
    """Both operations. No source names their scopes: those of Guardian's factors open them."""
    path, title = "/prompts/mfa-push", "Update the push prompt"
    return [
        Endpoint("GET", path, ("read:guardian_factors",), _get),
        Endpoint("PATCH", path, ("update:guardian_factors",), _patch, title),
    ]


def _get(call: Call) -> Response:
    return answer(_MfaPush().model_dump() | call.tenant.guardian.get(_KEY, {}))


def _patch(call: Call) -> Response:
    given = call.body(_MfaPush).given()
    call.tenant.guardian.put(_KEY, {**call.tenant.guardian.get(_KEY, {}), **given})
    return _get(call)
