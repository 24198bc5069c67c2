"""What devices call: enrol, see what is asked, answer with a signature (contract section 6)."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from baink_lab.sandbox.tenant import models
from baink_lab.sandbox.tenant.errors import (
    AlreadyDecided,
    ManagementError,
    OAuthError,
    UnknownNotification,
)
from baink_lab.sandbox.tenant.guardian_signatures import (
    API,
    PROOF_SECONDS,
    accepted,
    checked_key,
    is_pass,
    proof_id,
)
from baink_lab.sandbox.tenant.guardian_transactions import (
    Transactions,
    device_of,
    enroll_device,
    gone,
    invalid_token,
    is_active,
    pushes,
    read_token,
)
from baink_lab.sandbox.tenant.management.enrollments import remove_enrollment
from baink_lab.sandbox.tenant.management.payload import Payload, read_payload
from baink_lab.sandbox.tenant.management.tickets import enroll_with_ticket
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.values import iso
from baink_lab.sandbox.tenant.wire import answer, read_body

_BASE = f"/{API}"
_TICKET = re.compile(r'Ticket id="([A-Za-z0-9_-]{1,128})"')

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
        public_key = checked_key(device.public_key.model_dump())
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
        with self._tenant.store.atomic():
            changed = self._tenant.enrollments.put(former["id"], {**former, **given})
            self._tenant.events.add(
                "gd_update_device_account",
                user=self._tenant.users.get(changed["_user_id"]),
                details=models.enrollment_details(self._tenant, changed),
            )
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
        consent_id, signed = str(request.path_params["id"]), request.headers.get("mfa-dpop", "")
        proof = proof_id(self._tenant, enrollment, consent_id, token, signed)
        if proof is None or not self._fresh(f"{enrollment['id']} {proof}", self._tenant.now()):
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
        claims = accepted(self._tenant, enrollment, asked.consent_id, sent)
        if claims is None:
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

    def _device(self, request: Request) -> dict[str, Any]:
        """The enrolment in the path, when its device calls: by its token, or by a JWT it signed."""
        token, enrollment_id = _bearer(request, "Bearer"), str(request.path_params["id"])
        if "." not in token:
            return device_of(self._tenant, enrollment_id, token)
        enrollment = dict(self._tenant.enrollments.get(enrollment_id, {}))
        if not is_pass(self._tenant, enrollment, token):
            raise invalid_token()
        return enrollment


def _bearer(request: Request, scheme: str) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != scheme.lower() or not token.strip():
        raise invalid_token()
    return token.strip()


async def _body(request: Request) -> bytes:
    try:
        return await read_body(request.receive)
    except OAuthError as refused:
        raise ManagementError(refused.status, str(refused), "invalid_body") from None
