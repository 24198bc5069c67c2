"""Auth0's Management API v2: a token of its own, plain HTTP verbs, and the few look-ups we need."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from baink_lab.auth0.errors import Unavailable
from baink_lab.auth0.machine_token import MachineToken, ManagementError
from baink_lab.auth0.wire import answer_of, new_http, retry_after
from baink_lab.clock import Clock, SystemClock

TRIES = 4
LONGEST_PAUSE_SECONDS = 60.0
PUSH = "push-notification"


class ManagementClient:
    """Talks to `{issuer}api/v2/` with a token that it gets, keeps and renews by itself.

    Rate limits (429) are waited out as the tenant asks; a token that the tenant does not accept
    any more is renewed once.

    Args:
        issuer: the tenant's own issuer, not a custom domain: its `api/v2/` is the audience.
        client_id: of a machine-to-machine application authorized for the Management API.
        client_secret: sent in the body (client_secret_post).
        http: an httpx client to use, left open at the end; one of our own when left out.
        clock: what tells the time and sleeps.
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        *,
        http: httpx.AsyncClient | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._base = f"{issuer.rstrip('/')}/api/v2/"
        self._own_http = http is None
        self._http = http or new_http()
        self._clock = clock or SystemClock()
        self._token = MachineToken(
            issuer, client_id, client_secret, self._base, http=self._http, clock=self._clock
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._own_http:
            await self._http.aclose()

    async def get(self, path: str, **query: Any) -> Any:
        """GET `api/v2/{path}`; parameters that are None are left out.

        Raises:
            ManagementError: the tenant refused.
            Unavailable: no usable answer.
        """
        asked = {name: value for name, value in query.items() if value is not None}
        return await self._call("GET", path, params=asked)

    async def post(self, path: str, body: Any) -> Any:
        """POST `body` as JSON; raises like `get`."""
        return await self._call("POST", path, json=body)

    async def patch(self, path: str, body: Any) -> Any:
        """PATCH with `body` as JSON (lists in it replace, they do not merge); raises like `get`."""
        return await self._call("PATCH", path, json=body)

    async def put(self, path: str, body: Any) -> Any:
        """PUT `body` as JSON; raises like `get`."""
        return await self._call("PUT", path, json=body)

    async def delete(self, path: str, body: Any = None) -> Any:
        """DELETE, with `body` as JSON where the endpoint wants one; raises like `get`."""
        return await self._call("DELETE", path, **({} if body is None else {"json": body}))

    async def find_client(self, client_id: str) -> dict[str, Any] | None:
        """The application with this id; None when there is none. Scope read:clients."""
        return await self._find(f"clients/{quote(client_id, safe='')}")

    async def find_resource_server(self, identifier: str) -> dict[str, Any] | None:
        """The API with exactly this identifier; None when there is none."""
        return await self._find(f"resource-servers/{quote(identifier, safe='')}")

    async def find_user(self, user_id: str) -> dict[str, Any] | None:
        """The user with this id; None when there is none. Scope read:users."""
        return await self._find(f"users/{quote(user_id, safe='')}")

    async def client_grants(
        self,
        *,
        client_id: str | None = None,
        audience: str | None = None,
        subject_type: str | None = None,
    ) -> list[dict[str, Any]]:
        """Which applications may call which APIs; `user` grants are the ones CIBA needs."""
        grants = await self.get(
            "client-grants",
            client_id=client_id,
            audience=audience,
            subject_type=subject_type,
            per_page=100,
        )
        return _objects(grants)

    async def push_enrollments(self, user_id: str) -> list[dict[str, Any]]:
        """The user's confirmed Guardian devices: at least one is needed for a push."""
        found = _objects(await self.get(f"users/{quote(user_id, safe='')}/enrollments"))
        return [
            each
            for each in found
            if each.get("auth_method") == "guardian" and each.get("status") == "confirmed"
        ]

    async def push_factor_enabled(self) -> bool:
        """True when Guardian push is switched on for the tenant."""
        factors = _objects(await self.get("guardian/factors"))
        return any(each.get("name") == PUSH and each.get("enabled") is True for each in factors)

    async def push_provider(self) -> str | None:
        """Who gets pushes: `guardian`, or one's own app by `sns` or `direct`; None: not known."""
        found = await self._find(f"guardian/factors/{PUSH}/selected-provider")
        return str(found["provider"]) if found and found.get("provider") else None

    async def enrollment_ticket(self, user_id: str) -> str:
        """A URL, good once for 5 days, where this user enrolls a phone. Nothing is mailed."""
        wanted = {"user_id": user_id, "send_mail": False, "factor": PUSH}
        # Without it, a user who has another authenticator is told "already enrolled".
        wanted |= {"allow_multiple_enrollments": True}
        ticket = await self.post("guardian/enrollments/ticket", wanted)
        url = ticket.get("ticket_url") if isinstance(ticket, dict) else None
        if not isinstance(url, str):
            raise Unavailable("The tenant's answer holds no enrolment ticket.")
        return url

    async def _find(self, path: str) -> dict[str, Any] | None:
        try:
            found = await self.get(path)
        except ManagementError as refused:
            if refused.status == 404:
                return None
            raise
        return found if isinstance(found, dict) else None

    async def _call(self, method: str, path: str, **content: Any) -> Any:
        url = f"{self._base}{path.lstrip('/')}"
        renewed = False
        for attempt in range(1, TRIES + 1):
            token = await self._token.fresh()
            headers = {"authorization": f"Bearer {token}"}
            response = await self._send(method, url, headers=headers, **content)
            if response.status_code == 429 and attempt < TRIES:
                await self._clock.sleep(self._pause(response))
            elif response.status_code == 401 and not renewed and attempt < TRIES:
                renewed = True
                self._token.forget(token)
            else:
                break
        return _read(response, f"{method} /api/v2/{path}")

    async def _send(self, method: str, url: str, **content: Any) -> httpx.Response:
        try:
            response = await self._http.request(method, url, **content)
        except httpx.HTTPError as failure:
            # The cause is cut off: httpx's exceptions carry the request, and with it the token.
            raise Unavailable(f"No answer from {url} ({type(failure).__name__}).") from None
        if response.status_code >= 500:
            raise Unavailable(f"{url} answered HTTP {response.status_code}.")
        return response

    def _pause(self, response: httpx.Response) -> float:
        """Seconds to wait after a 429: Retry-After, else until x-ratelimit-reset, else one."""
        asked = retry_after(response)
        if asked is None:
            reset = response.headers.get("x-ratelimit-reset", "")
            known = reset.isascii() and reset.isdigit()
            asked = float(reset) - self._clock.now() if known else 1.0
        return min(max(asked, 0.0), LONGEST_PAUSE_SECONDS)


def _objects(answer: Any) -> list[dict[str, Any]]:
    return [each for each in answer if isinstance(each, dict)] if isinstance(answer, list) else []


def _json(response: httpx.Response, what: str) -> Any:
    try:
        return response.json()
    except ValueError:  # a proxy, or a login page of the network, answers in the tenant's place
        status = response.status_code
        raise Unavailable(f"{what} was answered without JSON (HTTP {status}).") from None


def _read(response: httpx.Response, what: str) -> Any:
    if response.is_success:
        return _json(response, what) if response.content else None
    answer = answer_of(response)
    message = str(answer.get("message") or answer.get("error") or response.reason_phrase)
    code = str(answer.get("errorCode") or answer.get("error") or "management")
    advice = ""
    if response.status_code == 403 and "scope" in message.lower():
        advice = (
            " Grant it: Applications > APIs > Auth0 Management API > Application Access > "
            "your Management application > Edit."
        )
    raise ManagementError(
        f"{what} was refused: {message.rstrip('.')} (HTTP {response.status_code}).{advice}",
        code=code,
        status=response.status_code,
    )
