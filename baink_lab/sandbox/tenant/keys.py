"""The tenant's signing keys: made once, rotated on demand, published as a JWKS."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey, RSAKey

from baink_lab.sandbox.tenant.store import Collection

RSA_BITS = 2048
RSA_ALGORITHMS = ("RS256", "RS512", "PS256")
_CERTIFICATE_YEARS = 10


class SigningKeys:
    """The key that signs now, and the older ones whose tokens still verify.

    Args:
        documents: where the keys are kept; a first key is made when it is empty.
        host: name in the self-signed certificate (`x5c`).
    """

    def __init__(self, documents: Collection, host: str) -> None:
        self._documents = documents
        self._host = host
        self._load()
        if not documents:
            self.rotate()

    def rotate(self) -> str:
        """Make a new signing key; the former ones stay published. Returns the new `kid`."""
        document = _new_key(self._host)
        self._documents.on_rollback(self._load)
        self._documents.put(f"{len(self._documents):06d}", document)
        self._load()
        return str(document["kid"])

    def jwks(self) -> dict[str, Any]:
        """The public keys, newest first, as `/.well-known/jwks.json` prints them."""
        names = ("alg", "kty", "use", "n", "e", "kid", "x5t", "x5c")
        newest_first = sorted(self._documents, reverse=True)
        documents = [self._documents[name] for name in newest_first]
        return {"keys": [{name: document[name] for name in names} for document in documents]}

    def sign(
        self, claims: dict[str, Any], *, typ: str, alg: str = "RS256", secret: str | None = None
    ) -> str:
        """A compact JWT.

        Args:
            claims: the payload.
            typ: the header's `typ`, `JWT` or `at+jwt`.
            alg: one of `RSA_ALGORITHMS`, or HS256 with `secret`.
            secret: shared secret of an API that signs with HS256.
        """
        if alg == "HS256":
            return jwt.encode({"alg": alg, "typ": typ}, claims, OctKey.import_key(secret or ""))
        header = {"alg": alg, "typ": typ, "kid": self._current.kid}
        return jwt.encode(header, claims, self._current, algorithms=list(RSA_ALGORITHMS))

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that this tenant signed; None for anything else.

        Only the signature is checked; time and audience are the caller's business.
        """
        try:
            return jwt.decode(token, self._all, algorithms=list(RSA_ALGORITHMS)).claims
        except (JoseError, ValueError, TypeError, AttributeError):
            return None  # the last two: joserfc, for headers such as {"crit": 5}

    def _load(self) -> None:
        keys = [
            RSAKey.import_key(self._documents[name]["_pem"], {"kid": self._documents[name]["kid"]})
            for name in sorted(self._documents)
        ]
        self._all = KeySet(list(keys))
        if keys:
            self._current = keys[-1]


def _new_key(host: str) -> dict[str, Any]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    certificate = _certificate(private, host).public_bytes(serialization.Encoding.DER)
    # Auth0's kid and x5t are one value, the certificate's SHA-1 thumbprint (RFC 7517 4.8).
    thumbprint = hashlib.sha1(certificate, usedforsecurity=False).digest()
    kid = base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = RSAKey.import_key(pem).as_dict(private=False)
    return {
        "alg": "RS256",
        "kty": "RSA",
        "use": "sig",
        "n": public["n"],
        "e": public["e"],
        "kid": kid,
        "x5t": kid,
        "x5c": [base64.b64encode(certificate).decode()],
        "_pem": pem.decode(),
    }


def _certificate(private: rsa.RSAPrivateKey, host: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    today = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today)
        .not_valid_after(today + timedelta(days=365 * _CERTIFICATE_YEARS))
        .sign(private, hashes.SHA256())
    )
