import itertools
import sqlite3
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from baink_lab.bank import money
from baink_lab.bank.book import LedgerError
from baink_lab.bank.ledger import Ledger
from baink_lab.bank.order import Order
from baink_lab.bank.postings import Authority
from baink_lab.bank.problems import Refusal
from tests.bank.bank_world import ANA, BEN, START, open_ledger


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path):
    with closing(open_ledger(path)) as opened:
        yield opened


def balances(ledger, owner=ANA):
    return {a["name"]: a["balance"] for a in ledger.accounts(owner)}


def order_of(ledger, amount=2500, **changes):
    checking, savings = (a["id"] for a in ledger.accounts(ANA))
    return Order(**({"from_account": checking, "to_account": savings} | changes), **_usd(amount))


def _usd(amount):
    return {"amount": amount, "currency": "USD"}


def test_ana_starts_with_two_accounts_and_two_payees(ledger):
    assert balances(ledger) == {"Checking": "2500.00", "Savings": "10000.00"}
    assert {p["name"] for p in ledger.payees(ANA)} == {"Mia Moreau", "Ben Brandt"}
    assert ledger.total() == 0


def test_seeding_again_gives_nobody_more_money(ledger):
    before = ledger.accounts(ANA), ledger.payees(ANA), ledger.accounts(BEN)
    ledger.transfer(order_of(ledger), Authority(ANA, "k", "t"), at=START)
    ledger.seed(ANA, BEN, at=START)
    assert balances(ledger) == {"Checking": "2475.00", "Savings": "10025.00"}
    assert [a["id"] for a in ledger.accounts(ANA)] == [a["id"] for a in before[0]]
    assert (ledger.payees(ANA), ledger.accounts(BEN)) == before[1:]


def test_everything_is_there_after_a_restart_and_the_key_still_replays(path):
    with closing(open_ledger(path)) as first:
        order = order_of(first)
        receipt = first.transfer(order, Authority(ANA, "k", "t"), at=START).receipt
    with closing(Ledger.open(path)) as second:
        again = second.transfer(order, Authority(ANA, "k", "t"), at=START + 9)
        assert (again.receipt, again.replayed) == (receipt, True)
        assert balances(second)["Checking"] == "2475.00"


def test_the_file_is_for_its_owner_only(path, ledger):
    assert path.stat().st_mode & 0o777 == 0o600


def test_one_key_from_many_threads_is_one_transfer(ledger):
    order = order_of(ledger)
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(
                lambda n: ledger.transfer(order, Authority(ANA, "k", f"t{n}"), at=START + n),
                range(20),
            )
        )
    assert len({m.receipt["id"] for m in made}) == 1
    assert [m.replayed for m in made].count(False) == 1
    assert balances(ledger)["Checking"] == "2475.00"


def test_two_processes_worth_of_connections_cannot_spend_the_same_money(path, ledger):
    order = order_of(ledger, 200_000)  # of 2,500.00: enough for one
    with closing(Ledger.open(path)) as other, ThreadPoolExecutor(2) as pool:

        def spend(book, name):
            try:
                return book.transfer(order, Authority(ANA, name, name), at=START).replayed
            except Refusal as refusal:
                return refusal.code

        answers = pool.map(spend, [ledger, other], ["a", "b"])
        assert sorted(answers, key=str) == [False, "insufficient_funds"]
    assert balances(ledger)["Checking"] == "500.00"


def test_one_owners_key_is_not_anothers(ledger):
    ledger.transfer(order_of(ledger), Authority(ANA, "k", "t"), at=START)
    (ben,) = ledger.accounts(BEN)
    (payee,) = ledger.payees(BEN)
    order = Order(ben["id"], payee["id"], **_usd(100))
    assert not ledger.transfer(order, Authority(BEN, "k", "t2"), at=START).replayed


def test_a_commit_that_does_not_sum_to_zero_is_undone_by_the_database(path, ledger):
    with closing(sqlite3.connect(path, isolation_level=None)) as book:
        book.execute("PRAGMA foreign_keys = ON")
        book.execute("BEGIN")
        book.execute("INSERT INTO transfers (id, memo, created_at) VALUES ('x', '', '')")
        account = ledger.accounts(ANA)[0]["id"]
        book.execute(
            "INSERT INTO entries (transfer_id, account_id, amount) VALUES ('x', ?, 1)", [account]
        )
        with pytest.raises(sqlite3.IntegrityError):
            book.execute("COMMIT")
        book.execute("ROLLBACK")
    assert ledger.total() == 0


