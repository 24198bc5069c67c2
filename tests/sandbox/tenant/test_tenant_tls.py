"""The loopback certificate: good for loopback, kept between runs, renewed in time."""

from __future__ import annotations

import ssl
import stat

import pytest
from cryptography import x509

from baink_lab.sandbox.tenant import tls


def test_it_is_kept_and_private(tmp_path):
    files = tls.local_certificate(tmp_path / "tls")
    before = files.certificate.read_bytes()
    assert tls.local_certificate(tmp_path / "tls") == files
    assert files.certificate.read_bytes() == before
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["ca.pem", "cert.pem", "key.pem"])
def test_a_lost_or_damaged_file_is_made_anew(tmp_path, name):
    tls.local_certificate(tmp_path)
    (tmp_path / name).unlink()
    files = tls.local_certificate(tmp_path)
    ssl.create_default_context(cafile=str(files.authority))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.key)


def test_it_is_renewed_before_it_ends(tmp_path, monkeypatch):
    before = tls.local_certificate(tmp_path).certificate.read_bytes()
    monkeypatch.setattr(tls, "RENEW_BEFORE", tls.LIFETIME)
    assert tls.local_certificate(tmp_path).certificate.read_bytes() != before


def test_another_address_gets_another_certificate(tmp_path):
    before = tls.local_certificate(tmp_path).certificate.read_bytes()
    files = tls.local_certificate(tmp_path, "192.0.2.1")
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert addresses == {"127.0.0.1", "::1", "192.0.2.1"}
    assert tls.local_certificate(tmp_path, "127.0.0.1").certificate.read_bytes() != before


def test_the_authority_speaks_for_loopback_alone(tmp_path):
    files = tls.local_certificate(tmp_path)
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    names = {str(item.value) for item in limits.value.permitted_subtrees}
    assert names == {"localhost", "127.0.0.1/32", "::1/128"}
    pems = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert pems.count(b"PRIVATE KEY-----") == 2, "one key: the authority's own is thrown away"
