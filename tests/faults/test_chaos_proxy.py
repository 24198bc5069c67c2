"""A real resumer on a real, bad line: TCP resets, half answers, 429 and 502 from a proxy."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from cryptography.fernet import Fernet
from langgraph.store.memory import InMemoryStore

from baink_lab.approvals import Desk, Resumer, State, Vault
from baink_lab.auth0 import CibaClient
from baink_lab.lab.phone.stand_in import Phone
from baink_lab.sandbox import launch
from baink_lab.settings import Settings
from bench.resumer import CountedGraph, _approval
from tests.faults.proxy import ChaosProxy

pytestmark = pytest.mark.timeout(120)
APPROVALS = 20


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_approval_ends_truthfully_on_a_bad_line(tmp_path, seed):
    home = tmp_path / "home"
    ready = await launch.ensure(home, settings=Settings(baink_home=home), interval=1, relaxed=True)
    port = httpx.URL(ready["tenant"]).port
    try:
        async with ChaosProxy(port, seed).running() as proxy:
            await _through(proxy, ready)
    finally:
        await launch.stop(home)


async def _through(proxy, ready):
    graph, store, phone = CountedGraph(), InMemoryStore(), Phone(ready["phone"])
    # The tenant knows itself by its own address; only the line to it goes through the proxy.
    line = _ThroughProxy(httpx.URL(ready["tenant"]).port, proxy.port)
    async with httpx.AsyncClient(transport=line, timeout=2) as http:
        ciba = CibaClient(ready["issuer"], ready["client_id"], ready["client_secret"], http=http)
        desk = Desk(store, Vault(store, [Fernet.generate_key()]), ciba)
        proxy.healthy = True
        decided = {}
        for number in range(APPROVALS):
            request = await ciba.start(
                ready["user_id"], "create:transfer", ready["audience"], f"Chaos {number}"
            )
            approval = await desk._sent(_approval(number, desk.clock.now()), request)
            decided[approval.id] = "deny" if number % 4 == 0 else "approve"
        proxy.healthy = False
        over, ended = asyncio.Event(), {}

        def keep(approval):
            ended[approval.id] = approval
            if len(ended) == APPROVALS:
                over.set()

        desk.on_delivered(keep)
        async with Resumer(graph, desk=desk) as resumer:
            for one in await phone.waiting():
                number = int(one["binding_message"].split()[1])
                await phone.decide("deny" if number % 4 == 0 else "approve", one["id"])
            await over.wait()
    # How many connections it takes is the dice's and the machine's; that the line was bad, ours.
    assert proxy.faults >= APPROVALS // 2
    assert resumer.counters.failures > 0
    for key, approval in ended.items():
        lost = approval.state is State.EXPIRED and "ask again" in approval.reason
        expected = State.DENIED if decided[key] == "deny" else State.APPROVED
        assert approval.state is expected or (lost and decided[key] == "approve"), approval


class _ThroughProxy(httpx.AsyncHTTPTransport):
    """Sends what is meant for one port to another; each request on a connection of its own."""

    def __init__(self, port, proxy):
        super().__init__(limits=httpx.Limits(max_keepalive_connections=0))
        self.port, self.proxy = port, proxy

    async def handle_async_request(self, request):
        if request.url.port == self.port:
            request.url = request.url.copy_with(port=self.proxy)
        return await super().handle_async_request(request)
