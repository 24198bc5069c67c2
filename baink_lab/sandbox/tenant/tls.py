"""HTTPS for SDKs that insist on it: a certificate for this machine under a CA of its own."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=397)  # the longest that browsers accept
RENEW_BEFORE = timedelta(days=30)
_LOOPBACK = ("127.0.0.1", "::1")
_NAMES = ("localhost",)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the PEM files are: `authority` for clients to trust, the other two for the server."""

    authority: Path
    certificate: Path
    key: Path


def local_certificate(folder: Path, *more: str) -> TlsFiles:
    """A certificate for 127.0.0.1, ::1 and localhost; made anew when it is missing or old.

    The authority's own key is thrown away once it has signed, and the authority is good for
    these names only: trusting it lets nobody pose as another site.

    Args:
        folder: where the files are kept; made for its owner alone.
        more: further IP addresses that the certificate must name.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = TlsFiles(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    addresses = tuple(dict.fromkeys((*_LOOPBACK, *more)))
    if not _still_good(files, addresses):
        _make(files, addresses)
    return files


def _still_good(files: TlsFiles, addresses: tuple[str, ...]) -> bool:
    try:
        if not files.key.is_file() or not files.authority.is_file():
            return False
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    known = {str(address) for address in named.value.get_values_for_type(x509.IPAddress)}
    in_time = certificate.not_valid_after_utc - RENEW_BEFORE > datetime.now(UTC)
    return in_time and known == set(addresses)


def _make(files: TlsFiles, addresses: tuple[str, ...]) -> None:
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = _name("bAInk Lab, this machine only")
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    authority = (
        _begun(name, name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(_only(addresses), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    certificate = (
        _begun(name, _name("localhost"), key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(_names(addresses)), critical=False)
        .add_extension(server, critical=False)
        .add_extension(issued_by, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(files.key, private)
    _write(files.certificate, certificate.public_bytes(pem))
    _write(files.authority, authority.public_bytes(pem))


def _begun(
    issuer: x509.Name, subject: x509.Name, public_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _names(addresses: tuple[str, ...]) -> list[x509.GeneralName]:
    numbers = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    return [*(x509.DNSName(name) for name in _NAMES), *numbers]


def _only(addresses: tuple[str, ...]) -> x509.NameConstraints:
    networks = [x509.IPAddress(ipaddress.ip_network(address)) for address in addresses]
    permitted = [*(x509.DNSName(name) for name in _NAMES), *networks]
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
