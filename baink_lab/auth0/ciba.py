"""Client-Initiated Backchannel Authentication with poll delivery (OpenID CIBA Core 1.0)."""

from __future__ import annotations

import dataclasses
import json
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from baink_lab.auth0.discovery import Provider, discover
from baink_lab.auth0.errors import (
    AccessDenied,
    CibaError,
    Expired,
    RequestSpent,
    Unavailable,
    Unenrolled,
)
from baink_lab.auth0.wire import answer_of, new_http, retry_after, send
from baink_lab.clock import Clock, SystemClock

CIBA_GRANT = "urn:openid:params:grant-type:ciba"
BINDING_MESSAGE = re.compile(r"[A-Za-z0-9 +\-_.,:#]{1,64}")
MAX_EXPIRY_SECONDS = 259_200
DEFAULT_INTERVAL_SECONDS = 5.0
SLOW_DOWN_SECONDS = 5.0
LONGEST_BACK_OFF_SECONDS = 60.0


@dataclasses.dataclass(frozen=True)
class CibaRequest:
    """A question that is on its way to the customer's phone.

    Attributes:
        auth_req_id: what to poll with; a secret, so not in `repr`.
        expires_in: seconds from `started_at` until the question lapses.
        interval: least seconds between two polls.
        started_at: when the request was sent, in seconds since the epoch on our clock.
    """

    auth_req_id: str = dataclasses.field(repr=False)
    expires_in: float
    interval: float
    started_at: float

    @property
    def expires_at(self) -> float:
        """When the question lapses, in seconds since the epoch on our clock."""
        return self.started_at + self.expires_in


@dataclasses.dataclass(frozen=True)
class Pending:
    """The customer has not answered yet; poll again after `wait` seconds, with `request`."""

    request: CibaRequest
    wait: float
    slowed_down: bool = False


@dataclasses.dataclass(frozen=True)
class Tokens:
    """What an approval brings. `expires_in` is in seconds; secrets are not in `repr`."""

    access_token: str = dataclasses.field(repr=False)
    expires_in: float
    scope: str = ""
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme
    id_token: str | None = dataclasses.field(default=None, repr=False)
    authorization_details: list[dict[str, Any]] | None = None


def iss_sub(issuer: str, user_id: str) -> str:
    """Auth0's login_hint: JSON with the issuer (slash and all) and the user's id."""
    return json.dumps({"format": "iss_sub", "iss": f"{issuer.rstrip('/')}/", "sub": user_id})


