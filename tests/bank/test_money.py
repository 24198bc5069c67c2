from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baink_lab.bank import money

MOST = 10**14 - 1  # 12 digits before the point, two behind


@given(st.integers(-MOST, MOST))
def test_cents_written_and_read_again_are_the_same(minor):
    assert money.to_minor(money.to_text(minor)) == minor


@given(st.decimals(-(10**12) + 1, 10**12 - 1, places=2))
def test_it_agrees_with_decimal_arithmetic(amount):
    assert money.to_minor(f"{amount:f}") == int(amount * 100)
    assert Decimal(money.to_text(int(amount * 100))) == amount


@given(st.text(max_size=20))
def test_any_text_is_an_exact_amount_or_a_value_error(text):
    try:
        minor = money.to_minor(text)
    except ValueError:
        return
    assert Decimal(text) * 100 == minor


@pytest.mark.parametrize(("text", "minor"), [("25", 2500), ("25.5", 2550), ("-1200.50", -120050)])
def test_one_two_or_no_decimals_are_read(text, minor):
    assert money.to_minor(text) == minor


@pytest.mark.parametrize(
    "text",
    [
        "1.005",
        "+1",
        "1e3",
        "1,200.50",
        ".5",
        "1.",
        "01",
        "$5",
        "NaN",
        "Infinity",
        "--1",
        " 1",
        "1\n",
        "1_000",
        "١٢",
        "²",
        "1000000000000",
        "",
    ],
)
def test_what_a_bank_slip_would_not_hold_is_refused(text):
    with pytest.raises(ValueError, match="two decimals"):
        money.to_minor(text)
