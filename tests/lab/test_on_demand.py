"""Outcomes on demand: time that passes at once, a tenant that is down, a phone that is lost.

All of it in a real sandbox process; a second notebook is a second process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from datetime import datetime
from decimal import Decimal

import httpx
import pytest

from baink_lab.auth0.errors import Unavailable
from baink_lab.lab import open_lab
from baink_lab.lab.control import ControlError
from baink_lab.lab.durations import DurationError
from baink_lab.lab.opening import _opened
from baink_lab.lab.phone.stand_in import Phone, PhoneError
from baink_lab.sandbox import launch
from baink_lab.settings import load

pytestmark = pytest.mark.timeout(90)

MOVE = "Move $25 from checking to savings"
#: How long something may take that would take 5 minutes if the clock were not set forward.
AT_ONCE = 20

SECOND_NOTEBOOK = f"""
import asyncio
from baink_lab.auth0.errors import Unavailable
from baink_lab.lab import open_lab

async def main():
    lab = await open_lab(4)
    await lab.say("{MOVE}")
    print("READY", flush=True)
    await lab.settled()
    print("AHEAD", round(lab.clock.ahead), flush=True)
    await lab.close()

asyncio.run(main())
"""


@pytest.fixture
async def lab(shared_home, capsys):
    """Lab 00 on the module's sandbox: nothing waits, a phone is enrolled, real time."""
    lab = await open_lab(0)
    for one in await lab.phone.waiting():
        await lab.phone.deny(one["id"])
    await lab._control.order("tenant/down", seconds=0)
    await lab.reset(sure=True)
    assert lab.clock.ahead == 0
    capsys.readouterr()
    yield lab
    await lab.close()
    _opened.clear()


@pytest.fixture
async def own_lab(tmp_path, monkeypatch, capsys):
    """Lab 00 on a sandbox that a test may kill."""
    monkeypatch.setenv("BAINK_HOME", str(tmp_path / "home"))
    settings = load()
    await launch.ensure(settings.baink_home, settings=settings, interval=1, relaxed=True)
    lab = await open_lab(0)
    capsys.readouterr()
    yield lab
    await lab.close()
    _opened.clear()
    await launch.stop(settings.baink_home)


async def checking(lab):
    return Decimal((await lab.accounts.read())[0]["balance"])


async def told_until(capsys, word):
    """What was printed, up to and with `word`; the test's timeout is the deadline."""
    told = ""
    while word not in told:
        await asyncio.sleep(0.05)
        told += capsys.readouterr().out
    return told


async def waits(lab):
    (one,) = await lab.phone.waiting()
    return one


# Time


async def test_an_approval_that_waits_lapses_as_the_clock_is_set_forward(lab, capsys):
    before = await checking(lab)
    await lab.say(MOVE)
    waiting = asyncio.create_task(lab.settled())
    told = repr(await lab.phone.ignore())
    assert "Nobody answers “Move 25.00 USD from Checking to Savings" in told
    assert "it lapses in 4:5" in told
    assert 'await lab.clock.advance("' in told
    said = told.split('advance("')[1].split('"')[0]

    went = repr(await lab.clock.advance(said))
    assert went.startswith(f"The clock goes forward by {said}: it is ")
    await asyncio.wait_for(waiting, AT_ONCE)
    told = capsys.readouterr().out
    assert "Nobody answered" in told
    assert "denied" not in told
    (approval,) = await lab.approvals()
    assert approval.state == "expired"
    assert await lab.phone.waiting() == []
    assert await checking(lab) == before


async def test_after_a_day_the_customer_asks_again_and_the_money_moves(lab, capsys):
    """Session, Management API token and keys are all too old by then."""
    await lab.say(MOVE)
    await lab.clock.advance("1 day 1 h")
    await asyncio.wait_for(lab.settled(), AT_ONCE)
    await lab.say("continue transfer")
    await lab.phone.approve()
    await asyncio.wait_for(lab.settled(), AT_ONCE)
    assert "Done: $25.00 moved" in capsys.readouterr().out
    assert (await lab.tenant()).devices
    latest = (await lab.history((await lab.accounts.read())[0]["id"]))[0]
    assert datetime.fromisoformat(latest["at"]).timestamp() > time.time() + 86_400


