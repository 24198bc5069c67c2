"""Every cell may run twice without harm: no error, and no check turns red."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NOTEBOOKS = sorted((HERE.parents[1] / "notebooks").glob("*.ipynb"))


async def run(notebook, home):
    env = os.environ | {"BAINK_AUTOPILOT": "1", "BAINK_HOME": str(home)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "twice.py"),
        str(notebook),
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return "" if process.returncode == 0 else f"{notebook.name}:\n{output.decode()[-2000:]}"


@pytest.mark.timeout(280)
async def test_every_cell_may_run_twice(tmp_path):
    homes = [tmp_path / notebook.stem for notebook in NOTEBOOKS]
    failures = await asyncio.gather(*map(run, NOTEBOOKS, homes))
    assert not any(failures), "\n".join(filter(None, failures))
