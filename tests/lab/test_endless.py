"""Learner's code that would hang the kernel is stopped, and told why; honest code is let be."""

from __future__ import annotations

import sys
import time

import pytest

from baink_lab.approvals.poll import Ending, NoAnswer, NotYet, poll_once
from baink_lab.lab.checks import Kind
from baink_lab.lab.checks.endless import MOST_LINES
from tests.lab.lab_world import opened

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def lab(shared_home):
    async with opened(6, ready=True) as lab:
        yield lab


def registry_that_grows(tools, wrapped):
    for tool in tools:
        if tool.name != wrapped.name:
            tools.append(tool)
    return tools


def registry_that_hides_it(tools, wrapped):
    while True:
        try:
            tools.index(wrapped)
        except Exception:
            continue


async def polls_without_await(approval, desk, ring, clock):
    while True:
        match poll_once(desk, approval):
            case Ending(event, reason, tokens):
                await desk.settle(approval, event, reason, tokens=tokens)
                return


async def never_leaves(approval, desk, ring, clock):
    await clock.sleep(approval.interval)
    seen = None
    while True:
        if not isinstance(seen, Ending):
            seen = await poll_once(desk, approval)
            if isinstance(seen, NotYet | NoAnswer):
                await clock.sleep(seen.seconds if isinstance(seen, NotYet) else approval.interval)


async def sleeps_for_real(approval, desk, ring, clock):
    while True:
        match await poll_once(desk, approval):
            case NotYet(seconds):
                time.sleep(seconds)  # noqa: ASYNC251 - the mistake
            case Ending():
                return


async def checked(lab, name, written):
    written.__name__ = name
    lab.exercise(written)
    return await lab.check(name)


@pytest.mark.parametrize("written", [registry_that_grows, registry_that_hides_it])
async def test_a_loop_without_an_end_is_stopped_and_shown(lab, written):
    told = await checked(lab, "registry", written)
    assert told.kind is Kind.WRONG
    assert f"{MOST_LINES:,} lines and came to no end" in told.why
    assert "`" in told.why.partition(" at line ")[2]
    assert "what ends it" in told.next_step


async def test_an_await_that_is_missing_is_named_as_the_cause(lab):
    told = await checked(lab, "look_after", polls_without_await)
    assert "You forgot `await` in front of `poll_once(…)`" in told.why
    assert "Write `await`" in told.next_step


async def test_a_resumer_that_never_leaves_is_stopped(lab):
    told = await checked(lab, "look_after", never_leaves)
    assert told.kind is Kind.WRONG
    assert "no end" in told.why


async def test_a_sleep_that_blocks_the_kernel_is_told_at_once(lab):
    told = await checked(lab, "look_after", sleeps_for_real)
    assert "`time.sleep` stops the whole kernel" in told.why
    assert "await clock.sleep" in told.next_step
    assert time.sleep.__name__ == "sleep"
    assert not hasattr(time.sleep, "__self__") or time.sleep.__self__ is time


async def test_a_debugger_at_work_is_left_alone(lab):
    def debugger(frame, event, arg):
        return None

    def registry(tools, wrapped):
        return [wrapped if tool.name == wrapped.name else tool for tool in tools]

    lab.exercise(registry)
    sys.settrace(debugger)
    try:
        assert await lab.check("registry")
        assert sys.gettrace() is debugger
    finally:
        sys.settrace(None)


async def hides_its_own_slip(approval, desk, ring, clock):
    while True:
        await clock.sleep(approval.interval)
        try:
            answer = await poll_once(desk, aproval)  # noqa: F821 - the mistake
        except Exception:
            continue
        if isinstance(answer, Ending):
            return


async def catches_what_it_expects(approval, desk, ring, clock):
    paces = {}
    while True:
        try:
            await clock.sleep(paces["seen"])
        except KeyError:
            await clock.sleep(approval.interval)
        match await poll_once(desk, approval):
            case NotYet(seconds):
                paces["seen"] = seconds
            case Ending():
                return  # the mistake


async def lets_it_through(approval, desk, ring, clock):
    try:
        await poll_once(desk, approval.id)
    except Exception:
        await clock.sleep(approval.interval)
        raise


async def test_a_slip_that_an_except_for_everything_hid_is_named(lab):
    told = await checked(lab, "look_after", hides_its_own_slip)
    assert told.kind is Kind.WRONG
    assert "`answer = await poll_once(desk, aproval)" in told.why
    assert "NameError: name 'aproval' is not defined" in told.why
    assert "Mend that line" in told.next_step
    assert "Mend that line" in repr(lab.hint("look_after"))


async def test_an_error_that_was_expected_or_let_through_is_no_hidden_slip(lab):
    told = await checked(lab, "look_after", catches_what_it_expects)
    assert told.kind is Kind.WRONG
    assert "hid" not in told.why
    told = await checked(lab, "look_after", lets_it_through)
    assert told.kind is Kind.RAISED
    assert "hid" not in told.why
