"""Who does not ask for a real tenant never gets near one, and nothing is skipped for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.shape import SHAPES, differences
from tests.lab.live_world import environment

ROOT = Path(__file__).parents[2]
LIVE = {"AUTH0_DOMAIN": "t.eu.auth0.com", "AUTH0_CLIENT_ID": "c", "AUTH0_CLIENT_SECRET": "s"}
MORE = {"AUTH0_MGMT_CLIENT_ID": "m", "AUTH0_MGMT_CLIENT_SECRET": "s", "AUTH0_USER_ID": "auth0|a"}


CASES = {
    "alone": ((), LIVE | MORE),
    "no browser": (("-m", "not browser"), LIVE | MORE),
    "not live": (("-m", "not live"), LIVE | MORE),
    "live": (("-m", "live"), LIVE | MORE),
    "live_phone": (("-m", "live_phone"), LIVE | MORE),
    "without AUTH0_DOMAIN": (("-m", "live"), {}),
    "without AUTH0_USER_ID": (("-m", "live"), LIVE),
    "without AUTH0_CLIENT_ID": (("-m", "live"), {"AUTH0_DOMAIN": "x.y"}),
}


@pytest.fixture(scope="module")
def collected():
    """What pytest answers in each case: ``(exit code, what it said)``."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("collecting.py"))],
        cwd=ROOT,
        input=json.dumps(list(CASES.values())),
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        check=True,
    )
    return dict(zip(CASES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("case", ["alone", "no browser", "not live"])
def test_a_real_tenant_is_deselected(collected, case):
    code, said = collected[case]
    assert code == 0
    assert "[sandbox]" in said
    assert "[live]" not in said
    assert "[live-T6" not in said
    assert "deselected" in said


@pytest.mark.parametrize(("mark", "there"), [("live", "test_asking"), ("live_phone", "test_phone")])
def test_who_asks_for_it_gets_it_alone(collected, mark, there):
    code, said = collected[mark]
    assert code == 0
    assert f"{there}.py" in said
    assert "[live" in said
    assert "[sandbox" not in said
    assert ("test_phone.py" in said) is (mark == "live_phone")


@pytest.mark.parametrize("named", ["AUTH0_DOMAIN", "AUTH0_USER_ID", "AUTH0_CLIENT_ID"])
def test_without_its_settings_it_is_one_sentence(collected, named):
    code, said = collected[f"without {named}"]
    assert code == pytest.ExitCode.USAGE_ERROR
    assert named in said
    assert "Traceback" not in said


@pytest.mark.timeout(180)
def test_what_runs_against_a_real_tenant_runs_by_settings_alone(served, tmp_path):
    """The sandbox plays the real tenant; nothing but the environment says where it is."""
    variables = environment(served, tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-m", "live", "tests/contract"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.parametrize("name", [path.stem for path in SHAPES.glob("*.json")])
def test_a_shape_is_told_apart_from_another(name):
    """A shape that anything fits would show nothing."""
    assert differences({}, name)
    assert differences([], name)
