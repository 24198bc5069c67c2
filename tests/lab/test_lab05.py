"""Lab 05: C9 to C14 each fire alone, the fix turns green, and the references pass the gate."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import operator
import uuid
import warnings
from decimal import Decimal

import pytest
from langgraph.types import Command, Send, interrupt

from baink_lab.aiya import prompts
from baink_lab.aiya.tools import TransferArguments
from baink_lab.approvals import Tool, with_async_authorization
from baink_lab.approvals.approval import digest_of
from baink_lab.approvals.nodes import task_for, tell_push
from baink_lab.bank.client import BankError
from baink_lab.lab.checks import Kind
from baink_lab.lab.checks.exercises import OtherShape
from baink_lab.lab.checks.lab05_noted import Notes, noted_request
from baink_lab.lab.checks.mistakes import BY_MISTAKE
from baink_lab.lab.learner.pieces import Pieces
from baink_lab.lab.practice.scenes import play, stage
from tests.lab import test_pieces as right
from tests.lab.lab_world import begun

pytestmark = pytest.mark.timeout(120)
SCOPE = "create:transfer"


@pytest.fixture
async def lab(shared_home):
    async with begun(5) as lab:
        yield lab


def wraps(*, text=prompts.TRANSFER_FUNDS, line=None, scopes=(SCOPE,), audience="theirs"):
    def wrap_transfer(tool, audience_given, book):
        async def good(arguments, call):
            known = await book(call)
            names = {one["id"]: one["name"] for one in known["accounts"] + known["payees"]}
            return f"Pay {arguments.amount} {arguments.currency} to {names[arguments.to_account]}"

        return with_async_authorization(
            dataclasses.replace(tool, description=text or tool.description),
            scopes=list(scopes),
            audience=audience_given if audience == "theirs" else audience,
            binding_message=line(book) if line else good,
        )

    return wrap_transfer


def says(words):
    """A line made of amount, currency, payee's name and id."""

    def line(book):
        async def said(arguments, call):
            known = await book(call)
            names = {one["id"]: one["name"] for one in known["accounts"] + known["payees"]}
            who = names[arguments.to_account]
            return words.format(**arguments.model_dump(), payee=who)

        return said

    return line


def swapped(book):
    async def line(call, arguments):
        known = await book(call)
        return f"Pay {arguments.amount} to {known['payees'][0]['name']}"

    return line


def names_payees_only(book):
    async def line(arguments, call):
        names = {one["id"]: one["name"] for one in (await book(call))["payees"]}
        return f"Pay {arguments.amount} to {names.get(arguments.to_account, 'somebody')}"

    return line


def round_up(text):
    return str(Decimal(text).quantize(Decimal("1")))


CUT_AMOUNT = "Please approve this transfer to {payee} of {amount} {currency}"
CUT_CURRENCY = "Approve the transfer to {payee}, {amount} in the currency {currency}"
LONG = "Please confirm that our assistant may now really transfer to {payee} {amount} {currency}"


async def push_by_hand(desk, call):
    return await desk.ciba.start(
        call.user_id, SCOPE, "https://localhost:3000/api/accounts/transfers", "Move 25.00 USD"
    )


async def request_waits_too(desk, gate, arguments, call):
    await push_by_hand(desk, call)
    interrupt({"call": call.id})
    return Command(goto="join")


async def request_asks_the_desk_and_waits(desk, gate, arguments, call):
    approval = await desk.ask(gate, arguments, call)
    tell_push(approval)
    interrupt({"approval_id": approval.id})
    return Command(goto=Send(gate.node, task_for(approval, late=False)))


async def request_pushes_twice(desk, gate, arguments, call):
    await push_by_hand(desk, call)
    return await right.request_approval(desk, gate, arguments, call)


async def request_hands_the_secret_on(desk, gate, arguments, call):
    approval = await desk.ask(gate, arguments, call)
    tell_push(approval)
    request = await desk.request_of(approval)
    task = {**task_for(approval, late=False), "auth_req_id": request.auth_req_id}
    return Command(goto=Send(gate.node, task))


async def request_notes_the_secret(desk, gate, arguments, call):
    way = await right.request_approval(desk, gate, arguments, call)
    approval = await desk.get(way.goto.arg["approval_id"])
    request = await desk.request_of(approval)
    return Command(goto=way.goto, update={"approvals": {request.auth_req_id: "waiting"}})


async def answer_of(desk, task, call):
    return await desk.outcome(task["approval_id"], call.thread_id, call.id)


async def waited(desk, task, call):
    """What the vault knows; while it knows nothing, one sleep, and another look."""
    outcome = await answer_of(desk, task, call)
    if outcome is None:
        interrupt({"approval_id": task["approval_id"]})
        outcome = await answer_of(desk, task, call)
    return outcome


def acts(
    *,
    push=False,
    key=None,
    tell=None,
    compare=True,
    differs=operator.ne,
    change=None,
    is_no=lambda outcome: outcome.state != "approved",
):
    """The right transfer, with one thing made wrong."""

    async def transfer(desk, bank, task, call):
        if push:
            await push_by_hand(desk, call)
        outcome = await waited(desk, task, call)
        if outcome is None:
            return None
        if is_no(outcome):
            return {"status": outcome.state, "message": outcome.reason}
        if compare and differs(digest_of("transfer_funds", task["arguments"]), outcome.digest):
            return {"status": "failed", "message": "changed"}
        name = key(task, call) if key else task["approval_id"]
        order = task["arguments"] | (change or {})
        receipt = await bank.transfer(outcome.access_token, name, **order)
        return {"status": "approved", "result": receipt} | (tell(outcome) if tell else {})

    return transfer


async def believes_a_word(desk, bank, task, call):
    if interrupt({"approval_id": task["approval_id"]}) != "approved":
        return {"status": "denied"}
    outcome = await answer_of(desk, task, call)
    receipt = await bank.transfer(outcome.access_token, task["approval_id"], **task["arguments"])
    return {"status": "approved", "result": receipt}


