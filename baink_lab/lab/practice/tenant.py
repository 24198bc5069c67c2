"""A practice tenant: the sandbox's own tenant in this process, where no phone rings and time flies.

Checks run a learner's function against it. Sleeping on its clock takes no time at all, so five
minutes without an answer pass at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal
from urllib.parse import parse_qsl

import httpx

from baink_lab.errors import BainkError
from baink_lab.lab.practice.fresh import ISSUER, NOON, fresh_tenant
from baink_lab.sandbox.tenant import Tenant, create_app
from baink_lab.settings import World

MOST_REQUESTS = 150  # of one try; a polite client needs 60 for five minutes


class EndlessLoop(BainkError):
    """A function under test never comes to an end."""

    code = "endless_loop"


class QuickClock:
    """A clock that is turned by whoever sleeps on it.

    Attributes:
        slept: how often somebody slept.
    """

    def __init__(self) -> None:
        self._now = NOON
        self._due: list[tuple[float, Callable[[], object]]] = []
        self.slept = 0

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Turn the clock by `seconds`; what was planned for that time happens."""
        self.slept += 1
        target = self._now + max(seconds, 0.0)
        for at, happen in sorted(self._due, key=lambda one: one[0]):
            if at <= target:
                self._now = max(self._now, at)
                self._due.remove((at, happen))
                happen()
        self._now = target
        await asyncio.sleep(0)

    def plan(self, seconds: float, happen: Callable[[], object]) -> None:
        """Have something happen `seconds` from now."""
        self._due.append((self._now + seconds, happen))

    def forget(self) -> None:
        """Nothing is planned any more."""
        self._due.clear()
        self.slept = 0


@dataclasses.dataclass(frozen=True)
class Sent:
    """One request to the practice tenant, unmasked: for the checks' eyes only.

    Attributes:
        method: of the request.
        path: without host and query.
        in_address: the names in the query.
        kind: the Content-Type.
        form: what the body says, be it a form or JSON.
        repeated: the names that stand in it more than once.
        status: of the answer.
        received: the answer, when it is a JSON object; else nothing.
        at: when it was answered, on the clock.
    """

    method: str
    path: str
    in_address: tuple[str, ...]
    kind: str
    form: dict[str, str]
    repeated: list[str]
    status: int
    received: dict[str, Any]
    at: float

    @property
    def error(self) -> str:
        """OAuth's error code; "ok" for a success."""
        return str(self.received.get("error") or ("ok" if self.status < 400 else self.status))


class Practice:
    """The practice tenant, and what was said to it since `begin`.

    Attributes:
        world: its addresses and names; use it where `lab.world` would be.
        http: reaches it without a network.
        clock: its time.
        sent: what was sent to it, oldest first.
        cut: whether the line to it is dead.
    """

    def __init__(self, tenant: Tenant, clock: QuickClock) -> None:
        self._tenant = tenant
        self.clock = clock
        self.world = World.from_ready(
            {"tenant": ISSUER.rstrip("/"), "issuer": ISSUER, "bank": "", "model": ""}
            | tenant.credentials()
        )
        self.sent: list[Sent] = []
        self.cut = False
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(tenant)),
            base_url=ISSUER,
            event_hooks={"response": [self._heard], "request": [self._count]},
        )

    def begin(self, *, interval: float | None = None) -> None:
        """A new try: nothing was said, nothing is planned.

        Args:
            interval: least seconds between two polls from now on; as before when left out.
        """
        self.sent.clear()
        self.clock.forget()
        if interval is not None:
            self._tenant.interval = interval

    def answer_after(self, seconds: float, decision: Literal["approve", "deny"]) -> None:
        """The customer presses a button on the newest notification in `seconds`."""

        def press() -> None:
            self._tenant.decide(self._tenant.notifications()[-1]["id"], decision)

        self.clock.plan(seconds, press)

    def poll_after(self, seconds: float, auth_req_id: str) -> None:
        """Somebody else polls in between, so that the next poll comes too early."""

        def poll() -> None:
            request = self._tenant.ciba.find(auth_req_id, self.world.client_id)
            if request is not None:
                request.poll(self.clock.now())

        self.clock.plan(seconds, poll)

    def spend_after(self, seconds: float, auth_req_id: str) -> None:
        """Somebody else collects the answer, so that the request is spent at the next poll."""

        def spend() -> None:
            request = self._tenant.ciba.find(auth_req_id, self.world.client_id)
            if request is not None:
                self._tenant.ciba.consume(request)

        self.clock.plan(seconds, spend)

    def errors(self, path: str = "/oauth/token") -> list[str]:
        """What the tenant answered on a path: OAuth's error codes, "ok" for a success."""
        return [one.error for one in self.sent if one.path == path]

    async def _count(self, request: httpx.Request) -> None:
        if self.cut:
            raise httpx.ConnectError("The line to the tenant is dead.", request=request)
        if len(self.sent) >= MOST_REQUESTS:
            raise EndlessLoop(f"{MOST_REQUESTS} requests, and still no end.")
        await request.aread()

    async def _heard(self, response: httpx.Response) -> None:
        await response.aread()
        request = response.request
        kind = request.headers.get("content-type", "")
        body = request.content.decode("utf-8", "replace")
        names = [name for name, _ in parse_qsl(body, keep_blank_values=True)]
        self.sent.append(
            Sent(
                request.method,
                request.url.path,
                tuple(request.url.params),
                kind,
                _members(kind, body),
                [one for one in dict.fromkeys(names) if names.count(one) > 1],
                response.status_code,
                _object(response.content),
                self.clock.now(),
            )
        )


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _members(kind: str, body: str) -> dict[str, str]:
    """What a body says, whichever of the two ways it is written."""
    if not kind.startswith("application/json"):
        return dict(httpx.QueryParams(body))
    return {name: str(value) for name, value in _object(body.encode()).items()}


@contextlib.asynccontextmanager
async def practice_tenant() -> AsyncIterator[Practice]:
    """A fresh practice tenant, gone at the end of the block."""
    clock = QuickClock()
    with fresh_tenant(clock.now) as tenant:
        practice = Practice(tenant, clock)
        async with practice.http:
            yield practice
