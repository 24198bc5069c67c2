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


def buttons(widget, name):
    return [one for one in every(widget) if getattr(one, "description", None) == name]


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
    await changed(first.widget, lambda: buttons(first.widget, "Approve"))
    buttons(first.widget, "Approve")[0].click()
    await asyncio.wait_for(lab.settled(), 20)
    await changed(first.widget, lambda: not buttons(first.widget, "Approve"))
    assert "Approved: Move 25.00 USD" in said(second.widget)


async def test_neither_showing_nor_answering_leaves_models_behind(lab):
    box = lab.phone.widget().widget
    gc.collect()
    before = len(models._instances)
    for _ in range(3):
        lab.phone.widget()
    assert len(models._instances) == before
    await lab.say(MOVE)
    await changed(box, lambda: buttons(box, "Deny"))
    assert len(models._instances) > before
    buttons(box, "Deny")[0].click()
    await asyncio.wait_for(lab.settled(), 20)
    await changed(box, lambda: not buttons(box, "Deny"))
    assert len(models._instances) == before


async def test_a_lab_that_is_closed_leaves_no_phone_that_looks_alive(lab):
    box = lab.phone.widget().widget
    await lab.say(MOVE)
    await changed(box, lambda: buttons(box, "Approve"))
    await lab.close()
    assert not buttons(box, "Approve")
    assert "switched off" in said(box)
    assert all(one.cancelling() for one in watchers())
    assert lab.phone.widget().widget is box
    await changed(box, lambda: buttons(box, "Approve"))
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
    await changed(box, lambda: buttons(box, "Approve"))
    facts = said(box).partition("<dl>")[2].partition("</dl>")[0]
    assert facts == (
        "<dt>Asks</dt><dd>Check the &lt;payee&gt;</dd>"
        "<dt>Amount</dt><dd>25</dd>"
        "<dt>To</dt><dd>Ben &amp; Co</dd>"
    )
    await lab.phone.deny()
    await changed(box, lambda: not buttons(box, "Approve"))
