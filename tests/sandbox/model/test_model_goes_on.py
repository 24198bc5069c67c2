"""The scripted model when the customer goes on to something else: questions, years, entries."""

import pytest

from tests.sandbox.model.model_world import ENTRIES, GATED, TOOLS, Chat

WAITING = {"status": "waiting"}
NO_BOB = "I do not find"
WHOM = "to whom or to which account"


def talk(answer=WAITING, tools=GATED):
    return Chat(answer, tools, ENTRIES)


def questions(told):
    return told.lower().count(WHOM)


@pytest.mark.parametrize(
    "others",
    [
        ["who can I pay?", "history", "what did I spend?"],
        ["what's my balance?", "thanks", "Read my statement for 2022"],
        ["hello", "show me the history of savings", "who are you?"],
        ["I like trains very much indeed, really", "history", "hm"],
    ],
)
async def test_an_open_question_is_mentioned_once_more_at_the_most(others):
    chat = talk()
    assert questions(await chat.say("send $10 to Bob from checking")) == 1
    told = [await chat.say(said) for said in others]
    assert sum(questions(one) for one in told) <= 1
    assert questions(told[0]) == 1
    assert NO_BOB not in " ".join(told)
    # Since then it is no longer open: a yes is to nothing, and moves nothing.
    assert questions(await chat.say("yes")) == 0
    assert chat.transfers() == []


async def test_a_question_is_open_for_one_aside():
    chat = talk()
    await chat.say("send $10 to Bob from checking")
    told = await chat.say("who can I pay?")
    assert "Mia Moreau" in told
    assert questions(told) == 1
    await chat.say("Mia")
    assert [one["to_account"] for one in chat.transfers()] == ["acc_mia"]


async def test_a_yes_to_whom_asks_again_in_one_sentence():
    chat = talk()
    await chat.say("send $10 to Bob from checking")
    told = await chat.say("yes")
    assert questions(told) == 1
    assert NO_BOB not in told
    assert "Mia Moreau" in told
    assert told.count(". ") == 0
    assert told.endswith("?")
    await chat.say("to Mia then")
    assert [one["to_account"] for one in chat.transfers()] == ["acc_mia"]


@pytest.mark.parametrize(
    ("said", "year"),
    [
        ("I want my statement of last year", 2022),
        ("can I have this year's statement?", 2023),
        ("Read my statement for 2021", 2021),
        ("please read me the statement from the year before last", 2021),
        ("statement of two years ago", 2021),
        ("Show my 2020 statement", 2020),
    ],
)
async def test_a_statement_is_of_the_year_that_was_meant(said, year):
    chat = talk()
    await chat.say(said)
    assert [(name, arguments) for name, arguments, _ in chat.made] == [
        ("read_statement", {"year": year})
    ]


async def test_a_statement_of_no_year_asks_which():
    chat = talk()
    told = await chat.say("I want my statement")
    assert "year" in told
    assert told.endswith("?")
    assert chat.made == []
    await chat.say("last year")
    assert chat.called("read_statement") == [{"year": 2022}]


async def test_a_number_that_cannot_be_a_year_is_none():
    chat = talk()
    assert "year" in await chat.say("Read my statement, page 3")
    assert chat.made == []


@pytest.mark.parametrize(
    ("said", "entry"),
    [
        ("I don't recognise the last transaction, please dispute it", "tr_s2"),
        ("dispute the latest transaction on my checking account, I did not make it", "tr_c2"),
        ("Please open a dispute for the newest entry because I never bought it", "tr_s2"),
        ("dispute the payment to Ben, I don't know it", "tr_c1"),
        ("I want to dispute the $35.50 payment because it is wrong", "tr_c1"),
        ("dispute the last payment to Mia because it is wrong", "tr_c2"),
        ("dispute tr_c1 because it is wrong", "tr_c1"),
    ],
)
async def test_a_dispute_is_of_the_entry_that_was_meant(said, entry):
    chat = talk()
    await chat.say(said)
    made = chat.called("open_dispute")
    assert [one["transfer_id"] for one in made] == [entry]
    assert all(one["reason"] and "dispute" not in one["reason"] for one in made)


async def test_the_latest_entry_is_the_one_of_the_account_that_was_spoken_of():
    chat = talk()
    assert "tr_c2" in await chat.say("show me the history of checking")
    told = await chat.say("dispute the last one")
    assert "reason" in told
    assert "Mia Moreau" in told  # which entry is meant is told before the phone is asked
    # What comes in meanwhile is not what was meant.
    chat.entries = {"acc_checking": [dict(ENTRIES["acc_checking"][0], id="tr_new")]}
    await chat.say("I never ordered that")
    assert chat.called("open_dispute") == [
        {"transfer_id": "tr_c2", "reason": "I never ordered that"}
    ]


async def test_an_entry_that_is_not_there_is_no_guess():
    chat = talk()
    told = await chat.say("dispute the $77 payment because it is wrong")
    assert "I find no such entry" in told
    assert chat.called("open_dispute") == []
    empty = Chat(WAITING, GATED)
    assert "I find no such entry" in await empty.say("dispute the last transaction, it is wrong")
    assert empty.called("open_dispute") == []


