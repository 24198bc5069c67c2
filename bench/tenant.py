"""The sandbox's tenant beside npm oidc-provider: CIBA requests and polls, one machine, one run."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import statistics
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psutil

from baink_lab.sandbox import launch
from baink_lab.settings import Settings
from bench.budget import Row
from bench.load import Job, Seen, load

CIBA = "urn:openid:params:grant-type:ciba"
WAITING = 4000  # CIBA requests; Auth0 allows a tenant 5,000
CONNECTIONS = 32
SECONDS = 4.0
WARM_UP = 1.0
ROUNDS = 3  # of each, by turns, so that what else the machine does meets both
# Ours answers a poll that comes before the interval with slow_down: the same look-up.
POLLED = {"400 authorization_pending", "400 slow_down"}


@dataclasses.dataclass
class Peer:
    """One of the two, and what it did.

    Attributes:
        name: for the table.
        process_id: whose CPU time is read.
        port: on 127.0.0.1.
        paths: of a CIBA request and of a poll.
        ask: the form of a CIBA request.
        client: the form's part that says who asks.
    """

    name: str
    process_id: int
    port: int
    paths: tuple[str, str]
    ask: dict[str, str]
    client: dict[str, str]
    asked: Seen | None = None
    polled: list[Seen] = dataclasses.field(default_factory=list)
    cores: list[float] = dataclasses.field(default_factory=list)

    def begin(self) -> list[str]:
        """Make every CIBA request; returns the forms that poll them."""
        form = urlencode(self.client | self.ask)
        self.asked = load(Job(self.port, self.paths[0], [form] * WAITING, CONNECTIONS, 0, 0.2))
        assert self.asked.kinds == {"200": WAITING}, (self.name, self.asked.kinds)
        keys = [json.loads(body)["auth_req_id"] for body in self.asked.bodies]
        grant = self.client | {"grant_type": CIBA}
        return [urlencode(grant | {"auth_req_id": key}) for key in keys]

    def poll(self, forms: list[str]) -> None:
        """Poll them for some seconds, and read what it cost."""
        process = psutil.Process(self.process_id)
        cpu = _cpu(process)
        seen = load(Job(self.port, self.paths[1], forms, CONNECTIONS, SECONDS, WARM_UP))
        assert seen.kinds.keys() <= POLLED, (self.name, seen.kinds)
        polls = sum(seen.kinds.values())
        self.polled.append(seen)
        self.cores.append(polls / max(0.001, _cpu(process) - cpu))

    def rate(self) -> float:
        """Polls a second, of the middle round."""
        return statistics.median(seen.rate for seen in self.polled)

    def rows(self) -> list[Row]:
        """What was measured; targets are ours alone."""
        assert self.asked is not None
        ours = self.name == OURS
        p99 = statistics.median(seen.p99 for seen in self.polled)
        p50 = statistics.median(seen.p50 for seen in self.polled)
        return [
            Row(f"{self.name}: bc-authorize", self.asked.rate, "/s"),
            Row(f"{self.name}: bc-authorize, p50", self.asked.p50, "ms"),
            Row(f"{self.name}: bc-authorize, p99", self.asked.p99, "ms"),
            Row(f"{self.name}: polls", self.rate(), "/s", 1000 if ours else None, at_least=True),
            Row(f"{self.name}: polls, p50", p50, "ms"),
            Row(f"{self.name}: polls, p99", p99, "ms", 50 if ours else None),
            Row(f"{self.name}: polls for each second of CPU", statistics.median(self.cores), ""),
        ]


OURS, THEIRS = "sandbox tenant", "oidc-provider"


async def measure() -> list[Row]:
    """Both side by side, never at the same time."""
    with tempfile.TemporaryDirectory() as folder, _oidc_provider(Path(folder)) as theirs:
        async with _sandbox(Path(folder) / "home") as ours:
            peers = [peer for peer in (ours, theirs) if peer]
            forms = {peer.name: peer.begin() for peer in peers}
            for _ in range(ROUNDS):
                for peer in peers:
                    peer.poll(forms[peer.name])
    rows = [row for peer in peers for row in peer.rows()]
    if theirs is not None and theirs.asked is not None and ours.asked is not None:
        ratio = ours.rate() / theirs.rate()
        rows.append(Row("polls, sandbox / oidc-provider", ratio, "times"))
        ratio = ours.asked.rate / theirs.asked.rate
        rows.append(Row("bc-authorize, sandbox / oidc-provider", ratio, "times"))
    return rows


@contextlib.asynccontextmanager
async def _sandbox(home: Path) -> AsyncIterator[Peer]:
    settings = Settings(baink_home=home, auth0_domain=None)
    ready = await launch.ensure(home, settings=settings, interval=1, relaxed=True)
    hint = {"format": "iss_sub", "iss": ready["issuer"], "sub": ready["user_id"]}
    ask = {"audience": ready["audience"], "scope": "openid create:transfer"}
    client = {name: ready[name] for name in ("client_id", "client_secret")}
    try:
        yield Peer(
            OURS,
            ready["pid"],
            _port(ready["tenant"]),
            ("/bc-authorize", "/oauth/token"),
            ask | {"login_hint": json.dumps(hint), "binding_message": "Bench"},
            client,
        )
    finally:
        await launch.stop(home)


@contextlib.contextmanager
def _oidc_provider(folder: Path) -> Iterator[Peer | None]:
    """The peer of the interop tests; None where it cannot be installed."""
    from _pytest.outcomes import OutcomeException  # noqa: PLC0415 - what install.py skips with

    from tests.interop import install  # noqa: PLC0415

    try:
        modules, node = install.node_modules(), install.node()
    except OutcomeException as why:
        print(f"Without oidc-provider: {why}")
        yield None
        return
    (folder / "node_modules").symlink_to(modules)
    script = folder / "provider.mjs"
    script.write_bytes((install.PEERS / "node" / "provider.mjs").read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [str(node), str(script), str(port)],
        cwd=folder,
        env=os.environ | {"NODE_ENV": "production"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        line: dict[str, Any] = json.loads(process.stdout.readline())
        ask = {"scope": "openid", "login_hint": '{"sub":"ana"}', "binding_message": "Bench"}
        client = {"client_id": "bank", "client_secret": "a-secret-of-the-interop-tests"}
        paths = ("/backchannel", "/token")
        yield Peer(THEIRS, process.pid, _port(line["issuer"]), paths, ask, client)
    finally:
        process.kill()
        process.wait(10)


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
