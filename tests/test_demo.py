"""`baink-lab demo` as a person runs it: real processes, real HTTP, real files, kill -9."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys

import pytest

from baink_lab.sandbox import launch

pytestmark = pytest.mark.timeout(120)

DEMO = [sys.executable, "-m", "baink_lab.cli", "demo"]


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    yield home
    asyncio.run(launch.stop(home))


@pytest.fixture
def quick(home):
    """A sandbox that may be polled every second, as `baink-lab sandbox --interval 1` makes one."""
    command = [sys.executable, "-m", "baink_lab.cli", "sandbox", "--interval", "1"]
    process = subprocess.Popen(
        command, env=env_of(home), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout.readline().startswith("{")
    yield
    process.terminate()
    process.wait(10)
    process.stdout.close()


def env_of(home):
    return os.environ | {"BAINK_HOME": str(home)}


def demo(home, decision="approve"):
    done = subprocess.run(
        [*DEMO, "--decision", decision],
        env=env_of(home),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def moved(home):
    """Amounts of the transfers in the ledger, in cents, the opening deposits left out."""
    with contextlib.closing(sqlite3.connect(home / "ledger.db")) as book:
        rows = book.execute("SELECT amount FROM entries WHERE amount > 0 ORDER BY number")
        return [row[0] for row in rows][OPENING:]


OPENING = 4  # deposits on the bank's first day


def test_an_approved_transfer_moves_money_once(home, quick, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # a proxy must not come between
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    code, told = demo(home)
    assert code == 0, told
    assert moved(home) == [2500]
    assert re.search(r"before.*\n.*2,500\.00\n.*10,000\.00", told)
    assert re.search(r"after.*\n.*2,475\.00\n.*10,025\.00", told)
    assert "Push sent to the phone: “Move 25.00 USD from Checking to Savings" in told
    assert re.search(r"waiting for the phone, 4:5\d left", told)


@pytest.mark.parametrize(("decision", "why"), [("deny", "denied"), ("ignore", "Nobody answered")])
def test_without_a_yes_nothing_moves_and_aiya_says_why(home, quick, decision, why):
    code, told = demo(home, decision)
    assert code == 0, told
    assert moved(home) == []
    assert re.search(rf"Aiya: Nothing was moved.*{why}", told)


@pytest.mark.parametrize("moment", ["Push sent to the phone", "approves the push", "Approved: the"])
def test_a_killed_demo_is_gone_on_with_and_moves_money_once(home, moment):
    process = subprocess.Popen(DEMO, env=env_of(home), stdout=subprocess.PIPE, text=True)
    with process.stdout:
        assert any(moment in line for line in process.stdout), "the moment never came"
        os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    code, told = demo(home)
    assert code == 0, told
    assert "I go on with it" in told
    assert moved(home) == [2500]


def test_a_sandbox_killed_while_waiting_is_told_and_comes_back(home):
    process = subprocess.Popen(
        [*DEMO, "--decision", "deny"], env=env_of(home), stdout=subprocess.PIPE, text=True
    )
    told = []
    with process.stdout:
        for line in process.stdout:
            told.append(line)
            if "Push sent to the phone" in line:
                ready = asyncio.run(launch.running(home))
                os.kill(ready["pid"], signal.SIGKILL)
    assert process.wait(10) == 0, told
    text = "".join(told)
    assert "The sandbox has stopped." in text
    assert "The sandbox is back." in text
    assert "Nothing was moved" in text
    assert moved(home) == []
