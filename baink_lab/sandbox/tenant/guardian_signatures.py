"""What a device signs, held against the key that it enrolled with (contract section 6)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from baink_lab.sandbox.tenant.guardian_transactions import challenge
from baink_lab.sandbox.tenant.management.payload import refuse_payload
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.values import moment_in
from baink_lab.sandbox.tenant.wire import parse_json

SKEW = 30  # seconds that a device's clock may be off
LONGEST_ANSWER = 60  # seconds; the SDKs sign for 30
LONGEST_PASS = 2 * 3600  # seconds that a device's own token may be good for
PROOF_SECONDS = 300  # how old a DPoP proof may be
API = "appliance-mfa/api"  # below the issuer
_LONGEST = 8192  # characters
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")

Enrollment = dict[str, Any]
Claims = dict[str, Any]


def checked_key(jwk: dict[str, Any]) -> dict[str, Any]:
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


def accepted(tenant: Tenant, enrollment: Enrollment, consent_id: str, signed: str) -> Claims | None:
    """The claims of an answer to a push (6.4); None when it does not hold.

    Args:
        tenant: the tenant.
        enrollment: the device that answers.
        consent_id: what it answers.
        signed: the `challenge_response`.
    """
    claims = _verified(enrollment, signed)[1]
    wanted = challenge(tenant, enrollment["id"], consent_id)
    held = (
        claims.get("aud") in _urls(tenant, f"{API}/resolve-transaction")
        and claims.get("iss") == enrollment.get("identifier")
        and hmac.compare_digest(str(claims.get("sub")).encode(), wanted.encode())
        and claims.get("auth0_guardian_method") == "push"
        and isinstance(claims.get("auth0_guardian_accepted"), bool)
        and _in_time(claims, tenant.now(), LONGEST_ANSWER)
    )
    return claims if held else None


def is_pass(tenant: Tenant, enrollment: Enrollment, signed: str) -> bool:
    """True for what newer SDKs sign for themselves in place of the device token (6.1).

    Args:
        tenant: the tenant.
        enrollment: the device that is acted on; empty when there is none.
        signed: the bearer token.
    """
    claims = _verified(enrollment, signed)[1]
    return (
        bool(claims)
        and claims.get("iss") == enrollment["id"]
        and claims.get("sub") == enrollment["_user_id"]
        and claims.get("aud") in _urls(tenant, f"{API}/device-accounts")
        and _in_time(claims, tenant.now(), LONGEST_PASS)
    )


def proof_id(
    tenant: Tenant, enrollment: Enrollment, consent_id: str, token: str, signed: str
) -> str | None:
    """The `jti` of a proof of possession (6.3, RFC 9449 section 4.3); None when it does not hold.

    Args:
        tenant: the tenant.
        enrollment: the device that asks.
        consent_id: what it asks for.
        token: the transaction token that the proof goes with.
        signed: the proof.
    """
    header, claims = _verified(enrollment, signed)
    key, sent = enrollment.get("_public_key") or {}, header.get("jwk")
    digest = hashlib.sha256(token.encode()).digest()
    issued, proof = moment_in(claims, "iat"), claims.get("jti")
    held = (
        header.get("typ") == "dpop+jwt"
        and isinstance(sent, dict)
        and (sent.get("n"), sent.get("e")) == (key.get("n"), key.get("e"))
        and claims.get("htm") == "GET"
        and claims.get("htu") in _urls(tenant, f"rich-consents/{consent_id}")
        and claims.get("ath") == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        and issued is not None
        and abs(tenant.now() - issued) <= PROOF_SECONDS
        and isinstance(proof, str)
        and 0 < len(proof) <= 255
    )
    return str(proof) if held else None


def _verified(enrollment: Enrollment, token: str) -> tuple[dict[str, Any], Claims]:
    """Header and claims of what the device signed; both empty when its key does not verify it."""
    nothing: tuple[dict[str, Any], Claims] = ({}, {})
    key = enrollment.get("_public_key")
    if key is None or len(token) > _LONGEST or not all(map(_BASE64URL.fullmatch, token.split("."))):
        return nothing
    registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    registry.max_header_length = 4096  # a DPoP proof carries the public key in its header
    try:
        signed = jws.deserialize_compact(token, RSAKey.import_key(key), registry=registry)
        claims = parse_json(signed.payload)
    except (JoseError, ValueError, TypeError, AttributeError):
        return nothing
    return (dict(signed.headers()), claims) if isinstance(claims, dict) else nothing


def _urls(tenant: Tenant, path: str) -> list[str]:
    """A path below our issuer, in each of its spellings: a list, as a claim may be unhashable."""
    return [f"{form}{path}" for form in tenant.issuer_forms()]


def _in_time(claims: Claims, now: float, longest: float) -> bool:
    issued, expires = moment_in(claims, "iat"), moment_in(claims, "exp")
    return (
        issued is not None
        and expires is not None
        and issued - SKEW <= now <= expires + SKEW
        and expires - issued <= longest
    )
