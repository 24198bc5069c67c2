"""One approval, from the customer's sentence to money moved: graph runs, polls, time."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from baink_lab.aiya import Aiya, open_aiya
from baink_lab.auth0 import CibaClient, Tokens
from baink_lab.lab.phone.stand_in import Phone
from baink_lab.sandbox import launch
from baink_lab.settings import Settings, World
from bench.budget import Row

ROUNDS = 10
WAIT_SECONDS = 8  # longer than one interval, so that polls before the answer would show


async def measure() -> list[Row]:
    """Run approvals against a sandbox of our own, over HTTP."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = Settings(baink_home=home, auth0_domain=None)
        ready = await launch.ensure(home, settings=settings, interval=1, relaxed=True)
        try:
            world = settings.world(ready)
            bare = await _bare_round_trips(world)
            return [*await _approvals(world, home), *bare]
        finally:
            await launch.stop(home)


async def _approvals(world: World, home: Path) -> list[Row]:
    phone = Phone(world.phone)
    async with open_aiya(world, home / "bench", pushes_a_minute=1000) as aiya:
        counted = _count_runs(aiya)
        await aiya.say("move $1 from checking to savings")
        await asyncio.sleep(WAIT_SECONDS)
        await phone.approve()
        await aiya.settled()
        counters = aiya.resumer.counters
        rows = [
            Row(f"graph runs per approval, wait of {WAIT_SECONDS} s", counted[0], "", 2),
            Row("polls earlier than allowed", counters.slow_downs, "", 0),
        ]
        times = []
        for _ in range(ROUNDS):
            await aiya.say("move $1 from checking to savings", thread=f"t{len(times)}")
            begun = time.perf_counter()
            await phone.approve()
            await aiya.settled()
            times.append(time.perf_counter() - begun)
        rows.append(
            Row("approved on the phone to told by Aiya, mean (interval 1 s)", _mean(times), "s")
        )
    return rows


async def _bare_round_trips(world: World) -> list[Row]:
    """bc-authorize, approve, one poll: what an approval costs at the tenant alone."""
    times = []
    phone = Phone(world.phone)
    async with CibaClient(world.issuer, world.client_id, world.client_secret) as ciba:
        await ciba.provider()
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            request = await ciba.start(world.user_id, "create:transfer", world.audience, "Bench")
            asked = time.perf_counter()
            await phone.approve()
            approved = time.perf_counter()
            assert isinstance(await ciba.poll(request), Tokens)
            times.append(asked - begun + time.perf_counter() - approved)
    return [Row("bare bc-authorize + token pair, mean", _mean(times) * 1000, "ms")]


def _count_runs(aiya: Aiya) -> list[int]:
    """Count how often the graph is entered, from now on."""
    runs = [0]
    threads = aiya.resumer.threads
    run = threads.run

    async def counted(entry: Any, config: Any) -> None:
        runs[0] += 1
        await run(entry, config)

    threads.run = counted  # type: ignore[method-assign]
    return runs


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
