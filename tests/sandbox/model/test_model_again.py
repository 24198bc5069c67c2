"""Which call the scripted model makes once more, when several have ended."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.model.model_world import APPROVED, Chat

DENIED, EXPIRED, WAITING = ({"status": one} for one in ("denied", "expired", "waiting"))
UNENROLLED = {"status": "unenrolled", "enrollment_url": "https://tenant/enrol"}
FAILED = {"status": "failed", "reason": "odd", "message": "The moon is full."}
GO_ON = ["continue transfer", "ok, continue", "please go on with the transfer", "proceed"]
ONCE_MORE = [
    "ok, once more",
    "once more",
    "try again",
    "again please",
    "ask me again",
    "do it again",
]
ALL = [DENIED, EXPIRED, UNENROLLED, FAILED, APPROVED]


async def after(*endings, said):
    """What is moved once more, in dollars, when $1, $2, … ended like this, one after another."""
    chat = Chat()
    for dollars, chat.answer in enumerate(endings, 1):
        await chat.say(f"Move ${dollars} from checking to savings")
    chat.answer = WAITING
    before = len(chat.transfers())
    await chat.say(said)
    return [float(one["amount"]) for one in chat.transfers()[before:]]


@pytest.mark.parametrize("said", ONCE_MORE)
@pytest.mark.parametrize("second", ALL)
@pytest.mark.parametrize("first", ALL)
async def test_once_more_is_the_latest_that_ended(first, second, said):
    assert await after(first, second, said=said) == [2]


@pytest.mark.parametrize("said", GO_ON)
@pytest.mark.parametrize(
    ("endings", "meant"),
    [
        ((UNENROLLED, DENIED), [1]),
        ((UNENROLLED, APPROVED), [1]),
        ((UNENROLLED, EXPIRED, APPROVED), [1]),
        ((UNENROLLED, WAITING), [1]),
        ((UNENROLLED, UNENROLLED), [2]),
        ((DENIED, UNENROLLED), [2]),
        ((APPROVED, UNENROLLED, DENIED), [2]),
        ((DENIED, EXPIRED), [2]),  # none met no phone: what was told a moment ago
        ((DENIED, APPROVED), []),
        ((DENIED, WAITING), []),
        ((APPROVED, APPROVED), []),
    ],
)
async def test_continue_is_the_latest_that_met_no_phone(endings, meant, said):
    assert await after(*endings, said=said) == meant


@given(st.lists(st.sampled_from([*ALL, WAITING]), max_size=5), st.sampled_from(GO_ON + ONCE_MORE))
@settings(max_examples=150, deadline=None)
def test_at_most_one_is_made_again_and_never_one_that_waits(endings, said):
    made = asyncio.run(after(*endings, said=said))
    numbered = list(enumerate(endings, 1))
    if said in GO_ON:
        likely = [n for n, one in numbered if one is UNENROLLED]
        likely = likely or [n for n, one in numbered[-1:] if one not in (APPROVED, WAITING)]
    else:
        likely = [n for n, one in numbered if one is not WAITING]
    expected = likely[-1:]
    if endings and endings[-1] is WAITING and not (said in GO_ON and UNENROLLED in endings):
        expected = []  # the customer has gone on to another, which the phone is asked about now
    assert made == expected


async def test_what_has_gone_on_is_not_continued():
    for second in (DENIED, EXPIRED, APPROVED, WAITING):
        chat = Chat(UNENROLLED)
        await chat.say("Move $1 from checking to savings")
        await chat.say("Move $2 from checking to savings")
        chat.answer = second
        await chat.say("continue transfer")
        chat.answer = WAITING
        await chat.say("continue transfer")
        assert [one["amount"] for one in chat.transfers()] == ["1.00", "2.00", "2.00", "1.00"]


async def test_what_ended_last_counts_not_what_was_asked_last():
    chat = Chat(WAITING)
    await chat.say("Move $1 from checking to savings")
    await chat.say("Move $2 from checking to savings")
    await chat.event(1, DENIED)
    await chat.event(0, EXPIRED)
    await chat.say("ok, once more")
    assert [one["amount"] for one in chat.transfers()] == ["1.00", "2.00", "1.00"]


@pytest.mark.parametrize("said", ["yes", "yes please", "try again", "once more"])
@pytest.mark.parametrize("outcomes", [(DENIED, APPROVED), (APPROVED, DENIED)])
async def test_of_two_that_are_told_together_the_one_that_is_asked_about(outcomes, said):
    chat = Chat(WAITING)
    await chat.say("Move $1 from checking to savings and $2 from checking to savings")
    assert len(chat.transfers()) == 2
    for number, outcome in enumerate(outcomes):
        chat.told(number, outcome)
    told = await chat.say("Is it done?")
    assert "Done:" in told
    assert "Shall I ask again?" in told
    await chat.say(said)
    assert float(chat.transfers()[2]["amount"]) == outcomes.index(DENIED) + 1
    assert len(chat.transfers()) == 3


async def test_a_message_that_nobody_answered_is_what_is_tried_again():
    chat = Chat(DENIED)
    await chat.say("Move $1 from checking to savings")
    # The model was away.
    chat.messages.append({"role": "user", "content": "Move $2 from checking to savings"})
    await chat.say("try again")
    assert [one["amount"] for one in chat.transfers()] == ["1.00", "2.00"]


@pytest.mark.parametrize("ending", [DENIED, EXPIRED])
async def test_what_is_offered_after_a_no_is_what_the_words_do(ending):
    chat = Chat(UNENROLLED)
    await chat.say("Move $1 from checking to savings")
    chat.answer = ending
    told = await chat.say("Move $2 from checking to savings")
    words = told.rpartition("Say \u201c")[2].partition("\u201d")[0]
    await chat.say(words)
    assert [one["amount"] for one in chat.transfers()][2:] == ["2.00"]
