"""Lab 03: T4, T5 and T13 fire alone; a customer without a phone enrols and goes on."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import nbformat
import pytest

from baink_lab.lab.checks import Kind
from baink_lab.lab.checks.mistakes import BY_MISTAKE
from baink_lab.lab.learner.texts import NoText
from baink_lab.lab.tenant.catch_up import catch_up
from baink_lab.lab.tenant.enrolment import EnrolmentRefused, enroll_stand_in
from baink_lab.lab.tenant.pieces import PIECES, api_path
from tests.lab.lab_world import begun, mistakes

pytestmark = pytest.mark.timeout(90)
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "03_enroll_guardian.ipynb"


@pytest.fixture
async def lab(shared_home):
    async with begun(3) as lab:
        yield lab


async def ready(lab):
    await catch_up(lab.api, lab.world, 4, lab.progress)


async def asked_with_no_phone(lab):
    """Step 2, and then everything is configured."""
    await PIECES["factor"].make(lab.api, lab.world, await lab.tenant())
    await lab.say("Move $25 from checking to savings")
    await ready(lab)


async def only(lab, wanted):
    found, results = await mistakes(lab)
    assert found == {wanted}, results
    name = next(one.name for one in results.values() if one.mistake)
    assert BY_MISTAKE[wanted][0] in repr(lab.hint(name))
    return name


async def test_untouched_is_not_attempted(lab):
    found, results = await mistakes(lab)
    assert found == set()
    assert {one.kind for one in results.values()} == {Kind.NOT_ATTEMPTED}


async def test_t4_the_factor_is_off(lab):
    await ready(lab)
    await PIECES["factor"].remove(lab.api, lab.world, await lab.tenant())
    name = await only(lab, "T4")
    await PIECES["factor"].make(lab.api, lab.world, await lab.tenant())
    assert await lab.check(name)


async def test_a_factor_that_nobody_touched_is_no_mistake(lab):
    """A phone of an earlier lab says nothing about this lab's step 1."""
    await PIECES["factor"].make(lab.api, lab.world, await lab.tenant())
    await enroll_stand_in(await lab.api.enrollment_ticket(lab.world.user_id))
    await PIECES["factor"].remove(lab.api, lab.world, await lab.tenant())
    red = await lab.check("push_factor")
    assert red.mistake == "T4", "it was switched off in this lab"
    assert "By API: run the cell of step 1" in red.next_step
    await lab._begun()
    assert (await lab.tenant()).devices
    untouched = await lab.check("push_factor")
    assert untouched.kind is Kind.NOT_ATTEMPTED
    assert "Without `await` the PUT is not sent" in untouched.next_step


async def test_a_denied_question_is_not_called_wrong(lab):
    await asked_with_no_phone(lab)
    await lab.say("continue transfer")
    await lab.phone.deny()
    await lab.settled()
    told = await lab.check("continued")
    assert told.kind is Kind.NOT_ATTEMPTED
    assert "You denied it" in told.why
    assert "wrong" not in repr(told)
    (code,) = re.findall(r"await (lab\.say\(.+?\))", told.next_step)
    await eval(code, {"lab": lab})
    await lab.phone.approve()
    await lab.settled()
    assert await lab.check("continued")


async def test_the_log_is_told_in_words_and_from_this_labs_beginning(lab):
    kinds = ("ciba_start_failed", "gd_send_pn", "gd_enrollment_complete")
    await ready(lab)
    await lab.say("Move $25 from checking to savings")
    await lab.phone.deny()
    await lab.settled()
    assert "gd_send_pn" in repr(await lab.log_in_words(*kinds))
    await lab.reset(sure=True)
    assert "gd_" not in repr(await lab.log_in_words(*kinds))
    await lab.say("Move $25 from checking to savings")
    shown = await lab.log_in_words(*kinds)
    (line,) = [one for one in shown.text.splitlines() if "ciba_start_failed" in one]
    assert "a question to the phone was refused" in line
    assert "not enrolled in push notifications" in line
    everything = await lab.log_in_words()
    assert "sapi" in everything.text


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
    await asked_with_no_phone(lab)
    await lab.api.patch(api_path(lab.world), {"enforce_policies": True})
    name = await only(lab, "T13")
    one = {
        "resource_server_identifier": lab.world.audience,
        "permission_name": "create:transfer",
    }
    user = f"users/{lab.quoted(lab.world.user_id)}/permissions"
    await lab.api.post(user, {"permissions": [one]})
    assert (await lab.check(name)).kind is Kind.NOT_ATTEMPTED
    await lab.say("continue transfer")
    await lab.phone.approve()
    await lab.settled()
    assert await lab.check(name)
    await lab.api.patch(api_path(lab.world), {"enforce_policies": False})


