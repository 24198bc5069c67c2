"""Lab 06: C15 in any spelling, a resumer's slips, and every story from start to end."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import re

import pytest

from baink_lab.aiya.more_tools import dispute_line, dispute_tool, statement_tool
from baink_lab.approvals import Call, GatedTool, ToolRefused, with_async_authorization
from baink_lab.approvals.binding import fit
from baink_lab.approvals.poll import Ending, NoAnswer, NotYet, poll_once
from baink_lab.bank.client import BankClient
from baink_lab.errors import BainkError
from baink_lab.lab.checks import Kind
from baink_lab.lab.checks.evidence import Story
from baink_lab.lab.checks.mistakes import BY_MISTAKE
from baink_lab.lab.learner.pieces import NoRegistry
from baink_lab.lab.tenant.enrolment import enroll_stand_in
from tests.lab.lab_world import begun

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def lab(shared_home):
    async with begun(6, ready=True) as lab:
        yield lab


def put(lab, name, function):
    function.__name__ = name
    lab.exercise(function)


# The registry


def right(tools, wrapped):
    return [wrapped if tool.name == wrapped.name else tool for tool in tools]


def right_by_position(tools, wrapped):
    return [*tools[:-1], wrapped]


def right_in_place(tools, wrapped):
    tools[-1] = wrapped
    return tools


def untouched(tools, wrapped):
    return tools


def copied(tools, wrapped):
    return [*tools]


def only_the_gated(tools, wrapped):
    return [tool for tool in tools if not isinstance(tool, GatedTool)]


def name_by_name(tools, wrapped):
    return list({tool.name: tool for tool in [wrapped, *tools]}.values())


def gate_taken_off(tools, wrapped):
    bare = next(tool for tool in tools if tool.name == wrapped.name)
    return [*tools[:-1], dataclasses.replace(bare, description=wrapped.description)]


def both(tools, wrapped):
    return [*tools, wrapped]


def neither(tools, wrapped):
    return [tool for tool in tools if tool.name != wrapped.name]


def one_twice(tools, wrapped):
    return [*right(tools, wrapped), tools[0]]


def gate_alone(tools, wrapped):
    return [wrapped]


def nothing(tools, wrapped):
    tools[-1] = wrapped


def gates_all(tools, wrapped):
    return [wrapped for tool in tools]


def a_name(tools, wrapped):
    return ["transfer_funds"]


def breaks(tools, wrapped):
    return [tools["transfer_funds"]]


def drops_what_is_equal(tools, wrapped):
    return [*(one for one in tools if one != wrapped), wrapped]


def compares_the_tools(tools, wrapped):
    return [wrapped if one == wrapped else one for one in tools]


C15 = (untouched, copied, only_the_gated, name_by_name, gate_taken_off, compares_the_tools)


@pytest.mark.parametrize("mistake", C15, ids=lambda one: one.__name__)
async def test_the_bare_tool_in_the_registry_fires_c15_and_the_fix_turns_green(lab, mistake):
    put(lab, "registry", mistake)
    result = await lab.check("registry")
    assert (result.kind, result.mistake) == (Kind.WRONG, "C15"), result
    assert "the phone got 0 pushes" in result.why
    assert "not_approved" in result.why
    assert "`==` between them is False: compare `.name`" in result.next_step
    assert BY_MISTAKE["C15"][0] in repr(lab.hint("registry"))
    put(lab, "registry", right)
    assert await lab.check("registry")


@pytest.mark.parametrize("good", [right, right_by_position, right_in_place])
async def test_any_way_to_put_the_gate_in_is_good(lab, good):
    put(lab, "registry", good)
    assert await lab.check("registry")


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        (both, "There are 2 tools called transfer_funds"),
        (drops_what_is_equal, "There are 2 tools called transfer_funds"),
        (neither, "has no transfer_funds at all"),
        (gate_alone, "she lost get_accounts and get_history"),
        (one_twice, "Aiya has 2 times get_accounts"),
        (nothing, "It returned NoneType"),
        (a_name, "item 0 is of type str"),
        (gates_all, "has `wrapped` in it more than once"),
    ],
)
async def test_other_slips_are_told_without_a_name(lab, slip, said):
    put(lab, "registry", slip)
    result = await lab.check("registry")
    assert (result.kind, result.mistake) == (Kind.WRONG, ""), result
    assert said in result.why


async def test_who_compares_two_tools_to_drop_one_is_told_of_their_names(lab):
    put(lab, "registry", drops_what_is_equal)
    assert "`!=` between them is True: compare `.name`" in (await lab.check("registry")).next_step


@pytest.mark.parametrize(
    ("slip", "said"),
    [(nothing, "returned NoneType"), (gates_all, "returned 3 times transfer_funds")],
)
async def test_aiya_is_not_built_of_what_is_no_registry(lab, slip, said):
    with pytest.raises(NoRegistry, match=said):
        await lab.build(registry=slip)
    await lab.build()


# The resumer


async def looks_right(approval, desk, ring, clock):
    await clock.sleep(approval.interval)
    while True:
        match await poll_once(desk, approval):
            case NotYet(seconds):
                await clock.sleep(seconds)
            case NoAnswer():
                await clock.sleep(approval.interval)
            case Ending(event, reason, tokens):
                await desk.settle(approval, event, reason, tokens=tokens)
                await ring(approval)
                return


async def never_sleeps(approval, desk, ring, clock):
    while True:
        match await poll_once(desk, approval):
            case Ending(event, reason, tokens):
                await desk.settle(approval, event, reason, tokens=tokens)
                return await ring(approval)


async def every_second(approval, desk, ring, clock):
    while True:
        await clock.sleep(1)
        match await poll_once(desk, approval):
            case Ending(event, reason, tokens):
                await desk.settle(approval, event, reason, tokens=tokens)
                return await ring(approval)


async def gives_up(approval, desk, ring, clock):
    await clock.sleep(approval.interval)
    match await poll_once(desk, approval):
        case Ending(event, reason, tokens):
            await desk.settle(approval, event, reason, tokens=tokens)
            await ring(approval)


async def rings_at_each_poll(approval, desk, ring, clock):
    while True:
        await clock.sleep(approval.interval)
        answer = await poll_once(desk, approval)
        if isinstance(answer, Ending):
            await desk.settle(approval, answer.event, answer.reason, tokens=answer.tokens)
            return await ring(approval)
        await ring(approval)


async def takes_silence_for_a_no(approval, desk, ring, clock):
    while True:
        await clock.sleep(approval.interval)
        match await poll_once(desk, approval):
            case Ending(event, reason, tokens):
                await desk.settle(approval, event, reason, tokens=tokens)
                return await ring(approval)
            case NoAnswer():
                await desk.settle(approval, "customer said no", "The tenant did not answer.")
                return await ring(approval)


async def rings_first(approval, desk, ring, clock):
    while True:
        await clock.sleep(approval.interval)
        match await poll_once(desk, approval):
            case Ending(event, reason, tokens):
                await ring(approval)
                return await desk.settle(approval, event, reason, tokens=tokens)


async def seals_nothing(approval, desk, ring, clock):
    while not isinstance(await poll_once(desk, approval), Ending):
        await clock.sleep(approval.interval)


async def rings_without_a_seal(approval, desk, ring, clock):
    while not isinstance(await poll_once(desk, approval), Ending):
        await clock.sleep(approval.interval)
    await ring(approval)


async def never_rings(approval, desk, ring, clock):
    while True:
        await clock.sleep(approval.interval)
        match await poll_once(desk, approval):
            case Ending(event, reason, tokens):
                return await desk.settle(approval, event, reason, tokens=tokens)


async def rings_for_a_yes_only(approval, desk, ring, clock):
    while True:
        await clock.sleep(approval.interval)
        match await poll_once(desk, approval):
            case Ending(event, reason, tokens):
                await desk.settle(approval, event, reason, tokens=tokens)
                return await ring(approval) if tokens else None


async def keeps_the_token(approval, desk, ring, clock):
    while True:
        await clock.sleep(approval.interval)
        match await poll_once(desk, approval):
            case Ending(event, reason):
                await desk.settle(approval, event, reason)
                return await ring(approval)


async def goes_on_for_ever(approval, desk, ring, clock):
    while True:
        await clock.sleep(approval.interval)
        await poll_once(desk, approval)


async def says_denied_to_all(approval, desk, ring, clock):
    while True:
        await clock.sleep(approval.interval)
        match await poll_once(desk, approval):
            case Ending():
                await desk.settle(approval, "customer said no", "No.")
                return await ring(approval)


async def asks_nobody(approval, desk, ring, clock):
    await clock.sleep(approval.interval)


async def never_returns(approval, desk, ring, clock):
    while True:
        await clock.sleep(approval.interval)
        match await poll_once(desk, approval):
            case Ending(event, reason, tokens):
                await desk.settle(approval, event, reason, tokens=tokens)
                await ring(approval)


async def ends_at_a_yes_only(approval, desk, ring, clock):
    while True:
        await clock.sleep(approval.interval)
        match await poll_once(desk, approval):
            case Ending("token arrived", reason, tokens):
                await desk.settle(approval, "token arrived", reason, tokens=tokens)
                return await ring(approval)


async def asks_at_once(approval, desk, ring, clock):
    while True:
        match await poll_once(desk, approval):
            case NotYet(seconds):
                await clock.sleep(seconds)
            case NoAnswer():
                await clock.sleep(approval.interval)
            case Ending(event, reason, tokens):
                await desk.settle(approval, event, reason, tokens=tokens)
                return await ring(approval)


async def lapses_at_a_silence(approval, desk, ring, clock):
    await clock.sleep(approval.interval)
    while not isinstance(answer := await poll_once(desk, approval), Ending):
        if isinstance(answer, NoAnswer):
            await desk.settle(approval, "time was up", "the tenant is away")
            await ring(approval)
            return
        await clock.sleep(answer.seconds)
    await desk.settle(approval, answer.event, answer.reason, tokens=answer.tokens)
    await ring(approval)


def seals_at(kind, *, times=1, ringing=False, leaves=False):
    """A resumer that takes an answer which is none for an end, and may poll on all the same."""

    async def look_after(approval, desk, ring, clock):
        seconds, met = approval.interval, 0
        while True:
            await clock.sleep(seconds)
            answer = await poll_once(desk, approval)
            if isinstance(answer, Ending):
                await desk.settle(approval, answer.event, answer.reason, tokens=answer.tokens)
                return await ring(approval)
            seconds = answer.seconds if isinstance(answer, NotYet) else approval.interval
            met += isinstance(answer, kind)
            if isinstance(answer, kind) and met == times:
                await desk.settle(approval, "time was up", "nobody answers")
                if ringing:
                    await ring(approval)
                if leaves:
                    return None

    look_after.__name__ = f"seals_at_{kind.__name__}_{times}_{ringing}_{leaves}"
    return look_after


async def stops_at_the_second_silence(approval, desk, ring, clock):
    silences, seconds = 0, approval.interval
    while silences < 2:
        await clock.sleep(seconds)
        answer = await poll_once(desk, approval)
        if isinstance(answer, Ending):
            await desk.settle(approval, answer.event, answer.reason, tokens=answer.tokens)
            return await ring(approval)
        seconds = answer.seconds if isinstance(answer, NotYet) else approval.interval
        silences += isinstance(answer, NoAnswer)
    return None


async def knows_no_silence(approval, desk, ring, clock):
    await clock.sleep(approval.interval)
    while True:
        match await poll_once(desk, approval):
            case NotYet(seconds):
                await clock.sleep(seconds)
            case Ending(event, reason, tokens):
                await desk.settle(approval, event, reason, tokens=tokens)
                return await ring(approval)


async def keeps_its_pace(approval, desk, ring, clock):
    await clock.sleep(approval.interval)
    while True:
        match await poll_once(desk, approval):
            case Ending(event, reason, tokens):
                await desk.settle(approval, event, reason, tokens=tokens)
                return await ring(approval)
        await clock.sleep(approval.interval)


async def sleeps_five(approval, desk, ring, clock):
    await clock.sleep(5)
    await asks_at_once(approval, desk, ring, clock)


async def sleeps_a_minute(approval, desk, ring, clock):
    await clock.sleep(approval.interval)
    while True:
        match await poll_once(desk, approval):
            case Ending(event, reason, tokens):
                await desk.settle(approval, event, reason, tokens=tokens)
                return await ring(approval)
            case _:
                await clock.sleep(60)


async def has_no_seconds(approval, desk, ring, clock):
    await clock.sleep(approval.interval)
    while not isinstance(answer := await poll_once(desk, approval), Ending):
        await clock.sleep(answer.seconds)
    await desk.settle(approval, answer.event, answer.reason, tokens=answer.tokens)
    await ring(approval)


async def forgets_to_sleep(approval, desk, ring, clock):
    clock.sleep(approval.interval)
    await looks_right(approval, desk, ring, clock)


def at_the_end(does):
    """A resumer that is right until the answer is there; what it does then is `does`."""

    async def look_after(approval, desk, ring, clock):
        await clock.sleep(approval.interval)
        while True:
            match await poll_once(desk, approval):
                case NotYet(seconds):
                    await clock.sleep(seconds)
                case NoAnswer():
                    await clock.sleep(approval.interval)
                case Ending() as end:
                    return await does(approval, desk, ring, end)

    look_after.__name__ = does.__name__
    return look_after


@at_the_end
async def waits_for_no_ring(approval, desk, ring, end):
    await desk.settle(approval, end.event, end.reason, tokens=end.tokens)
    asyncio.create_task(ring(approval))  # noqa: RUF006 - the mistake


@at_the_end
async def says_the_state(approval, desk, ring, end):
    await desk.settle(approval, "approved", end.reason, tokens=end.tokens)
    await ring(approval)


@at_the_end
async def seals_twice(approval, desk, ring, end):
    await desk.settle(approval, end.event, end.reason, tokens=end.tokens)
    sealed = await desk.get(approval.id)
    await desk.settle(sealed, end.event, end.reason, tokens=end.tokens)


@at_the_end
async def seals_a_yes_only(approval, desk, ring, end):
    if end.tokens:
        await desk.settle(approval, end.event, end.reason, tokens=end.tokens)
    await ring(approval)


async def sleeps_an_answer(approval, desk, ring, clock):
    await clock.sleep(approval.interval)
    while not isinstance(answer := await poll_once(desk, approval), Ending):
        await clock.sleep(answer)


async def takes_an_ending_without_brackets(approval, desk, ring, clock):
    await clock.sleep(approval.interval)
    while True:
        match await poll_once(desk, approval):
            case NotYet(seconds):
                await clock.sleep(seconds)
            case NoAnswer():
                await clock.sleep(approval.interval)
            case Ending:  # noqa: F841, N806
                await desk.settle(approval, event, reason, tokens=tokens)  # noqa: F821
                return await ring(approval)


async def takes_every_answer_for_an_ending(approval, desk, ring, clock):
    await clock.sleep(approval.interval)
    answer = await poll_once(desk, approval)
    match answer:
        case Ending:  # noqa: F841, N806
            await desk.settle(approval, answer.event, answer.reason, tokens=answer.tokens)
            await ring(approval)


async def takes_a_silence_for_not_yet(approval, desk, ring, clock):
    await clock.sleep(approval.interval)
    while True:
        match await poll_once(desk, approval):
            case Ending(event, reason, tokens):
                await desk.settle(approval, event, reason, tokens=tokens)
                return await ring(approval)
            case NotYet:  # noqa: N806
                await clock.sleep(NotYet.seconds)


async def asks_for_a_class_that_a_case_names(approval, desk, ring, clock):
    await clock.sleep(approval.interval)
    answer = await poll_once(desk, approval)
    while not isinstance(answer, Ending):  # noqa: F823 - the mistake
        await clock.sleep(approval.interval)
    match answer:
        case Ending:  # noqa: F841, N806
            await ring(approval)


async def polls_the_approval(approval, desk, ring, clock):
    await clock.sleep(approval.interval)
    await poll_once(approval, desk)


@at_the_end
async def swaps_event_and_reason(approval, desk, ring, end):
    await desk.settle(approval, end.reason, end.event, tokens=end.tokens)


async def rings_nobody(approval, desk, ring, clock):
    await clock.sleep(approval.interval)
    await ring()


async def swallows_all(approval, desk, ring, clock):
    try:
        await looks_right(approval, desk, ring, clock)
    except Exception as failure:
        print(failure)


@at_the_end
async def swallows_a_ring(approval, desk, ring, end):
    await desk.settle(approval, end.event, end.reason, tokens=end.tokens)
    with contextlib.suppress(Exception):
        await ring(approval)


async def swallows_and_goes_on(approval, desk, ring, clock):
    seconds = approval.interval
    while True:
        await clock.sleep(seconds)
        try:
            answer = await poll_once(desk, approval)
            if isinstance(answer, Ending):
                await desk.settle(approval, answer.event, answer.reason, tokens=answer.tokens)
                return await ring(approval)
            seconds = answer.seconds if isinstance(answer, NotYet) else approval.interval
        except Exception as failure:
            print(failure)


async def swallows_and_never_sleeps(approval, desk, ring, clock):
    await clock.sleep(approval.interval)
    while True:
        try:
            match await poll_once(desk, approval):
                case NotYet(seconds):
                    await clock.sleep(seconds)
                case NoAnswer():
                    await clock.sleep(approval.interval)
                case Ending(event, reason, tokens):
                    await desk.settle(approval, event, reason, tokens=tokens)
                    await ring(approval)
                    return
        except Exception:
            continue


@at_the_end
async def swallows_a_seal(approval, desk, ring, end):
    try:
        await desk.settle(approval, end.event, end.reason, tokens=end.tokens)
    except Exception as failure:
        print(failure)
    await ring(approval)


@at_the_end
async def swallows_a_seal_and_ends(approval, desk, ring, end):
    sealed = False
    with contextlib.suppress(Exception):
        await desk.settle(approval, end.event, end.reason, tokens=end.tokens)
        sealed = True
    if sealed:
        await ring(approval)


@at_the_end
async def returns_in_a_finally(approval, desk, ring, end):
    await desk.settle(approval, end.event, end.reason, tokens=end.tokens)
    try:
        await ring(approval)
    finally:
        return  # noqa: B012 - the mistake


@at_the_end
async def gathers_the_errors(approval, desk, ring, end):
    await desk.settle(approval, end.event, end.reason, tokens=end.tokens)
    await asyncio.gather(ring(approval), return_exceptions=True)


async def polls_on_when_it_could_not_seal(approval, desk, ring, clock):
    seconds = approval.interval
    while True:
        await clock.sleep(seconds)
        answer = await poll_once(desk, approval)
        if isinstance(answer, Ending):
            with contextlib.suppress(Exception):
                await desk.settle(approval, answer.event, answer.reason, tokens=answer.tokens)
                return await ring(approval)
        seconds = answer.seconds if isinstance(answer, NotYet) else approval.interval


@at_the_end
async def seals_again(approval, desk, ring, end):
    try:
        await desk.settle(approval, end.event, end.reason, tokens=end.tokens)
    except Exception:
        await desk.settle(approval, end.event, end.reason, tokens=end.tokens)
    await ring(approval)


@at_the_end
async def tells_that_it_could_not_seal(approval, desk, ring, end):
    try:
        await desk.settle(approval, end.event, end.reason, tokens=end.tokens)
    except Exception:
        raise RuntimeError("could not seal") from None
    await ring(approval)


@at_the_end
async def tries_again_itself(approval, desk, ring, end):
    await desk.settle(approval, end.event, end.reason, tokens=end.tokens)
    try:
        await ring(approval)
    except Exception:
        await ring(approval)


@at_the_end
async def tells_and_lets_out(approval, desk, ring, end):
    await desk.settle(approval, end.event, end.reason, tokens=end.tokens)
    try:
        await ring(approval)
    except Exception as failure:
        raise RuntimeError("the graph was not woken") from failure


@at_the_end
async def lets_out_in_its_own_words(approval, desk, ring, end):
    await desk.settle(approval, end.event, end.reason, tokens=end.tokens)
    try:
        await ring(approval)
    except Exception:
        raise RuntimeError("could not wake")  # noqa: B904 - as learners write it


@at_the_end
async def fails_at_the_failure(approval, desk, ring, end):
    await desk.settle(approval, end.event, end.reason, tokens=end.tokens)
    try:
        await ring(approval)
    except Exception:
        await rign(approval)  # noqa: F821 - the mistake


@pytest.mark.parametrize(
    "does",
    [
        tries_again_itself,
        tells_and_lets_out,
        lets_out_in_its_own_words,
        seals_again,
        tells_that_it_could_not_seal,
    ],
)
async def test_who_tries_again_or_tells_of_a_failure_passes(lab, does):
    put(lab, "look_after", does)
    assert await lab.check("look_after")


async def test_a_slip_in_an_except_is_told_as_the_slip_that_it_is(lab):
    put(lab, "look_after", fails_at_the_failure)
    told = await lab.check("look_after")
    assert told.kind is Kind.RAISED
    assert "rign" in told.why


async def has_a_typo(approval, desk, ring, clock):
    await clock.sleep(approval.intervall)


SLIPS = [
    (never_sleeps, "C6", "told to slow down"),
    (every_second, "C6", "told to slow down"),
    (gives_up, "C7", "gave up"),
    (rings_at_each_poll, "", "that is polling the graph"),
    (takes_silence_for_a_no, "", "silence says nothing about the customer"),
    (rings_first, "", "a doorbell is not a key"),
    (seals_nothing, "", "the record says pending"),
    (never_rings, "", "nobody woke it"),
    (rings_without_a_seal, "", "the answer was never sealed"),
    (seals_a_yes_only, "", "the answer was never sealed"),
    (rings_for_a_yes_only, "", "nobody woke it"),
    (keeps_the_token, "", "a yes without its token"),
    (goes_on_for_ever, "", "never came to an end"),
    (says_denied_to_all, "", "The record says denied"),
    (asks_nobody, "", "Nothing was asked of the tenant"),
    (never_returns, "", "and then your loop went on"),
    (ends_at_a_yes_only, "", "never came to an end"),
    (asks_at_once, "C6", "your first poll came at once"),
    (sleeps_five, "C6", "came after 5 seconds, and this approval.interval is 7"),
    (sleeps_a_minute, "", "you let 60 seconds pass between two polls, and 5 are asked for"),
    (keeps_its_pace, "C6", "You asked again after 5 seconds, as if nothing had been said"),
    (lapses_at_a_silence, "", "At the first 503 you sealed an ending that the tenant never gave"),
    (seals_at(NoAnswer), "", "At the first 503 you sealed an ending that the tenant never gave"),
    (seals_at(NoAnswer, ringing=True), "", "At the first 503 you sealed an ending that the tenant"),
    (seals_at(NoAnswer, times=2, leaves=True), "", "At the second 503 you sealed an ending that"),
    (seals_at(NotYet), "C7", "At authorization_pending you sealed an ending that the tenant never"),
    (stops_at_the_second_silence, "", "At the second 503 you stopped"),
    (polls_on_when_it_could_not_seal, "", "polled on, and the tenant gives its answer only once"),
    (knows_no_silence, "", "you asked again at once"),
    (swallows_all, "", "Your function kept that error to itself"),
    (swallows_a_ring, "", "Your function kept that error to itself"),
    (swallows_and_goes_on, "", "Your function kept that error to itself"),
    (swallows_and_never_sleeps, "", "Your function kept that error to itself"),
    (swallows_a_seal, "", "You rang all the same: the node looked into the vault"),
    (swallows_a_seal_and_ends, "", "The record says pending, and the yes is lost"),
    (returns_in_a_finally, "", "Your function kept that error to itself"),
    (gathers_the_errors, "", "Your function kept that error to itself"),
    (waits_for_no_ring, "", "You called `ring` and did not wait for it"),
    (forgets_to_sleep, "", "You forgot `await` in front of `clock.sleep(…)`"),
]


@pytest.mark.parametrize(("slip", "mistake", "said"), SLIPS, ids=[one[0].__name__ for one in SLIPS])
async def test_a_resumers_slip_is_told_by_what_it_led_to(lab, slip, mistake, said):
    put(lab, "look_after", slip)
    result = await lab.check("look_after")
    assert (result.kind, result.mistake) == (Kind.WRONG, mistake), result
    assert said in result.why
    assert result.next_step


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        (swallows_a_ring, "`suppress(…)`"),
        (returns_in_a_finally, "a `return` in a `finally`"),
        (gathers_the_errors, "`gather(…, return_exceptions=True)`"),
        (swallows_a_seal, "an `except` that does not end with `raise`"),
    ],
)
async def test_whatever_keeps_an_error_is_named_and_no_raise_of_ones_own(lab, slip, said):
    put(lab, "look_after", slip)
    result = await lab.check("look_after")
    assert said in result.next_step
    assert "your own `raise`" not in repr(result)


@pytest.mark.parametrize(
    ("slip", "raised", "step"),
    [
        (has_no_seconds, "'NoAnswer' object has no attribute 'seconds'", "the tenant is away"),
        (says_the_state, "is pending: 'approved' cannot happen", "“customer said no”"),
        (seals_twice, "is approved: 'token arrived' cannot happen", "Seal once"),
        (rings_nobody, "TypeError: ring() missing 1 required", "`await ring(approval)`"),
        (sleeps_an_answer, "'NotYet'", "`case NotYet(seconds):`"),
        (takes_an_ending_without_brackets, "'event' is not defined", "fits every answer"),
        (takes_every_answer_for_an_ending, "'NotYet' object has no attribute", "fits every answer"),
        (takes_a_silence_for_not_yet, "'NoAnswer' object has no", "`case NotYet:` without"),
        (asks_for_a_class_that_a_case_names, "variable 'Ending'", "fits every answer"),
        (polls_the_approval, "has no attribute 'request_of'", "poll_once(desk, approval)"),
        (swaps_event_and_reason, "cannot happen", "in its order"),
    ],
)
async def test_what_python_says_of_a_resumer_has_its_step(lab, slip, raised, step):
    put(lab, "look_after", slip)
    told = await lab.check("look_after")
    assert told.kind is Kind.RAISED
    assert raised in told.why
    assert step in told.next_step


@pytest.mark.parametrize(
    ("made", "said", "step"),
    [
        (lambda tools, wrapped: [one.name for one in tools], "item 0 is of type str", "flat list"),
        (lambda tools, wrapped: [wrapped, tools], "item 1 is of type list", "flat list"),
        (lambda tools, wrapped: (*tools[:-1], wrapped), "It returned tuple", "list( … )"),
        (lambda tools, wrapped: (one for one in tools), "It returned generator", "list( … )"),
        (lambda tools, wrapped: {one.name: one for one in tools}, "returned dict", ".values()"),
        (lambda tools, wrapped: print(tools), "It returned NoneType", "return [ … ]"),
    ],
)
async def test_a_list_of_something_else_is_told_by_its_item(lab, made, said, step):
    put(lab, "registry", made)
    told = await lab.check("registry")
    assert said in told.why
    assert step in told.next_step


async def test_an_async_registry_is_told_as_that(lab):
    async def registry(tools, wrapped):
        return tools

    put(lab, "registry", registry)
    told = await lab.check("registry")
    assert "`def registry`, not `async def registry`" in told.next_step
    assert "forgot" not in told.why


async def test_what_was_said_while_no_cell_was_there_is_told_by_the_next(lab, capsys):
    await lab.say("Move $15 from checking to savings")
    await lab.phone.approve()
    aiya = await lab.aiya()
    await aiya.settled(lab.thread)
    capsys.readouterr()
    await lab.settled()
    told = capsys.readouterr().out
    assert told.startswith("Meanwhile:\n")
    assert "Aiya: Done: $15.00 moved" in told
    await lab.settled()
    assert "Meanwhile" not in capsys.readouterr().out


async def test_who_builds_aiya_sees_her_tools(lab, capsys):
    await lab.build()
    assert "transfer_funds (asks the phone)" in capsys.readouterr().out


async def test_an_exercise_may_be_given_in_place_of_its_name(lab):
    put(lab, "registry", untouched)
    mine = lab.found("registry")
    assert (await lab.check(mine)).mistake == "C15"
    assert BY_MISTAKE["C15"][0] in repr(lab.hint(mine))
    assert "def registry" in repr(lab.solution(mine))


async def test_a_resumer_that_sleeps_on_another_clock_is_told(lab, monkeypatch):
    from baink_lab.lab.checks import looking_after_scenes

    async def other_clock(approval, desk, ring, clock):
        await asyncio.Event().wait()

    monkeypatch.setattr(looking_after_scenes, "STUCK_SECONDS", 0.2)
    put(lab, "look_after", other_clock)
    assert "I turn that clock" in (await lab.check("look_after")).next_step


async def test_a_good_resumer_passes_and_so_does_the_packages_own(lab):
    put(lab, "look_after", looks_right)
    assert await lab.check("look_after")
    put(lab, "look_after", has_a_typo)
    assert not await lab.check("look_after")
    shown = repr(lab.solution("look_after"))
    assert "async def look_after(approval, desk, ring, clock):" in shown
    assert "Resumer" in shown
    assert await lab.check("look_after"), "from now on the package's own stands in"


async def test_the_registrys_solution_is_what_one_writes_in_the_cell(lab):
    put(lab, "registry", untouched)
    await lab.check("registry")
    shown = repr(lab.solution("registry"))
    assert "def registry(tools, wrapped):" in shown
    assert "baink_lab.aiya.tools.behind_its_gate" in shown
    assert "Sequence" not in shown


async def test_starters_are_not_attempted_and_references_pass(lab):
    @lab.exercise
    def registry(tools, wrapped):
        """Return a list."""
        ...

    @lab.exercise
    async def look_after(approval, desk, ring, clock):
        """Return nothing."""
        ...

    for name in ("registry", "look_after"):
        assert (await lab.check(name)).kind is Kind.NOT_ATTEMPTED
    object.__setattr__(lab.settings, "baink_autopilot", True)
    for name in ("registry", "look_after"):
        assert await lab.check(name), name


async def test_code_that_raises_is_told_with_its_line(lab):
    put(lab, "registry", breaks)
    result = await lab.check("registry")
    assert result.kind is Kind.RAISED
    assert 'tools["transfer_funds"]' in result.why
    put(lab, "look_after", has_a_typo)
    result = await lab.check("look_after")
    assert result.kind is Kind.RAISED
    assert "approval.intervall" in result.why
    assert "is of type Approval, and that has no `intervall`" in repr(lab.hint("look_after"))

    def removes_it(tools, wrapped):
        tools.remove(wrapped)
        return [*tools, wrapped]

    put(lab, "registry", removes_it)
    assert "only their names are equal" in (await lab.check("registry")).next_step


# The stories


async def ask(lab, text="Move $25 from checking to savings"):
    await lab.say(text)


async def state(lab, name):
    result = await lab.check(name)
    assert result.why
    assert result.next_step or result
    return result.kind


async def test_a_gate_whose_scope_the_api_does_not_have_is_told_before_it_is_asked_for(lab):
    told = await lab.check("gated")
    assert "read:statements is not among the API's permissions yet" in told.why
    assert "two permissions" in told.next_step


async def test_before_anything_every_story_says_what_comes_first(lab):
    for name in ("moved", "denied", "expired", "talked_on", "survived", "went_on", "gated"):
        assert await state(lab, name) is Kind.NOT_ATTEMPTED, name


async def test_a_yes_moves_money_once_with_two_graph_runs(lab):
    before = await lab.counters()
    await ask(lab)
    assert await state(lab, "moved") is Kind.NOT_ATTEMPTED
    assert "waits for an answer" in (await lab.check("moved")).why
    await lab.phone.approve()
    await lab.settled()
    assert await lab.check("moved")
    counts = await lab.counters(since=before)
    assert (counts.graph_runs, counts.slow_downs, counts.waiting) == (2, 0, 0)
    assert "graph runs" in repr(counts)
    assert "<table>" in counts._repr_mimebundle_()["text/html"]


async def test_a_transfer_that_the_ledger_has_twice_is_no_missing_one(lab, monkeypatch):
    async def twice(story, approval):
        return 2

    await ask(lab)
    await lab.phone.approve()
    await lab.settled()
    monkeypatch.setattr(Story, "times_moved", twice)
    assert "more than once: please report this" in (await lab.check("moved")).why


async def test_counts_go_on_when_aiya_is_built_anew_and_while_she_sleeps(lab):
    before, panel = await lab.counters(), (await lab.panel()).widget
    await ask(lab)
    await lab.phone.approve()
    await lab.settled()
    first = await lab.counters(since=before)
    assert (first.graph_runs, first.polls > 0) == (2, True)
    await lab.build()
    assert await lab.counters(since=before) == first
    await ask(lab, "Move $30 from checking to savings")
    await lab.phone.deny()
    await lab.settled()
    asleep = await lab.counters(since=before)
    assert asleep.graph_runs == 4
    assert asleep.polls > first.polls
    await lab.sleep()
    await shows(panel.children[1], [4, asleep.polls, 0, 0])
    assert await lab.counters(since=before) == asleep


async def shows(cells, numbers):
    """Wait until the panel's cells hold these numbers."""
    drawn = asyncio.Event()
    cells.observe(lambda _: drawn.set(), "value")
    async with asyncio.timeout(20):
        while [int(one) for one in re.findall(r">(\d+)</td>", cells.value)] != numbers:
            drawn.clear()
            await drawn.wait()


