"""HTTP that a notebook can watch: each request and answer is printed, secrets masked."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote

import httpx

from baink_lab.auth0.machine_token import ManagementError
from baink_lab.auth0.wire import LOOPBACK_DIRECT
from baink_lab.lab.widgets.show import counted
from baink_lab.lab.wire.patient import Patient
from baink_lab.settings import World

MASK = "•••"
_WIDE = 84  # characters of a nested value that are still read at a glance
TIMEOUT_SECONDS = 15.0
#: Names whose values nobody should see, wherever they are in a body.
SECRETS = frozenset(
    (
        *("access_token", "id_token", "refresh_token", "token", "client_assertion"),
        *("assertion", "subject_token", "actor_token", "id_token_hint", "login_hint_token"),
        *("auth_req_id", "code", "code_verifier", "mfa_token", "oob_code", "ticket"),
        *("client_secret", "password", "signing_secret", "otp", "recovery_code"),
    )
)
#: What an API calls an error (RFC 9457): a word or several, as no authorization code is.
_ERROR_CODE = re.compile(r"[a-z]+(_[a-z]+)*")
#: A JWT, or the beginning of one.
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w.-]*")


@dataclasses.dataclass(frozen=True)
class Exchange:
    """One request and its answer, as they may be shown: no secret is in here.

    Attributes:
        method: of the request.
        path: without the host.
        sent: the decoded body; None when there was none.
        status: of the answer.
        received: the decoded body, or the text.
        to: who was asked, in a word.
        about: the same for every message about one CIBA request; a digest of its `auth_req_id`.
    """

    method: str
    path: str
    sent: Any
    status: int
    received: Any
    to: str = "Tenant"
    about: str = dataclasses.field(default="", repr=False)

    def __str__(self) -> str:
        phrase = HTTPStatus(self.status).phrase if self.status in set(HTTPStatus) else ""
        parts = [f"{self.method} {self.path}", _pretty(self.sent)]
        parts += [f"→ {self.status} {phrase}".rstrip(), _pretty(self.received)]
        return "\n".join(part for part in parts if part)


def watched_http(
    base_url: str,
    told: Callable[[Exchange], None],
    *,
    to: str = "Tenant",
    token: str | None = None,
) -> httpx.AsyncClient:
    """A plain httpx client that tells of each exchange.

    Args:
        base_url: what paths are relative to.
        told: gets each exchange once its answer is there.
        to: who is asked, in a word.
        token: sent as bearer token.
    """

    async def look(response: httpx.Response) -> None:
        await response.aread()
        told(exchange_of(response, to))

    return httpx.AsyncClient(
        base_url=base_url,
        headers={"Authorization": f"Bearer {token}"} if token else {},
        timeout=TIMEOUT_SECONDS,
        mounts=LOOPBACK_DIRECT,
        event_hooks={"response": [look]},
    )


async def management_http(world: World, told: Callable[[Exchange], None]) -> httpx.AsyncClient:
    """The same for the tenant's Management API, with a token of the lab's own; it waits out a 429.

    Raises:
        ManagementError: the tenant gave no token.
    """
    form = {
        "grant_type": "client_credentials",
        "client_id": world.management_client_id,
        "client_secret": world.management_client_secret,
        "audience": f"{world.issuer}api/v2/",
    }
    async with watched_http(f"{world.tenant}/", lambda _: None) as http:
        answer = (await http.post("oauth/token", data=form)).json()
    if "access_token" not in answer:
        raise ManagementError(
            "The tenant gave no token for the Management API "
            f"({answer.get('error', 'no reason')}): run await lab.doctor()."
        )
    http = watched_http(f"{world.tenant}/api/v2/", told, token=answer["access_token"])
    http.auth = Patient()
    return http


def exchange_of(response: httpx.Response, to: str = "Tenant") -> Exchange:
    """What a response and its request say, secrets masked."""
    request = response.request
    received = _decoded(response.content, response.headers.get("content-type", ""))
    if request.url.path.startswith("/.well-known/") and response.is_success:
        received = "(public metadata of the tenant)"
    sent = _decoded(request.content, request.headers.get("content-type", ""))
    return Exchange(
        request.method,
        _masked_path(request.url),
        masked(sent),
        response.status_code,
        masked(received),
        to,
        _about(sent) or _about(received),
    )


def masked(value: Any) -> Any:
    """The same value with every secret in it replaced by dots."""
    if isinstance(value, dict):
        told = {"code"} if _is_problem(value) else set()
        return {
            name: MASK if name not in told and _is_secret(name, one) else masked(one)
            for name, one in value.items()
        }
    if isinstance(value, str):  # a token may be where nobody expects one
        return _TOKEN.sub(MASK, value)
    return [masked(one) for one in value] if isinstance(value, list) else value


def _about(body: Any) -> str:
    """What tells CIBA requests apart, and gives nobody the secret that names them."""
    named = body.get("auth_req_id") if isinstance(body, dict) else None
    if not isinstance(named, str) or not named:
        return ""
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _is_problem(body: dict[str, Any]) -> bool:
    """Whether a body tells of an error, so that its `code` is the error's and no login's."""
    code = body.get("code")
    named = isinstance(code, str) and _ERROR_CODE.fullmatch(code) is not None
    return named and body.get("type") == f"urn:baink:problem:{code}"


def _is_secret(name: str, value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return False
    # A status may be called `code` too, and is a number then.
    return name.lower() in SECRETS and not (name == "code" and isinstance(value, int))


def _masked_path(url: httpx.URL) -> str:
    """Path and query as they were sent, but for secrets in the query."""
    path = url.raw_path.decode()
    names = [name for name in url.params if _is_secret(name, "")]
    if not names:
        return _TOKEN.sub(MASK, path)
    told = [(name, MASK if name in names else value) for name, value in url.params.multi_items()]
    pairs = "&".join(f"{quote(name)}={quote(value, safe=MASK)}" for name, value in told)
    return _TOKEN.sub(MASK, f"{path.partition('?')[0]}?{pairs}")


def _decoded(body: bytes, kind: str) -> Any:
    if not body:
        return None
    text = body.decode("utf-8", "replace")
    if "form-urlencoded" in kind:
        return dict(parse_qsl(text))
    try:
        return json.loads(text)
    except ValueError:
        return f"({counted(len(text), 'character')} of {kind.partition(';')[0] or 'text'})"


def _pretty(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else laid_out(value)


def laid_out(value: Any, indent: str = "") -> str:
    """JSON to read: each member of the whole on a line of its own; what is in it, if it fits."""
    text = json.dumps(value, ensure_ascii=False)
    if not value or not isinstance(value, dict | list) or (indent and len(text) <= _WIDE):
        return text
    deeper = f"{indent}  "
    if isinstance(value, dict):
        lines = [
            f"{json.dumps(k, ensure_ascii=False)}: {laid_out(v, deeper)}" for k, v in value.items()
        ]
    else:
        lines = [laid_out(one, deeper) for one in value]
    first, last = ("{", "}") if isinstance(value, dict) else ("[", "]")
    inner = f",\n{deeper}".join(lines)
    return f"{first}\n{deeper}{inner}\n{indent}{last}"
