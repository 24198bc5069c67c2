"""A learner's function that raises in the running graph is named in a sentence; nothing is lost."""

from __future__ import annotations

import asyncio

import pytest

from baink_lab.lab.guarded import PieceRaised
from baink_lab.lab.solutions import transfer
from tests.lab.lab_world import begun
from tests.lab.test_chat import text_of, until
from tests.lab.test_pieces import request_approval

pytestmark = pytest.mark.timeout(90)

MOVE = "Move $25 from checking to savings"


@pytest.fixture
async def lab(shared_home):
    async with begun(5) as lab:
        yield lab


async def asks_for_a_receipt(desk, bank, task, call):
    done = await transfer(desk, bank, task, call)
    return {"status": "approved", "result": done["receipt"]}


async def says_nothing_of_a_status(desk, bank, task, call):
    await transfer(desk, bank, task, call)
    return {"id": "tr_1"}


async def asks_nicely(desk, gate, arguments, call):
    return await desk.ask_nicely(gate, arguments, call)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (asks_for_a_receipt, r"raised KeyError: 'receipt'. Line \d+ of .*done\[\"receipt\"\]"),
        (says_nothing_of_a_status, "raised TypeError: says_nothing_of_a_status returned dict"),
    ],
)
async def test_waiting_ends_with_the_line_that_raised_and_the_mended_piece_goes_on(
    lab, capsys, broken, said
):
    await lab.build(transfer=broken)
    savings = (await lab.accounts.read())[1]["id"]
    before = len(await lab.history(savings))
    await lab.say(MOVE)
    await lab.phone.approve()
    for _ in range(2):  # run again before it is mended, the cell says the same
        with pytest.raises(PieceRaised, match=said) as caught:
            await lab.settled()
        assert "lab.build(…) again, and run await lab.settled()" in str(caught.value)

    await lab.build(transfer=transfer)
    await lab.settled()
    assert "Done: $25.00 moved" in capsys.readouterr().out
    assert len(await lab.history(savings)) - before == 1, "money moved once"


async def test_a_request_that_raises_is_told_where_it_was_asked_and_is_made_once_mended(lab):
    await lab.build(request_approval=asks_nicely)
    with pytest.raises(PieceRaised, match=r"ask_nicely.*Line \d+ of .*she asks then"):
        await lab.say(MOVE)
    await lab.build(request_approval=request_approval)
    await lab.say("hello")
    (push,) = await lab.phone.waiting()
    assert "25.00" in push["binding_message"]


async def test_the_chat_says_it_once_though_it_is_tried_again(lab):
    await lab.build(transfer=asks_for_a_receipt)
    shown = await lab.chat()
    await lab.say(MOVE)
    tried = asyncio.Queue()
    with (await lab.aiya()).listen(lambda _, event: tried.put_nowait(event["type"])):
        await lab.phone.approve()
        for _ in range(2):
            while await tried.get() != "not_delivered":
                pass
    await until(lambda: "KeyError: 'receipt'" in text_of(shown).replace("&#x27;", "'"), shown)
    log = shown.widget.children[0].value
    assert log.count("KeyError") == 1
