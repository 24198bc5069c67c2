"""One login that has begun: good for one callback, however it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from baink_lab.auth0.browser import LoginError
from baink_lab.auth0.login import LoginRequest, SessionToken, belongs
from baink_lab.errors import BainkError


class PendingLogin:
    """Takes the address that the browser ended at, from a port or from somebody's clipboard.

    Args:
        request: what `baink_lab.auth0.login.begin` returned.
        exchange: turns that address into a session.
        user_id: who has to log in; empty when it may be anybody.

    Attributes:
        request: the same.
        over: set once it has come to an end.
        problem: what it ended with, if not with a session.
    """

    def __init__(
        self,
        request: LoginRequest,
        exchange: Callable[[str], Awaitable[SessionToken]],
        user_id: str,
    ) -> None:
        self.request = request
        self.over = asyncio.Event()
        self.problem: BainkError | None = None
        self._exchange = exchange
        self._user_id = user_id
        self._token: SessionToken | None = None
        self._used = False

    async def take(self, address: str) -> str:
        """Use `address`; returns what to tell whoever brought it.

        An address of another login (its `state` is not ours) changes nothing: any page may send
        a browser here.

        Raises:
            LoginError: it is not of this login, came a second time, or brought no session.
            Unavailable: the tenant gave no usable answer.
        """
        if not belongs(address, self.request):
            raise LoginError(
                "This address is not the end of the login that waits here (its `state` is another "
                "one's): copy the whole address, or open the newest link.",
                code="state_mismatch",
            )
        if self._used:
            raise LoginError(
                "This login is over, and its code is good once: run await lab.login() again.",
                code="login_over",
            )
        self._used = True
        try:
            self._token = self._wanted(await self._exchange(address))
        except BainkError as problem:
            self.problem = problem
            raise
        finally:
            self.over.set()
        return "Go back to the notebook, and close this page."

    def close(self) -> None:
        """Nobody may use it any more."""
        self._used = True

    def result(self) -> SessionToken:
        """The session that it brought; raises what it ended with instead."""
        if self.problem is not None:
            raise self.problem
        assert self._token is not None
        return self._token

    def _wanted(self, token: SessionToken) -> SessionToken:
        if self._user_id and token.subject != self._user_id:
            raise LoginError(
                f"You logged in as {token.subject}, but the customer is {self._user_id} "
                "(AUTH0_USER_ID). Run await lab.login() again and log in as that user, or set "
                "AUTH0_USER_ID to yours and restart the kernel.",
                code="wrong_user",
            )
        return token
