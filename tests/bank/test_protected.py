"""Statements and disputes: each behind a scope of its own, each only the owner's, once a key."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest

from baink_lab.bank import book as books
from baink_lab.bank.client import BankClient, BankError
from baink_lab.bank.problems import PROBLEMS
from tests.bank.bank_world import ACCOUNTS, ANA, BEN, mint, new_key, open_ledger

READ, WRITE = "openid read:statements", "openid create:dispute"
YEAR = 2023  # of START


async def dispute(bank, body, *, token=None, key=None):
    headers = {
        "Authorization": f"Bearer {token or mint(scope=WRITE)}",
        "Idempotency-Key": key or new_key(),
    }
    return await bank.http.post("/api/accounts/disputes", json=body, headers=headers)


async def moved(bank, **changes):
    return (await bank.post(bank.order(**changes))).json()["id"]


def code_of(response):
    body = response.json()
    assert response.status_code == body["status"] == PROBLEMS[body["code"]][0]
    return body["code"]


async def test_a_statement_adds_up_what_the_ledger_has(bank):
    await moved(bank, amount="30.00", to_account=bank.payee("Mia Moreau"))
    await moved(bank, amount="12.50")
    told = (await bank.get(f"/api/accounts/statements/{YEAR}", mint(scope=READ))).json()
    assert (told["year"], told["holder"]) == (YEAR, "Ana Alvarez")
    sums = ("opening", "paid_in", "paid_out", "closing")
    assert [[one[name] for name in sums] for one in told["accounts"]] == [
        ["0.00", "2500.00", "42.50", "2457.50"],
        ["0.00", "10012.50", "0.00", "10012.50"],
    ]


async def test_the_years_before_and_after_begin_and_end_with_what_was_there(bank):
    before = (await bank.get(f"/api/accounts/statements/{YEAR - 1}", mint(scope=READ))).json()
    after = (await bank.get(f"/api/accounts/statements/{YEAR + 1}", mint(scope=READ))).json()
    assert {one["closing"] for one in before["accounts"]} == {"0.00"}
    checking = after["accounts"][0]
    assert (checking["opening"], checking["paid_in"]) == ("2500.00", "0.00")
    assert checking["closing"] == "2500.00"


async def test_another_customer_reads_only_their_own(bank):
    told = await bank.get(f"/api/accounts/statements/{YEAR}", mint(scope=READ, sub=BEN))
    assert told.json()["holder"] == "Ben Brandt"
    assert [one["closing"] for one in told.json()["accounts"]] == ["1200.00"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scope": "openid create:transfer"}, "insufficient_scope"),
        ({"scope": "openid read:accounts"}, "insufficient_scope"),
        ({"scope": f"{READ} create:dispute", "aud": ACCOUNTS}, "invalid_token"),
        ({"scope": READ, "permissions": []}, "insufficient_scope"),
    ],
)
async def test_the_token_of_a_login_or_of_a_transfer_opens_nothing(bank, changes, code):
    transfer = await moved(bank)
    statement = await bank.get(f"/api/accounts/statements/{YEAR}", mint(**changes))
    ticket = await dispute(
        bank, {"transfer_id": transfer, "reason": "Not mine"}, token=mint(**changes)
    )
    assert code_of(statement) == code_of(ticket) == code
    assert code_of(await bank.post(bank.order(), mint(scope=f"{READ} create:dispute")))


@pytest.mark.parametrize("year", ["26", "0999", "20266", "9999", "x", "%20"])
async def test_a_year_that_is_none_is_refused(bank, year):
    token = mint(scope=READ)
    assert code_of(await bank.get(f"/api/accounts/statements/{year}", token)) == "invalid_year"


async def test_twenty_requests_with_one_key_at_once_are_one_ticket(bank):
    said = {"transfer_id": await moved(bank), "reason": "I do not know this"}
    key = new_key()
    answers = await asyncio.gather(*(dispute(bank, said, key=key) for _ in range(20)))
    assert {one.status_code for one in answers} == {201}
    (ticket,) = {one.json()["id"]: one.json() for one in answers}.values()
    assert ticket | {"id": ""} == {
        "id": "",
        **said,
        "status": "open",
        "opened_at": "2023-11-14T22:13:20.000Z",
    }
    assert len([one for one in answers if "idempotent-replayed" in one.headers]) == 19
    other = said | {"reason": "Something else"}
    assert code_of(await dispute(bank, other, key=key)) == "idempotency_key_reused"


async def test_only_an_entry_of_ones_own_can_be_disputed(bank):
    mine = await moved(bank)
    said = {"transfer_id": mine, "reason": "Not mine"}
    stranger = await dispute(bank, said, token=mint(scope=WRITE, sub=BEN))
    assert code_of(stranger) == "unknown_transfer"
    assert code_of(await dispute(bank, said | {"transfer_id": "tr_0"})) == "unknown_transfer"


@pytest.mark.parametrize(
    "body",
    [
        {"reason": "x"},
        {"transfer_id": "t"},
        {"transfer_id": "t", "reason": ""},
        {"transfer_id": "t", "reason": "x" * 281},
        {"transfer_id": "t", "reason": "a\nb"},
        {"transfer_id": 1, "reason": "x"},
        {"transfer_id": "t", "reason": "x", "amount": "1"},
    ],
)
async def test_a_body_that_is_no_dispute_is_refused(bank, body):
    assert code_of(await dispute(bank, body)) == "invalid_field"


async def test_a_dispute_needs_an_idempotency_key(bank):
    headers = {"Authorization": f"Bearer {mint(scope=WRITE)}"}
    answer = await bank.http.post("/api/accounts/disputes", json={}, headers=headers)
    assert code_of(answer) == "idempotency_key_missing"


async def test_the_client_speaks_to_both(bank):
    client = BankClient("http://bank", http=bank.http)
    transfer = await moved(bank)
    told = await client.statement(mint(scope=READ), YEAR)
    assert told["accounts"][0]["paid_out"] == "25.00"
    ticket = await client.dispute(
        mint(scope=WRITE), "key", transfer_id=transfer, reason="I do not know this"
    )
    assert ticket["id"].startswith("dsp_")
    with pytest.raises(BankError, match="needs the scope read:statements"):
        await client.statement(mint(), YEAR)


def test_a_ledger_of_the_first_version_gets_the_table_and_keeps_its_money(tmp_path, monkeypatch):
    path = tmp_path / "ledger.db"
    with monkeypatch.context() as first:
        first.setattr(books, "_STEPS", books._STEPS[:1])
        first.setattr(books, "VERSION", 1)
        with closing(open_ledger(path)) as ledger:
            before = ledger.accounts(ANA)
    for _ in range(2):
        with closing(open_ledger(path)) as ledger:
            assert ledger.accounts(ANA) == before
    with closing(sqlite3.connect(path)) as book:
        assert book.execute("PRAGMA user_version").fetchone() == (2,)
        assert book.execute("SELECT count(*) FROM disputes").fetchone() == (0,)
