"""One HTTP exchange with a tenant: sent, read, and its failures told apart from its refusals."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx

from baink_lab.auth0.errors import Unavailable

TIMEOUT_SECONDS = 10.0


#: No proxy of the environment stands between us and our own machine.
LOOPBACK_DIRECT: dict[str, None] = {"all://127.0.0.1": None, "all://localhost": None}


def new_http() -> httpx.AsyncClient:
    """An HTTP client for one tenant: 10 s to answer, no redirects followed."""
    return httpx.AsyncClient(timeout=TIMEOUT_SECONDS, mounts=LOOPBACK_DIRECT)


async def send(http: httpx.AsyncClient, method: str, url: str, **kwargs: Any) -> httpx.Response:
    """Send one request; failures to get an answer become `Unavailable`.

    The cause is cut off on purpose: httpx's exceptions carry the request, and with it secrets.

    Raises:
        Unavailable: no answer, a rate limit (429) or a server error (5xx).
    """
    host = urlsplit(url).netloc
    try:
        response = await http.request(method, url, **kwargs)
    except httpx.HTTPError as failure:
        raise Unavailable(f"No answer from {host} ({type(failure).__name__}).") from None
    status = response.status_code
    if status == 429 or status >= 500:
        raise Unavailable(
            f"{host} answered HTTP {status}.",
            code="too_many_requests" if status == 429 else None,
            retry_after=retry_after(response),
        )
    return response


def answer_of(response: httpx.Response) -> dict[str, Any]:
    """The JSON object in an answer.

    Raises:
        Unavailable: the body is not a JSON object, as when a proxy answers in the tenant's place.
    """
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        host = response.url.netloc.decode()
        raise Unavailable(f"{host} answered HTTP {response.status_code} without a JSON object.")
    return body


def retry_after(response: httpx.Response) -> float | None:
    """Seconds in a `Retry-After` header (RFC 9110, section 10.2.3); None for dates and nonsense."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None