async def test_another_helpers_counts_are_not_compared(lab):
    await ask(lab)
    mine = await lab.counters()
    others = dataclasses.replace(mine, tally=mine.tally + 1, graph_runs=100)
    assert await lab.counters(since=others) == mine


async def test_a_no_and_a_silence_move_nothing_and_are_told(lab, capsys):
    await ask(lab)
    await lab.phone.deny()
    await lab.settled()
    assert "Nothing was moved. You denied" in capsys.readouterr().out
    told = await lab.check("denied")
    assert told
    assert told.why.startswith("“Move 25.00 USD from Checking to Savings”: denied on the phone")
    other = await lab.check("moved")
    assert other.kind is Kind.NOT_ATTEMPTED
    assert other.why.endswith("“Move 25.00 USD from Checking to Savings”, was another one: denied.")
    await ask(lab, "Move $40 from checking to savings")
    assert "6 min" in (await lab.check("expired")).next_step
    await lab.clock.advance("6 min")
    await lab.settled()
    assert "Nobody answered on the phone in time" in capsys.readouterr().out
    told = await lab.check("expired")
    assert told
    assert told.why.startswith("“Move 40.00 USD from Checking to Savings”: nobody answered")
    assert "latest" not in told.why
    told = await lab.check("denied")
    assert told.why.endswith(
        "(That was not your latest: “Move 40.00 USD from Checking to Savings” was expired.)"
    )


