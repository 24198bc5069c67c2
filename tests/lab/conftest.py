"""One sandbox for a module of tests: each test brings its tenant to the state that it wants."""

from __future__ import annotations

import asyncio
import os

import pytest

from baink_lab.sandbox import launch
from baink_lab.settings import load
from tests.lab.live_world import home, line, live  # noqa: F401 - fixtures


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory):
    shared = tmp_path_factory.mktemp("labs") / "home"
    before = {name: os.environ.get(name) for name in ("BAINK_HOME", "BAINK_AUTOPILOT")}
    os.environ["BAINK_HOME"] = str(shared)
    os.environ.pop("BAINK_AUTOPILOT", None)
    asyncio.run(launch.ensure(shared, settings=load(), interval=1, relaxed=True))
    yield shared
    asyncio.run(launch.stop(shared))
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
