"""A machine's own token for the Management API: client_credentials, kept and renewed."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from baink_lab.auth0.errors import Auth0Error, Unavailable
from baink_lab.auth0.wire import answer_of, send
from baink_lab.clock import Clock
from baink_lab.errors import InOneSentence

RENEW_SECONDS = 10.0


class ManagementError(InOneSentence, Auth0Error):
    """The Management API, or the token endpoint on the way to it, refused.

    Args:
        sentence: what was refused and what to do.
        code: `errorCode` of the answer, or `error` of a token answer.
        status: the HTTP status.
    """

    code = "management"

    def __init__(self, sentence: str, *, code: str | None = None, status: int = 0) -> None:
        super().__init__(sentence, code=code)
        self.status = status


class MachineToken:
    """Gets a token by client_credentials (RFC 6749 section 4.4) and renews it in time.

    Args:
        issuer: the tenant.
        client_id: of a machine-to-machine application.
        client_secret: sent in the body (client_secret_post).
        audience: the API that the token is for.
        http: the client to ask with.
        clock: what tells the time.
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        audience: str,
        *,
        http: httpx.AsyncClient,
        clock: Clock,
    ) -> None:
        self._url = f"{issuer.rstrip('/')}/oauth/token"
        self._form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
            "audience": audience,
        }
        self._http = http
        self._clock = clock
        self._token = ""
        self._good_until = self._since = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def fresh(self) -> str:
        """A token that is good for 10 s at least.

        Raises:
            ManagementError: the tenant refused to give one.
            Unavailable: no usable answer.
        """
        async with self._one_at_a_time:
            # A clock that was set back makes it a token from the future.
            if not self._since <= self._clock.now() < self._good_until:
                await self._get()
            return self._token

    def forget(self, token: str) -> None:
        """Renew at the next use: the API did not take `token`."""
        if token == self._token:
            self._good_until = 0.0

    async def _get(self) -> None:
        asked_at = self._clock.now()
        response = await send(self._http, "POST", self._url, data=self._form)
        answer = answer_of(response)
        if response.status_code != 200:
            raise _refused(response.status_code, answer)
        token, life = answer.get("access_token"), answer.get("expires_in", 0)
        if not isinstance(token, str) or not isinstance(life, int | float):
            raise Unavailable("The tenant's answer holds no token for the Management API.")
        self._token, self._since = token, asked_at
        self._good_until = asked_at + life - RENEW_SECONDS


def _refused(status: int, answer: dict[str, Any]) -> ManagementError:
    code = str(answer.get("error") or "management")
    said = str(answer.get("error_description") or code).rstrip(".")
    fix = (
        "authorize it: Applications > APIs > Auth0 Management API > Application Access"
        if status == 403
        else "check AUTH0_MGMT_CLIENT_ID and AUTH0_MGMT_CLIENT_SECRET"
    )
    return ManagementError(
        f"No token for the Management API (HTTP {status}: {said}); {fix}.", code=code, status=status
    )
