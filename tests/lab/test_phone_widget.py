"""The phone's widget: what it shows, however often it is displayed, and what it leaves behind."""

from __future__ import annotations

import asyncio
import gc

import httpx
import pytest
from ipywidgets.widgets import widget as models

from baink_lab.auth0 import CibaClient
from baink_lab.lab import open_lab
from baink_lab.lab.opening import _opened
from baink_lab.lab.tenant.enrolment import enroll_stand_in

pytestmark = pytest.mark.timeout(90)

MOVE = "Move $25 from checking to savings"
DETAILS = [
    {
        "type": "urn:auth0:schemas:authorization-details:v1:money-transfer",
        "instruction": "Check the <payee>",
        "properties": {
            "payee": {"name": "To:", "value": "Ben & Co", "display": True, "display_order": 2},
            "amount": {"name": "Amount:", "value": 25, "display": True, "display_order": 1},
            "purpose": {"name": "Purpose", "value": "rent", "display": False},
        },
    }
]


@pytest.fixture
async def lab(shared_home, capsys):
    lab = await open_lab(0)
    await lab.reset(sure=True)
    yield lab
    await lab.close()
    _opened.clear()


def watchers():
    return [task for task in asyncio.all_tasks() if task.get_name() == "phone widget"]


def every(widget):
    return [widget, *(one for child in getattr(widget, "children", ()) for one in every(child))]


def screen(widget):
    """The part that holds the cards."""
    (only,) = [one for one in every(widget) if hasattr(one, "cards")]
    return only


def cards(widget):
    return screen(widget).cards


def press(widget, one, decision):
    """What the browser sends."""
    screen(widget)._handle_custom_msg({"pressed": decision, "id": one["id"]}, [])


def said(widget):
    return "\n".join(one.value for one in every(widget) if hasattr(one, "value"))


async def changed(widget, condition):
    """Wait until what the widget shows fulfils a condition."""
    event = asyncio.Event()
    for one in every(widget):
        one.observe(lambda _: event.set())
    async with asyncio.timeout(20):
        while not condition():
            event.clear()
            await event.wait()


async def test_shown_twice_it_is_one_phone_and_both_live(lab):
    first, second = lab.phone.widget(), lab.phone.widget()
    assert first.widget is second.widget
    assert len(watchers()) == 1
    await lab.say(MOVE)
    await changed(first.widget, lambda: cards(first.widget))
    press(first.widget, cards(first.widget)[0], "approve")
    await asyncio.wait_for(lab.settled(), 20)
    await changed(first.widget, lambda: not cards(first.widget))
    assert "Approved: Move 25.00 USD" in said(second.widget)


async def test_never_nothing_waits_and_a_new_request_at_once(lab):
    """Whichever of the two is drawn first, and however the request ends."""
    box = lab.phone.widget().widget
    seen = []
    for one in every(box):
        one.observe(lambda _: seen.append(said(box)))
    await changed(box, lambda: "Nothing waits for you." in said(box))
    await lab.say(MOVE)
    await changed(box, lambda: "New request" in said(box))
    assert "Nothing waits" not in said(box)
    await lab.phone.approve()  # elsewhere, as far as this widget knows
    await changed(box, lambda: "Nothing waits for you." in said(box))
    assert "Waits no longer" in said(box)
    await lab.settled()
    await lab.say("Move $30 from checking to savings")
    await changed(box, lambda: "New request" in said(box))
    await lab.clock.advance("6 min")
    await changed(box, lambda: "Nothing waits for you." in said(box))
    await lab.settled()
    assert any("New request" in one for one in seen)
    assert [one for one in seen if "Nothing waits" in one and "New request" in one] == []


async def test_a_phone_that_does_not_answer_does_not_say_that_nothing_waits(lab):
    box = lab.phone.widget().widget
    await changed(box, lambda: "Nothing waits for you." in said(box))
    right, lab.phone._url = lab.phone._url, "http://127.0.0.1:1/phone"
    await changed(box, lambda: "does not answer" in said(box))
    assert "Nothing waits" not in said(box)
    lab.phone._url = right
    await changed(box, lambda: "Nothing waits for you." in said(box))