async def test_aiya_without_a_gate_is_told_as_the_reason_for_a_phone_that_stays_silent(lab):
    await lab.build(registry=untouched)
    await ask(lab)
    for name in ("moved", "denied", "expired"):
        told = await lab.check(name)
        assert told.kind is Kind.NOT_ATTEMPTED
        assert "transfer_funds has no gate, so no push can come" in told.why
        assert "lab.build(registry=registry)" in told.next_step
    await lab.build()


async def test_the_customer_talks_on_and_the_approval_still_lands(lab, capsys):
    await ask(lab)
    await lab.phone.approve()
    await lab.settled()
    assert await state(lab, "talked_on") is Kind.NOT_ATTEMPTED, "a yes without a word between"
    await ask(lab)
    await lab.say("What is my balance?")
    assert "Savings: $" in capsys.readouterr().out
    assert await state(lab, "talked_on") is Kind.NOT_ATTEMPTED
    await lab.phone.approve()
    await lab.settled()
    assert await lab.check("talked_on")


async def test_a_killed_process_loses_nothing_and_moves_nothing_twice(lab, capsys):
    await ask(lab)
    await lab.phone.approve()
    await lab.settled()
    assert await state(lab, "survived") is Kind.NOT_ATTEMPTED, "one process did it all"
    await lab.ask_and_kill("Move $30 from checking to savings")
    told = capsys.readouterr().out
    assert "I sent a push to your phone: “Move 30.00 USD" in told
    assert "with SIGKILL" in told
    early = await lab.check("survived")
    assert early.kind is Kind.NOT_ATTEMPTED
    assert "“Move 30.00 USD from Checking to Savings”: the process that asked is gone" in early.why
    await lab.phone.deny()
    await lab.settled()
    no = await lab.check("survived")
    assert no.kind is Kind.NOT_ATTEMPTED
    assert "nothing moved, just as it should be" in no.why
    assert "was asked for by one process and told by another one. It was denied" in no.why
    capsys.readouterr()
    await lab.ask_and_kill("Move $30 from checking to savings")
    await lab.phone.approve()
    await lab.settled()
    assert "Done: $30.00 moved" in capsys.readouterr().out
    assert await lab.check("survived")


