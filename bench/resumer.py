"""The resumer under load: a thousand approvals over HTTP, and 100,000 on a virtual clock."""

from __future__ import annotations

import asyncio
import heapq
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from cryptography.fernet import Fernet
from langgraph.store.memory import InMemoryStore

from baink_lab.approvals import Desk, Resumer, Vault
from baink_lab.approvals.approval import Approval, approval_id
from baink_lab.approvals.resumer import _Due
from baink_lab.auth0 import CibaClient, CibaRequest, Pending
from baink_lab.clock import VirtualClock
from baink_lab.sandbox import launch
from baink_lab.sandbox.loopback import loopback_http
from baink_lab.settings import Settings, World
from bench.budget import Row

WAITING = 1000
INTERVAL = 5
TICKS = 4  # intervals of the virtual clock that are measured


class CountedGraph:
    """In place of a graph: the cost of a real one is not what is measured here."""

    def __init__(self) -> None:
        self.rung: dict[str, float] = {}
        self.runs = 0
        self.all_rung = asyncio.Event()

    async def astream(self, entry: Any, config: Any, **more: Any) -> Any:
        self.runs += 1
        thread = config["configurable"]["thread_id"]
        self.rung[thread] = time.perf_counter()
        if len(self.rung) == WAITING:
            self.all_rung.set()
        return
        yield

    async def aget_state(self, config: Any) -> Any:
        thread = config["configurable"]["thread_id"]
        done = thread in self.rung
        values = {"approvals": {approval_id(thread, "call"): "approved"}} if done else {}
        return _Snapshot(values)


class _Snapshot:
    next = ()
    tasks = ()

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values


async def thousand() -> list[Row]:
    """Approvals that all wait at once, against the sandbox's tenant over HTTP."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(baink_home=Path(folder), auth0_domain=None)
        ready = await launch.ensure(
            settings.baink_home, settings=settings, interval=INTERVAL, relaxed=True
        )
        try:
            return await _thousand(settings.world(ready))
        finally:
            await launch.stop(settings.baink_home)


async def _thousand(world: World) -> list[Row]:
    graph, approved = CountedGraph(), {}
    async with CibaClient(world.issuer, world.client_id, world.client_secret) as ciba:
        store = InMemoryStore()
        desk = Desk(store, Vault(store, [Fernet.generate_key()]), ciba)
        for number in range(WAITING):
            request = await ciba.start(
                world.user_id, "create:transfer", world.audience, f"Bench {number}"
            )
            await desk._sent(_approval(number, time.time(), request), request)
        process, begun = psutil.Process(), time.perf_counter()
        cpu = process.cpu_times()
        async with Resumer(graph, desk=desk) as resumer, loopback_http(30) as http:
            await asyncio.sleep(INTERVAL)  # everything is on its schedule
            for one in (await http.get(f"{world.phone}/notifications")).json():
                thread = f"t{one['binding_message'].split()[1]}"
                answer = {"decision": "approve"}
                await http.post(f"{world.phone}/notifications/{one['id']}", json=answer)
                approved[thread] = time.perf_counter()
            await graph.all_rung.wait()
            seconds = time.perf_counter() - begun
            counters = resumer.counters
        used = process.cpu_times()
        load = (used.user + used.system - cpu.user - cpu.system) / seconds
    late = sorted(graph.rung[thread] - approved[thread] for thread in approved)
    return [
        Row(f"{WAITING} pending: approval to resume, mean", statistics.mean(late), "s",
            INTERVAL / 2 + 0.05),
        Row(f"{WAITING} pending: approval to resume, p95", late[int(len(late) * 0.95)], "s",
            INTERVAL + 0.1),
        Row("polls for each approval", counters.polls / WAITING, ""),
        Row("polls earlier than allowed", counters.slow_downs, "", 0),
        Row("runs of the graph to resume one", graph.runs / WAITING, "", 1),
        Row("CPU of the resumer and its HTTP, of one core", load * 100, "%"),
    ]  # fmt: skip


def _approval(number: int, now: float, request: CibaRequest | None = None) -> Approval:
    return Approval(
        id=approval_id(f"t{number}", "call"), thread_id=f"t{number}", tool_call_id="call",
        user_id="u", tool="pay", node="pay", arguments={}, digest="d", scope="openid",
        audience=None, binding_message="Pay", created_at=now, expires_at=now + 86_400,
        interval=INTERVAL,
    )  # fmt: skip


class _Patient:
    """A tenant that answers "pending" at once: what is left is the resumer's own work."""

    def __init__(self) -> None:
        self.polls = 0

    async def poll(self, request: CibaRequest) -> Pending:
        self.polls += 1
        return Pending(request, wait=INTERVAL)


async def scheduling() -> list[Row]:
    """Seconds of CPU for each poll, as the number of pending approvals grows tenfold."""
    rows = []
    for pending in (1_000, 10_000, 100_000):
        store, clock, tenant = InMemoryStore(), VirtualClock(), _Patient()
        vault = Vault(store, [Fernet.generate_key()], clock=clock)
        desk: Any = Desk(store, vault, tenant, clock=clock)  # type: ignore[arg-type]
        resumer = Resumer(CountedGraph(), desk=desk, clock=clock)
        seconds = await _schedule_only(resumer, clock, pending)
        rows.append(Row(f"scheduling one poll, {pending} pending", seconds * 1e6, "µs"))
    busy = seconds * pending / INTERVAL * 100
    rows.append(Row("scheduling 100,000 pending, of one core at I = 5 s", busy, "%", 2))
    return rows


async def _schedule_only(resumer: Resumer, clock: VirtualClock, pending: int) -> float:
    """The heap's own cost: take what is due, put it back an interval later."""
    start = clock.now()
    for number in range(pending):
        resumer._schedule(_Due(start + INTERVAL * number / pending, f"apr_{number}"))
    done, begun = 0, time.process_time()
    for _ in range(TICKS):
        clock.advance(INTERVAL)
        now = clock.now()
        while resumer._heap[0][0] <= now:
            due = heapq.heappop(resumer._heap)[2]
            due.at += INTERVAL
            resumer._schedule(due)
            done += 1
    return (time.process_time() - begun) / done