async def test_nothing_that_an_earlier_life_of_the_lab_did_counts(lab):
    await lab.say("Move $25 from checking to savings")
    await lab.api.enrollment_ticket(lab.world.user_id)
    assert (await lab.check("push_factor")).mistake == "T4"
    assert (await lab.check("enrolled")).mistake == "T5"
    await lab.reset(sure=True)
    found, results = await mistakes(lab)
    assert found == set()
    assert {one.kind for one in results.values()} == {Kind.NOT_ATTEMPTED}


async def test_an_invitation_for_another_lab_does_not_count(lab):
    await ready(lab)  # it makes a ticket, and uses it
    await lab.catch_up()
    assert (await lab.check("enrolled")).kind is Kind.NOT_ATTEMPTED


async def test_aiyas_own_invitation_is_not_the_learners_try(lab):
    await PIECES["factor"].make(lab.api, lab.world, await lab.tenant())
    await lab.say("Move $25 from checking to savings")
    before = await lab.check("enrolled")
    assert before.kind is Kind.NOT_ATTEMPTED
    assert "step 3" in before.next_step
    await lab.api.enrollment_ticket(lab.world.user_id)
    assert (await lab.check("enrolled")).mistake == "T5"


@pytest.mark.parametrize(("provider", "by"), [("sns", "Amazon SNS"), ("direct", "FCM and APNs")])
async def test_pushes_to_another_app_do_not_reach_the_guardian_app(lab, provider, by):
    http = await lab.management()
    factor = "guardian/factors/push-notification"
    await http.put(factor, json={"enabled": True})
    await http.put(f"{factor}/selected-provider", json={"provider": provider})
    wrong = await lab.check("push_factor")
    assert wrong.kind is Kind.WRONG
    assert f"its provider is {provider}" in wrong.why
    assert by in wrong.why
    assert "two requests" in repr(lab.hint("push_factor"))
    (code,) = re.findall(r"`await (.+?)`", wrong.next_step)
    assert (await eval(code, {"http": http, "factor": factor})).is_success
    good = await lab.check("push_factor")
    assert "goes to the Guardian app" in good.why


async def test_an_app_of_ones_own_is_right_where_the_customer_is_enrolled_in_it(lab, monkeypatch):
    await ready(lab)
    path = "guardian/factors/push-notification/selected-provider"
    await lab.api.put(path, {"provider": "direct"})
    assert not await lab.check("push_factor"), "in the sandbox there is no such app"
    monkeypatch.setattr(type(lab.settings), "mode", "live")
    assert (
        "an app of your own, where the customer is enrolled" in (await lab.check("push_factor")).why
    )
    assert not [one for one in await lab.catch_up() if "push factor" in one]
    monkeypatch.undo()
    await PIECES["phone"].remove(lab.api, lab.world, await lab.tenant())
    monkeypatch.setattr(type(lab.settings), "mode", "live")
    assert not await lab.check("push_factor")


async def test_a_refusal_by_the_bank_is_no_transfer(lab):
    await ready(lab)
    await lab.say("Move $25 from checking to savings")
    await lab.phone.approve()
    await lab.settled()
    assert (await lab.check("continued")).kind is Kind.NOT_ATTEMPTED
    await lab.api.patch(api_path(lab.world), {"token_dialect": "access_token"})
    await lab.say("Move $25 from checking to savings")
    await lab.phone.approve()
    await lab.settled()
    red = await lab.check("continued")
    assert (red.name, red.kind) == ("continued", Kind.WRONG)
    assert "invalid_token" in red.why


async def test_who_asks_too_often_without_a_phone_is_told_the_truth(lab, capsys):
    await PIECES["factor"].make(lab.api, lab.world, await lab.tenant())
    for _ in range(6):
        await lab.say("Move $25 from checking to savings")
    told = capsys.readouterr().out
    assert "The phone was asked" not in told
    assert "5 times within a minute to reach this customer" in told
    assert "enrol one. Wait a minute, then ask again." in told
    assert (await lab.check("enrolled")).kind is Kind.NOT_ATTEMPTED


