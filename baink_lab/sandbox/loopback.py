"""HTTP to our own services: no proxy in between, and only our own certificate authority."""

from __future__ import annotations

import contextlib
import functools
import os
import ssl
from pathlib import Path

import httpx


def loopback_http(timeout: float, ca: str | None = None) -> httpx.AsyncClient:
    """An HTTP client for the sandbox's services, quick to make.

    A proxy from the environment must not come between, and loading the system's certificate
    authorities costs 20 ms and more: this one trusts the sandbox's alone (`--tls`), or none, as
    plain HTTP needs none.

    Args:
        timeout: seconds for each step of an exchange.
        ca: the authority's PEM file; the one that SSL_CERT_FILE names when left out.
    """
    file = ca or os.environ.get("SSL_CERT_FILE", "")
    changed = 0
    with contextlib.suppress(OSError):
        changed = Path(file).stat().st_mtime_ns if file else 0
    return httpx.AsyncClient(timeout=timeout, trust_env=False, verify=_trust(file, changed))


@functools.lru_cache(maxsize=4)
def _trust(file: str, changed: int) -> ssl.SSLContext:
    """Trust what is in `file`, as it was at `changed`; nobody when there is no such file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if changed:
        with contextlib.suppress(OSError):  # then HTTPS fails, and plain HTTP works on
            context.load_verify_locations(cafile=file)
    return context
