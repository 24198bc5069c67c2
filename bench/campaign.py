"""The whole fault campaign: `python -m bench.campaign [RUNS] [FIRST_SEED]`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.campaign import Campaign, table

BATCH = 50


async def main(runs: int, first: int) -> int:
    """Kill as many approvals; 0 when nothing was lost, doubled or a lie."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as home:
        async with Campaign.open(Path(home)) as campaign:
            print(f"An undisturbed approval takes {campaign.steps} steps of the event loop.")
            results = []
            for start in range(first, first + runs, BATCH):
                batch = range(start, min(start + BATCH, first + runs))
                results += await campaign.run_all(batch)
                print(*(one for one in results[-len(batch) :] if not one.clean), sep="\n", end="")
                print(f"{len(results)} runs, {time.monotonic() - begun:.0f} s", flush=True)
    print(table(results))
    return 0 if all(one.clean for one in results) else 1


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    sys.exit(asyncio.run(main(*(numbers + [1000, 0][len(numbers) :]))))