async def test_a_customer_without_a_phone_enrols_and_goes_on(lab, capsys):
    await PIECES["factor"].make(lab.api, lab.world, await lab.tenant())
    await lab.say("Move $25 from checking to savings")
    told = capsys.readouterr().out
    assert "No phone is enrolled" in told
    assert "continue transfer" in (await lab.check("continued")).next_step
    url = next(word for word in told.split() if "/guardian/enroll?ticket=" in word)
    assert url in repr(await lab.enroll(url))
    assert not await lab.check("enrolled"), "without autopilot a person presses the button"
    object.__setattr__(lab.settings, "baink_autopilot", True)
    await lab.enroll(url)
    await lab.enroll(url)
    object.__setattr__(lab.settings, "baink_autopilot", False)
    told = await lab.check("enrolled")
    assert told
    assert "factor is off" not in told.why
    await lab.say("continue transfer")
    await lab.phone.approve()
    await lab.settled()
    told = await lab.check("continued")
    assert told
    assert "met a phone at once" not in told.why
    assert "asked anew" not in told.why


async def says_after_the_first_met_no_phone(lab, text):
    await PIECES["factor"].make(lab.api, lab.world, await lab.tenant())
    await lab.say("Move $25 from checking to savings")
    await PIECES["phone"].make(lab.api, lab.world, await lab.tenant())
    await lab.say(text)
    await lab.phone.approve()
    await lab.settled()
    return await lab.check("continued")


async def test_who_asks_anew_is_told_that_continue_would_have_done(lab):
    told = await says_after_the_first_met_no_phone(lab, "Move $25 from checking to savings")
    assert told
    assert "You asked anew, with all the words" in told.why


async def test_a_transfer_that_met_a_phone_at_once_has_not_gone_on(lab, monkeypatch):
    await ready(lab)
    await lab.say("Move $25 from checking to savings")
    await lab.phone.approve()
    await lab.settled()
    told = await lab.check("continued")
    assert told.kind is Kind.NOT_ATTEMPTED
    assert "it met a phone at once, so nothing had to go on" in told.why
    assert told.next_step.startswith("Step 2 comes first")
    assert told.next_step in repr(lab.hint("continued"))
    gone, again = re.findall(r"await (lab\.\w+\(.*?\))", told.next_step)
    monkeypatch.setattr(type(lab.settings), "mode", "live")
    live = await lab.check("continued")
    assert live, "nobody has to take a real phone off the list"
    assert "nothing had to go on" in live.why
    monkeypatch.undo()
    await eval(gone, {"lab": lab})
    await lab.say("Move $25 from checking to savings")
    await lab.enroll()
    await ready(lab)  # somebody presses the button
    await eval(again, {"lab": lab})
    await lab.phone.approve()
    await lab.settled()
    assert await lab.check("continued")


async def test_a_refused_ticket_is_told_and_no_error(lab, capsys):
    """The cell of step 3, with a slip in it."""
    book = nbformat.read(NOTEBOOK, 4)
    cell = next(one.source for one in book.cells if "enrollments/ticket" in one.source)
    *lines, last = cell.replace("push-notification", "push").splitlines()
    body = "\n".join(f"    {line}" for line in [*lines, f"return {last}"])
    names = {"lab": lab, "http": await lab.management()}
    exec(f"async def cell():\n{body}", names)
    shown = await names["cell"]()
    assert "400 Bad Request" in capsys.readouterr().out
    assert "No ticket, so there is no page to open" in repr(shown)


async def test_who_gives_something_else_than_the_address_is_told_where_it_is(lab):
    answer = httpx.Response(201, json={"ticket_id": "t", "ticket_url": "https://x.example/t"})
    for given, way in ((answer, '.json()["ticket_url"]'), (answer.json(), 'its `["ticket_url"]`')):
        with pytest.raises(NoText, match=re.escape(way)):
            await lab.enroll(given)
    assert "“t” is no address" in repr(await lab.enroll("t"))


async def test_a_phone_without_the_factor_is_green_and_says_what_is_missing(lab):
    await PIECES["phone"].make(lab.api, lab.world, await lab.tenant())
    told = await lab.check("enrolled")
    assert told
    assert "the push factor is off" in told.why


async def test_another_transfer_than_the_one_that_met_no_phone_has_not_gone_on(lab):
    told = await says_after_the_first_met_no_phone(lab, "Move $10 from checking to savings")
    assert told.kind is Kind.NOT_ATTEMPTED
    assert "Another transfer" in told.why
    assert "continue transfer" in told.next_step