async def test_each_request_is_a_card_and_a_button_is_pressed_once(lab):
    box = lab.phone.widget().widget
    await lab.say(MOVE)
    await lab.say("Move $40 from savings to checking")
    await changed(box, lambda: len(cards(box)) == 2)
    second, first = cards(box)  # as on a real phone the newest is on top
    assert first["message"].startswith("Move 25.00 USD")
    assert second["message"].startswith("Move 40.00 USD")
    key = second["id"]
    for nonsense in (
        *({"pressed": "both", "id": key}, {"pressed": ["approve"], "id": key}, None, "approve"),
        *({"pressed": "approve"}, {"pressed": "approve", "id": [key]}),
        {"pressed": "approve", "id": "cns_gone"},
    ):
        screen(box)._handle_custom_msg(nonsense, [])
    assert screen(box).busy == []
    press(box, second, "approve")
    assert screen(box).busy == [key]
    press(box, second, "deny")
    await changed(box, lambda: len(cards(box)) == 1)
    assert cards(box) == [first]
    press(box, first, "deny")
    await asyncio.wait_for(lab.settled(), 20)
    told = {one.binding_message[:10]: one.state.value for one in await lab.approvals()}
    assert told == {"Move 40.00": "approved", "Move 25.00": "denied"}


async def test_neither_showing_nor_answering_leaves_models_behind(lab):
    box = lab.phone.widget().widget
    gc.collect()
    before = len(models._instances)
    for _ in range(3):
        lab.phone.widget()
    assert len(models._instances) == before
    await lab.say(MOVE)
    await changed(box, lambda: cards(box))
    assert len(models._instances) == before
    press(box, cards(box)[0], "deny")
    await asyncio.wait_for(lab.settled(), 20)
    await changed(box, lambda: not cards(box))
    assert len(models._instances) == before


async def test_a_lab_that_is_closed_leaves_no_phone_that_looks_alive(lab):
    box = lab.phone.widget().widget
    await lab.say(MOVE)
    await changed(box, lambda: cards(box))
    await lab.close()
    assert not cards(box)
    assert "switched off" in said(box)
    assert all(one.cancelling() for one in watchers())
    assert lab.phone.widget().widget is box
    await changed(box, lambda: cards(box))
    assert "switched off" not in said(box)


async def test_rich_details_are_told_as_auth0s_own_app_tells_them(lab):
    """Instruction first, then what is to be displayed, in order; nothing of it is taken as HTML."""
    box = lab.phone.widget().widget
    world = lab.world
    async with (
        httpx.AsyncClient() as http,
        CibaClient(
            issuer=world.issuer,
            client_id=world.client_id,
            client_secret=world.client_secret,
            http=http,
        ) as client,
    ):
        await client.start(
            user_id=world.user_id,
            scope="openid create:transfer",
            audience=world.audience,
            binding_message="Move 25.00 USD",
            authorization_details=DETAILS,
        )
    await changed(box, lambda: cards(box))
    assert cards(box)[0]["facts"] == [
        *(["Asks", "Check the <payee>"], ["Amount", "25"], ["To", "Ben & Co"])
    ]
    await lab.phone.deny()
    await changed(box, lambda: not cards(box))


async def enrol_another(lab):
    await enroll_stand_in(await lab.manager().enrollment_ticket(lab.world.user_id))


async def test_a_phone_that_is_gone_is_told_and_so_is_what_was_sent_to_it(lab):
    box = lab.phone.widget().widget
    await changed(box, lambda: "Nothing waits for you." in said(box))
    for _ in range(2):
        await lab.say(MOVE)
    await changed(box, lambda: len(cards(box)) == 2)
    assert "Your phone: 2 requests wait" in said(box)
    await lab.unenroll()
    await changed(box, lambda: "No phone is enrolled" in said(box))
    assert "Nothing waits" not in said(box)
    assert "Waits no longer" not in said(box)
    assert "Nobody can answer it, as it was sent to a phone that is gone: Move 25" in said(box)
    assert "2 requests went to a phone that is gone, and lapse in 4:" in said(box)
    # A new one knows nothing of them.
    await enrol_another(lab)
    await changed(box, lambda: "Nothing waits for you." in said(box))
    assert "2 requests went to a phone that is gone" in said(box)
    await lab.clock.advance("6 min")
    await changed(box, lambda: "requests went" not in said(box))
    assert "Nothing waits for you." in said(box)