class CibaClient:
    """Asks a customer's phone through a tenant and collects the answer.

    Works with any OpenID provider that offers CIBA with poll delivery: endpoints come from its
    discovery document, read once at the first use.

    Args:
        issuer: the issuer URL, like ``https://your-tenant.eu.auth0.com/``.
        client_id: of a confidential client with the CIBA grant.
        client_secret: sent in the body (client_secret_post).
        login_hint: makes the hint from issuer and user id; Auth0's `iss_sub` unless given.
        http: an httpx client to use, left open at the end; one of our own when left out.
        clock: what tells the time and sleeps.
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        *,
        login_hint: Callable[[str, str], str] = iss_sub,
        http: httpx.AsyncClient | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self._client_secret = client_secret
        self._login_hint = login_hint
        self._own_http = http is None
        self._http = http or new_http()
        self._clock = clock or SystemClock()
        self._provider: Provider | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the HTTP client, if it is our own."""
        if self._own_http:
            await self._http.aclose()

    async def start(
        self,
        user_id: str,
        scope: str | Iterable[str],
        audience: str | None,
        binding_message: str,
        authorization_details: Sequence[Mapping[str, Any]] | None = None,
        requested_expiry: int | None = None,
    ) -> CibaRequest:
        """Send the question to the customer's phone.

        What can be checked here is checked before anything is sent, so that a slip of the caller
        is not taken for a customer without a phone. A request that gets no answer is not sent
        again: the phone may have rung.

        Args:
            user_id: the customer, like ``auth0|6707939cad3d8bec47ecfa2e``.
            scope: space separated or a list; `openid` is added when it is missing.
            audience: the identifier of the API that the token is for.
            binding_message: 1 to 64 characters of letters, digits, space and ``+-_.,:#``.
            authorization_details: RFC 9396 objects, each with a `type` known to the API.
            requested_expiry: seconds, 1 to 259,200; up to 300 for a push. The tenant's default
                (300) when left out.

        Raises:
            Unenrolled: the customer has no device to ask.
            CibaError: the tenant, or our own check, refused; `code` is the OAuth error.
            Unavailable: no usable answer; for 429 `code` is ``too_many_requests``.
        """
        _check(binding_message, requested_expiry)
        provider = await self.provider()
        form = self._credentials() | {
            "login_hint": self._login_hint(provider.issuer, user_id),
            "scope": _with_openid(scope),
            "binding_message": binding_message,
        }
        if audience:
            form["audience"] = audience
        if authorization_details:
            form["authorization_details"] = json.dumps([dict(one) for one in authorization_details])
        if requested_expiry is not None:
            form["requested_expiry"] = str(requested_expiry)
        sent_at = self._clock.now()
        endpoint = provider.backchannel_authentication_endpoint
        response = await send(self._http, "POST", endpoint, data=form)
        answer = answer_of(response)
        if response.status_code != 200:
            raise _refusal(answer)
        return _request_of(answer, sent_at)

    async def poll(self, request: CibaRequest) -> Tokens | Pending:
        """Ask once whether the customer has answered.

        Raises:
            AccessDenied: the customer said no.
            Expired: time was up. Auth0 says `access_denied` for both; our clock tells them apart.
            RequestSpent: the tenant does not know this request, or gave its tokens before.
            CibaError: any other refusal; `code` is the OAuth error.
            Unavailable: no usable answer. It is not a denial; ask again later.
        """
        provider = await self.provider()
        form = self._credentials() | {"grant_type": CIBA_GRANT, "auth_req_id": request.auth_req_id}
        response = await send(self._http, "POST", provider.token_endpoint, data=form)
        answer = answer_of(response)
        if response.status_code == 200:
            return _tokens_of(answer)
        return self._still_pending(request, answer, retry_after(response))

    async def wait(self, request: CibaRequest) -> Tokens:
        """Poll politely until the request ends, one way or the other.

        Raises:
            AccessDenied, Expired, RequestSpent, CibaError: as `poll`. Also `Expired` when the
                tenant has not been reachable until the request's time was up.
        """
        wait, failures = request.interval, 0
        while True:
            await self._clock.sleep(wait)
            try:
                answer = await self.poll(request)
            except Unavailable as failure:
                failures += 1
                if self._clock.now() >= request.expires_at + request.interval:
                    raise Expired("Time was up, and the tenant could not be reached.") from failure
                wait = back_off(failures, request.interval, failure.retry_after)
                continue
            if isinstance(answer, Tokens):
                return answer
            failures, request, wait = 0, answer.request, answer.wait

    async def provider(self) -> Provider:
        """The tenant's endpoints; read from discovery the first time.

        Raises:
            Unavailable, Auth0Error: as `discover`.
        """
        if self._provider is None:
            self._provider = await discover(self.issuer, self._http)
        return self._provider

    def _credentials(self) -> dict[str, str]:
        return {"client_id": self.client_id, "client_secret": self._client_secret}

    def _still_pending(
        self, request: CibaRequest, answer: Mapping[str, Any], header_wait: float | None
    ) -> Pending:
        match str(answer.get("error", "")):
            case "authorization_pending":
                return Pending(request, wait=max(request.interval, header_wait or 0))
            case "slow_down":
                slower = _slower(request, answer, header_wait)
                return Pending(slower, wait=slower.interval, slowed_down=True)
            case "expired_token":
                raise Expired("The request expired before anyone answered.")
            case "access_denied" if self._clock.now() >= request.expires_at:
                raise Expired("The request expired before anyone answered.")
            case "access_denied":
                raise AccessDenied("The customer denied the request on the phone.")
            case "invalid_grant":
                raise RequestSpent("The tenant does not know this request any more.")
            case _:
                raise _refusal(answer)