@pytest.mark.parametrize(
    "said",
    [
        "do not dispute the last transaction",
        "don't open a dispute for tr_c2",
        "I do not want to dispute tr_c2",
        "if I dispute the last transaction, what happens?",
        "how would I dispute the last transaction?",
    ],
)
async def test_what_is_no_wish_disputes_nothing(said):
    chat = talk()
    assert await chat.say(said)
    assert chat.called("open_dispute") == []


@pytest.mark.parametrize(
    ("said", "of"),
    [
        ("I want my statement of last year", "statement"),
        ("Read my statement for 2026", "statement"),
        ("I don't recognise the last transaction, please dispute it", "dispute"),
    ],
)
async def test_what_there_is_no_tool_for_is_said_so(said, of):
    chat = talk(tools=TOOLS[:3])
    told = await chat.say(said)
    assert chat.made == []
    assert "I have no tool" in told
    assert of in told
    assert told.count(".") == 1


async def test_a_new_request_is_no_answer_to_an_open_question():
    chat = talk()
    assert "reason" in await chat.say("dispute tr_c1")
    await chat.say("Read my statement for 2022")
    assert [(name, arguments) for name, arguments, _ in chat.made] == [
        ("read_statement", {"year": 2022})
    ]
    chat = talk()
    await chat.say("dispute tr_c1")
    assert "2,500.00" in await chat.say("show my balance")
    await chat.say("move $5 from checking to savings")
    await chat.say("it was broken")
    assert chat.called("open_dispute") == []
    assert len(chat.transfers()) == 1


@pytest.mark.parametrize(
    "reason",
    [
        "I did not make this transaction",
        "the statement says otherwise",
        "I want my money back",
        "It was sent twice in 2022",
        "Wrong amount",
        "No idea who that is",
    ],
)
async def test_an_answer_is_the_reason(reason):
    chat = talk()
    await chat.say("dispute tr_c1")
    await chat.say(reason)
    assert chat.called("open_dispute") == [{"transfer_id": "tr_c1", "reason": reason}]


@pytest.mark.parametrize("said", ["no", "never mind", "cancel", "no, forget about that dispute"])
async def test_a_no_is_no_reason(said):
    chat = talk()
    await chat.say("dispute tr_c1")
    await chat.say(said)
    await chat.say("hm")
    assert chat.made == []


async def waiting_for_four():
    chat = talk()
    for said in (
        "move $20 from checking to savings",
        "Read my statement for 2022",
        "move $20 from checking to savings",
        "send $5 to Mia from checking",
    ):
        await chat.say(said)
    return chat


@pytest.mark.parametrize(
    "said",
    [
        "is my transfer done?",
        "what is waiting for me?",
        "what's still pending?",
        "is anything waiting?",
        "what do I have to approve?",
    ],
)
async def test_all_that_wait_are_told_and_equal_ones_counted(said):
    chat = await waiting_for_four()
    # Each call was answered by "waiting" as the customer talked on; some are not told yet.
    told = await chat.say(said)
    assert "two transfers of $20.00 from Checking to Savings" in told
    assert "“read statement”" in told
    assert "$5.00 from Checking to Mia Moreau" in told
    assert told.count("$20.00") == 1
    assert told.count("$5.00") == 1
    await chat.event(3, {"status": "denied"})
    told = await chat.say(said)
    assert told.count("$20.00") == 1
    assert "“read statement”" in told


async def test_equal_ones_are_one_sentence():
    chat = talk()
    for _ in range(2):
        await chat.say("move $20 from checking to savings")
    told = await chat.say("what is waiting for me?")
    assert told.startswith(
        "Two transfers of $20.00 from Checking to Savings are waiting for your approval"
    )
    assert told.count("$20.00") == 1
    chat = talk()
    for _ in range(2):
        await chat.say("move $20 from checking to savings")
    told = await chat.say("cancel that")
    assert told.count("$20.00") == 1
    assert "deny" in told
    assert len(chat.transfers()) == 2


async def test_nothing_waits():
    assert "Nothing" in await talk().say("what is waiting for me?")
    chat = talk({"status": "approved", "result": {"id": "tr_9"}})
    await chat.say("move $20 from checking to savings")
    told = await chat.say("what is waiting for me?")
    assert told.startswith("Nothing is waiting")


@pytest.mark.parametrize(
    "said",
    [
        "can you freeze my card?",
        "close my account",
        "I want to change my address",
        "open a new savings account",
    ],
)
async def test_what_a_bank_does_and_no_tool_here_is_said_so(said):
    chat = talk()
    assert await chat.say(said) == "I have no tool for that here."
    assert chat.made == []


async def test_is_my_transfer_done_is_about_transfers():
    chat = talk()
    await chat.say("move $20 from checking to savings")
    chat.answer = {"status": "failed", "reason": "too_many_pushes", "message": "Wait a minute."}
    assert "failed" in await chat.say("Read my statement for 2022")
    told = await chat.say("is my transfer done?")
    assert told.startswith("The transfer of $20.00 from Checking to Savings is waiting")
    assert "statement" not in told


async def test_what_waits_is_no_part_of_an_outcome_once_the_customer_talked_on():
    chat = talk()
    for amount in (5, 6, 7):
        await chat.say(f"move ${amount} from checking to savings")
    told = await chat.event(2, {"status": "expired"})
    assert "$7.00" in told
    assert "expired" in told
    assert "$5.00" not in told, "its time may be up in this very moment"
    told = await chat.say("what is waiting for me?")
    assert "$5.00" in told
    assert "$6.00" in told
