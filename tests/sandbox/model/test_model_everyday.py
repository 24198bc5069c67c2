"""What customers say on any day: of a lost phone, of their last three payments, in Spanish."""

import copy

import pytest

from tests.sandbox.model.model_world import ENTRIES, TOOLS, Chat


@pytest.mark.parametrize(
    "said",
    [
        "I lost my phone",
        "Help, I\u2019ve lost my mobile phone!",
        "my phone was stolen",
        "I can\u2019t find my phone",
        "My phone is broken",
        "I got a new phone",
    ],
)
async def test_who_lost_the_phone_is_told_what_to_do(said):
    chat = Chat()
    told = await chat.say(said)
    assert "await lab.unenroll()" in told
    assert "a link to enrol one" in told
    assert chat.made == []


@pytest.mark.parametrize("said", ["what is on my phone?", "I have a phone", "is my phone asked?"])
async def test_a_phone_that_is_there_is_not_lost(said):
    assert "lab.unenroll" not in await Chat().say(said)


async def test_a_lost_phone_is_told_of_while_a_question_is_open_and_answers_none():
    chat = Chat()
    assert "How much" in await chat.say("pay Mia from checking")
    told = await chat.say("I lost my phone")
    assert "lab.unenroll" in told
    assert "How much" in told
    assert chat.made == []


@pytest.mark.parametrize(
    ("said", "shown", "hidden"),
    [
        ("show the last transaction on savings", ["tr_s2"], ["tr_s1", "tr_c"]),
        ("show my latest payment", ["tr_c2", "tr_s2"], ["tr_c1", "tr_s1"]),
        ("what were my last two transfers on checking?", ["tr_c2", "tr_c1"], ["tr_c3", "tr_s"]),
        ("show my last 3 transactions", ["tr_c3", "tr_s2", "tr_s1"], ["tr_c4"]),
        ("the 1 last transaction of checking", ["tr_c2"], ["tr_c1"]),
        ("show my last transactions", ["tr_c4"], []),
        ("the history of the last 3 months", ["tr_c4"], []),
    ],
)
async def test_as_many_entries_are_told_as_were_asked_for(said, shown, hidden):
    older = [{**ENTRIES["acc_checking"][1], "id": f"tr_c{number}"} for number in (3, 4)]
    entries = {**ENTRIES, "acc_checking": [*ENTRIES["acc_checking"], *older]}
    chat = Chat(entries=entries)
    told = await chat.say(said)
    assert [one for one in shown if one not in told] == []
    assert [one for one in hidden if one in told] == []
    assert all(set(asked) == {"account_id"} for asked in chat.called("get_history"))


async def test_a_history_that_takes_a_number_is_given_it():
    tools = copy.deepcopy(TOOLS)
    tools[1]["function"]["parameters"]["properties"]["limit"] = {"type": "integer"}
    chat = Chat(tools=tools, entries=ENTRIES)
    await chat.say("show my last 3 transactions on savings")
    await chat.say("show the history of savings")
    assert chat.called("get_history") == [
        {"account_id": "acc_savings", "limit": 3},
        {"account_id": "acc_savings"},
    ]


@pytest.mark.parametrize(
    "said",
    [
        "Mueve 25 d\u00f3lares de mi cuenta corriente a ahorros",
        "transfiere $25 a Mia",
        "Env\u00eda 25 a Mia por favor",
        "\u00bfCu\u00e1l es mi saldo?",
        "cuanto dinero tengo",
        "Hola",
    ],
)
async def test_spanish_is_told_that_english_is_understood_and_moves_nothing(said):
    chat = Chat()
    told = await chat.say(said)
    assert "understand English only" in told
    assert "Solo entiendo ingl\u00e9s" in told
    assert chat.made == []


async def test_a_number_in_spanish_answers_no_open_question():
    chat = Chat()
    assert "How much" in await chat.say("pay Mia from checking")
    assert "English only" in await chat.say("Mueve 25 d\u00f3lares de mi cuenta a ahorros")
    assert chat.made == []


@pytest.mark.parametrize(
    "said", ["move $5 from checking to savings, gracias", "pay $5 to Mia from checking por favor"]
)
async def test_english_with_a_spanish_word_in_it_is_english(said):
    assert "English only" not in await Chat().say(said)


async def test_a_name_with_de_la_in_it_is_no_spanish_sentence():
    chat = Chat()
    await chat.say("pay $5 from checking")
    assert "English only" not in await chat.say("Maria de la Cruz")