async def test_a_yes_that_moved_nothing_is_not_told_as_a_no(lab, monkeypatch):
    async def never(story, approval):
        return 0

    await lab.ask_and_kill("Move $30 from checking to savings")
    await lab.phone.approve()
    await lab.settled()
    monkeypatch.setattr(Story, "times_moved", never)
    told = await lab.check("survived")
    assert told.kind is Kind.NOT_ATTEMPTED
    assert "It was approved, but the ledger does not have it." in told.why
    assert "just as it should be" not in told.why


async def test_a_second_process_that_cannot_live_says_why(lab):
    lab.world = dataclasses.replace(lab.world, model="http://127.0.0.1:9/v1")
    with pytest.raises(BainkError, match=r"ended by itself\. No answer from the model"):
        await lab.ask_and_kill("Move $30 from checking to savings")


async def test_a_lost_phone_is_told_and_the_same_transfer_goes_on(lab, capsys):
    await lab.unenroll()
    assert await state(lab, "went_on") is Kind.NOT_ATTEMPTED
    await ask(lab, "Move $45 from checking to savings")
    told = capsys.readouterr().out
    assert "No phone is enrolled" in told
    url = next(word for word in told.split() if "/guardian/enroll?ticket=" in word)
    assert "continue transfer" in (await lab.check("went_on")).next_step
    await enroll_stand_in(url)
    await ask(lab, "Move $46 from checking to savings")
    told = await lab.check("went_on")
    assert told.kind is Kind.WRONG, "another transfer is not the same"
    assert "Or begin again: await lab.unenroll()" in told.next_step
    await lab.phone.deny()
    await lab.settled()
    await ask(lab, "Move $45 from checking to savings")
    await lab.phone.approve()
    await lab.settled()
    told = await lab.check("went_on")
    assert told
    assert "You asked anew, with all the words. “continue transfer” would have done" in told.why


