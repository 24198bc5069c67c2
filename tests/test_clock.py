"""The adjustable clock: whoever sleeps on it wakes as it is set forward."""

from __future__ import annotations

import asyncio
import time

import pytest

from baink_lab.clock import AdjustableClock


class Offset:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.mark.timeout(20)
async def test_a_sleeper_wakes_when_its_time_has_come_and_not_before():
    offset = Offset()
    clock = AdjustableClock(offset)
    short, long = (asyncio.create_task(clock.sleep(seconds)) for seconds in (3600, 86_400))
    await asyncio.sleep(0)
    offset.seconds = 3600
    await short
    assert not long.done()
    assert clock.now() == pytest.approx(time.time() + 3600, abs=60)
    offset.seconds = 90_000
    await long


@pytest.mark.timeout(20)
async def test_setting_it_back_lets_nobody_sleep_longer():
    offset = Offset()
    offset.seconds = 7200.0
    clock = AdjustableClock(offset)
    sleeper = asyncio.create_task(clock.sleep(0.3))
    await asyncio.sleep(0)
    offset.seconds = 0
    await sleeper


async def test_no_time_at_all_lets_others_run():
    ran = []
    clock = AdjustableClock(Offset())
    task = asyncio.create_task(asyncio.sleep(0, ran.append("other")))
    await clock.sleep(0)
    await clock.sleep(-1)
    assert task.done()
    assert ran == ["other"]
