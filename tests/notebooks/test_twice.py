"""Every cell may run twice without harm: no error, and no check turns red."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.notebooks.unattended import NOTEBOOKS

HERE = Path(__file__).parent


@pytest.mark.timeout(280)
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem[:2])
async def test_every_cell_may_run_twice(notebook, tmp_path):
    env = os.environ | {"BAINK_AUTOPILOT": "1", "BAINK_HOME": str(tmp_path)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "twice.py"),
        str(notebook),
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-2000:]