async def test_who_continues_a_transfer_is_not_told_of_asking_anew(lab, capsys):
    await ask(lab, "Move $5 from checking to savings")
    await lab.phone.deny()
    await lab.settled()
    await lab.unenroll()
    await ask(lab, "Move $45 from checking to savings")
    await enroll_stand_in(await lab.api.enrollment_ticket(lab.world.user_id))
    await ask(lab, "continue transfer")
    await lab.phone.approve()
    await lab.settled()
    told = await lab.check("went_on")
    assert told
    assert "asked anew" not in told.why


async def add_permissions(lab):
    view = await lab.tenant()
    new = ("read:statements", "create:dispute")
    scopes = [*view.api["scopes"], *({"value": one} for one in new if one not in view.scopes)]
    await lab.api.patch(f"resource-servers/{view.api['id']}", {"scopes": scopes})
    granted = sorted({*view.user_grant["scope"], *new})
    await lab.api.patch(f"client-grants/{view.user_grant['id']}", {"scope": granted})


def gates(lab):
    bank = lab.bank()
    read, write = statement_tool(bank), dispute_tool(bank)
    audience = lab.world.audience
    return [
        with_async_authorization(
            read,
            scopes=["read:statements"],
            audience=audience,
            binding_message=lambda arguments, call: (
                f"Let Aiya read your {arguments.year} statement"
            ),
        ),
        with_async_authorization(
            write,
            scopes=["create:dispute"],
            audience=audience,
            binding_message=lambda said, call: dispute_line(said, bank, lab.session_token),
        ),
    ]


