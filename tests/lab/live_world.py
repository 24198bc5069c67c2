"""Live mode without a real tenant: a sandbox tenant over HTTPS, reached by settings alone.

What runs is what runs with Auth0: nothing of the package knows that the tenant is ours. Its
certificate authority is trusted as any company's own would be: by SSL_CERT_FILE.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
from urllib.parse import quote, urlsplit

import httpx
import pytest

from baink_lab.auth0.browser import sign_in
from baink_lab.auth0.management import ManagementClient
from baink_lab.auth0.wire import new_http
from baink_lab.lab import open_lab
from baink_lab.lab.opening import _opened
from baink_lab.sandbox import launch
from baink_lab.settings import load
from tests.interop.served import sandbox

ANA, BEN = "ana@baink.example", "ben@baink.example"


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    """The ready line of a live tenant."""
    with sandbox(tmp_path_factory.mktemp("live")) as line:
        yield line


@pytest.fixture
async def home(tmp_path):
    """BAINK_HOME; the sandbox in it ends with the test."""
    yield tmp_path / "home"
    await launch.stop(tmp_path / "home")


@pytest.fixture
async def live(line, home, tmp_path, monkeypatch):
    """The settings of live mode, with the callback allowed; `live(NAME=value)` changes them."""
    values = environment(line, home)
    monkeypatch.chdir(tmp_path)

    def live(**more):
        set_environment(monkeypatch, {k: v for k, v in (values | more).items() if v})

    live()
    await allow_callback()
    return live


class Anew:
    """A live tenant that can be had again as it was at first, under the same address.

    So the bank, which knows it by address and keys, need not be started for each test.
    """

    def __init__(self, folder) -> None:
        self._folder, self._first = folder / "tenant", folder / "first"
        with sandbox(self._folder) as line:
            self._port = urlsplit(line["tenant"]).port
        shutil.copytree(self._folder, self._first)

    @contextlib.contextmanager
    def again(self):
        """Its ready line, with the tenant as it was at first."""
        shutil.rmtree(self._folder)
        shutil.copytree(self._first, self._folder)
        with sandbox(self._folder, port=self._port) as line:
            assert urlsplit(line["tenant"]).port == self._port, "its port was taken meanwhile"
            yield line


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def environment(line: dict, home) -> dict[str, str]:
    """The settings that make `line`'s sandbox the live tenant."""
    return {
        "AUTH0_DOMAIN": line["tenant"].removeprefix("https://"),
        "AUTH0_CLIENT_ID": line["client_id"],
        "AUTH0_CLIENT_SECRET": line["client_secret"],
        "AUTH0_MGMT_CLIENT_ID": line["management_client_id"],
        "AUTH0_MGMT_CLIENT_SECRET": line["management_client_secret"],
        "AUTH0_USER_ID": line["user_id"],
        "BAINK_HOME": str(home),
        "BAINK_LOGIN_PORT": str(free_port()),
        "SSL_CERT_FILE": line["ca"],
    }


def set_environment(monkeypatch, values: dict[str, str]) -> None:
    ours = ("AUTH0_", "BAINK_", "OPENAI_", "JUPYTERHUB_", "BINDER_", "SSL_CERT_FILE")
    for name in list(os.environ):
        if name.upper().startswith(ours):
            monkeypatch.delenv(name)
    for name, value in values.items():
        monkeypatch.setenv(name, value)


@contextlib.asynccontextmanager
async def manager():
    """The Management API of the live tenant."""
    settings = load()
    async with new_http() as http:
        yield ManagementClient(
            f"https://{settings.auth0_domain}/",
            settings.auth0_mgmt_client_id,
            settings.auth0_mgmt_client_secret.get_secret_value(),
            http=http,
        )


async def allow_callback(*addresses: str) -> None:
    """Make these the application's Allowed Callback URLs; the settings' own when left out."""
    settings = load()
    async with manager() as api:
        path = f"clients/{quote(settings.auth0_client_id)}"
        await api.patch(path, {"callbacks": list(addresses or [settings.login_callback])})


@contextlib.asynccontextmanager
async def opened(number):
    """Lab `number` in live mode, in the `home` that is set."""
    lab = await open_lab(number)
    try:
        yield lab
    finally:
        await lab.close()
        _opened.clear()


class Learner:
    """Somebody who reads what a cell shows, and has a browser."""

    def __init__(self, capsys, password: str) -> None:
        self._capsys = capsys
        self._password = password
        self.seen = ""

    def read(self) -> str:
        """Everything that was shown so far."""
        self.seen += self._capsys.readouterr().out
        return self.seen

    async def link(self) -> str:
        """The newest link that a login showed; waits until there is one."""
        self.seen = ""
        async with asyncio.timeout(20):
            while "Log in as the customer: " not in self.read():  # noqa: ASYNC110 - capsys has no event
                await asyncio.sleep(0.01)
        return self.seen.rpartition("Log in as the customer: ")[2].split()[0]

    async def logs_in(self, link: str, who: str = ANA) -> str:
        """Fill in the tenant's page; returns where the browser is sent, which it does not open."""
        callback = load().login_callback
        async with new_http() as browser:
            return await sign_in(browser, link, callback, who, self._password)


async def visit(address: str) -> httpx.Response:
    """A browser opens a page on loopback."""
    async with httpx.AsyncClient(trust_env=False) as browser:
        return await browser.get(address)
