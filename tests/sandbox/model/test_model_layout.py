"""How the scripted model lays out what a tool answered."""

from hypothesis import example, given, settings

from baink_lab.sandbox.model.book import Book
from baink_lab.sandbox.model.book import Entry as Account
from baink_lab.sandbox.model.layout import laid_out
from tests.sandbox.model.model_world import ENTRIES, GATED, Chat
from tests.sandbox.model.test_model_http import JSON

YEAR = {
    "year": 2022,
    "holder": "Kim Customer",
    "accounts": [
        {"account_id": "acc_checking", "name": "Checking", "currency": "USD",
         "opening": "0.00", "paid_in": "2500.00", "paid_out": "20.00", "closing": "2480.00"},
        {"account_id": "acc_savings", "name": "Savings", "currency": "EUR",
         "opening": "0.00", "paid_in": "1.00", "paid_out": "0.00", "closing": "1.00"},
    ],
}  # fmt: skip


async def test_a_statement_is_lines_and_a_list():
    chat = Chat({"status": "approved", "result": YEAR}, GATED, ENTRIES)
    told = await chat.say("Read my statement for 2022")
    assert told.splitlines() == [
        "Approved and done: your request “read statement”.",
        "Year: 2022",
        "Holder: Kim Customer",
        "Accounts:",
        "- Checking: opening $0.00, paid in $2,500.00, paid out $20.00, closing $2,480.00",
        "- Savings: opening EUR 0.00, paid in EUR 1.00, paid out EUR 0.00, closing EUR 1.00",
    ]


def test_what_has_another_shape():
    book = Book((Account("acc_1", "Checking", own=True),))
    ticket = {
        "id": "dsp_1", "account_id": "acc_1", "opened_at": "2023-11-14T22:13:20Z", "open": True,
        "notes": [], "by": {"name": "Kim", "phones": [{"name": "A"}, {"name": "B", "os": "x"}]},
        "nothing": None, "tags": ["a", "b"],
    }  # fmt: skip
    assert laid_out(ticket, book).splitlines() == [
        "Reference: dsp_1",
        "Account: Checking",
        "Opened at: 2023-11-14 22:13 UTC",
        "Open: yes",
        "Notes: none",
        "By:",
        "- Kim",
        "- Phones:",
        "– - A",  # noqa: RUF001 - a dash for each level
        "– - B: os x",  # noqa: RUF001
        "Tags:",
        "- a",
        "- b",
    ]
    assert laid_out("as it is", book) == "as it is"
    assert laid_out([1, 2], book) == "- 1\n- 2"


async def test_what_can_be_asked_for_is_quoted():
    told = await Chat(tools=GATED).say("what can you do?")
    assert "“read statement”, “open dispute”" in told


@settings(max_examples=150, deadline=None)
@given(JSON)
@example({"\n": 1})
def test_nothing_cannot_be_laid_out(value):
    lines = laid_out(value, Book()).split("\n")
    if isinstance(value, list) and all(isinstance(one, bool | int) for one in value):
        assert lines == [f"- {value}" for value in map(_said, value)] or not value
    if isinstance(value, dict):
        assert all(line.strip() for line in lines) or not any(value.values())


def _said(value):
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
