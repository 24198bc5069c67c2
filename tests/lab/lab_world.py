"""A lab on a sandbox of its own, brought to any state; mistakes are made through the same API."""

from __future__ import annotations

import contextlib

from baink_lab.lab import open_lab
from baink_lab.lab.checks import Kind, names_of
from baink_lab.lab.opening import _opened
from baink_lab.lab.tenant.catch_up import catch_up
from baink_lab.lab.tenant.start_over import start_over
from baink_lab.sandbox import launch
from baink_lab.settings import load

READY = 4  # a lab before which everything is configured


@contextlib.asynccontextmanager
async def opened(number, *, ready=False):
    """Lab `number` in the BAINK_HOME that is set; with everything configured when `ready`."""
    settings = load()
    await launch.ensure(settings.baink_home, settings=settings, interval=1, relaxed=True)
    lab = await open_lab(number)
    try:
        lab.api = lab.manager()
        await start_over(lab.api, lab.world, 1, lab.progress)
        if ready:
            await catch_up(lab.api, lab.world, READY, lab.progress)
        yield lab
    finally:
        await lab.close()
        _opened.clear()


@contextlib.asynccontextmanager
async def begun(number, **state):
    """The same with nothing done in it; `state` as `opened` takes it."""
    async with opened(number, **state) as lab:
        await lab.reset(sure=True)
        yield lab


async def mistakes(lab):
    """The ids of the mistakes that any check of the lab names, and every check's result."""
    results = {name: await lab.check(name) for name in names_of(lab.number)}
    for name, result in results.items():
        assert result.why, name
        assert bool(result) is (result.kind is Kind.PASSED)
        assert result or result.next_step, name
    return {one.mistake for one in results.values() if one.mistake}, results


async def all_green(lab):
    _, results = await mistakes(lab)
    return [one for one in results.values() if not one] == []
