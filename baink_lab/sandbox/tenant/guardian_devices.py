"""What devices call: enrol, see what is asked, answer with a signature (contract section 6)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Annotated, Any, Literal

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from baink_lab.sandbox.tenant.errors import (
    AlreadyDecided,
    ManagementError,
    OAuthError,
    UnknownNotification,
)
from baink_lab.sandbox.tenant.guardian_transactions import (
    Transactions,
    challenge,
    device_of,
    enroll_device,
    gone,
    invalid_token,
    is_active,
    pushes,
    read_token,
)
from baink_lab.sandbox.tenant.management.enrollments import remove_enrollment
from baink_lab.sandbox.tenant.management.payload import Payload, read_payload, refuse_payload
from baink_lab.sandbox.tenant.management.tickets import enroll_with_ticket
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.values import iso, moment_in
from baink_lab.sandbox.tenant.wire import answer, parse_json, read_body

SKEW = 30  # seconds that a device's clock may be off
LONGEST_ANSWER = 60  # seconds; the SDKs sign for 30
PROOF_SECONDS = 300  # how old a DPoP proof may be
_BASE = "/appliance-mfa/api"
_TICKET = re.compile(r'Ticket id="([A-Za-z0-9_-]{1,128})"')
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")

_Text = Annotated[str, Field(min_length=1, max_length=255)]


class _Key(Payload):
    kty: Literal["RSA"]
    n: Annotated[str, Field(min_length=342, max_length=1366, pattern=r"^[A-Za-z0-9_-]+$")]
    e: Annotated[str, Field(min_length=4, max_length=6, pattern=r"^[A-Za-z0-9_-]+$")]
    use: Literal["sig"] = "sig"
    alg: Literal["RS256"] = "RS256"


class _Credentials(Payload):
    service: Literal["GCM", "APNS"]
    token: Annotated[str, Field(min_length=1, max_length=4096)]


class _NewDevice(Payload):
    identifier: _Text
    name: Annotated[str, Field(min_length=1, max_length=128)]
    push_credentials: _Credentials
    public_key: _Key


class _Changed(Payload):
    identifier: _Text = ""
    name: Annotated[str, Field(min_length=1, max_length=128)] = ""
    push_credentials: _Credentials | None = None


class _Answer(Payload):
    challenge_response: Annotated[str, Field(min_length=1, max_length=8192)]


class GuardianDevices:
    """The device API of one tenant.

    Args:
        tenant: the tenant.
        transactions: the enrolments that the page has begun.
    """

    def __init__(self, tenant: Tenant, transactions: Transactions) -> None:
        self._tenant = tenant
        self._transactions = transactions
        self._proofs: dict[str, float] = {}

    def routes(self) -> list[Route]:
        """What to mount at the tenant's root."""
        account = f"{_BASE}/device-accounts/{{id}}"
        return [
            Route(f"{_BASE}/enroll", self._enroll, methods=["POST"]),
            Route(account, self._change, methods=["PATCH"]),
            Route(account, self._remove, methods=["DELETE"]),
            # Ours alone: stands in for Google's and Apple's push services.
            Route(f"{account}/pushes", self._pushes, methods=["GET"]),
            Route("/rich-consents/{id}", self._consent, methods=["GET"]),
            Route(f"{_BASE}/resolve-transaction", self._resolve, methods=["POST"]),
        ]

    async def _enroll(self, request: Request) -> Response:
        tenant = self._tenant
        sent = _TICKET.fullmatch(request.headers.get("authorization", ""))
        if sent is None:
            raise invalid_token()
        ticket_id = self._transactions.ticket(sent[1])
        device = read_payload(_NewDevice, await _body(request))
        public_key = _checked_key(device.public_key.model_dump())
        with tenant.store.atomic():
            enrollment = enroll_with_ticket(tenant, ticket_id, device.name)
            kept = {
                "identifier": device.identifier,
                "_push_credentials": device.push_credentials.model_dump(),
            }
            token, totp = enroll_device(tenant, enrollment["id"], kept, public_key)
        return answer(
            {
                "id": enrollment["id"],
                "url": tenant.issuer.rstrip("/"),
                "issuer": tenant.name,
                "user_id": tenant.enrollments[enrollment["id"]]["_user_id"],
                "token": token,
                "totp": {"secret": totp, "algorithm": "SHA1", "digits": 6, "period": 30},
            }
        )

    async def _pushes(self, request: Request) -> Response:
        return answer(pushes(self._tenant, self._device(request)))

    async def _change(self, request: Request) -> Response:
        former = self._device(request)
        given = read_payload(_Changed, await _body(request)).given()
        credentials = given.pop("push_credentials", None)
        if credentials is not None:
            given["_push_credentials"] = credentials
        changed = self._tenant.enrollments.put(former["id"], {**former, **given})
        return answer({name: changed[name] for name in ("id", "name", "identifier")})

    async def _remove(self, request: Request) -> Response:
        with self._tenant.store.atomic():
            remove_enrollment(self._tenant, self._device(request))
        return Response(status_code=204)

    async def _consent(self, request: Request) -> Response:
        consent_id = str(request.path_params["id"])
        try:
            return answer(self._consent_of(request, consent_id))
        except ManagementError as refused:
            details = {"error": {"message": str(refused)}, "requestedRichConsentId": consent_id}
            self._tenant.events.add("rich_consents_access_error", details=details)
            raise

    def _consent_of(self, request: Request, consent_id: str) -> dict[str, Any]:
        token = _bearer(request, "MFA-DPoP")
        enrollment, asked = read_token(self._tenant, token)
        if asked.consent_id != consent_id or not is_active(self._tenant, asked):
            raise gone()
        self._check_proof(enrollment, request, token)
        details: dict[str, Any] = {
            "audience": asked.audience or self._tenant.userinfo_url,
            "scope": asked.scope,
            "binding_message": asked.binding_message,
        }
        if asked.authorization_details:
            details["authorization_details"] = asked.authorization_details
        return {
            "id": consent_id,
            "requested_details": details,
            "created_at": iso(asked.created_at),
            "expires_at": iso(asked.expires_at),
        }

    def _check_proof(self, enrollment: dict[str, Any], request: Request, token: str) -> None:
        """RFC 9449 section 4.3, with Auth0's header names (contract section 6.3)."""
        header, claims = _verified(enrollment, request.headers.get("mfa-dpop", "")) or ({}, {})
        key = enrollment.get("_public_key") or {}
        sent = header.get("jwk")
        digest = hashlib.sha256(token.encode()).digest()
        now, issued, proof = self._tenant.now(), moment_in(claims, "iat"), claims.get("jti")
        urls = [f"{form}rich-consents/{request.path_params['id']}" for form in self._issuers()]
        held = (
            header.get("typ") == "dpop+jwt"
            and isinstance(sent, dict)
            and (sent.get("n"), sent.get("e")) == (key.get("n"), key.get("e"))
            and claims.get("htm") == "GET"
            and claims.get("htu") in urls
            and claims.get("ath") == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            and issued is not None
            and abs(now - issued) <= PROOF_SECONDS
            and isinstance(proof, str)
            and 0 < len(proof) <= 255
        )
        if not held or not self._fresh(f"{enrollment['id']} {proof}", now):
            raise ManagementError(403, "Invalid DPoP Assertion", "invalid_dpop_assertion")

    def _fresh(self, proof: str, now: float) -> bool:
        for key in [key for key, until in self._proofs.items() if until < now]:
            del self._proofs[key]
        if proof in self._proofs:
            return False
        self._proofs[proof] = now + 2 * PROOF_SECONDS
        return True

    async def _resolve(self, request: Request) -> Response:
        token = _bearer(request, "Bearer")
        enrollment, asked = read_token(self._tenant, token)
        sent = read_payload(_Answer, await _body(request)).challenge_response
        if not is_active(self._tenant, asked):
            raise gone()
        _, claims = _verified(enrollment, sent) or ({}, {})
        if not self._answer_holds(enrollment, asked.consent_id, claims):
            raise invalid_token()
        approve = claims["auth0_guardian_accepted"]
        reason = claims.get("auth0_guardian_reason")
        try:
            self._tenant.decide(
                asked.consent_id,
                "approve" if approve else "deny",
                enrollment=enrollment,
                reason=reason if isinstance(reason, str) else None,
            )
        except (AlreadyDecided, UnknownNotification):
            raise gone() from None
        return Response(status_code=204)

    def _answer_holds(
        self, enrollment: dict[str, Any], consent_id: str, claims: dict[str, Any]
    ) -> bool:
        now = self._tenant.now()
        issued, expires = moment_in(claims, "iat"), moment_in(claims, "exp")
        wanted = challenge(self._tenant, enrollment["id"], consent_id)
        return (
            claims.get("aud")
            in [f"{form}{_BASE[1:]}/resolve-transaction" for form in self._issuers()]
            and claims.get("iss") == enrollment["identifier"]
            and hmac.compare_digest(str(claims.get("sub")).encode(), wanted.encode())
            and claims.get("auth0_guardian_method") == "push"
            and isinstance(claims.get("auth0_guardian_accepted"), bool)
            and issued is not None
            and expires is not None
            and issued - SKEW <= now <= expires + SKEW
            and expires - issued <= LONGEST_ANSWER
        )

    def _device(self, request: Request) -> dict[str, Any]:
        token = _bearer(request, "Bearer")
        return device_of(self._tenant, str(request.path_params["id"]), token)

    def _issuers(self) -> frozenset[str]:
        return self._tenant.issuer_forms()