def back_off(failures: int, interval: float, asked: float | None = None) -> float:
    """Seconds to wait after `failures` tries without an answer in a row.

    Doubles from the interval up to a minute, with up to a quarter of jitter on top so that many
    waiters do not come back together; never earlier than the tenant asked (Retry-After).
    """
    doubled = min(interval * 2.0 ** min(failures - 1, 16), LONGEST_BACK_OFF_SECONDS)
    spread = 1 + random.random() / 4  # noqa: S311 - jitter, not a secret
    return max(max(doubled, interval) * spread, asked or 0.0)


def _check(binding_message: str, requested_expiry: int | None) -> None:
    if not BINDING_MESSAGE.fullmatch(binding_message):
        raise CibaError(
            "A binding message has 1 to 64 characters: letters, digits, space and + - _ . , : #; "
            f"this one has {len(binding_message)}: {binding_message[:80]!r}.",
            code="invalid_binding_message",
        )
    if requested_expiry is not None and not 1 <= requested_expiry <= MAX_EXPIRY_SECONDS:
        raise CibaError(
            f"requested_expiry is 1 to {MAX_EXPIRY_SECONDS} seconds, not {requested_expiry}.",
            code="invalid_request",
        )


def _with_openid(scope: str | Iterable[str]) -> str:
    scopes = scope.split() if isinstance(scope, str) else list(scope)
    return " ".join(scopes if "openid" in scopes else ["openid", *scopes])


def _request_of(answer: Mapping[str, Any], sent_at: float) -> CibaRequest:
    try:
        return CibaRequest(
            auth_req_id=str(answer["auth_req_id"]),
            expires_in=float(answer["expires_in"]),
            interval=float(answer.get("interval") or DEFAULT_INTERVAL_SECONDS),
            started_at=sent_at,
        )
    except (KeyError, TypeError, ValueError):
        raise CibaError(
            "The tenant's answer lacks auth_req_id or expires_in.", code="bad_answer"
        ) from None


def _tokens_of(answer: Mapping[str, Any]) -> Tokens:
    details = answer.get("authorization_details")
    try:
        return Tokens(
            access_token=str(answer["access_token"]),
            expires_in=float(answer["expires_in"]),
            scope=str(answer.get("scope", "")),
            token_type=str(answer.get("token_type", "Bearer")),
            id_token=answer.get("id_token"),
            authorization_details=details if isinstance(details, list) else None,
        )
    except (KeyError, TypeError, ValueError):
        raise CibaError(
            "The tenant's answer lacks access_token or expires_in.", code="bad_answer"
        ) from None


def _slower(
    request: CibaRequest, answer: Mapping[str, Any], header_wait: float | None
) -> CibaRequest:
    """The larger of what the answer's body, its header and the specification's +5 s ask."""
    asked = answer.get("interval")
    body = float(asked) if isinstance(asked, int | float) else 0.0
    told = max(body, header_wait or 0.0)
    interval = max(told or request.interval + SLOW_DOWN_SECONDS, request.interval)
    return dataclasses.replace(request, interval=interval)


def _refusal(answer: Mapping[str, Any]) -> CibaError:
    error = str(answer.get("error") or "unknown_error")
    description = str(answer.get("error_description") or "no description")
    if error == "invalid_request" and re.search(r"enrol|push notif", description, re.I):
        return Unenrolled("The customer has no phone enrolled for push notifications.")
    return CibaError(f"The tenant refused: {description} ({error}).", code=error)