async def believes_a_word_after_a_look(desk, bank, task, call):
    outcome = await answer_of(desk, task, call)
    if outcome is None:
        answer = interrupt({"approval_id": task["approval_id"]})
        if answer == "denied" or not answer:
            return {"status": "denied", "message": "The customer said no."}
        outcome = await answer_of(desk, task, call)
    if outcome is None:
        return None
    if outcome.state != "approved":
        return {"status": outcome.state}
    receipt = await bank.transfer(outcome.access_token, task["approval_id"], **task["arguments"])
    return {"status": "approved", "result": receipt}


def field(word, name):
    return word.get(name) if isinstance(word, dict) else None


def obeys(tells, *, again=False):
    """Right but for one thing: a word that wakes it ends it, whatever the vault knows."""

    async def transfer(desk, bank, task, call):
        outcome = await answer_of(desk, task, call)
        while outcome is None:
            if tells(interrupt({"approval_id": task["approval_id"]})):
                return {"status": "denied", "message": "The customer said no."}
            outcome = await answer_of(desk, task, call)
            if outcome is None and not again:
                return None
        return await right.transfer(desk, bank, task, call)

    return transfer


async def sleeps_in_a_loop(desk, bank, task, call):
    outcome = await answer_of(desk, task, call)
    while outcome is None:
        interrupt({"approval_id": task["approval_id"]})
        outcome = await answer_of(desk, task, call)
    return await right.transfer(desk, bank, task, call)


async def sleeps_in_a_loop_without_end(desk, bank, task, call):
    while True:
        if await answer_of(desk, task, call) is not None:
            return await right.transfer(desk, bank, task, call)
        interrupt({"approval_id": task["approval_id"]})


async def takes_the_token_from_the_ring(desk, bank, task, call):
    answer = interrupt({"approval_id": task["approval_id"]})
    if not isinstance(answer, dict) or not answer.get("access_token"):
        return None
    receipt = await bank.transfer(answer["access_token"], task["approval_id"], **task["arguments"])
    return {"status": "approved", "result": receipt}


async def says_done_at_a_ring(desk, bank, task, call):
    outcome = await answer_of(desk, task, call)
    if outcome is None and interrupt({"approval_id": task["approval_id"]}) == "approved":
        return {"status": "approved", "message": "The money is on its way."}
    outcome = outcome or await answer_of(desk, task, call)
    if outcome is None:
        return None
    receipt = await bank.transfer(outcome.access_token, task["approval_id"], **task["arguments"])
    return {"status": "approved", "result": receipt}


async def shows_the_token_while_it_sleeps(desk, bank, task, call):
    outcome = await waited(desk, task, call)
    if outcome is None:
        return None
    if outcome.state != "approved":
        return {"status": outcome.state}
    if digest_of("transfer_funds", task["arguments"]) != outcome.digest:
        return {"status": "failed"}
    receipt = await bank.transfer(outcome.access_token, task["approval_id"], **task["arguments"])
    return {"status": "approved", "result": receipt, "outcome": vars(outcome)}


async def asks_the_desk_first(desk, bank, task, call):
    gate = next(one for one in read_gates(task) if one.name == "transfer_funds")
    await desk.ask(gate, gate.arguments(**task["arguments"]), call)
    return await right.transfer(desk, bank, task, call)


def read_gates(task):
    return [right.wrap_transfer(bare(), "https://localhost:3000/api/accounts/transfers", None)]


def bare():
    async def run(arguments, call):
        return {}

    return Tool("transfer_funds", "Moves money.", TransferArguments, run)


async def prints_the_token(desk, bank, task, call):
    outcome = await waited(desk, task, call)
    if outcome is not None:
        print("token:", outcome.access_token)
    return await right.transfer(desk, bank, task, call)


RIGHT = {
    "wrap_transfer": right.wrap_transfer,
    "request_approval": right.request_approval,
    "transfer": right.transfer,
}
MADE = [
    ("C14", "wrap_transfer", wraps(text="")),
    ("C14", "wrap_transfer", wraps(text="Move money. Ask the customer before you call it.")),
    ("C14", "wrap_transfer", wraps(text="Transfers money.")),
    ("C5", "wrap_transfer", wraps(line=says(LONG))),
    ("C5", "wrap_transfer", wraps(line=says(CUT_AMOUNT))),
    ("C5", "wrap_transfer", wraps(line=says(CUT_CURRENCY))),
    ("C4", "wrap_transfer", wraps(audience=None)),
    ("C9", "request_approval", request_waits_too),
    ("C9", "request_approval", request_asks_the_desk_and_waits),
    ("C9", "request_approval", request_pushes_twice),
    ("C11", "request_approval", request_hands_the_secret_on),
    ("C11", "request_approval", request_notes_the_secret),
    ("C9", "transfer", acts(push=True)),
    ("C9", "transfer", asks_the_desk_first),
    ("C11", "transfer", prints_the_token),
    ("C10", "transfer", believes_a_word),
    ("C10", "transfer", believes_a_word_after_a_look),
    ("C10", "transfer", takes_the_token_from_the_ring),
    ("C10", "transfer", says_done_at_a_ring),
    ("C10", "transfer", obeys(lambda word: word == "denied")),
    ("C10", "transfer", obeys(lambda word: word == "expired")),
    ("C10", "transfer", obeys(lambda word: field(word, "status") == "denied")),
    ("C10", "transfer", obeys(lambda word: field(word, "state") == "denied")),
    ("C10", "transfer", obeys(lambda word: field(word, "approved") is False)),
    ("C10", "transfer", obeys(lambda word: field(word, "status") == "approved")),
    ("C10", "transfer", obeys(lambda word: word == "denied", again=True)),
    ("C11", "transfer", acts(tell=lambda outcome: {"token": outcome.access_token})),
    ("C11", "transfer", shows_the_token_while_it_sleeps),
    ("C12", "transfer", acts(key=lambda task, call: str(uuid.uuid4()))),
    ("C12", "transfer", acts(key=lambda task, call: "")),
    ("C12", "transfer", acts(key=lambda task, call: "transfer")),
    ("C12", "transfer", acts(key=lambda task, call: call.id)),
    ("C12", "transfer", acts(key=lambda task, call: call.thread_id)),
    ("C13", "transfer", acts(compare=False)),
    ("C13", "transfer", acts(change={"amount": "26.00"})),
]


