"""`POST /oauth/token`: one function for each grant (contract section 3)."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import math
import secrets
from collections.abc import Callable
from typing import Any

from baink_lab.sandbox.tenant import access
from baink_lab.sandbox.tenant.ciba import CibaRequest
from baink_lab.sandbox.tenant.client_auth import ClientRefused, authenticate, is_public
from baink_lab.sandbox.tenant.errors import OAuthError
from baink_lab.sandbox.tenant.events import Caller
from baink_lab.sandbox.tenant.models import CIBA_GRANT
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.tokens import client_token, opaque_key, user_tokens

# The body of the answer, and whose tokens are in it: a user's id, or "" for the client's own.
Issued = tuple[dict[str, Any], str]
Grant = Callable[[Tenant, dict[str, Any], dict[str, str]], Issued]

# Log codes of success and failure (contract section 5.9).
_EVENTS = {
    CIBA_GRANT: ("ciba_exchange_succeeded", "ciba_exchange_failed"),
    "authorization_code": ("seacft", "feacft"),
    "refresh_token": ("sertft", "fertft"),
    "client_credentials": ("seccft", "feccft"),
}
# A poll that comes before the answer is no failure worth a line in the log.
_NOT_LOGGED = ("authorization_pending", "slow_down")


def exchange(
    tenant: Tenant, fields: dict[str, str], authorization: str, caller: Caller
) -> dict[str, Any]:
    """Do one grant and return the body of the answer.

    Args:
        tenant: the tenant.
        fields: the parameters.
        authorization: the Authorization header, or "".
        caller: who is at the other end, for the log.

    Raises:
        OAuthError: as in the contract's sections 3.1 and 3.5.
    """
    name = require(fields, "grant_type")
    grant = _GRANTS.get(name)
    if grant is None:
        raise OAuthError("unsupported_grant_type", "Grant type not supported")
    client: dict[str, Any] | None = None
    succeeded, failed = _EVENTS[name]
    try:
        client = identify(tenant, fields, authorization)
        access.require_grant_type(client, name)
        if is_public(client) and name in (CIBA_GRANT, "client_credentials"):
            raise OAuthError("access_denied", "Unauthorized", status=401)
        body, user_id = grant(tenant, client, fields)
    except OAuthError as refused:
        if refused.code not in _NOT_LOGGED:
            details = {"error": {"message": str(refused)}}
            tenant.events.add(
                failed, client=client, caller=caller, description=str(refused), details=details
            )
        raise
    if name != CIBA_GRANT:
        user = tenant.users.get(user_id)
        tenant.events.add(succeeded, client=client, user=user, caller=caller)
    return body


def _settled(grant: Grant) -> Grant:
    """One grant in one transaction. A refusal is an answer too: a code that it spent is spent."""

    @functools.wraps(grant)
    def settled(tenant: Tenant, client: dict[str, Any], fields: dict[str, str]) -> Issued:
        with tenant.store.atomic():
            try:
                return grant(tenant, client, fields)
            except OAuthError as reason:
                refused = reason
        raise refused

    return settled


def identify(tenant: Tenant, fields: dict[str, str], authorization: str) -> dict[str, Any]:
    """The calling client, in the words of the token endpoint.

    Raises:
        OAuthError: 401 `access_denied`, which is what tenants say where the documentation has
            `invalid_client` (contract section 3.5).
    """
    try:
        return authenticate(tenant, fields, authorization)
    except ClientRefused:
        raise OAuthError("access_denied", "Unauthorized", status=401) from None


def require(fields: dict[str, str], name: str) -> str:
    """One parameter.

    Raises:
        OAuthError: 400 `invalid_request` when it is missing.
    """
    if name not in fields:
        raise OAuthError("invalid_request", f"Missing required parameter: {name}")
    return fields[name]


def _ciba(tenant: Tenant, client: dict[str, Any], fields: dict[str, str]) -> Issued:
    """A poll. All but the last find no answer yet: those cost a look-up and touch no file."""
    request = tenant.ciba.find(require(fields, "auth_req_id"), client["client_id"])
    state = "unknown" if request is None else request.poll(tenant.now())
    if request is None or state == "unknown":
        raise OAuthError("invalid_grant", "Invalid or expired auth_req_id")
    if state == "pending":
        raise OAuthError("authorization_pending", "The end-user authorization is pending")
    if state == "slow_down":
        raise _slow_down(request.interval)
    if state != "approved":
        text = "The end-user denied the authorization request or it has been expired"
        raise OAuthError("access_denied", text)
    with tenant.store.atomic():
        return _approved(tenant, client, request), request.user_id


def _slow_down(interval: float) -> OAuthError:
    seconds = math.ceil(interval)
    return OAuthError(
        "slow_down",
        f"You are polling faster than allowed. Try again in {seconds} seconds.",
        headers={"retry-after": str(seconds)},
        interval=seconds,
    )


def _approved(tenant: Tenant, client: dict[str, Any], request: CibaRequest) -> dict[str, Any]:
    user_id = request.user_id
    api = None if request.audience is None else access.require_api(tenant, request.audience)
    permissions = access.permissions_of(tenant, user_id, request.audience or "")
    granted = access.Access(api, request.scope, permissions)
    body = user_tokens(
        tenant, client, user_id, granted, CIBA_GRANT, details=request.authorization_details
    )
    _add_refresh_token(tenant, client, user_id, granted, body)
    tenant.events.add(
        "ciba_exchange_succeeded",
        client=client,
        user=tenant.users.get(user_id),
        details={
            "notification_channel": request.channel,
            "transaction_linking_id": request.consent_id,
        },
        audience=request.audience or tenant.userinfo_url,
    )
    # Last, so that a failure above leaves the request as it was; still in one transaction.
    tenant.ciba.consume(request)
    return body


def _code(tenant: Tenant, client: dict[str, Any], fields: dict[str, str]) -> Issued:
    key = opaque_key(require(fields, "code"))
    record = tenant.codes.get(key)
    if record is None or record["client_id"] != client["client_id"]:
        raise OAuthError("invalid_grant", "Invalid authorization code", status=403)
    tenant.codes.remove(key)  # one try, right or wrong
    expired = record["expires_at"] <= tenant.now()
    if expired or record["redirect_uri"] != fields.get("redirect_uri"):
        raise OAuthError("invalid_grant", "Invalid authorization code", status=403)
    if not _verifier_fits(record, fields.get("code_verifier")):
        raise OAuthError("invalid_grant", "Failed to verify code verifier", status=403)
    user_id = record["user_id"]
    granted = access.for_user(tenant, client, user_id, record["audience"], record["scope"])
    body = user_tokens(
        tenant, client, user_id, granted, "authorization_code", nonce=record["nonce"]
    )
    _add_refresh_token(tenant, client, user_id, granted, body)
    return body, user_id


def _verifier_fits(record: dict[str, Any], verifier: str | None) -> bool:
    """RFC 7636 section 4.6; a request without a challenge takes no verifier."""
    challenge = record["code_challenge"]
    if challenge is None or verifier is None:
        return challenge is None and verifier is None
    if record["code_challenge_method"] == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(verifier.encode(), challenge.encode())


def _refresh(tenant: Tenant, client: dict[str, Any], fields: dict[str, str]) -> Issued:
    record = tenant.refresh_tokens.get(opaque_key(require(fields, "refresh_token")))
    if record is None or record["client_id"] != client["client_id"]:
        raise OAuthError("invalid_grant", "Unknown or invalid refresh token.", status=403)
    asked = fields.get("scope", "").split() or record["scope"]
    if not set(asked) <= set(record["scope"]):
        raise OAuthError("invalid_scope", "The requested scope exceeds the granted scope")
    granted = access.for_user(tenant, client, record["user_id"], record["audience"], asked)
    user_id: str = record["user_id"]
    return user_tokens(tenant, client, user_id, granted, "refresh_token"), user_id


def _add_refresh_token(
    tenant: Tenant,
    client: dict[str, Any],
    user_id: str,
    granted: access.Access,
    body: dict[str, Any],
) -> None:
    if access.OFFLINE not in granted.scope or "refresh_token" not in client["grant_types"]:
        return
    token = secrets.token_urlsafe(32)
    record = {
        "client_id": client["client_id"],
        "user_id": user_id,
        "audience": None if granted.api is None else granted.api["identifier"],
        "scope": granted.scope,
    }
    tenant.refresh_tokens.put(opaque_key(token), record)
    body["refresh_token"] = token


def _client_credentials(tenant: Tenant, client: dict[str, Any], fields: dict[str, str]) -> Issued:
    audience = require(fields, "audience")
    asked = fields.get("scope", "").split()
    return client_token(tenant, client, access.for_client(tenant, client, audience, asked)), ""


_GRANTS: dict[str, Grant] = {
    CIBA_GRANT: _ciba,
    "authorization_code": _settled(_code),
    "refresh_token": _settled(_refresh),
    "client_credentials": _settled(_client_credentials),
}
