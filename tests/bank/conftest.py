from contextlib import closing

import httpx
import pytest

from baink_lab.clock import VirtualClock
from tests.bank.bank_world import START, Bank, bank_app, open_ledger, tenant_http


@pytest.fixture
async def bank(tmp_path):
    """The bank as on its first day; its ledger must sum to zero when the test is over."""
    clock = VirtualClock(START)
    with closing(open_ledger(tmp_path / "ledger.db")) as ledger:
        async with tenant_http() as tenant:
            transport = httpx.ASGITransport(bank_app(ledger, clock, tenant))
            async with httpx.AsyncClient(transport=transport, base_url="http://bank") as http:
                yield Bank(ledger, clock, http)
        assert ledger.total() == 0