async def test_the_gate_serves_two_more_tools_each_after_its_own_yes(lab, capsys):
    await lab.build(more=gates(lab))
    await lab.say("Read my statement for 2026")
    assert "“Let Aiya read your 2026 statement" in capsys.readouterr().out
    await lab.phone.approve()
    await lab.settled()
    lacks = await lab.check("gated")
    assert (lacks.kind, lacks.mistake) == (Kind.WRONG, ""), "no permission yet"
    assert "lacks the scope" in lacks.why
    await add_permissions(lab)
    await lab.say("Read my statement for 2026")
    await lab.phone.deny()
    await lab.settled()
    assert "Nothing was done" in capsys.readouterr().out
    await lab.say("Read my statement for 2026")
    await lab.phone.approve()
    await lab.settled()
    assert "Ana Alvarez" in capsys.readouterr().out
    drawn = [one.words for one in lab.traffic.messages]
    asked = [at for at, words in enumerate(drawn) if "GET /api/accounts/statements/2026" in words]
    assert {drawn[at] for at in asked} == {"Aiya to Bank: GET /api/accounts/statements/2026"}
    assert [drawn[at + 1].split(",")[0] for at in asked] == [
        *("Bank to Aiya: 403", "Bank to Aiya: 200")
    ]
    assert "open_dispute has not been run" in (await lab.check("gated")).why
    await lab.say("Move $25 from checking to savings")
    await lab.phone.approve()
    await lab.settled()
    checking = (await lab.accounts.read())[0]
    entry = (await lab.history(checking["id"]))[0]["id"]
    await lab.say(f"Open a dispute for {entry} because I do not know it")
    assert "“Dispute 25.00 USD to Savings: I do not know it" in capsys.readouterr().out
    await lab.phone.approve()
    await lab.settled()
    assert "dsp_" in capsys.readouterr().out
    assert await lab.check("gated")


