"""HTTP to our own services: loopback only, so no proxy and no certificate authorities."""

from __future__ import annotations

import ssl

import httpx


def loopback_http(timeout: float) -> httpx.AsyncClient:
    """An HTTP client for `http://127.0.0.1`, quick to make.

    A proxy from the environment must not come between, and loading the system's certificate
    authorities costs 20 ms and more: this one trusts none, as plain HTTP needs none.

    Args:
        timeout: seconds for each step of an exchange.
    """
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.AsyncClient(timeout=timeout, trust_env=False, verify=nobody)
