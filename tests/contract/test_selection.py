"""Who does not ask for a real tenant never gets near one, and nothing is skipped for it."""

from __future__ import annotations

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


def collected(*arguments, **variables):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AUTH0_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/contract"]
    done = subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        env=env | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [(), ("-m", "not browser"), ("-m", "not live")])
def test_a_real_tenant_is_deselected(arguments):
    code, said = collected(*arguments, **LIVE, **MORE)
    assert code == 0
    assert "[sandbox]" in said
    assert "[live]" not in said
    assert "[live-T6" not in said
    assert "deselected" in said


@pytest.mark.parametrize(("mark", "there"), [("live", "test_asking"), ("live_phone", "test_phone")])
def test_who_asks_for_it_gets_it_alone(mark, there):
    code, said = collected("-m", mark, **LIVE, **MORE)
    assert code == 0
    assert f"{there}.py" in said
    assert "[live" in said
    assert "[sandbox" not in said
    assert ("test_phone.py" in said) is (mark == "live_phone")


@pytest.mark.parametrize(
    ("variables", "named"),
    [({}, "AUTH0_DOMAIN"), (LIVE, "AUTH0_USER_ID"), ({"AUTH0_DOMAIN": "x.y"}, "AUTH0_CLIENT_ID")],
)
def test_without_its_settings_it_is_one_sentence(variables, named):
    code, said = collected("-m", "live", **variables)
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
