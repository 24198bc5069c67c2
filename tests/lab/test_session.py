"""The helper of a notebook on a real sandbox: every state of the check, twice, out of order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from baink_lab.lab import open_lab
from baink_lab.lab.checks import Kind
from baink_lab.lab.checks.shelf import NoSuchCheck
from baink_lab.lab.learner.texts import NoText
from baink_lab.lab.opening import LabError, _opened
from baink_lab.lab.phone.stand_in import PhoneError
from baink_lab.lab.talking import TakenAway
from baink_lab.sandbox import launch
from baink_lab.settings import load

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
async def lab(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BAINK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("BAINK_AUTOPILOT", raising=False)
    settings = load()
    await launch.ensure(settings.baink_home, settings=settings, interval=1, relaxed=True)
    lab = await open_lab(0)
    assert "Lab 00 is open, in sandbox mode" in capsys.readouterr().out
    yield lab
    await lab.close()
    _opened.clear()
    await launch.stop(settings.baink_home)


async def test_every_state_of_the_first_transfer(lab, capsys):
    async def check():
        result = await lab.check("first_transfer")
        assert result.why
        assert bool(result) is (result.kind is Kind.PASSED)
        assert result.next_step or result
        return result

    assert (await check()).kind is Kind.NOT_ATTEMPTED
    with pytest.raises(PhoneError, match="Nothing waits on the phone"):
        await lab.phone.approve()

    await lab.say("Move $25 from checking to savings")
    assert "I sent a push to your phone: “Move 25.00 USD" in capsys.readouterr().out
    waiting = await check()
    assert waiting.kind is Kind.NOT_ATTEMPTED
    assert "Approve" in waiting.next_step

    await lab.phone.deny()
    await lab.settled()
    assert "Nothing was moved" in capsys.readouterr().out
    denied = await check()
    assert denied.kind is Kind.NOT_ATTEMPTED, "a no is no mistake"
    assert "denied" in denied.why
    assert "This time press Approve" in denied.next_step

    await lab.say("continue transfer")
    await lab.phone.approve()
    await lab.settled()
    assert "Done: $25.00 moved" in capsys.readouterr().out
    done = await check()
    assert done
    assert "✅ first_transfer: passed." in repr(done)
    bundle = done._repr_mimebundle_()
    assert bundle["text/plain"] == repr(done)
    assert "<strong>" in bundle["text/html"]
    assert "2475.00" in repr(await lab.balances())
    await lab.settled()
    assert "Nothing waits" in capsys.readouterr().out


async def move(lab, words="Move $25 from checking to savings"):
    await lab.say(words)
    await lab.phone.approve()
    await lab.settled()


async def test_an_approval_is_judged_by_its_own_transfer_not_by_an_earlier_one(lab):
    await move(lab)
    assert await lab.check("first_transfer")
    api = f"resource-servers/{lab.quoted(lab.world.audience)}"
    await lab.manager().patch(api, {"token_dialect": "access_token"})
    await move(lab)
    refused = await lab.check("first_transfer")
    assert refused.kind is Kind.WRONG
    assert "then the bank refused (invalid_token): “The access token is not valid" in refused.why
    assert "Nothing moved." in refused.why
    assert "Lab 02, step 2" in refused.next_step
    assert "2475.00" in repr(await lab.balances())
    await lab.manager().patch(api, {"token_dialect": "rfc9068_profile"})
    await lab.say("Move $2000 from checking to savings")
    await lab.say("Move $2000 from checking to savings")
    await lab.phone.approve()
    await lab.phone.approve()
    await lab.settled()
    poor = await lab.check("first_transfer")
    assert poor.kind is Kind.WRONG
    assert "insufficient_funds" in poor.why
    assert "lab.balances()" in poor.next_step


async def test_two_transfers_are_not_told_as_one(lab):
    await move(lab)
    await move(lab)
    done = await lab.check("first_transfer")
    assert done
    both = "25.00 USD and 25.00 USD were moved, each once: of 2 requests you approved 2."
    assert done.why.startswith(both)
    assert "2450.00" in repr(await lab.balances())
    await lab.say("Move $5 from savings to checking")
    await lab.phone.deny()
    await lab.settled()
    told = (await lab.check("first_transfer")).why
    assert "of 3 requests you approved 2." in told
    assert "said yes to each" not in told


async def test_a_sandbox_killed_while_a_cell_waits_is_told_and_the_cell_goes_on(lab, capsys):
    await lab.say("Move $25 from checking to savings")
    waiting = asyncio.create_task(lab.settled())
    await asyncio.sleep(0)
    os.kill(lab.ready["pid"], signal.SIGKILL)
    told = ""
    while "The sandbox is back." not in told:  # the test's timeout is the deadline
        await asyncio.sleep(0.1)
        told += capsys.readouterr().out
    assert "The sandbox has stopped." in told
    await lab.phone.approve()
    await waiting
    assert "Done: $25.00 moved" in capsys.readouterr().out
    assert await lab.check("first_transfer")


async def test_the_first_cell_may_run_twice(lab):
    assert await open_lab(0) is lab


async def test_a_reset_in_a_terminal_while_a_notebook_is_open(lab, capsys):
    await lab.say("Move $25 from checking to savings")
    command = [sys.executable, "-m", "baink_lab.cli", "reset", "--yes"]
    done = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told, _ = await done.communicate()
    assert "Kernel > Restart Kernel" in told.decode()
    with pytest.raises(TakenAway, match="run the first cell again"):
        await lab.say("What is my balance?")
    again = await open_lab(0)
    assert "were taken away: it begins anew" in capsys.readouterr().out
    assert again is not lab
    assert await again.approvals() == []
    await again.say("Move $30 from checking to savings")
    await again.phone.approve()
    await again.settled()
    assert "Done: $30.00 moved" in capsys.readouterr().out
    await again.close()


async def test_what_is_not_there_is_told_with_what_is(lab):
    with pytest.raises(LabError, match=r"There is no lab 42\. There are: 00 start_here"):
        await open_lab(42)
    for other in (5, {"name": "first"}):
        with pytest.raises(NoSuchCheck, match="has no check"):
            lab.hint(other)
    with pytest.raises(NoText, match=r"take its `\[\"id\"\]`"):
        await lab.history({"id": "acc_1"})
    with pytest.raises(NoText, match="of type int"):
        await lab.say(5)
    with pytest.raises(NoSuchCheck, match='It has: "first_transfer"'):
        await lab.check("frist_transfer")


async def test_pictures_have_words(lab):
    pad = lab.launch_pad()
    assert "Phone: http" in repr(pad)
    assert ">Phone</th>" in pad.html
    doctor = await lab.doctor()
    assert "Everything that was checked is well." in repr(doctor)
    widget = lab.phone.widget()
    assert "await lab.phone.approve()" in repr(widget)
    chat = await lab.chat()
    assert "await lab.say" in chat._repr_mimebundle_()["text/plain"]


async def test_autopilot_answers_when_a_cell_waits(lab, monkeypatch, capsys):
    object.__setattr__(lab.settings, "baink_autopilot", True)
    await lab.say("Move $25 from checking to savings")
    await lab.settled(autopilot="deny")
    assert "Nothing was moved" in capsys.readouterr().out
