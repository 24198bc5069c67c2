"""`POST /bc-authorize`: a client asks for a customer's approval (contract section 2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from baink_lab.sandbox.tenant import access, models
from baink_lab.sandbox.tenant.ciba import CibaRequest, new_auth_req_id, new_consent_id
from baink_lab.sandbox.tenant.client_auth import ClientRefused, authenticate, is_public
from baink_lab.sandbox.tenant.errors import OAuthError
from baink_lab.sandbox.tenant.events import Caller
from baink_lab.sandbox.tenant.rich_details import read_details
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.wire import parse_json

LONGEST_PUSH = 300  # seconds; more goes by e-mail (contract section 2)
LONGEST = 259_200  # seconds: 72 h
_BINDING_MESSAGE = re.compile(r"[A-Za-z0-9 +\-_.,:#]{1,64}")
_DIGITS = re.compile(r"[0-9]{1,9}")

Channel = Literal["guardian-push", "email"]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request whose parameters have been read and found well-formed."""

    client: dict[str, Any]
    user: dict[str, Any]
    access: access.Access
    binding_message: str
    details: list[dict[str, Any]] | None
    expiry: int


def start(
    tenant: Tenant, fields: dict[str, str], authorization: str, caller: Caller
) -> tuple[dict[str, Any], dict[str, str]]:
    """Accept a CIBA request, send the push, and return the body and headers of the answer.

    Args:
        tenant: the tenant.
        fields: the form's parameters.
        authorization: the Authorization header, or "".
        caller: who is at the other end, for the log.

    Raises:
        OAuthError: as in the contract's section 2.2; it is in the tenant's log too.
    """
    client: dict[str, Any] | None = None
    try:
        client = _client(tenant, fields, authorization)
        asked = _read(tenant, client, fields)
        channel = _channel(tenant, asked)
        now = tenant.now()
        pending = tenant.ciba.count_pending(now)
        limits = tenant.ciba_limits.admit(asked.user["user_id"], pending, now)
    except OAuthError as refused:
        details = {"error": {"message": str(refused)}, "body": _logged(fields)}
        tenant.events.add(
            "ciba_start_failed",
            client=client,
            caller=caller,
            description=str(refused),
            details=details,
        )
        raise
    with tenant.store.atomic():
        request = _open(tenant, asked, channel, now)
        _tell(tenant, fields, asked, request, caller)
    interval = int(request.interval) if request.interval == int(request.interval) else None
    body = {
        "auth_req_id": request.auth_req_id,
        "expires_in": asked.expiry,
        "interval": request.interval if interval is None else interval,
    }
    return body, limits


def _client(tenant: Tenant, fields: dict[str, str], authorization: str) -> dict[str, Any]:
    try:
        client = authenticate(tenant, fields, authorization)
    except ClientRefused:
        raise OAuthError("invalid_client", "Client authentication failed", status=401) from None
    access.require_grant_type(client, models.CIBA_GRANT)
    if is_public(client) or not (client["is_first_party"] and client["oidc_conformant"]):
        text = "CIBA is for confidential, first-party, OIDC conformant clients"
        raise OAuthError("unauthorized_client", text, status=403)
    return client


def _read(tenant: Tenant, client: dict[str, Any], fields: dict[str, str]) -> _Asked:
    for name in ("login_hint", "scope", "binding_message"):
        if name not in fields:
            raise OAuthError("invalid_request", f"{name} is required")
    scope = fields["scope"].split()
    if "openid" not in scope:
        raise OAuthError("invalid_request", "openid scope must be requested")
    message = fields["binding_message"]
    if not _BINDING_MESSAGE.fullmatch(message):
        text = (
            "binding_message must be at most 64 characters, "
            "each alphanumeric, a space or one of +-_.,:#"
        )
        raise OAuthError("invalid_binding_message", text)
    expiry = _expiry(fields.get("requested_expiry"), tenant.expires)
    user = _user(tenant, fields["login_hint"])
    granted = access.for_user(tenant, client, user["user_id"], fields.get("audience"), scope)
    if granted.api is not None and access.forbids_ciba(granted.api):
        text = "The consent policy of this API cannot be used with CIBA"
        raise OAuthError("invalid_request", text)
    sent = fields.get("authorization_details")
    details = read_details(tenant, client, granted.api, sent) if sent is not None else None
    return _Asked(client, user, granted, message, details, expiry)


