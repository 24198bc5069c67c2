"""The customer logs in from a notebook: a link to open, and the way back to the kernel."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx

from baink_lab.auth0.browser import LoginError, sign_in
from baink_lab.auth0.callback import PortTaken, callback_port
from baink_lab.auth0.login import SESSION_SCOPE, SessionToken, begin, finish, renew
from baink_lab.auth0.management import ManagementClient
from baink_lab.auth0.wire import new_http
from baink_lab.bank.ledger import Ledger
from baink_lab.bank.opening import OTHER_CUSTOMER
from baink_lab.clock import Clock, SystemClock
from baink_lab.errors import BainkError
from baink_lab.lab.customer.pending_login import PendingLogin
from baink_lab.lab.customer.show_login import LoginView
from baink_lab.sandbox import home as files
from baink_lab.settings import Settings, World

LOGIN_SECONDS = 300.0
#: Set where the kernel runs on another machine than the browser: no loopback port reaches it.
ELSEWHERE = ("JUPYTERHUB_SERVICE_PREFIX", "BINDER_SERVICE_HOST")
APP = "Applications > Applications > the bAInk > Settings"


class LoginNeeded(LoginError):
    """Only the customer can go on: nobody is logged in, or the session has ended."""

    code = "login_needed"


class Login:
    """Logins of one notebook, one at a time.

    Args:
        settings: name the port of the callback, and the mode.
        world: where the tenant is at the moment of asking, and who the customer is.
        clock: what tells the time.
    """

    def __init__(
        self, settings: Settings, world: Callable[[], World], *, clock: Clock | None = None
    ) -> None:
        self._settings = settings
        self._world = world
        self._clock = clock or SystemClock()
        self._pending: PendingLogin | None = None
        self._who_are_you = False  # the last login was another user's

    async def needed(self) -> SessionToken:
        """In place of a login where nobody can be asked.

        Raises:
            LoginNeeded: always; the sentence says what to run.
        """
        raise LoginNeeded("Nobody is logged in, or the session is over: run await lab.login().")

    async def renewed(self, token: SessionToken) -> SessionToken:
        """A new token by the refresh token; raises like `baink_lab.auth0.login.renew`."""
        world = self._world()
        async with new_http() as http:
            return await renew(
                token,
                world.issuer,
                world.client_id,
                client_secret=world.client_secret,
                http=http,
                clock=self._clock,
            )

    async def log_in(self, address: str = "", *, seconds: float = LOGIN_SECONDS) -> SessionToken:
        """Show a link, wait until the browser comes back, and exchange the code.

        Args:
            address: where the browser ended after the link of an earlier call, to paste it.
            seconds: to wait at most.

        Raises:
            LoginError: denied, too late, another user's, or not finished; one sentence each.
            Unavailable: the tenant gave no usable answer.
        """
        if address:
            return await self._pasted(address)
        if self._pending is not None:
            self._pending.close()
        async with new_http() as http:
            await self._callback_registered(http)
            self._pending = pending = await self._begin(http)
            async with contextlib.AsyncExitStack() as opened:
                why_not = await self._listen(pending, opened)
                view = LoginView(pending, why_not, self._hint())
                opened.callback(view.close)
                if self._settings.baink_autopilot and self._world().user_password:
                    await self._by_autopilot(pending)
                if why_not and not view.can_paste and not pending.over.is_set():
                    raise LoginError(
                        f"{why_not} So log in by the link, and when the browser ends on a page "
                        'that cannot be reached, copy its address and run await lab.login("…").',
                        code="paste",
                    )
                await self._wait(pending, view, seconds)
        return self._result(pending)

    async def _pasted(self, address: str) -> SessionToken:
        if self._pending is None:
            raise LoginError("No login is under way: run await lab.login() first.", code="none")
        await self._pending.take(address)
        return self._result(self._pending)

    def _result(self, pending: PendingLogin) -> SessionToken:
        self._who_are_you = pending.problem is not None and pending.problem.code == "wrong_user"
        return pending.result()

    async def _begin(self, http: httpx.AsyncClient) -> PendingLogin:
        world = self._world()
        request = await begin(
            world.issuer,
            world.client_id,
            http=http,
            audience=world.audience.removesuffix("/transfers"),
            scope=f"{SESSION_SCOPE} offline_access",
            redirect_uri=self._settings.login_callback,
            login_hint=world.user_email,
            prompt="login" if self._who_are_you else "",
        )

        async def exchange(address: str) -> SessionToken:
            async with new_http() as own:
                secret = world.client_secret
                return await finish(
                    address, request, client_secret=secret, http=own, clock=self._clock
                )

        return PendingLogin(request, exchange, world.user_id)

    async def _listen(self, pending: PendingLogin, opened: contextlib.AsyncExitStack) -> str:
        """Open the port of the callback; empty, or in words why nobody can come back to it."""
        if any(os.environ.get(name) for name in ELSEWHERE):
            return "This kernel runs on another machine than your browser."
        try:
            await opened.enter_async_context(
                callback_port(self._settings.login_callback, pending.take)
            )
        except PortTaken as taken:
            return f"{taken.sentence} End what has it, or set BAINK_LOGIN_PORT."
        return ""

    async def _wait(self, pending: PendingLogin, view: LoginView, seconds: float) -> None:
        until = self._clock.now() + seconds
        ticking = asyncio.create_task(view.count_down(until, self._clock))
        late = asyncio.create_task(self._clock.sleep(seconds))
        ended = asyncio.create_task(pending.over.wait())
        try:
            await asyncio.wait([late, ended], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (ticking, late, ended):
                task.cancel()
        if not pending.over.is_set():
            callback = self._settings.login_callback
            raise LoginError(
                f"Nobody logged in within {seconds / 60:.0f} minutes. If the browser said that "
                f"the callback URL does not match, add {callback} to {APP} > Allowed Callback "
                "URLs. If it ended on a page that cannot be reached, copy the whole address and "
                'run await lab.login("…"). Else run await lab.login() again.',
                code="timeout",
            )

    async def _callback_registered(self, http: httpx.AsyncClient) -> None:
        """Auth0 compares callbacks to the letter, and tells the browser only: so look first."""
        world, callback = self._world(), self._settings.login_callback
        if self._settings.mode != "live" or not world.management_client_secret:
            return
        credentials = (world.management_client_id, world.management_client_secret)
        try:
            client = await ManagementClient(world.issuer, *credentials, http=http).find_client(
                world.client_id
            )
        except BainkError:
            return  # the doctor tells what the matter is; the login may work all the same
        if client is not None and callback not in (client.get("callbacks") or []):
            raise LoginError(
                f"The tenant would not send the browser back: add {callback} to {APP} > "
                "Allowed Callback URLs, save, and run await lab.login() again.",
                code="callback_not_registered",
            )

    async def _by_autopilot(self, pending: PendingLogin) -> None:
        """Fill in the sandbox's login form, as a browser would."""
        world, request = self._world(), pending.request
        name, password = world.user_email, world.user_password
        async with new_http() as browser:
            address = await sign_in(browser, request.url, request.redirect_uri, name, password)
        with contextlib.suppress(BainkError):  # `pending` remembers it
            await pending.take(address)

    def _hint(self) -> str:
        if self._settings.mode == "live":
            return ""
        ready = files.folder(self._settings.baink_home, live=False) / files.READY
        return (
            f"The sandbox's customer is {self._world().user_email}; the password is the "
            f"user_password in {ready}."
        )


def open_accounts(folder: Path, user_id: str) -> None:
    """Give a customer whom the bank does not know yet their accounts; harmless for one it knows.

    Args:
        folder: where the bank's ledger is.
        user_id: the customer.
    """
    with contextlib.closing(Ledger.open(folder / "ledger.db")) as ledger:
        ledger.seed(user_id, OTHER_CUSTOMER)


def until(token: SessionToken) -> str:
    """When a session ends, for people."""
    end = datetime.fromtimestamp(token.expires_at, UTC).astimezone()
    kept = "; it renews itself" if token.refresh_token else "; then you log in again"
    return f"until {end:%H:%M}{kept}"
