"""One sandbox for a module of tests: each test brings its tenant to the state that it wants."""

from __future__ import annotations

import asyncio
import os

import pytest

from baink_lab.sandbox import launch
from baink_lab.settings import load


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("labs") / "home"
    before = {name: os.environ.get(name) for name in ("BAINK_HOME", "BAINK_AUTOPILOT")}
    os.environ["BAINK_HOME"] = str(home)
    os.environ.pop("BAINK_AUTOPILOT", None)
    asyncio.run(launch.ensure(home, settings=load(), interval=1, relaxed=True))
    yield home
    asyncio.run(launch.stop(home))
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
