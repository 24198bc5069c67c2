"""Catch-up: any world is brought to where a lab starts, twice, and a learner's work stays."""

from __future__ import annotations

import pytest

from baink_lab.lab.catch_up import PIECES, catch_up
from tests.lab.lab_world import opened

pytestmark = pytest.mark.timeout(90)

NOTHING: set[str] = set()
LAB_2 = {"ciba", "api", "permission", "access"}
ALL = {*LAB_2, "factor", "phone"}
STARTS = {0: ALL, 1: NOTHING, 2: NOTHING, 3: LAB_2, 4: ALL, 5: ALL, 6: ALL}


@pytest.fixture
async def lab(shared_home):
    async with opened(1) as lab:
        yield lab


async def bring(lab, number):
    return await catch_up(lab.api, lab.world, number, lab.progress)


async def there(lab):
    view = await lab.tenant()
    return {name for name, piece in PIECES.items() if piece.mark(view) is not None}


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5, 6), (6, 2, 5, 3, 1), (3, 3, 0, 0, 2)])
async def test_every_order_of_labs_leads_to_each_start(lab, order):
    for number in order:
        await bring(lab, number)
        assert await there(lab) == STARTS[number]
        assert await bring(lab, number) == [], "twice, and nothing is done"


async def test_what_was_done_is_told(lab):
    (added,) = await bring(lab, 3)
    assert "so I added: the CIBA grant, the transfers API" in added
    (taken,) = await bring(lab, 1)
    assert "I took away what had come ready-made: the CIBA grant" in taken


async def test_what_a_learner_made_stays(lab):
    await PIECES["api"].make(lab.api, lab.world, await lab.tenant())
    await PIECES["factor"].make(lab.api, lab.world, await lab.tenant())
    before = (await lab.tenant()).api["id"]
    await bring(lab, 4)
    assert (await lab.tenant()).api["id"] == before
    await bring(lab, 2)
    assert await there(lab) == {"api", "factor"}
    await bring(lab, 1)
    assert (await lab.tenant()).api["id"] == before


async def test_what_a_learners_work_stands_on_stays_too(lab):
    await bring(lab, 3)
    view = await lab.tenant()
    await lab.api.delete(f"client-grants/{view.user_grant['id']}")
    await PIECES["access"].make(lab.api, lab.world, await lab.tenant())
    await bring(lab, 2)
    assert await there(lab) == {"api", "permission", "access"}


async def test_a_half_done_api_is_finished_not_replaced(lab):
    await PIECES["api"].make(lab.api, lab.world, await lab.tenant())
    made = (await lab.tenant()).api["id"]
    await lab.api.patch(f"resource-servers/{made}", {"token_dialect": "access_token"})
    await lab.api.patch(f"resource-servers/{made}", {"scopes": [{"value": "read:mine"}]})
    await bring(lab, 3)
    view = await lab.tenant()
    assert view.api["id"] == made
    assert view.api["token_dialect"] == "rfc9068_profile"
    assert view.scopes == ["read:mine", "create:transfer"]


async def test_reset_takes_the_learners_objects_too(lab):
    await PIECES["api"].make(lab.api, lab.world, await lab.tenant())
    await lab.reset(sure=True)
    assert await there(lab) == NOTHING


async def test_live_mode_is_left_alone(lab, monkeypatch):
    monkeypatch.setattr(type(lab.settings), "mode", "live")
    assert await lab.catch_up() == []