async def test_a_second_notebook_and_a_restarted_sandbox_have_the_same_time(
    own_lab, tmp_path, capsys
):
    lab = own_lab
    script = tmp_path / "second.py"
    script.write_text(SECOND_NOTEBOOK, "utf-8")
    log = (tmp_path / "second.log").open("w+", encoding="utf-8")
    with contextlib.closing(log):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(script)), stdout=asyncio.subprocess.PIPE, stderr=log
        )
        told = ""
        while "READY" not in told:
            line = (await process.stdout.readline()).decode()
            assert line, (tmp_path / "second.log").read_text("utf-8")
            told += line
        await lab.clock.advance("6 min")
        rest = (await asyncio.wait_for(process.stdout.read(), AT_ONCE)).decode()
        await process.wait()
    assert "Nobody answered" in rest
    assert "AHEAD 360" in rest

    os.kill(lab.ready["pid"], 9)
    waiting = asyncio.create_task(told_until(capsys, "The sandbox is back."))
    await waiting
    assert lab.clock.ahead == 360
    await lab.say(MOVE)
    expires = datetime.fromisoformat((await waits(lab))["expires_at"]).timestamp()
    assert expires > time.time() + 600  # six minutes ahead, and five to answer
    assert "it lapses in 4:5" in repr(await lab.phone.ignore())


async def test_the_phone_page_is_told_the_sandboxs_time(lab):
    await lab.clock.advance("2 h")
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{lab.phone.url}notifications")
    assert float(answer.headers["x-now"]) / 1000 > time.time() + 7000


async def test_time_goes_back_under_no_request_that_waits(lab):
    await lab.clock.advance("6 min")
    await lab.say(MOVE)
    with pytest.raises(ControlError, match="A request waits for an answer"):
        await lab.clock.reset()
    assert lab.clock.ahead == 360
    await lab.phone.deny()
    await lab.settled()
    assert "real time again" in repr(await lab.clock.reset())
    assert lab.clock.ahead == 0
    before = await checking(lab)
    # Tokens of the future are not used any more: the session, and the Management API's.
    await lab.say(MOVE)
    assert (await lab.tenant()).devices
    await lab.phone.approve()
    await lab.settled()
    assert await checking(lab) == before - 25


async def test_a_reset_of_the_lab_brings_real_time_back(lab):
    await lab.clock.advance(600)
    await lab.say(MOVE)
    told = repr(await lab.reset(sure=True))
    assert "The clock shows real time again" in told
    assert lab.clock.ahead == 0
    assert await lab.phone.waiting() == []


async def test_a_reset_says_when_another_labs_request_keeps_the_clock(lab):
    await lab.clock.advance(600)
    other = await open_lab(4)
    await other.say(MOVE)
    told = repr(await lab.reset(sure=True))
    assert "The clock stays 10 min ahead. A request waits" in told
    await other.close()


async def test_what_had_lapsed_and_was_told_stays_so_when_time_goes_back(lab):
    await lab.say(MOVE)
    await lab.clock.advance("6 min")
    await asyncio.wait_for(lab.settled(), AT_ONCE)
    await lab.clock.reset()
    assert await lab.phone.waiting() == []


async def test_bad_orders_get_one_sentence(lab):
    for bad in ("six minutes", "", None, "-6 min", 0):
        with pytest.raises(DurationError):
            await lab.clock.advance(bad)
        with pytest.raises(DurationError):
            await lab.tenant_down(bad)
    with pytest.raises(ControlError, match="ten years"):
        await lab.clock.advance("40000 days")
    with pytest.raises(ControlError, match="0 to 3600 seconds"):
        await lab.tenant_down("2 h")
    assert lab.clock.ahead == 0
    with pytest.raises(PhoneError, match="Nothing waits on the phone"):
        await lab.phone.ignore()


async def test_a_sandbox_that_is_away_or_too_old_is_told(lab):
    ready = dict(lab.ready)
    lab.ready = {name: value for name, value in ready.items() if name != "control"}
    with pytest.raises(ControlError, match="older version"):
        await lab.clock.advance(1)
    lab.ready = ready | {"control": "http://127.0.0.1:1/secret"}
    with pytest.raises(ControlError, match="does not answer") as told:
        await lab.clock.advance(1)
    assert "secret" not in str(told.value)
    lab.ready = ready


async def test_in_live_mode_each_says_so_and_does_nothing(lab):
    lab.ready = lab.ready | {"mode": "live"}
    assert "In live mode" in repr(await lab.clock.advance("6 min"))
    assert "In live mode" in repr(await lab.clock.reset())
    assert "In live mode" in repr(await lab.tenant_down())
    assert "In live mode" in repr(await lab.unenroll())
    phone = Phone(None, lab.clock)
    for answer in (phone.approve, phone.deny, phone.ignore):
        assert "In live mode" in repr(await answer())
    assert lab.clock.ahead == 0


