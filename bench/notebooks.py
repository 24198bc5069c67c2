"""How long all notebooks take with nobody there: one nbval, one kernel after the other."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

from bench.budget import Row
from tests.notebooks.unattended import NOTEBOOKS, nbval


def under_nbval() -> Row:
    """From the command to the last cell compared; the clean-up of the kernels counts too."""
    with tempfile.TemporaryDirectory() as folder:
        command, env = nbval(NOTEBOOKS, Path(folder))
        begun = time.perf_counter()
        subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - begun
    return Row(f"all {len(NOTEBOOKS)} notebooks under nbval", seconds, "s", 60)
