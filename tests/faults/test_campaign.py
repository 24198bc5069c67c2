"""A seeded part of the fault campaign; `python -m bench.campaign 1000` runs the whole of it."""

from __future__ import annotations

import pytest

from tests.faults.campaign import Campaign, table

pytestmark = pytest.mark.timeout(400)
RUNS = 50


async def test_killed_at_any_step_nothing_is_lost_doubled_or_a_lie(tmp_path):
    async with Campaign.open(tmp_path / "home") as campaign:
        results = await campaign.run_all(range(RUNS))
    print(table(results))
    assert [one for one in results if not one.clean] == []
    assert sum(one.killed for one in results) > RUNS * 0.6, "the kills missed"
    assert {one.told for one in results} >= {"approved", "denied"}
