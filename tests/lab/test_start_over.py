"""lab.reset(sure=True): whatever a learner did, right or wrong, the lab is where it starts."""

from __future__ import annotations

import pytest

from baink_lab.lab.checks import Kind
from baink_lab.lab.tenant.catch_up import catch_up
from baink_lab.lab.tenant.pieces import PIECES, TRANSFERS_API, access, permission
from tests.lab.lab_world import mistakes, opened

pytestmark = pytest.mark.timeout(90)
CIBA = "urn:openid:params:grant-type:ciba"
LOGIN = ["authorization_code", "refresh_token"]
PUSH = "guardian/factors/push-notification"


@pytest.fixture
async def lab(shared_home):
    async with opened(2) as lab:
        yield lab


@pytest.fixture
async def lab3(shared_home):
    async with opened(3) as lab:
        await catch_up(lab.api, lab.world, 3, lab.progress)
        yield lab


async def client(lab, **changes):
    await lab.api.patch(f"clients/{lab.world.client_id}", changes)


async def make_api(lab, identifier, **changes):
    await lab.api.post("resource-servers", {**TRANSFERS_API, "identifier": identifier, **changes})


async def make_all(lab):
    """What lab 02's four cells do."""
    await client(lab, grant_types=[*LOGIN, CIBA])
    await make_api(lab, lab.world.audience, scopes=[permission()])
    await lab.api.post("client-grants", access(lab.world))


def misspelt(change):
    return lambda lab: make_api(lab, change(lab.world.audience), scopes=[permission()])


async def shared_secret(lab):
    await make_api(lab, lab.world.audience, token_dialect="access_token", signing_alg="HS256")


async def grants_without_scope(lab):
    await make_api(lab, lab.world.audience, scopes=[permission()])
    for kind in ("user", "client"):
        await lab.api.post("client-grants", access(lab.world) | {"subject_type": kind, "scope": []})


async def grant_for_the_accounts(lab):
    audience = lab.world.audience.removesuffix("/transfers")
    kind = {"subject_type": "client", "scope": ["read:accounts"]}
    await lab.api.post("client-grants", access(lab.world) | kind | {"audience": audience})


async def another_push_app(lab):
    await lab.api.put(PUSH, {"enabled": True})
    await lab.api.put(f"{PUSH}/selected-provider", {"provider": "sns"})


LEFT_BEHIND = {
    "another grant type": lambda lab: client(lab, grant_types=[*LOGIN, "client_credentials", CIBA]),
    "CIBA by email": lambda lab: client(
        lab, grant_types=[*LOGIN, CIBA], async_approval_notification_channels=["email"]
    ),
    "no login": lambda lab: client(lab, grant_types=[CIBA]),
    "no secret": lambda lab: client(lab, token_endpoint_auth_method="none"),
    "http": misspelt(lambda one: one.replace("https", "http")),
    "slash": misspelt(lambda one: f"{one}/"),
    "plural": misspelt(lambda one: one.replace("/accounts/transfers", "/account/transfer")),
    "another name": misspelt(lambda one: "https://bank.example/"),
    "shared secret": shared_secret,
    "grants without a scope": grants_without_scope,
    "a grant for the accounts": grant_for_the_accounts,
    "another push app": another_push_app,
    "all, and right": make_all,
}


async def at_first(lab):
    """Everything that a learner can reach, but for ids and times."""
    view = await lab.tenant()
    return {
        "grant types": set(view.client["grant_types"]),
        "channels": view.client["async_approval_notification_channels"],
        "method": view.client["token_endpoint_auth_method"],
        "apis": {one["identifier"] for one in view.apis},
        "grants": {
            (one["audience"], one["subject_type"], *one["scope"])
            for one in await lab.api.client_grants(client_id=lab.world.client_id)
        },
        "factor": view.factor,
        "provider": await lab.api.get(f"{PUSH}/selected-provider"),
        "devices": len(view.devices),
    }


