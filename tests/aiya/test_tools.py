"""What the tools take from the model, and what only from the session."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from baink_lab.aiya.messages import for_model, with_unique_ids
from baink_lab.aiya.tools import TransferArguments, gated_transfer, transfer_line
from baink_lab.approvals import ToolRefused

BOOK = {
    "accounts": [
        {"id": "c", "name": "Checking", "currency": "USD", "balance": "2500.00"},
        {"id": "s", "name": "Savings", "currency": "USD", "balance": "10.00"},
    ],
    "payees": [{"id": "m", "name": "Mia Moreau"}],
}


def order(**changes):
    fields = {"from_account": "c", "to_account": "s", "amount": "25.00", "currency": "USD"}
    return TransferArguments(**fields | changes)


def test_who_the_customer_is_comes_from_the_session():
    tool = gated_transfer(None, None, audience="x")
    names = tool.schema()["function"]["parameters"]["properties"].keys()
    assert names == {"from_account", "to_account", "amount", "currency", "memo"}


@pytest.mark.parametrize("amount", ["0", "0.00", "-1", "1.234", "1e3", "ten", "", "1,000", "٣"])
def test_amounts_that_are_none_are_refused(amount):
    with pytest.raises(ValidationError):
        order(amount=amount)


@given(st.integers(1, 10**14 - 1))
def test_amounts_are_exact(cents):
    assert order(amount=f"{cents // 100}.{cents % 100:02d}").amount == (
        f"{cents // 100}.{cents % 100:02d}"
    )


def test_the_line_names_amount_and_payee():
    assert transfer_line(order(), BOOK) == "Move 25.00 USD from Checking to Savings"
    assert transfer_line(order(to_account="m", amount="5"), BOOK) == "Pay 5.00 USD to Mia Moreau"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to_account": "c"}, "same_account"),
        ({"to_account": "x"}, "unknown_account"),
        ({"from_account": "m"}, "unknown_account"),
        ({"amount": "2500.01"}, "insufficient_funds"),
        ({"currency": "EUR"}, "currency_mismatch"),
    ],
)
def test_a_transfer_that_cannot_be_is_refused_before_anybody_is_asked(changes, code):
    with pytest.raises(ToolRefused) as refused:
        transfer_line(order(**changes), BOOK)
    assert refused.value.code == code


def says(role, **more):
    return {"role": role, "content": "", **more}


def test_answers_follow_their_calls_whatever_the_order_they_came_in():
    messages = [
        says("assistant", tool_calls=[{"id": "a"}, {"id": "b"}]),
        says("tool", tool_call_id="b"),
        says("system"),
        says("tool", tool_call_id="a"),
        says("assistant", tool_calls=[{"id": "c"}]),
        says("user"),
    ]
    roles = [(m["role"], m.get("tool_call_id")) for m in for_model(messages, "prompt")]
    assert roles == [
        ("system", None),
        ("assistant", None),
        ("tool", "a"),
        ("tool", "b"),
        ("system", None),
        ("assistant", None),
        ("tool", "c"),
        ("user", None),
    ]


def test_an_id_that_was_used_before_is_renamed():
    before = [says("assistant", tool_calls=[{"id": "call_0"}])]
    message = says("assistant", tool_calls=[{"id": "call_0"}, {"id": "call_0"}, {"id": "x"}])
    ids = [one["id"] for one in with_unique_ids(message, before)["tool_calls"]]
    assert ids == ["call_0-2", "call_0-3", "x"]