def put(lab, name, function):
    function.__name__ = name
    lab.exercise(function)


@pytest.mark.parametrize(
    ("wanted", "name", "function"), MADE, ids=[f"{at}-{one[0]}" for at, one in enumerate(MADE)]
)
async def test_each_mistake_fires_its_own_hint_and_the_fix_turns_green(lab, wanted, name, function):
    put(lab, name, function)
    result = await lab.check(name)
    assert result.kind is Kind.WRONG, result
    assert result.mistake == wanted, result
    assert result.next_step
    assert any(step in repr(lab.hint(name)) for step in BY_MISTAKE[wanted])
    # Code words on the phone and keys at the bank are new each time: `why` may quote them.
    again = await lab.check(name)
    assert dataclasses.replace(again, why="") == dataclasses.replace(result, why="")
    put(lab, name, RIGHT[name])
    fixed = await lab.check(name)
    assert fixed, fixed


def keeps_names(book):
    names = {}

    async def line(arguments, call):
        if not names:
            known = await book(call)
            names.update((one["id"], one["name"]) for one in known["accounts"] + known["payees"])
        return f"Pay {arguments.amount} {arguments.currency} to {names[arguments.to_account]}"

    return line


async def test_names_that_are_kept_for_the_next_call_are_told(lab):
    put(lab, "wrap_transfer", wraps(line=keeps_names))
    told = await lab.check("wrap_transfer")
    assert (told.kind, told.mistake) == (Kind.WRONG, ""), told
    assert "opened one more account, Rainy day, and for it your line raises KeyError" in told.why
    assert "inside of your line" in told.next_step


async def test_a_line_is_judged_by_the_longest_code_words_not_by_those_of_the_day(lab, monkeypatch):
    put(lab, "wrap_transfer", wraps(line=says(CUT_AMOUNT)))
    monkeypatch.setattr("baink_lab.approvals.desk.code_words", lambda key: "red-fox")
    told = await lab.check("wrap_transfer")
    assert told.mistake == "C5"
    assert "without the amount" in told.why


@pytest.mark.parametrize("written", [sleeps_in_a_loop, sleeps_in_a_loop_without_end])
async def test_a_node_that_sleeps_again_in_a_loop_is_right_too(lab, written):
    put(lab, "transfer", written)
    result = await lab.check("transfer")
    assert result, result


async def test_a_node_that_sleeps_for_ever_is_told_what_it_did(lab):
    async def transfer(desk, bank, task, call):
        while True:
            interrupt({"approval_id": task["approval_id"]})

    lab.exercise(transfer)
    result = await lab.check("transfer")
    assert (result.kind, result.mistake) == (Kind.WRONG, "")
    assert "did nothing" in result.why


async def test_starters_are_not_attempted_and_references_pass(lab):
    @lab.exercise
    def wrap_transfer(tool, audience, book):
        """Return the wrapped tool."""
        ...

    @lab.exercise
    async def request_approval(desk, gate, arguments, call):
        """Return a Command."""
        ...

    @lab.exercise
    async def transfer(desk, bank, task, call):
        """Return what Aiya hears."""
        ...

    for name in RIGHT:
        assert (await lab.check(name)).kind is Kind.NOT_ATTEMPTED
    object.__setattr__(lab.settings, "baink_autopilot", True)
    for name in RIGHT:
        assert await lab.check(name), name
    object.__setattr__(lab.settings, "baink_autopilot", False)


async def test_what_has_no_name_is_told_without_one(lab):  # noqa: C901 - small tries, not one
    def bare(tool, audience, book):
        return tool

    def new_schema(tool, audience, book):
        other = Tool("move", "Does something.", tool.arguments, tool.run)
        return wraps()(dataclasses.replace(other), audience, book)

    async def keeps_silent(desk, gate, arguments, call):
        way = task_for(await desk.ask(gate, arguments, call), late=False)
        return Command(goto=Send(gate.node, way))

    async def no_push(desk, gate, arguments, call):
        return Command(goto="join")

    async def no_record(desk, gate, arguments, call):
        await push_by_hand(desk, call)
        return Command(goto="join")

    async def nowhere(desk, gate, arguments, call):
        tell_push(await desk.ask(gate, arguments, call))

    async def no_sleep(desk, bank, task, call):
        outcome = await answer_of(desk, task, call)
        return None if outcome is None else {"status": outcome.state}

    async def nameless(desk, bank, task, call):
        interrupt("please approve")

    async def swallows(desk, bank, task, call):
        try:
            interrupt({"approval_id": task["approval_id"]})
        except Exception:
            return

    async def sleeps_first(desk, bank, task, call):
        interrupt({"approval_id": task["approval_id"]})
        return await right.transfer(desk, bank, task, call)

    async def only_yes(desk, bank, task, call):
        outcome = await waited(desk, task, call)
        if outcome is None:
            return {"status": "failed"}
        return {"status": "approved"}

    async def pays_nothing(desk, bank, task, call):
        return await right.transfer(desk, NoBank(), task, call)

    async def gives_up(desk, bank, task, call):
        try:
            return await right.transfer(desk, bank, task, call)
        except Exception as failure:
            if type(failure).__name__ == "GraphInterrupt":
                raise
            return {"status": "failed", "message": "The bank is away."}

    said_first = {
        nameless: '"approval_id"',
        sleeps_first: "started anew",
        gives_up: "catch no error of the bank's",
    }
    words = [
        ("wrap_transfer", bare, "not what with_async_authorization makes"),
        ("wrap_transfer", new_schema, "called 'move'"),
        ("wrap_transfer", wraps(scopes=()), "insufficient_scope"),
        ("wrap_transfer", wraps(scopes=["create:transfers"]), "create:transfers"),
        ("wrap_transfer", wraps(audience="https://other.example"), "did not take the request"),
        ("wrap_transfer", wraps(line=says("Aiya wants to transfer money")), "amount is missing"),
        ("wrap_transfer", wraps(line=says("Pay {amount} {currency}")), "payee is missing"),
        ("wrap_transfer", wraps(line=says("Pay {amount} to {to_account}")), "payee is missing"),
        ("wrap_transfer", wraps(line=names_payees_only), "the customer's own Savings"),
        ("request_approval", keeps_silent, "chat heard nothing"),
        ("request_approval", no_push, "no notification"),
        ("request_approval", no_record, "no record"),
        ("request_approval", nowhere, "leads nowhere"),
        ("transfer", no_sleep, "node sleeps"),
        ("transfer", swallows, "except Exception"),
        ("transfer", nameless, "names no approval"),
        ("transfer", sleeps_first, "said “hello”"),
        ("transfer", only_yes, "before the customer had answered"),
        ("transfer", pays_nothing, "told Aiya “approved”"),
        ("transfer", gives_up, "its answer was lost"),
    ]
    for name, function, said in words:
        put(lab, name, function)
        result = await lab.check(name)
        assert (result.kind, result.mistake) == (Kind.WRONG, ""), (function, said, result)
        assert said in result.why, (said, result)
        assert result.next_step
        if function in (nameless, sleeps_first, gives_up):
            assert said_first[function] in repr(lab.hint(name))