async def test_nobody_asleep_is_a_sentence_and_a_sleeper_a_row(lab):
    assert "Nobody sleeps on this thread" in (await lab.asleep()).text
    await lab.say("Move $5 from checking to savings")
    told = (await lab.asleep()).text
    assert "Nobody sleeps" not in told
    assert "transfer" in told
    await lab.phone.approve()
    await lab.settled()
    assert "Nobody sleeps on this thread" in (await lab.asleep()).text


async def test_two_graph_runs_are_for_who_says_nothing_else_meanwhile(lab):
    async def runs(*said):
        before = await lab.counters()
        for words in said:
            await lab.say(words)
        await lab.phone.approve()
        await lab.settled()
        return (await lab.counters(since=before)).graph_runs

    move, talk = "Move $5 from checking to savings", "What is my balance?"
    assert await runs(move) == 2
    # One more lets the transfer step aside, and one more is each thing said.
    assert await runs(move, talk) == 4
    assert await runs(move, talk, talk) == 5


async def test_the_phone_names_the_entry_as_the_bank_has_it_whatever_the_reason(lab):
    (checking, savings), bank = await lab.accounts.read(), lab.bank()
    await lab.say("Move $12.34 from checking to savings")
    await lab.phone.approve()
    await lab.settled()
    entry = (await lab.history(checking["id"]))[0]["id"]
    tool = dispute_tool(bank)

    async def line(**said):
        said = tool.arguments.model_validate({"transfer_id": entry, "reason": "why"} | said)
        return await dispute_line(said, bank, lab.session_token)

    assert await line() == "Dispute 12.34 USD to Savings: why"
    longest = fit(await line(reason="x" * 280), "amber-otter")
    assert longest.startswith("Dispute 12.34 USD to Savings: xxx")
    assert longest.endswith("x.. #amber-otter")
    assert len(longest) == 64
    first = (await lab.history(savings["id"]))[-1]["id"]
    assert (await line(transfer_id=first)).startswith("Dispute 10000.00 USD from ")
    with pytest.raises(ToolRefused, match="no entry tr_unheard among the latest 100") as refused:
        await line(transfer_id="tr_unheard")
    assert refused.value.code == "unknown_transfer"