def _expiry(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not _DIGITS.fullmatch(text) or not 1 <= int(text) <= LONGEST:
        raise OAuthError("invalid_request", f"requested_expiry must be from 1 to {LONGEST}")
    return int(text)


def _user(tenant: Tenant, login_hint: str) -> dict[str, Any]:
    failed = "login_hint parameter validation failed: "
    try:
        hint = parse_json(login_hint)
    except ValueError:
        raise OAuthError("invalid_request", f"{failed}it is not valid JSON") from None
    if not isinstance(hint, dict) or hint.get("format") != "iss_sub":
        raise OAuthError("invalid_request", f'{failed}"format" must be iss_sub')
    if not _is_one_of(hint.get("iss"), tenant.issuer_forms()):
        raise OAuthError("invalid_request", f'{failed}"iss" is not this tenant')
    subject = hint.get("sub")
    if not isinstance(subject, str) or not subject:
        raise OAuthError("invalid_request", f'{failed}"sub" contains unsupported format')
    user = tenant.users.get(subject)
    if user is None:
        raise OAuthError("unknown_user_id", "User ID is malformed or unknown")
    return dict(user)


def _is_one_of(value: Any, texts: frozenset[str]) -> bool:
    """Like `in`, for JSON values: an array or an object cannot be looked up in a set."""
    return isinstance(value, str) and value in texts


def _channel(tenant: Tenant, asked: _Asked) -> Channel:
    """How the customer hears of it; e-mail steps in for a missing enrolment (section 2)."""
    channels = asked.client["async_approval_notification_channels"]
    factor = tenant.guardian.get("factor:push-notification", {})
    push = (
        asked.expiry <= LONGEST_PUSH
        and "guardian-push" in channels
        and factor.get("enabled", False)
        and bool(models.push_devices(tenant, asked.user["user_id"]))
    )
    if push:
        return "guardian-push"
    if "email" in channels and asked.user.get("email_verified"):
        return "email"
    if asked.expiry > LONGEST_PUSH:
        text = "requested_expiry of more than 300 seconds needs the email channel"
        raise OAuthError("invalid_request", text)
    raise OAuthError("invalid_request", "User is not enrolled in push notifications")


def _open(tenant: Tenant, asked: _Asked, channel: Channel, now: float) -> CibaRequest:
    devices = models.push_devices(tenant, asked.user["user_id"])
    request = CibaRequest(
        auth_req_id=new_auth_req_id(),
        consent_id=new_consent_id(),
        client_id=asked.client["client_id"],
        client_name=asked.client["name"],
        user_id=asked.user["user_id"],
        scope=asked.access.scope,
        audience=None if asked.access.api is None else asked.access.api["identifier"],
        binding_message=asked.binding_message,
        authorization_details=asked.details,
        channel=channel,
        created_at=now,
        expires_at=now + asked.expiry,
        interval=tenant.interval,
        sent_to=[str(one["id"]) for one in devices] if channel == "guardian-push" else [],
    )
    tenant.ciba.open(request)
    return request


def _tell(
    tenant: Tenant,
    fields: dict[str, str],
    asked: _Asked,
    request: CibaRequest,
    caller: Caller,
) -> None:
    client, user = asked.client, asked.user
    linked = {"transaction_linking_id": request.consent_id}
    tenant.events.add(
        "ciba_start_succeeded",
        client=client,
        user=user,
        caller=caller,
        details={"body": _logged(fields), "notification_channel": request.channel, **linked},
    )
    if request.channel == "guardian-push":
        tenant.events.add(
            "gd_start_auth",
            client=client,
            user=user,
            details={"authenticator": "guardian"} | linked,
        )
        for device in models.push_devices(tenant, user["user_id"]):
            details = models.enrollment_details(tenant, device) | linked
            tenant.events.add("gd_send_pn", client=client, user=user, details=details)


def _logged(fields: dict[str, str]) -> dict[str, str]:
    """What the log keeps of a request: no secret and no binding message (section 5.9)."""
    return {name: fields.get(name, "") for name in ("audience", "login_hint", "scope")}