def ends_at(*noes, tell=None, changed=None):
    """The right transfer, but for what it does of a no, or of an edited thread."""

    async def transfer(desk, bank, task, call):
        outcome = await waited(desk, task, call)
        if outcome is None:
            return None
        if outcome.state in noes:
            return tell(outcome) if tell else {"status": outcome.state, "message": outcome.reason}
        if digest_of("transfer_funds", task["arguments"]) != outcome.digest:
            return changed or {"status": "failed", "message": "changed"}
        token = outcome.access_token
        receipt = await bank.transfer(token, task["approval_id"], **task["arguments"])
        return {"status": "approved", "result": receipt}

    return transfer


NOES = ("denied", "expired", "unenrolled", "failed")


@pytest.mark.parametrize(
    ("written", "said", "step"),
    [
        (ends_at("denied"), "Nobody answered in time, so outcome.state was “expired”", "!="),
        (ends_at(*NOES[:2]), "no phone that could be asked", "!="),
        (ends_at(*NOES[:3]), "The tenant refused the question", "!="),
        (ends_at(*NOES, tell=lambda _: {"status": "denied"}), "what did not happen", "state"),
        (
            *(ends_at(*NOES, tell=lambda it: {"status": it.state, "message": "no"}),),
            *("Aiya heard “denied” and “no”", "outcome.reason"),
        ),
        (
            *(ends_at(*NOES, tell=lambda it: {"status": it.state}),),
            *("outcome.reason knows it: “The customer denied", "outcome.reason"),
        ),
        (
            *(ends_at(*NOES, changed={"status": "denied", "message": "x"}),),
            *("tells a customer who said yes that they said no", '"failed"'),
        ),
    ],
    ids=lambda one: one[:24] if isinstance(one, str) else "",
)
async def test_each_no_is_a_no_and_is_told_as_what_it_was(lab, written, said, step):
    put(lab, "transfer", written)
    result = await lab.check("transfer")
    assert result.kind is Kind.WRONG, result
    assert said in result.why, result
    assert step in result.next_step
    if "!=" in step:
        assert "one no of four" in result.why
        assert "the customer sees" in result.why
        assert "four words" in repr(lab.hint("transfer"))


async def pays_twice(desk, bank, task, call):
    first = await right.transfer(desk, bank, task, call)
    return first and await right.transfer(desk, bank, task, call)


async def keeps_the_receipt(desk, bank, task, call):
    told = await right.transfer(desk, bank, task, call)
    return told and {"status": told["status"]} | {k: v for k, v in told.items() if k == "message"}


async def looks_for_another_call(desk, bank, task, call):
    key = (task["approval_id"], call.id, call.thread_id)
    if await desk.outcome(*key) is None:
        interrupt({"approval_id": task["approval_id"]})
    if await desk.outcome(*key) is None:
        return None
    return await right.transfer(desk, bank, task, call)


async def rounds_the_amount(desk, bank, task, call):
    outcome = await waited(desk, task, call)
    if outcome is None or outcome.state != "approved":
        return await right.transfer(desk, bank, task, call)
    order = task["arguments"] | {"amount": float(task["arguments"]["amount"])}
    receipt = await bank.transfer(outcome.access_token, task["approval_id"], **order)
    return {"status": "approved", "result": receipt}


async def sleeps_by_itself(desk, bank, task, call):
    while await answer_of(desk, task, call) is None:  # noqa: ASYNC110 - the mistake
        await asyncio.sleep(1)
    return await right.transfer(desk, bank, task, call)


async def asks_the_desk_twice(desk, gate, arguments, call):
    await desk.ask(gate, arguments, call)
    return await right.request_approval(desk, gate, arguments, call)


async def goes_where_transfers_go(desk, gate, arguments, call):
    approval = await desk.ask(gate, arguments, call)
    tell_push(approval)
    return Command(goto=Send("transfer", task_for(approval, late=False)))


async def writes_to_the_state(desk, gate, arguments, call):
    way = await right.request_approval(desk, gate, arguments, call)
    return dataclasses.replace(way, update={"messages": [{"role": "system", "content": "Sent."}]})


async def hides_that_nobody_was_asked(desk, gate, arguments, call):
    try:
        return await right.request_approval(desk, gate, arguments, call)
    except Exception:
        return Command(goto="join")


