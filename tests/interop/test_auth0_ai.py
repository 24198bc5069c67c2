"""auth0-ai-langchain on a LangGraph server: its GraphResumer, our tenant, phone and bank."""

from __future__ import annotations

import json

import httpx
import pytest

from baink_lab.auth0.login import log_in_with_form
from baink_lab.clock import SystemClock
from baink_lab.settings import World


@pytest.fixture
async def balances(served):
    """The customer's balances by account, read with a login of her own."""
    import ssl

    trust = ssl.create_default_context(cafile=served["ca"])
    async with httpx.AsyncClient(verify=trust, trust_env=False) as http:

        async def balances():
            world = World.from_ready({"model": "", **served})
            token = await log_in_with_form(world, http=http, clock=SystemClock())
            headers = {"authorization": f"Bearer {token.access_token}"}
            answer = await http.get(f"{served['bank']}/api/accounts", headers=headers)
            return {each["id"]: each["balance"] for each in answer.json()["accounts"]}

        yield balances


async def test_an_approved_transfer_moves_the_money_once(peer, balances):
    before = await balances()
    source, target = list(before)[:2]
    order = {"message": "resumer 25.00", "from_account": source, "to_account": target}
    told = peer("ai", "resumer.py", "approve", json.dumps(order | {"amount": "25.00"}))
    assert (told["status"], told["errors"]) == ("idle", [])
    assert "25.00" in told["last"]
    after = await balances()
    assert float(before[source]) - float(after[source]) == 25
    assert float(after[target]) - float(before[target]) == 25


async def test_a_denied_transfer_moves_nothing(peer, balances):
    before = await balances()
    source, target = list(before)[:2]
    order = {"message": "resumer denied", "from_account": source, "to_account": target}
    told = peer("ai", "resumer.py", "deny", json.dumps(order | {"amount": "25.00"}))
    assert told["status"] == "error"
    assert "AccessDeniedInterrupt" in told["errors"][0]
    assert await balances() == before