@pytest.mark.parametrize(
    "forbidden",
    ["UPDATE entries SET amount = 1", "DELETE FROM entries", "UPDATE accounts SET owner = 'me'"],
)
def test_what_is_written_is_never_changed(path, ledger, forbidden):
    with (
        closing(sqlite3.connect(path)) as book,
        pytest.raises(sqlite3.IntegrityError, match="never"),
    ):
        book.execute(forbidden)


def test_a_file_that_is_no_ledger_is_told_in_one_sentence(path):
    path.write_text("Dear diary, today I moved $25. " * 40)
    with pytest.raises(LedgerError, match="cannot be used as a ledger"):
        Ledger.open(path)


def test_a_ledger_of_a_newer_version_is_left_alone(path):
    with closing(sqlite3.connect(path)) as book:
        book.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerError, match="newer"):
        Ledger.open(path)


class AnyTransfers(RuleBasedStateMachine):
    """Orders good and bad, keys and tokens old and new, in any order."""

    accounts = ("Checking", "Savings", "Mia", "Ben", "unknown")

    @initialize()
    def open(self):
        self.folder = tempfile.TemporaryDirectory()
        self.ledger = open_ledger(Path(self.folder.name) / "ledger.db")
        own = {a["name"]: a["id"] for a in self.ledger.accounts(ANA)}
        paid = {p["name"].split()[0]: p["id"] for p in self.ledger.payees(ANA)}
        self.ids = own | paid | {"unknown": "acc_unknown"}
        self.own = {own["Checking"]: 250_000, own["Savings"]: 1_000_000}  # what we expect
        self.answers = {}  # key → (order, receipt)
        self.spent = set()
        self.times = itertools.count(START)

    @rule(
        source=st.sampled_from(accounts),
        to=st.sampled_from(accounts),
        amount=st.integers(1, 700_000),
        key=st.sampled_from("abcdefgh"),
        token=st.sampled_from("stuvwxyz"),
    )
    def transfer(self, source, to, amount, key, token):
        order = Order(self.ids[source], self.ids[to], **_usd(amount))
        if source == to:
            return  # order_in refuses these
        try:
            made = self.ledger.transfer(order, Authority(ANA, key, token), at=next(self.times))
        except Refusal as refusal:
            self.was_right(refusal.code, order, key, token)
            return
        assert made.replayed == (key in self.answers)
        if made.replayed:
            assert self.answers[key] == (order, made.receipt)
            return
        assert token not in self.spent
        self.spent.add(token)
        self.answers[key] = order, made.receipt
        self.own[order.from_account] -= amount
        if order.to_account in self.own:
            self.own[order.to_account] += amount
        assert made.receipt["balance_after"] == money.to_text(self.own[order.from_account])

    @rule(key=st.sampled_from("abcdefgh"))
    def again(self, key):
        if key in self.answers:
            order, receipt = self.answers[key]
            made = self.ledger.transfer(order, Authority(ANA, key, "s"), at=next(self.times))
            assert (made.receipt, made.replayed) == (receipt, True)

    def was_right(self, code, order, key, token):
        reasons = {
            "idempotency_key_reused": key in self.answers and self.answers[key][0] != order,
            "token_already_used": token in self.spent,
            "unknown_account": "acc_unknown" in (order.from_account, order.to_account),
            "not_your_account": order.from_account not in self.own,
            "insufficient_funds": self.own.get(order.from_account, 0) < order.amount,
        }
        assert reasons[code]

    @invariant()
    def books_balance(self):
        if hasattr(self, "ledger"):
            assert self.ledger.total() == 0
            held = {a["id"]: money.to_minor(a["balance"]) for a in self.ledger.accounts(ANA)}
            assert held == self.own
            assert min(held.values()) >= 0

    def teardown(self):
        if hasattr(self, "ledger"):
            self.ledger.close()
            self.folder.cleanup()


TestAnyTransfers = AnyTransfers.TestCase
TestAnyTransfers.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
