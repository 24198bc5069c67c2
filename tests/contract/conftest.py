"""The contract's tests: against the sandbox always, against a real tenant with `-m live`.

What is not asked for is deselected, not skipped: CI takes no skips.
"""

from __future__ import annotations

import dataclasses
import re
import ssl
from collections.abc import Callable

import httpx
import pytest

from baink_lab.settings import SettingsError, World, load
from tests.interop.served import sandbox

LIVE = ("live", "live_phone")
NEEDED = ("AUTH0_MGMT_CLIENT_ID", "AUTH0_MGMT_CLIENT_SECRET", "AUTH0_USER_ID")
_told: list[str] = []


@dataclasses.dataclass
class Place:
    """A tenant that is asked.

    Attributes:
        name: sandbox or live.
        world: its addresses and credentials.
        http: reaches it.
        phone: answers what waits on the customer's phone; None where a person has to.
    """

    name: str
    world: World
    http: httpx.AsyncClient
    phone: Callable | None = None

    def differs(self, sentence: str) -> None:
        """Where the contract knows nothing, what we chose is checked in the sandbox alone."""
        if self.name == "sandbox":
            raise AssertionError(sentence)
        _told.append(sentence)

    async def ask(self, **changes) -> httpx.Response:
        """POST /bc-authorize; a change to None leaves a parameter out."""
        import json

        world = self.world
        hint = {"format": "iss_sub", "iss": world.issuer, "sub": world.user_id}
        form = {
            "client_id": world.client_id,
            "client_secret": world.client_secret,
            "login_hint": json.dumps(hint),
            "scope": "openid create:transfer",
            "audience": world.audience,
            "binding_message": "Contract test, please ignore",
        }
        sent = {name: value for name, value in (form | changes).items() if value is not None}
        return await self.http.post("bc-authorize", data=sent)

    async def token(self, **form) -> httpx.Response:
        """POST /oauth/token with the bAInk's credentials."""
        ours = {"client_id": self.world.client_id, "client_secret": self.world.client_secret}
        sent = {name: value for name, value in (ours | form).items() if value is not None}
        return await self.http.post("oauth/token", data=sent)

    async def poll(self, auth_req_id: str, **more) -> httpx.Response:
        """Poll for the outcome of a CIBA request."""
        grant = "urn:openid:params:grant-type:ciba"
        return await self.token(grant_type=grant, auth_req_id=auth_req_id, **more)


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    with sandbox(tmp_path_factory.mktemp("contract"), interval=5) as line:
        yield line


@pytest.fixture(params=["sandbox", pytest.param("live", marks=pytest.mark.live)])
async def place(request):
    async with opened(request) as place:
        yield place


@pytest.fixture(params=["sandbox", pytest.param("live", marks=pytest.mark.live_phone)])
async def place_with_phone(request):
    async with opened(request) as place:
        yield place


class opened:  # noqa: N801 - reads as a verb
    """The tenant of a parameter, as an async context manager."""

    def __init__(self, request) -> None:
        self._request = request

    async def __aenter__(self) -> Place:
        name, phone, verify = self._request.param, None, True
        if name == "sandbox":
            line = self._request.getfixturevalue("served")
            world = World.from_ready(line | {"model": ""})
            verify = ssl.create_default_context(cafile=line["ca"])
            phone = _pressing(world.phone)
        else:
            world = load().world({"bank": "", "model": "", **dict.fromkeys(_WORLD, "")})
        self._http = httpx.AsyncClient(base_url=world.issuer, verify=verify, timeout=15)
        return Place(name, world, self._http, phone)

    async def __aexit__(self, *problem) -> None:
        await self._http.aclose()


_WORLD = ("tenant", "issuer", "client_id", "client_secret", "user_id", "audience")


def _pressing(phone: str) -> Callable:
    async def press(decision: str, message: str) -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            waiting = (await http.get(f"{phone}/notifications")).json()
            (one,) = [each for each in waiting if each["binding_message"] == message]
            said = await http.post(
                f"{phone}/notifications/{one['id']}", json={"decision": decision}
            )
            assert said.is_success

    return press


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Without `-m live` (or live_phone) nothing of a real tenant is even selected."""
    asked = config.option.markexpr or ""
    unasked = [name for name in LIVE if not re.search(rf"(?<!not )\b{name}\b", asked)]
    left = [one for one in items if any(one.get_closest_marker(name) for name in unasked)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [one for one in items if one not in set(left)]
    if any(one.get_closest_marker(name) for one in items for name in LIVE):
        _settings_are_there()


def _settings_are_there():
    try:
        settings = load()
    except SettingsError as problem:
        raise pytest.UsageError(problem.sentence) from None
    lacking = [name for name in ("AUTH0_DOMAIN", *NEEDED) if not _given(settings, name)]
    if lacking:
        raise pytest.UsageError(
            f"A real tenant is asked for: set {', '.join(lacking)} (README, Live mode)."
        )


def _given(settings, name: str) -> bool:
    value = getattr(settings, name.lower())
    return bool(value.get_secret_value() if hasattr(value, "get_secret_value") else value)


def pytest_terminal_summary(terminalreporter):
    """What a real tenant says otherwise than we chose: for docs/sandbox-vs-auth0.md."""
    if _told:
        terminalreporter.section("a real tenant says otherwise")
        for sentence in _told:
            terminalreporter.line(sentence)
