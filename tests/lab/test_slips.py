"""Labs 05 and 06: slips in Python, not in the design, are told with what to do about them."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from langgraph.types import Command, Send, interrupt

from baink_lab.aiya import prompts
from baink_lab.approvals import with_async_authorization
from baink_lab.approvals.approval import digest_of
from baink_lab.approvals.nodes import task_for, tell_push
from baink_lab.approvals.poll import Ending, poll_once
from baink_lab.lab.checks import Kind
from tests.lab.lab_kernel import Kernel
from tests.lab.lab_world import begun
from tests.lab.test_lab05 import SCOPE, answer_of, put, waited, wraps

pytestmark = pytest.mark.timeout(120)

BOTH = 'known["accounts"] + known["payees"]'


@pytest.fixture
async def lab(shared_home):
    async with begun(5) as lab:
        yield lab


@pytest.fixture
async def lab06(shared_home):
    async with begun(6) as lab:
        yield lab


def no_return(book):
    async def line(arguments, call):
        await book(call)

    return line


def first_payee(book):
    async def line(arguments, call):
        payees = (await book(call))["payees"]
        name = next(one["name"] for one in payees if one["id"] == arguments.to_account)
        return f"Pay {arguments.amount} to {name}"

    return line


def accounts_alone(book):
    async def line(arguments, call):
        for one in (await book(call))["accounts"]:
            if one["id"] == arguments.to_account:
                name = one["name"]
        return f"Pay {arguments.amount} to {name}"

    return line


def name_of_all(book):
    async def line(arguments, call):
        return f"Pay {arguments.amount} to {(await book(call))['name']}"

    return line


def one_argument(book):
    return lambda arguments: f"Pay {arguments.amount}"


def gate(tool, audience, line, scopes=(SCOPE,)):
    new = dataclasses.replace(tool, description=prompts.TRANSFER_FUNDS)
    return with_async_authorization(new, scopes=scopes, audience=audience, binding_message=line)


def a_text(tool, audience, book):
    return gate(tool, audience, "Pay it")


def called_too_early(tool, audience, book):
    async def line(arguments, call):
        return "Pay it"

    return gate(tool, audience, line(None, None))


def one_scope(tool, audience, book):
    return gate(tool, audience, lambda arguments, call: "Pay it", scopes=SCOPE)


def by_position(tool, audience, book):
    return with_async_authorization(tool, [SCOPE], audience, lambda arguments, call: "Pay it")


def changes_the_tool(tool, audience, book):
    tool.description = prompts.TRANSFER_FUNDS
    return gate(tool, audience, lambda arguments, call: "Pay it")


def hands_on_the_book(book):
    return lambda arguments, call: book(call)


def book_of_nobody(book):
    async def line(arguments, call):
        return str(await book())

    return line


def asks_in(*order):
    """The right request, but for the order of what `desk.ask` is given."""

    async def request_approval(desk, gate, arguments, call):
        given = {"gate": gate, "arguments": arguments, "call": call}
        approval = await desk.ask(*(given[one] for one in order))
        return Command(goto=Send(gate.node, task_for(approval, late=False)))

    return request_approval


async def sends_to_the_gate(desk, gate, arguments, call):
    approval = await desk.ask(gate, arguments, call)
    return Command(goto=Send(gate, task_for(approval, late=False)))


async def goes_without_its_task(desk, gate, arguments, call):
    tell_push(await desk.ask(gate, arguments, call))
    return Command(goto=gate.node)


async def sends_the_approval(desk, gate, arguments, call):
    approval = await desk.ask(gate, arguments, call)
    tell_push(approval)
    return Command(goto=Send(gate.node, approval))


async def no_late(desk, gate, arguments, call):
    approval = await desk.ask(gate, arguments, call)
    return Command(goto=Send(gate.node, task_for(approval)))


async def believes_the_ring(desk, bank, task, call):
    outcome = interrupt({"approval_id": task["approval_id"]})
    return {"status": outcome.state}


async def looks_then_believes_the_ring(desk, bank, task, call):
    outcome = await answer_of(desk, task, call)
    if outcome is None:
        outcome = interrupt({"approval_id": task["approval_id"]})
    return {"status": outcome.state}


def acts(*, yes_only=True, digest=None, pay=None, tell=None):
    """The right transfer, with one line of Python made wrong."""

    async def transfer(desk, bank, task, call):
        outcome = await waited(desk, task, call)
        if outcome is None:
            return None
        if yes_only and outcome.state != "approved":
            return {"status": outcome.state}
        if digest and digest(task) != outcome.digest:
            return {"status": "failed"}
        token, key, order = outcome.access_token, task["approval_id"], task["arguments"]
        receipt = await (pay(bank, outcome, order) if pay else bank.transfer(token, key, **order))
        return tell(receipt) if tell else {"status": "approved", "result": receipt}

    return transfer


WRAP, ASK, ACT = "wrap_transfer", "request_approval", "transfer"
SLIPS = [
    (WRAP, wraps(line=no_return), "binding_message returned NoneType", "end with `return`"),
    (WRAP, wraps(line=first_payee), "StopIteration", BOTH),
    (WRAP, wraps(line=accounts_alone), "UnboundLocalError", BOTH),
    (WRAP, wraps(line=name_of_all), "KeyError: 'name'", "are lists"),
    (WRAP, wraps(line=one_argument), "2 were given", "called with two things"),
    (WRAP, a_text, "must be a function (arguments, call), and is a str", "Fix that line"),
    (WRAP, called_too_early, "hand over the function, do not call it", "Fix that line"),
    (WRAP, one_scope, 'scopes must be a list, like ["create:transfer"]', "Fix that line"),
    (WRAP, changes_the_tool, "FrozenInstanceError", "dataclasses.replace(tool, description="),
    (WRAP, wraps(line=hands_on_the_book), "returned dict", "return a text"),
    (WRAP, wraps(line=book_of_nobody), "missing 1 required positional", "`await book(call)`"),
    (WRAP, by_position, "takes 1 positional argument", "scopes=…, audience=…"),
    (ASK, goes_without_its_task, "KeyError: 'approval_id'", "started without its task"),
    (ASK, sends_the_approval, "'Approval' object", "gets a task: Send("),
    *(
        (ASK, asks_in(*order), "has no attribute", "`await desk.ask(gate, arguments, call)`")
        for order in itertools.permutations(("gate", "arguments", "call"))
        if order != ("gate", "arguments", "call")
    ),
    (ASK, sends_to_the_gate, "not msgpack serializable: Send", "`gate.node` and not `gate`"),
    (ASK, no_late, "missing 1 required keyword-only argument: 'late'", "Fix that line"),
    (ACT, believes_the_ring, "has no attribute 'state'", "look into the vault again"),
    (ACT, looks_then_believes_the_ring, "has no attribute 'state'", "what interrupt() returned"),
    (ACT, acts(yes_only=False), "got 'NoneType'", "only a yes brings one"),
    (
        *(ACT, acts(digest=lambda task: digest_of("transfer", task["arguments"]))),
        *("nobody had changed anything", 'digest_of("transfer_funds", task["arguments"])'),
    ),
    (
        *(ACT, acts(digest=lambda task: digest_of(task["arguments"]))),
        *("missing 1 required positional", "of a tool and its arguments"),
    ),
    (
        *(ACT, acts(pay=lambda bank, outcome, order: bank.transfer("token", "key", order))),
        *("takes 3 positional arguments but 4", "Two stars are missing"),
    ),
    (
        *(ACT, acts(pay=lambda bank, outcome, order: bank.transfer(outcome, "key", **order))),
        *("got 'Outcome'", "outcome.access_token"),
    ),
    (
        *(
            ACT,
            acts(
                pay=lambda bank, outcome, order: bank.transfer("key", outcome.access_token, **order)
            ),
        ),
        *("answered 401", "First the token, then the key"),
    ),
    (ACT, acts(tell=lambda receipt: receipt), "without a `status`", '"result": receipt'),
    (ACT, acts(tell=lambda receipt: None), "your function returned None", '"result": receipt'),
    (ACT, acts(tell=lambda receipt: {"status": "ok"}), "Aiya heard “ok”", '"result": receipt'),
]


@pytest.mark.parametrize("exercise", [WRAP, ASK, ACT])
async def test_a_slip_in_python_is_told_with_what_to_do(lab, exercise):
    for name, written, said, step in SLIPS:
        if name == exercise:
            put(lab, name, written)
            result = await lab.check(name)
            assert result.kind in {Kind.RAISED, Kind.WRONG}, result
            assert said in result.why, (said, result)
            assert step in result.next_step, (step, result)
            assert "forgot" not in result.why, result
            assert ".." not in f"{result!r}".replace("…", ""), result


async def test_a_dictionary_that_was_lab_05s_is_a_list_in_lab_06(lab06):
    def by_key(tools, wrapped):
        tools["transfer_funds"] = wrapped
        return tools

    def values(tools, wrapped):
        return list(tools.values())

    def unpacked(tools, wrapped):
        return {**tools, "transfer_funds": wrapped}

    for slip in (by_key, values, unpacked):
        put(lab06, "registry", slip)
        assert "`tools` is a list here" in (await lab06.check("registry")).next_step


def looks_after(*, settle=None, wake=None):
    async def look_after(approval, desk, ring, clock):
        await clock.sleep(approval.interval)
        while True:
            match await poll_once(desk, approval):
                case Ending(event, reason, tokens):
                    await (settle or right_settle)(desk, approval, event, reason, tokens)
                    return await (wake(ring, approval) if wake else ring(approval))
                case _:
                    await clock.sleep(approval.interval)

    return look_after


def right_settle(desk, approval, event, reason, tokens):
    return desk.settle(approval, event, reason, tokens=tokens)


@pytest.mark.parametrize(
    ("written", "said", "step"),
    [
        (
            looks_after(settle=lambda desk, *given: desk.settle(*given)),
            "takes from 3 to 4 positional arguments but 5",
            "tokens=tokens",
        ),
        (
            looks_after(settle=lambda desk, _, *given: desk.settle(*given[:2])),
            "has no attribute 'move'",
            "First the approval",
        ),
        (looks_after(wake=lambda ring, _: ring()), "missing 1 required", "`await ring(approval)`"),
        (
            looks_after(wake=lambda ring, approval: ring(approval.id)),
            "has no attribute 'thread_id'",
            "`await ring(approval)`",
        ),
    ],
)
async def test_a_slip_of_the_loop_that_looks_after_is_told(lab06, written, said, step):
    put(lab06, "look_after", written)
    result = await lab06.check("look_after")
    assert result.kind is Kind.RAISED
    assert said in result.why
    assert step in result.next_step


async def test_brackets_are_named_when_something_follows_the_await(lab):
    def line_of(book):
        async def line(arguments, call):
            return f"Pay it to {await book(call)['payees']}"

        return line

    put(lab, "wrap_transfer", wraps(line=line_of))
    assert "`(await book(…))[…]`" in (await lab.check("wrap_transfer")).next_step


async def test_a_function_with_other_parameters_is_told_before_it_is_called(lab, lab06):
    def without_book(tool, audience):
        return tool

    def registry(tools):
        return tools

    def look_after(approval, desk, ring):
        return None

    def not_async(approval, desk, ring, clock):
        return None

    async def registry_async(tools, wrapped):
        return tools

    for one, name, written, first in [
        (lab06, "look_after", not_async, "Write `async def look_after`."),
        (lab06, "registry", registry_async, "Write `def registry`, not `async def registry`."),
        (lab, "wrap_transfer", without_book, "`def wrap_transfer(tool, audience, book):`"),
        (lab06, "registry", registry, "`def registry(tools, wrapped):`"),
        (lab06, "look_after", look_after, "`async def look_after(approval, desk, ring, clock):`"),
    ]:
        put(one, name, written)
        result = await one.check(name)
        assert result.kind is Kind.WRONG
        assert "is called with (" in result.why or "await" in result.why
        assert first in result.next_step
        assert first in repr(one.hint(name))


async def test_other_names_for_the_parameters_are_ones_own_business(lab06):
    def registry(have, gated, *others):
        return [gated if one.name == gated.name else one for one in have]

    put(lab06, "registry", registry)
    assert await lab06.check("registry")


async def test_solutions_have_the_shape_of_their_exercise_and_pass_as_ones_own(lab, lab06):
    notebook = {
        "dataclasses": dataclasses,
        "prompts": prompts,
        "with_async_authorization": with_async_authorization,
    }
    exec("from baink_lab.approvals.poll import Ending, NoAnswer, NotYet, poll_once", notebook)
    for one, name, first in [
        (lab, "wrap_transfer", "def wrap_transfer(tool, audience, book):"),
        (lab06, "look_after", "async def look_after(approval, desk, ring, clock):"),
    ]:
        put(one, name, lambda *given: None)
        await one.check(name)
        shown = one.solution(name).text
        assert first in shown
        assert "Aiya herself runs" in shown
        assert await one.check(name), "it stands in"
        assert "stands in for your" in one.solution(name).text, "it is not the learner's own"
        cell = dict(notebook)
        exec(shown, cell)
        one.exercise(cell[name])
        assert await one.check(name)
        assert "yours stays" in one.solution(name).text


OPEN = "from baink_lab.lab import open_lab\nlab = await open_lab(6)"
RIGHT = """@lab.exercise
def registry(tools, wrapped):
    return [wrapped if tool.name == wrapped.name else tool for tool in tools]"""
BROKEN = "@lab.exercise\ndef registry(tools, wrapped):\n    return [wrapped if"
UNTOLD = "def registry(tools, wrapped):\n    return tools"
RENAMED = RIGHT.replace("def registry", "def my_registry")
OTHER_SHAPE = "@lab.exercise\ndef registry(tools):\n    return tools"
CHECK = "await lab.check('registry')"


def test_a_newer_function_that_did_not_get_through_is_told(shared_home, tmp_path):
    kernel = Kernel(tmp_path)
    try:
        assert kernel.run(OPEN) is None
        assert "I have not seen your registry" in kernel.texts(CHECK)[-1]
        kernel.run(BROKEN)
        assert "In[3] has a `registry` that did not reach me" in kernel.texts(CHECK)[-1]
        kernel.run(RIGHT)
        assert kernel.texts(CHECK)[-1].startswith("✅")
        assert "did not reach" not in kernel.texts(CHECK)[-1]
        kernel.run(BROKEN)
        told = kernel.texts(CHECK)[-1]
        assert "In[8] has a newer `registry` that did not reach me" in told
        assert told.startswith("❌ registry: not run.")
        assert told.partition("\n")[0].endswith("about the older one, of In[5]: it passed.")
        kernel.run(RIGHT)
        assert "did not reach" not in kernel.texts(CHECK)[-1]
        kernel.run(UNTOLD)
        assert "no `@lab.exercise`" in kernel.texts(CHECK)[-1]
        kernel.run(BROKEN)
        kernel.run(RENAMED)
        told = kernel.texts(CHECK)[-1]
        assert "In[15] has a newer function `my_registry`, and no exercise has that name" in told
        assert "call it `registry` again" in told
        kernel.run(OTHER_SHAPE)
        kernel.run(BROKEN)
        told = kernel.texts(CHECK)[-1]
        assert told.index("In[18] has a newer") < told.index("Your registry takes (tools)")
    finally:
        kernel.close()


TAKES_ALL = """from baink_lab.approvals.poll import Ending, NoAnswer, NotYet, poll_once
@lab.exercise
async def look_after(approval, desk, ring, clock):
    match await poll_once(desk, approval):
        case NoAnswer:
            await clock.sleep(approval.interval)
        case Ending(event, reason, tokens):
            return"""


def test_a_case_that_takes_everything_is_told_with_its_brackets(shared_home, tmp_path):
    kernel = Kernel(tmp_path)
    check = "await lab.check('look_after')"
    try:
        assert kernel.run(OPEN) is None
        assert kernel.run(TAKES_ALL)["ename"] == "SyntaxError"
        told = kernel.texts(check)[-1]
        assert "line 5 of its cell is no Python" in told
        assert "With brackets, `case NoAnswer(…):`, it takes a NoAnswer" in told
        kernel.run(TAKES_ALL.replace("NoAnswer:", "_:"))
        assert "`case _:` takes whatever comes, so it stands last." in kernel.texts(check)[-1]
    finally:
        kernel.close()


def test_what_passed_before_a_restart_is_not_called_unseen_alone(shared_home, tmp_path):
    told = []
    for _ in range(2):
        kernel = Kernel(tmp_path)
        try:
            assert kernel.run(OPEN) is None
            told.append(kernel.texts(CHECK)[-1])
            kernel.run(RIGHT)
            assert kernel.texts(CHECK)[-1].startswith("✅")
        finally:
            kernel.close()
    assert "It passed before this kernel was started; that is kept." in told[1]
