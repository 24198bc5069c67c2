"""Aiya and the scripted model on a real sandbox: enrolling in between, and what stays on disk."""

from __future__ import annotations

import re
import sqlite3

import httpx
import pytest
from pydantic import BaseModel

from baink_lab.aiya import open_aiya
from baink_lab.approvals import Tool, with_async_authorization
from baink_lab.auth0.management import ManagementClient
from baink_lab.lab.phone.stand_in import Phone
from baink_lab.sandbox import launch
from baink_lab.settings import Settings

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
async def place(tmp_path):
    home = tmp_path / "home"
    settings = Settings(baink_home=home)
    ready = await launch.ensure(home, settings=settings, interval=1, relaxed=True)
    yield settings.world(ready)
    await launch.stop(home)


async def unenroll(world):
    async with ManagementClient(
        world.issuer, world.management_client_id, world.management_client_secret
    ) as management:
        for device in await management.push_enrollments(world.user_id):
            await management.delete(f"guardian/enrollments/{device['id']}")


async def press_enroll(page):
    """What a customer does on the enrolment page: read it, press its one button."""
    async with httpx.AsyncClient() as browser:
        shown = await browser.get(page)
        assert "nrol" in shown.text
        fields = dict(re.findall(r'name="(\w+)"[^>]*value="([^"]*)"', shown.text))
        action = re.search(r'<form[^>]*action="([^"]*)"', shown.text)
        target = shown.url.join(action[1]) if action else shown.url
        done = await browser.post(target, data=fields)
        assert done.status_code in {200, 303}, done.text


async def test_a_customer_without_a_phone_enrols_through_aiya_and_continues(place, tmp_path):
    await unenroll(place)
    phone = Phone(place.phone)
    async with open_aiya(place, tmp_path / "aiya") as aiya:
        said = await aiya.say("move $25 from checking to savings")
        link = re.search(r"http://\S+", said)
        assert link, said
        assert "continue transfer" in said
        await press_enroll(link[0].rstrip(".,)"))
        await aiya.say("continue transfer")
        [push] = await phone.waiting()
        assert push["binding_message"].startswith("Move 25.00 USD from Checking to Savings")
        await phone.approve()
        await aiya.settled()
        assert "Done: $25.00 moved" in (await aiya.messages())[-1]["content"]


class Dispute(BaseModel):
    transaction_id: str
    reason: str


async def test_a_dispute_ticket_waits_for_the_phone_too(place, tmp_path):
    opened = []

    async def open_dispute(arguments, call):
        opened.append(arguments.transaction_id)
        return {"ticket": "D-1"}

    ticket = with_async_authorization(
        Tool("open_dispute", "Open a dispute ticket for a card charge.", Dispute, open_dispute),
        scopes=["create:transfer"],
        audience=place.audience,
        binding_message=lambda arguments, _: f"Open a dispute for {arguments.transaction_id}",
    )
    async with open_aiya(place, tmp_path / "aiya", tools=lambda ours: [*ours, ticket]) as aiya:
        await aiya.say("open a dispute for transaction tx_42, reason: I did not buy this")
        phone = Phone(place.phone)
        [push] = await phone.waiting()
        assert push["binding_message"].startswith("Open a dispute for tx")
        assert opened == []
        await phone.approve()
        await aiya.settled()
    assert opened == ["tx_42"]


async def test_no_secret_that_was_issued_is_in_any_file_that_the_agent_leaves(place, tmp_path):
    phone = Phone(place.phone)
    async with open_aiya(place, tmp_path / "aiya") as aiya:
        await aiya.say("move $25 from checking to savings")
        await phone.approve()
        await aiya.settled()
        await aiya.say("move $30 from checking to savings")  # one that still waits
    secrets = {place.client_secret, place.management_client_secret, place.user_password}
    with sqlite3.connect(tmp_path / "home" / "tenant.db") as state:
        rows = state.execute("SELECT id FROM documents WHERE kind = 'ciba'").fetchall()
    state.close()
    secrets |= {row[0] for row in rows}
    assert len(rows) == 2
    left = [path for path in (tmp_path / "aiya").rglob("*") if path.is_file()]
    left.append(tmp_path / "home" / "sandbox.log")
    assert {"threads.db", "approvals.db", "vault.key"} <= {path.name for path in left}
    for path in left:
        held = path.read_bytes()
        assert b"eyJ" not in held, f"{path.name} holds a token"
        for secret in secrets:
            assert secret.encode() not in held, f"{path.name} holds a secret"
