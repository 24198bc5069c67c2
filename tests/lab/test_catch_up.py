"""Catch-up: any world is brought to where a lab starts, twice, and a learner's work stays."""

from __future__ import annotations

import pytest

from baink_lab.lab.tenant.catch_up import catch_up
from baink_lab.lab.tenant.pieces import PIECES, access
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


LOGIN = {"authorization_code", "refresh_token"}
CIBA = "urn:openid:params:grant-type:ciba"


async def grant_types(lab, *values):
    await lab.api.patch(f"clients/{lab.world.client_id}", {"grant_types": list(values)})


@pytest.mark.parametrize("number", [0, 1, 2, 3, 6])
async def test_a_lost_login_comes_back_with_any_lab_and_is_told(lab, number):
    await bring(lab, number)
    await grant_types(lab, CIBA, "client_credentials")
    (told,) = await bring(lab, number)
    assert "authorization_code and refresh_token" in told
    now = set((await lab.tenant()).client["grant_types"])
    assert now == {*LOGIN, CIBA, "client_credentials"}, "what was there stays"
    assert await bring(lab, number) == []


async def test_only_what_was_lost_of_a_login_is_told(lab):
    await grant_types(lab, "authorization_code")
    (told,) = await bring(lab, 1)
    assert "refresh_token" in told
    assert "authorization_code" not in told


async def test_what_was_only_changed_is_not_called_added(lab):
    await PIECES["api"].make(lab.api, lab.world, await lab.tenant())
    await PIECES["permission"].make(lab.api, lab.world, await lab.tenant())
    await PIECES["ciba"].make(lab.api, lab.world, await lab.tenant())
    await PIECES["access"].make(lab.api, lab.world, await lab.tenant())
    view = await lab.tenant()
    made, grant = view.api["id"], view.user_grant["id"]
    path = f"resource-servers/{made}"
    await lab.api.patch(path, {"token_dialect": "access_token", "signing_alg": "HS256"})
    await lab.api.patch(f"client-grants/{grant}", {"scope": []})
    email = {"async_approval_notification_channels": ["email"]}
    await lab.api.patch(f"clients/{lab.world.client_id}", email)
    (told,) = await bring(lab, 3)
    assert "added" not in told
    assert "token profile from access_token to rfc9068_profile" in told
    assert "signing algorithm from HS256 to RS256" in told
    assert "guardian-push" in told
    assert "create:transfer" in told
    assert await there(lab) == LAB_2
    assert (await lab.tenant()).api["signing_alg"] == "RS256"
    await bring(lab, 2)
    view = await lab.tenant()
    assert (view.api["id"], view.user_grant["id"]) == (made, grant), "changed is not made by us"
    assert await there(lab) == LAB_2


async def test_a_policy_that_shuts_everybody_out_is_opened_and_told(lab):
    await bring(lab, 3)
    api = (await lab.tenant()).api["id"]
    policies = {"user": {"policy": "deny_all"}, "client": {"policy": "require_client_grant"}}
    await lab.api.patch(f"resource-servers/{api}", {"subject_type_authorization": policies})
    (told,) = await bring(lab, 3)
    assert "access policy for users from deny_all to require_client_grant" in told
    assert "added" not in told


async def test_another_push_app_is_told_and_changed_where_the_phone_is_needed(lab):
    await bring(lab, 4)
    path = "guardian/factors/push-notification/selected-provider"
    await lab.api.put(path, {"provider": "sns"})
    (told,) = await bring(lab, 4)
    assert "push provider from sns to guardian" in told
    assert await lab.api.get(path) == {"provider": "guardian"}


async def test_a_grant_of_the_learners_own_keeps_its_api(lab):
    await bring(lab, 3)
    mine = access(lab.world) | {"subject_type": "client"}
    grant = await lab.api.post("client-grants", mine)
    await bring(lab, 2)
    assert grant["id"] in [one["id"] for one in (await lab.tenant()).grants]


async def test_reset_takes_the_learners_objects_too(lab):
    await PIECES["api"].make(lab.api, lab.world, await lab.tenant())
    await lab.reset(sure=True)
    assert await there(lab) == NOTHING


async def test_live_mode_is_left_alone(lab, monkeypatch):
    monkeypatch.setattr(type(lab.settings), "mode", "live")
    assert await lab.catch_up() == []
