"""The customer's session: the token that a login brought, kept and renewed."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

from baink_lab.auth0.browser import LoginError
from baink_lab.clock import Clock, SystemClock

RENEW_SECONDS = 30.0


@dataclasses.dataclass(frozen=True)
class SessionToken:
    """What a login brings: who the customer is, and a token to act for them.

    Attributes:
        access_token: for the API that the login named; a secret.
        expires_at: seconds since the epoch on our clock.
        subject: the customer's user id at the tenant.
        scopes: what was granted, which may be less than was asked for.
        refresh_token: only when `offline_access` was asked for and is allowed; a secret.
    """

    access_token: str = dataclasses.field(repr=False)
    expires_at: float
    subject: str
    scopes: frozenset[str] = frozenset()
    refresh_token: str | None = dataclasses.field(default=None, repr=False)


class SessionTokens:
    """A session that stays good: begins at the first use, and is renewed shortly before the end.

    Args:
        log_in: does one whole login.
        renew: gets a new token for one that ends, without the customer; when it is left out, or
            raises `LoginError`, `log_in` has to do it.
        clock: what tells the time.
    """

    def __init__(
        self,
        log_in: Callable[[], Awaitable[SessionToken]],
        *,
        renew: Callable[[SessionToken], Awaitable[SessionToken]] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._log_in = log_in
        self._renew = renew
        self._clock = clock or SystemClock()
        self._token: SessionToken | None = None
        self._since = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def current(self) -> SessionToken:
        """A token that is good for half a minute at least.

        Raises:
            LoginError: the login failed.
            Unavailable: the tenant did not answer.
        """
        async with self._one_at_a_time:
            if self._token is None or not self._good(self._token):
                since = self._clock.now()
                self._token, self._since = await self._next(self._token), since
            return self._token

    def adopt(self, token: SessionToken) -> None:
        """From now on use this token, which a login elsewhere brought."""
        self._token, self._since = token, self._clock.now()

    async def _next(self, last: SessionToken | None) -> SessionToken:
        if last is not None and self._renew is not None:
            try:
                return await self._renew(last)
            except LoginError:
                pass  # refused, spent, or there is no refresh token: a whole login then
        return await self._log_in()

    def _good(self, token: SessionToken) -> bool:
        # When the clock was set back, the token is from the future, and refused as such.
        return self._since <= self._clock.now() < token.expires_at - RENEW_SECONDS
