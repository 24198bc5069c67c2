"""Guardian settings: factors, push provider and policies (contract section 5.7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel
from starlette.responses import Response

from baink_lab.sandbox.tenant import models
from baink_lab.sandbox.tenant.errors import ManagementError
from baink_lab.sandbox.tenant.management.call import Call, Endpoint
from baink_lab.sandbox.tenant.management.payload import Payload
from baink_lab.sandbox.tenant.wire import answer

_PUSH = "/guardian/factors/push-notification"
_Text = Annotated[str, Field(min_length=1, max_length=16384)]


class _Factor(Payload):
    enabled: bool


class _Provider(Payload):
    provider: Literal["guardian", "sns", "direct"]


class _Policies(RootModel[list[Literal["all-applications", "confidence-score"]]]):
    root: list[Literal["all-applications", "confidence-score"]] = Field(max_length=1)


class _Apns(Payload):
    sandbox: bool = False
    bundle_id: _Text | None = None
    p12: _Text | None = None


class _Fcm(Payload):
    server_credentials: _Text | None = None


class _Sns(Payload):
    aws_access_key_id: _Text | None = None
    aws_secret_access_key: _Text | None = None
    aws_region: _Text | None = None
    sns_apns_platform_application_arn: _Text | None = None
    sns_gcm_platform_application_arn: _Text | None = None


# What is sent to Apple, Google or Amazon stays out of the file and of every answer.
_SECRETS = ("p12", "server_credentials", "aws_secret_access_key")
_SENDERS: dict[str, type[Payload]] = {"apns": _Apns, "fcmv1": _Fcm, "sns": _Sns}


def endpoints() -> list[Endpoint]:
    """The operations on Guardian's settings. The policies have a scope of their own."""
    read, update = ("read:guardian_factors",), ("update:guardian_factors",)
    provider, sender = f"{_PUSH}/selected-provider", f"{_PUSH}/providers/{{sender}}"
    read_policies, update_policies = ("read:mfa_policies",), ("update:mfa_policies",)
    title = "Update Guardian push notification settings"
    return [
        _endpoint("GET", "/guardian/factors", read, _factors),
        _endpoint("PUT", "/guardian/factors/{factor}", update, _put_factor, "Update a factor"),
        _endpoint("GET", provider, read, _provider),
        _endpoint("PUT", provider, update, _put_provider, title),
        _endpoint("GET", sender, read, _sender),
        _endpoint("PUT", sender, update, _put_sender, title),
        _endpoint("PATCH", sender, update, _patch_sender, title),
        _endpoint("GET", "/guardian/policies", read_policies, _policies),
        _endpoint("PUT", "/guardian/policies", update_policies, _put_policies, "Set MFA policies"),
    ]


def _endpoint(*args: Any) -> Endpoint:
    return replace(Endpoint(*args), guardian=True)


def _factors(call: Call) -> Response:
    state = call.tenant.guardian
    return answer(
        [
            {"name": name, "enabled": state[f"factor:{name}"]["enabled"], "trial_expired": False}
            for name in models.FACTORS
        ]
    )


def _put_factor(call: Call) -> Response:
    name = call.params["factor"]
    if name not in models.FACTORS:
        raise ManagementError(404, "Factor not found.", "factor_not_found")
    return answer(call.tenant.guardian.put(f"factor:{name}", call.body(_Factor).model_dump()))


def _provider(call: Call) -> Response:
    return answer(call.tenant.guardian["provider"])


def _put_provider(call: Call) -> Response:
    return answer(call.tenant.guardian.put("provider", call.body(_Provider).model_dump()))


def _sender(call: Call) -> Response:
    _sender_model(call)
    return answer(call.tenant.guardian.get(f"sender:{call.params['sender']}", {}))


def _put_sender(call: Call) -> Response:
    return _save_sender(call, {})


def _patch_sender(call: Call) -> Response:
    _sender_model(call)
    return _save_sender(call, call.tenant.guardian.get(f"sender:{call.params['sender']}", {}))


def _save_sender(call: Call, former: dict[str, Any]) -> Response:
    given = call.body(_sender_model(call)).given()
    shown = {name: value for name, value in given.items() if name not in _SECRETS}
    saved = call.tenant.guardian.put(f"sender:{call.params['sender']}", {**former, **shown})
    return answer(saved)


def _sender_model(call: Call) -> type[Payload]:
    model = _SENDERS.get(call.params["sender"])
    if model is None:
        raise ManagementError(404, "Not Found")
    return model


def _policies(call: Call) -> Response:
    return answer(call.tenant.guardian["policies"])


def _put_policies(call: Call) -> Response:
    return answer(call.tenant.guardian.put("policies", list(call.body(_Policies).root)))