@pytest.mark.parametrize("what", LEFT_BEHIND)
async def test_nothing_that_was_done_outlives_a_reset(lab, what):
    before = await at_first(lab)
    assert before["grant types"] == set(LOGIN)
    await LEFT_BEHIND[what](lab)
    assert await at_first(lab) != before, "a test that changes nothing tells nothing"
    told = str(await lab.reset(sure=True))
    assert await at_first(lab) == before
    assert "ready-made" not in told
    assert "What you made stays" not in told
    assert told != "Lab 02 begins anew."
    found, results = await mistakes(lab)
    assert found == set()
    assert results.pop("settings")
    assert {one.kind for one in results.values()} == {Kind.NOT_ATTEMPTED}
    await make_all(lab)  # the cells' own requests: none is answered 409


async def test_a_reset_says_what_it_took_and_that_it_was_the_learners_too(lab):
    await make_all(lab)
    misspelt = lab.world.audience.replace("https", "http")
    await make_api(lab, misspelt)
    await client(lab, grant_types=[CIBA], async_approval_notification_channels=["email"])
    told = str(await lab.reset(sure=True))
    assert "what you had made yourself too: " in told
    for one in ("the CIBA grant", f"the API {misspelt}", f"the API {lab.world.audience}"):
        assert one in told
    assert "authorization_code and refresh_token" in told
    assert "guardian-push" in told
    assert await lab.session_token()


async def test_a_second_reset_has_nothing_to_say(lab):
    await make_all(lab)
    await lab.reset(sure=True)
    assert str(await lab.reset(sure=True)) == "Lab 02 begins anew."


async def test_what_an_earlier_lab_made_stays_and_is_still_the_learners(lab3):
    lab = lab3
    await catch_up(lab.api, lab.world, 2, lab.progress)
    await make_all(lab)
    made = (await lab.tenant()).api["id"]
    await catch_up(lab.api, lab.world, 3, lab.progress)
    await PIECES["factor"].make(lab.api, lab.world, await lab.tenant())
    await PIECES["phone"].make(lab.api, lab.world, await lab.tenant())
    told = str(await lab.reset(sure=True))
    assert "what you had made yourself too: " in told
    assert "“Sandbox phone”" in told
    assert "API" not in told
    view = await lab.tenant()
    assert (view.api["id"], view.factor, view.devices) == (made, False, [])
    assert await catch_up(lab.api, lab.world, 2, lab.progress) == []
    view = await lab.tenant()
    assert view.api["id"] == made
    assert view.has_ciba
    assert view.has_access


async def test_what_lab_06_adds_to_the_api_and_to_the_grant_goes_with_a_reset_of_it(shared_home):
    async with opened(6) as lab:
        await catch_up(lab.api, lab.world, 6, lab.progress)
        before = await lab.tenant()
        api = f"resource-servers/{lab.quoted(lab.world.audience)}"
        more = [{"value": "read:statements", "description": "Read a year's statement"}]
        await lab.api.patch(api, {"scopes": [*before.api["scopes"], *more]})
        granted = [*before.user_grant["scope"], "read:statements"]
        await lab.api.patch(f"client-grants/{before.user_grant['id']}", {"scope": granted})
        told = str(await lab.reset(sure=True))
        after = await lab.tenant()
        assert "the permission read:statements" in told
        assert after.scopes == before.scopes == ["create:transfer"]
        assert after.user_grant == before.user_grant
        assert "permission" not in str(await lab.reset(sure=True))


async def test_a_reset_mends_what_an_earlier_lab_left_broken(lab3):
    lab = lab3
    path = f"resource-servers/{lab.quoted(lab.world.audience)}"
    await client(lab, grant_types=[CIBA], async_approval_notification_channels=["email"])
    await lab.api.patch(path, {"signing_alg": "HS256", "enforce_policies": True})
    told = str(await lab.reset(sure=True))
    assert "RBAC" in told
    assert "from HS256 to RS256" in told
    view = await lab.tenant()
    assert set(view.client["grant_types"]) == {*LOGIN, CIBA}
    assert view.client["async_approval_notification_channels"] == ["guardian-push"]
    assert view.api["signing_alg"] == "RS256"
    assert view.api["enforce_policies"] is False
