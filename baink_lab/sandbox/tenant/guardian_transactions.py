"""What stands behind the ids and tokens that a device holds: enrolments begun, pushes sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Any

from baink_lab.sandbox.tenant.ciba import CibaRequest
from baink_lab.sandbox.tenant.errors import ManagementError
from baink_lab.sandbox.tenant.one_time_passwords import new_secret
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.values import base62, iso

ENROLLMENT_SECONDS = 300  # how long the QR code of a page is good (contract section 6.1)
MAX_OPEN = 1000  # enrolments begun and not finished; the oldest is forgotten
_PUSH_SECRET = "push_secret"  # noqa: S105 - a name


class Transactions:
    """Enrolment transactions in memory; push transactions are derived and need no memory.

    Args:
        tenant: the tenant.
    """

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._open: dict[str, tuple[str, float]] = {}

    def open(self, ticket_id: str) -> str:
        """Begin to redeem a ticket; returns the `enrollment_tx_id`."""
        transaction = base62(22)
        self._open[transaction] = (ticket_id, self._tenant.now() + ENROLLMENT_SECONDS)
        while len(self._open) > MAX_OPEN:
            del self._open[next(iter(self._open))]
        return transaction

    def ticket(self, transaction: str) -> str:
        """The ticket behind an `enrollment_tx_id`.

        Raises:
            ManagementError: 401 `enrollment_transaction_not_found`.
        """
        ticket_id, until = self._open.get(transaction, ("", 0.0))
        if until <= self._tenant.now():
            text = "Enrollment transaction not found or expired"
            raise ManagementError(401, text, "enrollment_transaction_not_found")
        return ticket_id


def pushes(tenant: Tenant, enrollment: dict[str, Any]) -> list[dict[str, Any]]:
    """What a device was sent and may still answer (contract section 6.2)."""
    mine = [
        request
        for request in tenant.ciba.pending(tenant.now())
        if request.user_id == enrollment["_user_id"]
        and request.channel == "guardian-push"
        and (not request.sent_to or enrollment["id"] in request.sent_to)
    ]
    return [_push(tenant, enrollment, request) for request in mine]


def challenge(tenant: Tenant, enrollment_id: str, consent_id: str) -> str:
    """What the device must sign to answer one request."""
    if _PUSH_SECRET not in tenant.meta:
        tenant.meta.put(_PUSH_SECRET, secrets.token_urlsafe(32))
    key = str(tenant.meta[_PUSH_SECRET]).encode()
    digest = hmac.digest(key, f"{enrollment_id} {consent_id}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def read_token(tenant: Tenant, token: str) -> tuple[dict[str, Any], CibaRequest]:
    """The enrolment and the request that a transaction token (`txtkn`) stands for.

    Raises:
        ManagementError: 401 `invalid_token`, 404 `login_transaction_not_found`.
    """
    claims = tenant.keys.read(token) or {}
    enrollment = tenant.enrollments.get(str(claims.get("sub")))
    if claims.get("aud") != _audience(tenant) or enrollment is None:
        raise invalid_token()
    request = tenant.ciba.by_consent(str(claims.get("txlnkid")))
    if request is None or request.user_id != enrollment["_user_id"]:
        raise gone()
    return dict(enrollment), request


def invalid_token() -> ManagementError:
    """The bearer of a device call is no good."""
    return ManagementError(401, "Token has expired or signature is invalid.", "invalid_token")


def gone() -> ManagementError:
    """The request was answered, has expired, or never was (contract section 6.4)."""
    text = "Login transaction not found or already resolved"
    return ManagementError(404, text, "login_transaction_not_found")


def _push(tenant: Tenant, enrollment: dict[str, Any], request: CibaRequest) -> dict[str, Any]:
    claims = {
        "iss": tenant.issuer,
        "aud": _audience(tenant),
        "sub": enrollment["id"],
        "txlnkid": request.consent_id,
        "iat": int(request.created_at),
        "exp": int(request.expires_at),
    }
    return {
        "sh": tenant.host,
        "dai": enrollment["id"],
        "txtkn": tenant.keys.sign(claims, typ="JWT"),
        "txlnkid": request.consent_id,
        "c": challenge(tenant, enrollment["id"], request.consent_id),
        "d": iso(request.created_at),
        "s": "{}",
        "l": "{}",
    }


def _audience(tenant: Tenant) -> str:
    return f"{tenant.issuer}appliance-mfa"


def enroll_device(
    tenant: Tenant, enrollment_id: str, device: dict[str, Any], public_key: dict[str, Any]
) -> tuple[str, str]:
    """Give an enrolment its device; returns the device token and the TOTP secret.

    Args:
        tenant: the tenant.
        enrollment_id: of an enrolment made just now.
        device: `identifier` and `_push_credentials`.
        public_key: the JWK that verifies what the device signs.
    """
    token = secrets.token_urlsafe(32)
    totp = new_secret()
    enrollment = tenant.enrollments[enrollment_id]
    kept = {
        "_public_key": public_key,
        "_token": hashlib.sha256(token.encode()).hexdigest(),
        "_totp": totp,
    }
    tenant.enrollments.put(enrollment_id, {**enrollment, **device, **kept})
    return token, totp


def is_active(tenant: Tenant, request: CibaRequest) -> bool:
    """True while the request can be answered."""
    return request.state == "pending" and tenant.now() < request.expires_at


def device_of(tenant: Tenant, enrollment_id: str, token: str) -> dict[str, Any]:
    """The enrolment, when this is its device token.

    Raises:
        ManagementError: 401 `invalid_token`, the same whether or not there is such a device.
    """
    enrollment = tenant.enrollments.get(enrollment_id, {})
    sent = hashlib.sha256(token.encode()).hexdigest()
    if not hmac.compare_digest(str(enrollment.get("_token", "")), sent):
        raise invalid_token()
    return dict(enrollment)
