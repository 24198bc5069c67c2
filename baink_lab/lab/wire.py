"""HTTP that a notebook can watch: each request and answer is printed, secrets masked."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import httpx

from baink_lab.auth0.wire import LOOPBACK_DIRECT

MASK = "•••"
TIMEOUT_SECONDS = 15.0
#: Names whose values nobody should see, wherever they are in a body.
SECRETS = frozenset(
    (
        *("access_token", "id_token", "refresh_token", "token", "client_assertion"),
        *("auth_req_id", "code", "code_verifier"),
        *("client_secret", "password", "signing_secret"),
    )
)


@dataclasses.dataclass(frozen=True)
class Exchange:
    """One request and its answer, as they may be shown: no secret is in here.

    Attributes:
        method: of the request.
        path: without the host.
        sent: the decoded body; None when there was none.
        status: of the answer.
        received: the decoded body, or the text.
    """

    method: str
    path: str
    sent: Any
    status: int
    received: Any

    def __str__(self) -> str:
        phrase = HTTPStatus(self.status).phrase if self.status in set(HTTPStatus) else ""
        parts = [f"{self.method} {self.path}", _pretty(self.sent)]
        parts += [f"→ {self.status} {phrase}".rstrip(), _pretty(self.received)]
        return "\n".join(part for part in parts if part)


def watched_http(
    base_url: str, told: Callable[[Exchange], None], *, token: str | None = None
) -> httpx.AsyncClient:
    """A plain httpx client that tells of each exchange.

    Args:
        base_url: what paths are relative to.
        told: gets each exchange once its answer is there.
        token: sent as bearer token.
    """

    async def look(response: httpx.Response) -> None:
        await response.aread()
        told(exchange_of(response))

    return httpx.AsyncClient(
        base_url=base_url,
        headers={"Authorization": f"Bearer {token}"} if token else {},
        timeout=TIMEOUT_SECONDS,
        mounts=LOOPBACK_DIRECT,
        event_hooks={"response": [look]},
    )


def exchange_of(response: httpx.Response) -> Exchange:
    """What a response and its request say, secrets masked."""
    request = response.request
    kind = request.headers.get("content-type", "")
    return Exchange(
        request.method,
        request.url.raw_path.decode(),
        masked(_decoded(request.content, kind)),
        response.status_code,
        masked(_decoded(response.content, response.headers.get("content-type", ""))),
    )


def masked(value: Any) -> Any:
    """The same value with every secret in it replaced by dots."""
    if isinstance(value, dict):
        return {
            name: MASK if name in SECRETS and isinstance(one, str | list) else masked(one)
            for name, one in value.items()
        }
    return [masked(one) for one in value] if isinstance(value, list) else value


def _decoded(body: bytes, kind: str) -> Any:
    if not body:
        return None
    text = body.decode("utf-8", "replace")
    if "form-urlencoded" in kind:
        return dict(parse_qsl(text))
    try:
        return json.loads(text)
    except ValueError:
        return f"({len(text)} characters of {kind.partition(';')[0] or 'text'})"


def _pretty(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