def _bearer(request: Request, scheme: str) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != scheme.lower() or not token.strip():
        raise invalid_token()
    return token.strip()


def _checked_key(jwk: dict[str, Any]) -> dict[str, Any]:
    """The key, when it is a usable RSA key of 2048 bits or more.

    Raises:
        ManagementError: 400 `invalid_body`.
    """
    try:
        numbers = RSAKey.import_key(jwk).public_key.public_numbers()
    except (JoseError, ValueError):
        refuse_payload("public_key is no RSA key")
    if numbers.n.bit_length() < 2048 or numbers.e < 3:
        refuse_payload("public_key must have at least 2048 bits")
    return jwk


def _verified(
    enrollment: dict[str, Any], token: str
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Header and claims of what the device signed; None when its key does not verify it."""
    key = enrollment.get("_public_key")
    if key is None or len(token) > 8192 or not all(map(_BASE64URL.fullmatch, token.split("."))):
        return None
    registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    registry.max_header_length = 4096  # a DPoP proof carries the public key in its header
    try:
        signed = jws.deserialize_compact(token, RSAKey.import_key(key), registry=registry)
        claims = parse_json(signed.payload)
    except (JoseError, ValueError, TypeError, AttributeError):
        return None
    return (dict(signed.headers()), claims) if isinstance(claims, dict) else None


async def _body(request: Request) -> bytes:
    try:
        return await read_body(request.receive)
    except OAuthError as refused:
        raise ManagementError(refused.status, str(refused), "invalid_body") from None
