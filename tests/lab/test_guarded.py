"""A learner's function that raises in the running graph is named in a sentence; nothing is lost."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest
from langgraph.types import Command, Send, interrupt

from baink_lab.aiya import prompts
from baink_lab.approvals import with_async_authorization
from baink_lab.approvals.nodes import task_for
from baink_lab.bank.client import BankError
from baink_lab.lab.checks.guarded import PieceRaised
from baink_lab.lab.learner.pieces import NotGated
from baink_lab.lab.learner.solutions import transfer
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


async def asks_and_returns_nothing(desk, gate, arguments, call):
    await request_approval(desk, gate, arguments, call)


async def asks_as_late(desk, gate, arguments, call):
    approval = await desk.ask(gate, arguments, call)
    return Command(goto=Send(gate.node, task_for(approval, late=True)))


async def goes_on_to_the_tool(desk, gate, arguments, call):
    approval = await desk.ask(gate, arguments, call)
    return Command(goto=Send(gate.name, task_for(approval, late=False)))


async def looks_for_another_call(desk, bank, task, call):
    key = task["approval_id"]
    if await desk.outcome(key, call.id, call.thread_id) is None:  # the wrong way round
        interrupt({"approval_id": key})
    if await desk.outcome(key, call.id, call.thread_id) is None:
        return None
    return await transfer(desk, bank, task, call)


async def sleeps_again_and_again(desk, bank, task, call):
    while await desk.outcome(task["approval_id"], call.id, call.thread_id) is None:
        interrupt({"approval_id": task["approval_id"]})


async def catches_its_own_sleep(desk, bank, task, call):
    try:
        return await transfer(desk, bank, task, call)
    except Exception as failure:
        return {"status": "failed", "message": str(failure)}


def names_the_payee(make):
    def wrap_transfer(tool, audience, book):
        async def line(arguments, call):
            names = {one["id"]: one["name"] for one in (await book(call))["payees"]}
            return f"Pay {arguments.amount} to {names[arguments.to_account]}"

        new = dataclasses.replace(tool, description=prompts.TRANSFER_FUNDS)
        return make(new, scopes=["create:transfer"], audience=audience, binding_message=line)

    return wrap_transfer


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (asks_and_returns_nothing, "returned NoneType and no Command"),
        (asks_as_late, "late=True, as if Aiya's call had its answer"),
        (goes_on_to_the_tool, "goes on to “transfer_funds”, which is no node that waits"),
    ],
)
async def test_a_push_that_no_node_waits_for_is_told_and_sent_once(lab, capsys, broken, said):
    savings = (await lab.accounts.read())[1]["id"]
    before = len(await lab.history(savings))
    await lab.build(request_approval=broken)
    with pytest.raises(PieceRaised, match=f"{said}, so no node waits"):
        await lab.say(MOVE)
    await lab.build(request_approval=request_approval)
    await lab.say("hello")
    assert len(await lab.phone.waiting()) == 1
    await lab.phone.approve()
    await lab.settled()
    assert capsys.readouterr().out.count("Done: $25.00 moved") == 1
    assert len(await lab.history(savings)) - before == 1


@pytest.mark.parametrize("broken", [looks_for_another_call, sleeps_again_and_again])
async def test_an_answer_that_is_not_taken_is_told_and_taken_once_mended(lab, capsys, broken):
    await lab.build(transfer=broken)
    await lab.say(MOVE)
    await lab.phone.approve()
    with pytest.raises(PieceRaised, match="the vault has the answer, but your transfer"):
        await lab.settled()
    await lab.build(transfer=transfer)
    await lab.settled()
    assert capsys.readouterr().out.count("Done: $25.00 moved") == 1


async def test_an_answer_that_nobody_gave_is_told_where_it_was_made_up(lab, capsys):
    await lab.build(transfer=catches_its_own_sleep)
    with pytest.raises(PieceRaised, match="nobody has answered on the phone yet"):
        await lab.say(MOVE)
    assert "as lab.say ended in a fault: Your transfer told Aiya" in repr(await lab.asleep())
    await lab.build(transfer=transfer)
    assert "waits for the phone" in repr(await lab.asleep())
    await lab.phone.approve()
    await lab.settled()
    told = capsys.readouterr().out
    assert told.count("Done: $25.00 moved") == 1
    assert "not mended" not in told


async def test_a_fault_that_was_told_is_told_again_though_the_outcome_gets_through(lab, capsys):
    await lab.build(transfer=catches_its_own_sleep)
    with pytest.raises(PieceRaised):
        await lab.say(MOVE)
    await lab.phone.approve()
    await lab.settled()
    told = capsys.readouterr().out
    assert "Done: $25.00 moved" in told
    assert "is not mended yet: Your transfer told Aiya an answer" in told
    await lab.build(transfer=transfer)
    await lab.settled()
    assert "not mended" not in capsys.readouterr().out


async def only_a_denial_is_a_no(desk, bank, task, call):
    key = (task["approval_id"], call.thread_id, call.id)
    if (outcome := await desk.outcome(*key)) is None:
        interrupt({"approval_id": key[0]})
        outcome = await desk.outcome(*key)
    if outcome is None or outcome.state == "denied":
        return outcome and {"status": "denied"}
    receipt = await bank.transfer(outcome.access_token, key[0], **task["arguments"])
    return {"status": "approved", "result": receipt}


async def test_an_expired_request_that_is_taken_for_a_yes_is_told_by_its_cause(lab):
    only_a_denial_is_a_no.__name__ = "transfer"
    mine = lab.exercise(only_a_denial_is_a_no)
    await lab.build(transfer=mine)
    await lab.say(MOVE)
    await lab.clock.advance("6 min")
    with pytest.raises(PieceRaised) as told:
        await lab.settled()
    assert "There is no access token: only a yes brings one. Before you ask the bank: unless" in (
        told.value.sentence
    )
    assert '(await lab.check("transfer") looks closer.)' in told.value.sentence
    await lab.build()
    await lab.settled()


async def pays_and_says_nothing(desk, bank, task, call):
    await transfer(desk, bank, task, call)


async def hushes_the_bank_up(desk, bank, task, call):
    try:
        return await transfer(desk, bank, task, call)
    except BankError:
        return None


async def says_done_to_a_refusal(desk, bank, task, call):
    try:
        return await transfer(desk, bank, task, call)
    except BankError:
        return {"status": "approved", "result": {}}


async def says_done_and_asks_no_bank(desk, bank, task, call):
    outcome = await desk.outcome(task["approval_id"], call.thread_id, call.id)
    if outcome is None:
        return await transfer(desk, bank, task, call)
    return {"status": outcome.state, "message": outcome.reason}


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (pays_and_says_nothing, "The money moved, and your transfer returned None"),
        (says_done_and_asks_no_bank, "the bank has confirmed no transfer"),
    ],
)
async def test_what_the_bank_said_and_aiya_did_not_hear_is_told(lab, capsys, broken, said):
    await lab.build(transfer=broken)
    savings = (await lab.accounts.read())[1]["id"]
    before = len(await lab.history(savings))
    await lab.say(MOVE)
    await lab.phone.approve()
    with pytest.raises(PieceRaised, match=said):
        await lab.settled()
    await lab.build(transfer=transfer)
    await lab.settled()
    assert "Done: $25.00 moved" in capsys.readouterr().out
    assert len(await lab.history(savings)) - before == 1, "moved once"


@pytest.mark.parametrize(
    ("broken", "did"),
    [(hushes_the_bank_up, "returned None"), (says_done_to_a_refusal, "told Aiya “approved”")],
)
async def test_a_refusal_of_the_bank_that_is_hushed_up_is_told(lab, capsys, broken, did):
    await lab.build(transfer=broken)
    checking = (await lab.accounts.read())[0]["balance"]
    nearly_all = f"Move ${int(float(checking)) - 1} from checking to savings"
    for _ in range(2):  # one by one there is enough
        await lab.say(nearly_all)
    for _ in range(2):
        await lab.phone.approve()
    with pytest.raises(PieceRaised, match=rf"\(insufficient_funds\).*caught that, and {did}"):
        await lab.settled()
    await lab.build(transfer=transfer)
    await lab.settled()
    assert "not enough money in that account" in capsys.readouterr().out
    await lab.say(nearly_all.replace("from checking to savings", "from savings to checking"))
    await lab.phone.approve()
    await lab.settled()


async def test_what_is_asked_for_again_after_a_reset_is_another_transfer(lab, capsys):
    """The balance is the same, so the model says the same: the bank must not know it already."""
    savings = (await lab.accounts.read())[1]["id"]
    before = len(await lab.history(savings))
    for text in (MOVE, "Move $25 from savings to checking"):
        await lab.say(text)
        await lab.phone.approve()
        await lab.settled()
    await lab.reset(sure=True)
    await lab.say(MOVE)
    await lab.phone.approve()
    await lab.settled()
    assert capsys.readouterr().out.count("Done: $25.00 moved") == 3
    assert len(await lab.history(savings)) - before == 3


async def test_a_transfer_that_is_mended_too_late_is_not_called_undone(lab, capsys):
    await lab.build(transfer=pays_and_says_nothing)
    await lab.say(MOVE)
    await lab.phone.approve()
    with pytest.raises(PieceRaised):
        await lab.settled()
    await lab.build(transfer=transfer)
    await lab.clock.advance("6 min")
    await lab.settled()
    told = capsys.readouterr().out
    assert "Check the history before a new try" in told
    assert "Nothing was moved" not in told


async def test_a_tool_without_a_gate_is_a_sentence_at_each_use(lab):
    for use in (lab.build(wrap_transfer=names_the_payee(lambda *_, **__: None)), lab.say(MOVE)):
        with pytest.raises(NotGated, match="wrap_transfer returned NoneType"):
            await use
    with pytest.raises(PieceRaised, match=r"wrap_transfer raised KeyError: 'no'.*Line"):
        await lab.build(wrap_transfer=names_the_payee(lambda *_, **__: {}["no"]))


async def test_a_registry_that_raises_is_told_by_its_line(lab):
    def registry(tools, wrapped):
        tools.remove(wrapped)
        return tools

    with pytest.raises(PieceRaised, match=r"registry raised ValueError.*tools\.remove\(wrapped\)"):
        await lab.build(registry=registry)
    await lab.build()


async def test_a_line_on_the_phone_that_cannot_be_made_is_told_by_its_line(lab):
    await lab.build(wrap_transfer=names_the_payee(with_async_authorization))
    with pytest.raises(PieceRaised, match=r"wrap_transfer raised KeyError.*Line \d+ of .*names\["):
        await lab.say(MOVE)
    await lab.build(
        wrap_transfer=names_the_payee(with_async_authorization), request_approval=request_approval
    )
    with pytest.raises(PieceRaised, match=r"wrap_transfer raised KeyError.*Line \d+ of .*names\["):
        await lab.say("hello")
    await lab.build()


async def test_a_request_that_raises_is_told_where_it_was_asked_and_is_made_once_mended(lab):
    await lab.build(request_approval=asks_nicely)
    with pytest.raises(PieceRaised, match=r"ask_nicely.*Line \d+ of .*taken up there"):
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