# A tenant that is down


async def test_a_tenant_that_is_down_loses_nothing_and_is_asked_less_and_less(lab, capsys):
    before = await checking(lab)
    await lab.say(MOVE)
    assert "503" in repr(await lab.tenant_down(60))
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{lab.world.tenant}/.well-known/openid-configuration")
    assert (answer.status_code, answer.content) == (503, b"")
    found = await launch.ensure(lab.settings.baink_home, settings=lab.settings)
    assert found["pid"] == lab.ready["pid"]  # the sandbox is not taken for a dead one
    waiting = asyncio.create_task(lab.settled())
    await told_until(capsys, "the tenant does not answer; it is asked again in")
    await lab.phone.approve()
    aiya = await lab.aiya()
    failed = aiya.resumer.counters.failures
    assert failed >= 1
    await lab.clock.advance("2 min")
    await asyncio.wait_for(waiting, AT_ONCE)
    assert "Done: $25.00 moved" in capsys.readouterr().out
    assert await checking(lab) == before - 25


async def test_a_push_cannot_be_sent_while_the_tenant_is_down(lab, capsys):
    await lab.balances()  # logs in
    await lab.tenant_down(30)
    await lab.say(MOVE)
    assert "I sent a push" not in capsys.readouterr().out
    await lab.clock.advance(31)
    await lab.say(MOVE)
    assert "I sent a push" in capsys.readouterr().out


async def test_who_opens_a_lab_while_the_tenant_is_down_is_told_and_goes_on(lab, capsys):
    await lab.tenant_down("1 h")
    with pytest.raises(Unavailable):
        await lab.tenant()
    capsys.readouterr()
    again = await open_lab(lab.number)
    told = capsys.readouterr().out
    assert "The tenant was down (lab.tenant_down)" in told
    assert "I brought it up again" in told
    assert (await again.tenant()).has_ciba
    await open_lab(lab.number)
    assert "was down" not in capsys.readouterr().out


async def test_a_reset_while_the_tenant_is_down_is_not_left_half_done(lab):
    await lab.tenant_down("1 h")
    told = str(await lab.reset(sure=True))
    assert "I brought it up again" in told
    assert (await lab.tenant()).has_ciba


# A phone that is lost


async def test_two_lost_phones_of_one_name_are_told_as_two(lab):
    for _ in range(2):
        ticket = (await lab.enroll()).text.split(": ", 1)[1]
        async with httpx.AsyncClient() as http:
            await http.post(ticket, data={"name": "Sandbox phone"})
    count = len((await lab.tenant()).devices)
    assert count > 1
    told = repr(await lab.unenroll())
    assert f"The customer's {count} phones (" in told
    assert told.count("“Sandbox phone”") == 1
    assert "are theirs no more." in told


async def test_a_lost_phone_and_a_new_one(lab, capsys):
    assert "is not the customer's phone any more" in repr(await lab.unenroll())
    assert not (await lab.tenant()).devices
    assert "no phone enrolled" in repr(await lab.unenroll())
    await lab.say(MOVE)
    assert "I sent a push" not in capsys.readouterr().out
    ticket = (await lab.enroll()).text.split(": ", 1)[1]
    async with httpx.AsyncClient() as http:
        await http.post(ticket, data={"name": "New phone"})
    await lab.say("continue transfer")
    await lab.phone.approve()
    await lab.settled()
    assert "Done: $25.00 moved" in capsys.readouterr().out


async def test_what_was_sent_to_a_lost_phone_lapses(lab, capsys):
    before = await checking(lab)
    await lab.say(MOVE)
    assert len(await lab.phone.waiting()) == 1
    told = repr(await lab.unenroll())
    assert "One request was sent to it, which nobody can answer now: it lapses" in told
    assert await lab.phone.waiting() == []
    with pytest.raises(PhoneError, match="Nothing waits on the phone"):
        await lab.phone.approve()
    async with httpx.AsyncClient() as http:
        ticket = (await lab.enroll()).text.split(": ", 1)[1]
        await http.post(ticket, data={"name": "New phone"})
    assert await lab.phone.waiting() == []
    capsys.readouterr()
    await lab.clock.advance("6 min")
    await asyncio.wait_for(lab.settled(), AT_ONCE)
    assert "Done" not in capsys.readouterr().out
    assert await checking(lab) == before
    await lab.say(MOVE)
    await lab.phone.approve()
    await asyncio.wait_for(lab.settled(), AT_ONCE)
    assert await checking(lab) == before - 25
