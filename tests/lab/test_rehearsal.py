"""Lab 05's experiments: what the model behind the lab does with other words and another schema."""

from __future__ import annotations

import dataclasses

import pytest
from pydantic import BaseModel

from baink_lab.aiya import prompts
from tests.lab.lab_world import opened

pytestmark = pytest.mark.timeout(60)
VISIT = "Book an appointment for the customer at a branch of the bank."
CALL = "Arrange that somebody from the bank telephones the customer."


@pytest.fixture
async def lab(shared_home):
    async with opened(5) as lab:
        yield lab


async def test_one_client_serves_all(lab):
    aiya = await lab.aiya()
    client = aiya.resumer.desk.ciba
    await lab.rehearse("How much is in my savings?", (await lab.tools()).values())
    assert (await lab.aiya()).resumer.desk.ciba is client


async def test_a_changed_description_changes_the_choice(lab):
    blank = (await lab.tools())["get_accounts"]
    chosen = []
    for one, two in ((VISIT, CALL), (CALL, VISIT)):
        registry = [
            dataclasses.replace(blank, name="service_one", description=one),
            dataclasses.replace(blank, name="service_two", description=two),
        ]
        made = await lab.rehearse("I want an appointment at a branch", registry)
        chosen.append(made.calls)
    assert chosen == [["service_one"], ["service_two"]]


async def test_one_description_asks_in_the_chat_the_other_does_not(lab):
    tools = await lab.tools()
    made = []
    for text in (prompts.TRANSFER_FUNDS_CONFIRMED_IN_CHAT, prompts.TRANSFER_FUNDS):
        transfer = dataclasses.replace(tools["transfer_funds"], description=text)
        registry = [tools["get_accounts"], transfer]
        made.append(await lab.rehearse("Move $25 from checking to savings", registry))
    before, now = made
    assert before.calls == ["get_accounts"]
    assert before.steps[-1][0] == "says"
    assert before.steps[-1][1].startswith("Shall I")
    assert now.calls == ["get_accounts", "transfer_funds"]
    assert await lab.approvals() == [], "a rehearsal does nothing"


async def test_a_loose_schema_lets_floats_and_names_through(lab):
    class Loose(BaseModel):
        source: str
        target: str
        amount: float

    tools = await lab.tools()
    loose = dataclasses.replace(
        tools["transfer_funds"], arguments=Loose, description=prompts.TRANSFER_FUNDS
    )
    made = await lab.rehearse("Move $25.10 from checking to savings", [loose])
    assert made.steps[-1][1].endswith('{"source": "checking", "target": "savings", "amount": 25.1}')


async def test_the_request_is_shown_as_it_went_over_the_wire(lab):
    made = await lab.rehearse("How much is in my savings?", (await lab.tools()).values())
    assert '"name": "get_accounts"' in made.tool("get_accounts")
    assert made.tool("nothing") == "The request has no tool nothing."
    assert made.request["messages"][0]["role"] == "system"
    assert "Aiya calls get_accounts" in repr(made)
