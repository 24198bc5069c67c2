"""Lab 03: T4, T5 and T13 fire alone; a customer without a phone enrols and goes on."""

from __future__ import annotations

import pytest

from baink_lab.lab.catch_up import PIECES, api_path, catch_up
from baink_lab.lab.checks import Kind
from baink_lab.lab.checks.mistakes import BY_MISTAKE
from baink_lab.lab.enrolment import EnrolmentRefused, enroll_stand_in
from tests.lab.lab_world import mistakes, opened

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
async def lab(shared_home):
    async with opened(3) as lab:
        await lab.reset(sure=True)
        yield lab


async def ready(lab):
    await catch_up(lab.api, lab.world, 4, lab.progress)


async def only(lab, wanted):
    found, results = await mistakes(lab)
    assert found == {wanted}, results
    name = next(one.name for one in results.values() if one.mistake)
    assert BY_MISTAKE[wanted][0] in repr(lab.hint(name))
    return name


async def test_untouched_is_not_attempted(lab):  # first: the tenant's log is still empty
    found, results = await mistakes(lab)
    assert found == set()
    assert {one.kind for one in results.values()} == {Kind.NOT_ATTEMPTED}


async def test_t4_the_factor_is_off(lab):
    await ready(lab)
    await PIECES["factor"].remove(lab.api, lab.world, await lab.tenant())
    name = await only(lab, "T4")
    await PIECES["factor"].make(lab.api, lab.world, await lab.tenant())
    assert await lab.check(name)


async def test_t5_nobody_took_up_the_ticket(lab):
    await ready(lab)
    await PIECES["phone"].remove(lab.api, lab.world, await lab.tenant())
    ticket = await lab.api.enrollment_ticket(lab.world.user_id)
    name = await only(lab, "T5")
    await enroll_stand_in(ticket)
    assert await lab.check(name)
    with pytest.raises(EnrolmentRefused, match="Ask for a new ticket"):
        await enroll_stand_in(ticket)


async def test_t13_the_customer_lacks_the_permission(lab):
    await ready(lab)
    await lab.api.patch(api_path(lab.world), {"enforce_policies": True})
    name = await only(lab, "T13")
    one = {
        "resource_server_identifier": lab.world.audience,
        "permission_name": "create:transfer",
    }
    user = f"users/{lab.quoted(lab.world.user_id)}/permissions"
    await lab.api.post(user, {"permissions": [one]})
    assert (await lab.check(name)).kind is Kind.NOT_ATTEMPTED
    await lab.say("Move $25 from checking to savings")
    await lab.phone.approve()
    await lab.settled()
    assert await lab.check(name)
    await lab.api.patch(api_path(lab.world), {"enforce_policies": False})


async def test_a_customer_without_a_phone_enrols_and_goes_on(lab, capsys):
    await PIECES["factor"].make(lab.api, lab.world, await lab.tenant())
    await lab.say("Move $25 from checking to savings")
    told = capsys.readouterr().out
    assert "No phone is enrolled yet" in told
    assert "continue transfer" in (await lab.check("continued")).next_step
    url = next(word for word in told.split() if "/guardian/enroll?ticket=" in word)
    assert url in repr(await lab.enroll(url))
    assert not await lab.check("enrolled"), "without autopilot a person presses the button"
    object.__setattr__(lab.settings, "baink_autopilot", True)
    await lab.enroll(url)
    await lab.enroll(url)
    object.__setattr__(lab.settings, "baink_autopilot", False)
    assert await lab.check("enrolled")
    await lab.say("continue transfer")
    await lab.phone.approve()
    await lab.settled()
    assert await lab.check("continued")