async def test_a_statement_without_a_phone_says_nothing_about_the_transfer(lab):
    await add_permissions(lab)
    await lab.build(more=gates(lab))
    await lab.unenroll()
    await ask(lab, "Move $45 from checking to savings")
    await ask(lab, "Read my statement for 2026")
    await enroll_stand_in(await lab.api.enrollment_ticket(lab.world.user_id))
    await ask(lab, "Move $45 from checking to savings")
    await lab.phone.approve()
    await lab.settled()
    assert await lab.check("went_on")


async def test_the_bank_of_own_tools_outlives_aiya_and_ends_with_the_lab(lab):
    bank = lab.bank()
    token = await lab.session_token()
    await lab.build()
    await lab.sleep()
    assert (await bank.accounts(token))["accounts"]
    assert lab.traffic.messages[-2].words == "Aiya to Bank: GET /api/accounts"
    assert token not in lab.traffic.messages[-2].details
    await lab.close()
    with pytest.raises(RuntimeError, match="closed"):
        await bank.accounts(token)


async def test_a_bare_tool_of_theirs_does_nothing_without_a_yes(lab):
    bank = BankClient(lab.world.bank)
    call = Call("user", "thread", "call")
    for tool, said in (
        (statement_tool(bank), {"year": 2026}),
        (dispute_tool(bank), {"transfer_id": "tr_1", "reason": "x"}),
    ):
        with pytest.raises(ToolRefused, match="approval"):
            await tool.run(tool.arguments.model_validate(said), call)


async def test_pictures_have_words(lab):
    panel, room = await lab.panel(), await lab.room()
    assert "await lab.counters()" in repr(panel)
    assert "await lab.say" in repr(room)
    assert "await lab.phone.approve()" in repr(room)
    text = lab.measured().text
    assert "Graph runs" in text
    assert "auth0-ai-langchain 1.0.1" in text