@pytest.mark.parametrize(
    ("name", "written", "said", "step"),
    [
        ("transfer", pays_twice, "sent the transfer to the bank 2 times", "bank.transfer once"),
        ("transfer", looks_for_another_call, "it was not found", "in this order"),
        ("transfer", rounds_the_amount, "as a number", '**task["arguments"]'),
        ("transfer", sleeps_by_itself, "keeps the graph awake", "`interrupt()` lets the graph"),
        ("transfer", keeps_the_receipt, "without the bank's receipt", '"result": receipt'),
        ("request_approval", asks_the_desk_twice, "called desk.ask 2 times", "Ask once"),
        ("request_approval", goes_where_transfers_go, "would run a transfer", "gate.node"),
        ("request_approval", writes_to_the_state, "the state (messages)", "Leave `update` out"),
        ("request_approval", hides_that_nobody_was_asked, "Aiya heard nothing", "Catch nothing"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
async def test_what_desk_and_bank_put_right_is_told_all_the_same(lab, name, written, said, step):
    put(lab, name, written)
    result = await lab.check(name)
    assert (result.kind, result.mistake) == (Kind.WRONG, ""), result
    assert said in result.why, result
    assert step in result.next_step
    assert step in repr(lab.hint(name))


class NoBank:
    async def transfer(self, *args, **kwargs):
        return {"id": "none"}


def forgets_await(line):
    """The right transfer, with one `await` left out."""

    async def transfer(desk, bank, task, call):
        key = (task["approval_id"], call.thread_id, call.id)
        outcome = desk.outcome(*key) if line == "look" else await desk.outcome(*key)
        if outcome is None:
            interrupt({"approval_id": task["approval_id"]})
            outcome = await desk.outcome(*key)
        if outcome is None:
            return None
        if outcome.state != "approved":
            return {"status": outcome.state}
        if line == "lost":
            bank.transfer(outcome.access_token, key[0], **task["arguments"])
            return {"status": "approved"}
        receipt = bank.transfer(outcome.access_token, key[0], **task["arguments"])
        return {"status": "approved", "result": receipt}

    return transfer


async def asks_without_await(desk, gate, arguments, call):
    approval = desk.ask(gate, arguments, call)
    tell_push(approval)
    return Command(goto=Send(gate.node, task_for(approval, late=False)))


def looks_up_without_await(book):
    async def line(arguments, call):
        names = {one["id"]: one["name"] for one in book(call)["payees"]}
        return f"Pay {arguments.amount} to {names[arguments.to_account]}"

    return line


@pytest.mark.parametrize(
    ("name", "written", "call"),
    [
        ("transfer", forgets_await("look"), "desk.outcome"),
        ("transfer", forgets_await("pay"), "bank.transfer"),
        ("transfer", forgets_await("lost"), "bank.transfer"),
        ("request_approval", asks_without_await, "desk.ask"),
        ("wrap_transfer", wraps(line=looks_up_without_await), "book"),
    ],
)
async def test_a_forgotten_await_is_told_and_leaves_no_warning_behind(lab, name, written, call):
    put(lab, name, written)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        result = await lab.check(name)
        gc.collect()
    assert [str(one.message) for one in heard if "never awaited" in str(one.message)] == []
    assert f"You forgot `await` in front of `{call}(…)`" in result.why, result
    assert f"Write `await` in front of `{call}(…)`" in result.next_step
    assert "`await`" in repr(lab.hint(name))
    assert "Hint 2" in repr(lab.hint(name)), "the check's own hints follow"


async def test_a_target_that_is_looked_up_in_the_wrong_list_is_told(lab):
    def own_accounts(book):
        async def line(arguments, call):
            names = {one["id"]: one["name"] for one in (await book(call))["accounts"]}
            return f"Pay {arguments.amount} to {names[arguments.to_account]}"

        return line

    def only_payees(book):
        async def line(arguments, call):
            names = {one["id"]: one["name"] for one in (await book(call))["payees"]}
            return f"Pay {arguments.amount} to {names[arguments.to_account]}"

        return line

    told = [(own_accounts, "the account of a payee, Mia Moreau"), (only_payees, "own, Savings")]
    for line, said in told:
        put(lab, "wrap_transfer", wraps(line=line))
        result = await lab.check("wrap_transfer")
        assert result.kind is Kind.RAISED
        assert said in result.why
        assert 'known["accounts"] + known["payees"]' in result.next_step
    assert 'known["accounts"] + known["payees"]' in repr(lab.hint("wrap_transfer"))


@pytest.mark.parametrize(
    ("words", "part", "step"),
    [
        ("Pay 25.00 {currency} to {payee}", "amount", "{arguments.amount}"),
        ("Pay {amount} USD to {payee}", "currency", "{arguments.currency}"),
        ("Pay {amount} to {payee}", "currency", "{arguments.currency}"),
    ],
)
async def test_a_line_that_fits_one_transfer_only_is_told(lab, words, part, step):
    put(lab, "wrap_transfer", wraps(line=says(words)))
    result = await lab.check("wrap_transfer")
    assert result.kind is Kind.WRONG
    assert f"the {part} is another one, or missing" in result.why
    assert step in result.next_step


@pytest.mark.parametrize(
    "words", ["Pay ${amount} to {payee}", "Pay ${amount} {currency} to {payee}"]
)
async def test_a_sign_that_a_phone_does_not_have_is_named(lab, words):
    put(lab, "wrap_transfer", wraps(line=says(words)))
    result = await lab.check("wrap_transfer")
    assert result.kind is Kind.WRONG
    assert "A phone has no “$”" in result.why
    assert "which may be in another one" in result.why
    assert "Take the “$” away" in repr(lab.hint("wrap_transfer"))


async def test_a_description_in_ones_own_words_is_good_when_it_names_the_phone(lab):
    put(lab, "wrap_transfer", wraps(text="Moves money. The customer's phone asks them."))
    assert await lab.check("wrap_transfer")


@pytest.mark.parametrize("make", [float, lambda text: int(float(text)), round_up])
async def test_an_amount_that_is_no_text_any_more_is_told(lab, make):
    def line(book):
        async def said(arguments, call):
            known = await book(call)
            names = {one["id"]: one["name"] for one in known["accounts"] + known["payees"]}
            who = names[arguments.to_account]
            return f"Pay {make(arguments.amount)} {arguments.currency} to {who}"

        return said

    put(lab, "wrap_transfer", wraps(line=line))
    result = await lab.check("wrap_transfer")
    assert result.kind is Kind.WRONG
    assert "the amount is another one, or missing" in result.why
    assert "it is text, and exact" in result.next_step


@pytest.mark.parametrize(
    "words", ["Pay {amount} {currency} to {payee}", "{currency} {amount:,} {payee}"]
)
async def test_a_line_is_good_in_any_words(lab, words):
    def line(book):
        async def said(arguments, call):
            known = await book(call)
            names = {one["id"]: one["name"] for one in known["accounts"] + known["payees"]}
            more = arguments.model_dump() | {"amount": Decimal(arguments.amount)}
            return words.format(**more, payee=names[arguments.to_account])

        return said

    put(lab, "wrap_transfer", wraps(line=line))
    assert await lab.check("wrap_transfer")


async def test_a_passed_one_is_not_hinted_and_stays_when_the_solution_is_shown(lab):
    mine = lab.exercise(right.transfer)
    assert await lab.check("transfer")
    assert "nothing to hint" in repr(lab.hint("transfer"))
    shown = repr(lab.solution("transfer"))
    assert "async def transfer(" in shown
    assert "acting_node" in shown
    assert mine.chosen() is right.transfer


async def test_the_solution_of_transfer_is_short_and_passes_as_ones_own(lab):
    put(lab, "transfer", acts(push=True))
    await lab.check("transfer")
    shown = lab.solution("transfer").text
    assert "async def transfer(desk, bank, task, call):" in shown
    assert len([one for one in shown.splitlines() if one and not one.startswith("#")]) <= 15
    cell = {"interrupt": interrupt, "digest_of": digest_of}  # what the notebook imports
    exec(shown, cell)
    lab.exercise(cell["transfer"])
    assert lab.found("transfer").chosen() is cell["transfer"]
    assert await lab.check("transfer")


async def test_what_cannot_be_told_to_aiya_is_told_to_the_learner(lab):
    async def no_status(desk, bank, task, call):
        told = await right.transfer(desk, bank, task, call)
        return told and told.get("result")

    async def an_object(desk, bank, task, call):
        told = await right.transfer(desk, bank, task, call)
        return told and {**told, "outcome": await answer_of(desk, task, call)}

    for written, said, step in [
        (no_status, "transfer returned dict without a `status`", '"result": receipt'),
        (an_object, "Outcome is not JSON serializable", "texts, numbers, lists and dictionaries"),
    ]:
        put(lab, "transfer", written)
        result = await lab.check("transfer")
        assert result.kind is Kind.RAISED
        assert said in result.why
        assert step in result.next_step


async def test_code_that_raises_is_told_with_its_line(lab):
    def typo(tool, audience, book):
        return with_async_authorization(tool, scope=[SCOPE])

    def bad_line(tool, audience, book):
        new = dataclasses.replace(tool, description=prompts.TRANSFER_FUNDS)
        return with_async_authorization(
            new, scopes=[SCOPE], audience=audience, binding_message=lambda a, c: a.payee
        )

    async def bad_request(desk, gate, arguments, call):
        return await desk.ask_nicely(gate, arguments, call)

    async def forgets_none(desk, bank, task, call):
        interrupt({"approval_id": task["approval_id"]})
        outcome = await answer_of(desk, task, call)
        return {"status": outcome.state}

    async def awaits_too_much(desk, gate, arguments, call):
        await tell_push(await desk.ask(gate, arguments, call))

    async def dictionary_as_object(desk, bank, task, call):
        return await desk.outcome(task.approval_id, call.thread_id, call.id)

    def object_as_dictionary(book):
        return lambda arguments, call: f"Pay {arguments['amount']}"

    for name, function, said, step in [
        ("wrap_transfer", typo, "unexpected keyword argument 'scope'", "Fix that line"),
        ("wrap_transfer", bad_line, "has no attribute 'payee'", "Fix that line"),
        (
            *("wrap_transfer", wraps(line=object_as_dictionary)),
            *("object is not subscriptable", 'an object: write `.name`, not `["name"]`'),
        ),
        (
            *("wrap_transfer", wraps(line=swapped)),
            *("'TransferArguments' object has no attribute 'user_id'", "in this order: look at"),
        ),
        ("request_approval", bad_request, "await desk.ask_nicely", "Fix that line"),
        (
            *("request_approval", awaits_too_much),
            *("in 'await' expression", "take `await` away"),
        ),
        (
            *("transfer", forgets_none),
            *("'NoneType' object has no attribute 'state'", "What stands before `.state` is None"),
        ),
        (
            *("transfer", dictionary_as_object),
            *("has no attribute 'approval_id'", 'a dictionary: write `["approval_id"]`'),
        ),
    ]:
        put(lab, name, function)
        result = await lab.check(name)
        assert result.kind is Kind.RAISED, (name, result)
        assert said in result.why, result
        assert "Line " in result.why
        assert step in result.next_step, result
        assert (step in repr(lab.hint(name))) is (step != "Fix that line")


async def test_a_noted_request_is_kept_with_the_gates_own_node():
    noted = noted_request(right.request_approval, Notes())
    async with stage(Pieces(request_approval=noted)) as agent:
        scene = await play(agent)
    assert scene.approval.node == "transfer"


async def test_a_call_that_is_sent_on_as_late_is_told_as_that(lab):
    async def request_approval(desk, gate, arguments, call):
        approval = await desk.ask(gate, arguments, call)
        tell_push(approval)
        return Command(goto=Send(gate.node, task_for(approval, late=True)))

    lab.exercise(request_approval)
    result = await lab.check("request_approval")
    assert result.kind is Kind.WRONG
    assert "`late=True` says that Aiya's call was answered before" in result.why
    assert "late=False" in result.next_step


async def test_a_send_alone_goes_on_as_well_as_a_command(lab, capsys):
    async def request_approval(desk, gate, arguments, call):
        approval = await desk.ask(gate, arguments, call)
        tell_push(approval)
        return Send(gate.node, task_for(approval, late=False))

    mine = lab.exercise(request_approval)
    assert await lab.check("request_approval")
    await lab.build(request_approval=mine)
    await lab.say("Move $25 from checking to savings")
    await lab.phone.approve()
    await lab.settled()
    assert "Done: $25.00 moved" in capsys.readouterr().out


async def test_pieces_that_have_not_passed_are_built_and_named(lab, capsys):
    ask = lab.exercise(right.request_approval)
    written = acts(compare=False)
    written.__name__ = "transfer"
    act = lab.exercise(written)
    await lab.check("transfer")
    await lab.build(request_approval=ask, transfer=act)
    told = "request_approval (not checked since its cell was run), transfer (wrong)."
    assert f"Built. A check has still to pass: {told}\n" in capsys.readouterr().out
    assert lab._pieces.transfer is act
    await lab.check("request_approval")
    await lab.build(request_approval=ask)
    assert "has still to pass" not in capsys.readouterr().out


async def test_a_piece_with_another_shape_is_told_in_a_sentence_before_it_is_built(lab):
    async def transfer(desk, bank, task):
        """Takes too little."""
        return task

    mine = lab.exercise(transfer)
    with pytest.raises(OtherShape) as told:
        await lab.build(transfer=mine)
    assert told.value.sentence == (
        "Your transfer takes (desk, bank, task), and is called with (desk, bank, task, call). Its "
        "first line stays as it was given: `async def transfer(desk, bank, task, call):`. It is in "
        "your function's cell: mend it, and run that cell."
    )


async def test_what_waits_for_ones_own_pieces_is_taken_up_without_them(lab, capsys):
    """As after a restart of the kernel, whose first cell knows nothing of the pieces."""
    await lab.build(wrap_transfer=wraps())
    await lab.say("Move $25 from checking to savings")
    await lab.build()
    await lab.phone.approve()
    await lab.settled()
    assert "Done: $25.00 moved" in capsys.readouterr().out


async def test_a_kernel_that_knows_no_pieces_says_whose_it_uses(lab, capsys):
    """As after a restart: what was built is gone with the kernel, and what waits is not."""
    await lab.say("Move $25 from checking to savings")
    await lab.phone.approve()
    await lab.settled()
    told = capsys.readouterr().out
    assert told.count("has the package's own pieces, not yours") == 1
    lab._to_be_built = True
    await lab.build()
    await lab.say("hello")
    assert "package's own pieces" not in capsys.readouterr().out


async def test_no_hint_is_told_twice(lab):
    async def transfer(desk, bank, task, call):
        outcome = await waited(desk, task, call)
        return None if outcome is None else {"status": outcome.state}

    lab.exercise(transfer)
    await lab.check("transfer")
    hints = [repr(lab.hint("transfer")).split("): ", 1)[1] for _ in range(6)]
    told = list(dict.fromkeys(hints))
    assert len(told) > 2
    assert not [one for one in told for other in told if one != other and one in other]


def goes_on(node=None, **task):
    """The right request, but for where it leads, or for its task: made by hand where given."""

    async def request_approval(desk, gate, arguments, call):
        approval = await desk.ask(gate, arguments, call)
        tell_push(approval)
        known = {"approval": approval.id, "call": call.id, "arguments": arguments, "late": False}
        made = {name: known[key] for name, key in task.items()}
        return Command(goto=Send(node or gate.node, made or task_for(approval, late=False)))

    return request_approval


@pytest.mark.parametrize(
    ("written", "said", "step"),
    [
        (goes_on("transfr"), "“transfr”: Aiya's graph has no node of that name", "gate.node"),
        (goes_on(approval_id="approval"), "lacks tool_call_id, arguments, late", "task_for"),
        (goes_on(id="approval", late="late"), "lacks approval_id, tool_call_id", "task_for"),
        (
            goes_on(
                approval_id="approval", tool_call_id="call", arguments="arguments", late="late"
            ),
            *("is a TransferArguments", "task_for"),
        ),
    ],
    ids=["node", "id alone", "another id", "object"],
)
async def test_a_way_that_leads_nowhere_is_told_by_what_is_wrong_in_it(lab, written, said, step):
    put(lab, "request_approval", written)
    result = await lab.check("request_approval")
    assert result.kind is Kind.WRONG, result
    assert said in result.why
    assert step in result.next_step
    assert step in repr(lab.hint("request_approval"))


async def test_of_two_requests_the_one_without_a_node_is_told_as_well(lab):
    await lab.say("Move $25 from checking to savings")
    await lab.say("Move $30 from checking to savings")
    first, second = await lab.approvals()
    told = repr(await lab.asleep()).splitlines()
    assert told[1].startswith("transfer")
    assert second.id in told[1]
    assert told[2].startswith(f"(no node)  {first.id} waits for the phone")
    await lab.withdraw()
    await lab.settled()


def returns_in_the_loop(book):
    async def line(arguments, call):
        known = await book(call)
        for one in known["accounts"] + known["payees"]:
            if one["id"] == arguments.to_account:
                name = one["name"]
            return f"Pay {arguments.amount} {arguments.currency} to {name}"
        return None

    return line


def calls_its_line(tool, audience, book):
    def line(arguments, call):
        return arguments.amount

    return with_async_authorization(
        tool,
        scopes=[SCOPE],
        audience=audience,
        binding_message=line(arguments, call),  # noqa: F821 - the mistake
    )


def calls_its_line_without_anything(tool, audience, book):
    def line(arguments, call):
        return arguments.amount

    return with_async_authorization(tool, scopes=[SCOPE], audience=audience, binding_message=line())


def replaces_by_place(tool, audience, book):
    return dataclasses.replace(tool, prompts.TRANSFER_FUNDS)


def awaits_a_function(book):
    async def line(arguments, call):
        known = await book
        return known["payees"][0]["name"]

    return line


async def waits_for_a_function(desk, bank, task, call):
    return await desk.outcome


async def misspells_a_key(desk, bank, task, call):
    await waited(desk, task, call)
    return await bank.transfer("", task["approval_id"], **task["argument"])


def asserts_not(one, other):
    assert one == other
    return False


async def calls_the_state(desk, bank, task, call):
    outcome = await waited(desk, task, call)
    return {"status": outcome.state()} if outcome else None


async def asks_with_a_dictionary(desk, gate, arguments, call):
    return await right.request_approval(desk, gate, arguments.model_dump(), call)


async def tells_before_it_asks(desk, gate, arguments, call):
    tell_push(approval)  # noqa: F821 - the mistake
    approval = await desk.ask(gate, arguments, call)
    return Command(goto=Send(gate.node, task_for(approval, late=False)))


async def goes_on_late(desk, gate, arguments, call):
    approval = await desk.ask(gate, arguments, call)
    tell_push(approval)
    return Command(goto=Send(gate.node, task_for(approval, late="False")))


@pytest.mark.parametrize(
    ("name", "written", "kind", "said"),
    [
        ("wrap_transfer", wraps(line=returns_in_the_loop), Kind.RAISED, "stand inside the `for`"),
        ("wrap_transfer", calls_its_line, Kind.RAISED, "Hand over the function itself"),
        ("wrap_transfer", calls_its_line_without_anything, Kind.RAISED, "without (…)"),
        ("wrap_transfer", replaces_by_place, Kind.RAISED, "has a name: dataclasses.replace(tool"),
        ("wrap_transfer", wraps(line=awaits_a_function), Kind.RAISED, "has to be called before"),
        ("transfer", waits_for_a_function, Kind.RAISED, "has to be called before"),
        ("transfer", misspells_a_key, Kind.RAISED, 'There is no "argument" there'),
        ("transfer", acts(differs=asserts_not), Kind.RAISED, "Look with `if`, and return"),
        ("transfer", calls_the_state, Kind.RAISED, "a value and no function"),
        ("request_approval", asks_with_a_dictionary, Kind.RAISED, "no dictionary of them"),
        ("request_approval", tells_before_it_asks, Kind.RAISED, "First ask, then tell"),
        ("request_approval", goes_on("request_approval"), Kind.WRONG, "which is this very node"),
        ("request_approval", goes_on_late, Kind.WRONG, "`late=True` says"),
    ],
)
async def test_a_slip_is_told_by_its_cause(lab, name, written, kind, said):
    put(lab, name, written)
    result = await lab.check(name)
    assert result.kind is kind, result
    assert said in f"{result.why} {result.next_step}"


async def test_pieces_in_each_others_place_are_told(lab):
    mine = lab.exercise(right.request_approval)
    with pytest.raises(OtherShape, match="transfer= was given your request_approval"):
        await lab.build(transfer=mine)


async def test_a_payee_in_capitals_is_the_payee(lab):
    def loud(book):
        async def line(arguments, call):
            return (await says("Pay {amount} {currency} to {payee}")(book)(arguments, call)).upper()

        return line

    put(lab, "wrap_transfer", wraps(line=loud))
    assert await lab.check("wrap_transfer")


async def test_the_desk_of_the_aiya_that_runs_asks_nobody_in_a_check(lab):
    running = (await lab.aiya()).resumer.desk

    async def request_approval(desk, gate, arguments, call):
        return await right.request_approval(running, gate, arguments, call)

    put(lab, "request_approval", request_approval)
    result = await lab.check("request_approval")
    assert result.kind is Kind.RAISED, result
    assert "the desk of the Aiya that runs, and nobody was asked" in result.why
    assert "right.request_approval(running" in result.why
    assert await lab.phone.waiting() == []
    assert await lab.approvals() == []
    await lab.say("Move $25 from checking to savings")
    assert len(await lab.phone.waiting()) == 1
    await lab.withdraw()


async def test_a_push_that_the_chat_hears_of_twice_is_told(lab):
    async def request_approval(desk, gate, arguments, call):
        approval = await desk.ask(gate, arguments, call)
        tell_push(approval)
        tell_push(approval)
        return Command(goto=Send(gate.node, task_for(approval, late=False)))

    put(lab, "request_approval", request_approval)
    result = await lab.check("request_approval")
    assert "the chat told of it 2 times" in result.why
    assert "once" in result.next_step


async def says_done_whatever_the_bank_says(desk, bank, task, call):
    try:
        return await right.transfer(desk, bank, task, call)
    except BankError:
        return {"status": "approved", "result": {}}


async def tries_thrice(desk, bank, task, call):
    for _ in range(3):
        try:
            return await right.transfer(desk, bank, task, call)
        except BankError:
            continue
    return None


async def tells_the_token(desk, bank, task, call):
    answer = await right.transfer(desk, bank, task, call)
    if answer and answer.get("message") == "This is not what was approved.":
        outcome = await answer_of(desk, task, call)
        return answer | {"message": f"changed after {outcome.access_token}"}
    return answer


@pytest.mark.parametrize(
    ("written", "mistake", "said", "step"),
    [
        (
            acts(is_no=lambda outcome: outcome.state != "Approved"),
            *("", "without asking the bank: no money moved", 'is "approved", to the letter'),
        ),
        (acts(differs=operator.eq), "", "the two fingerprints should be equal", "Is it `!=`"),
        (says_done_whatever_the_bank_says, "", "Aiya heard “approved”", "Do not catch"),
        (acts(change={"memo": ""}), "C13", "the memo ''", "digest_of"),
        (tries_thrice, "", "said insufficient_funds; Aiya heard nothing", "Do not catch"),
        (tells_the_token, "C11", "read the access token", "in words of your own"),
    ],
    ids=["spelt", "inverted", "done", "memo", "tries", "token"],
)
async def test_a_transfer_that_goes_wrong_at_one_point_is_told_by_it(
    lab, written, mistake, said, step
):
    put(lab, "transfer", written)
    result = await lab.check("transfer")
    assert (result.kind, result.mistake) == (Kind.WRONG, mistake), result
    assert said in result.why
    assert step in result.next_step
