"""How long it takes to import the package, and to have a sandbox that answers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import psutil

from bench.budget import Row

TRIES = 5
IMPORT = "import time; t = time.perf_counter(); import baink_lab; print(time.perf_counter() - t)"


def import_time() -> Row:
    """The best of some tries, each in a process of its own."""
    command = [sys.executable, "-c", IMPORT]
    best = min(float(subprocess.check_output(command)) for _ in range(TRIES))
    return Row("import baink_lab", best * 1000, "ms", 150)


def sandbox_start() -> Iterator[Row]:
    """From the command to the ready line: the first time (keys are made), and again."""
    with tempfile.TemporaryDirectory() as home:
        first, _ = _start_once(home)
        again = [_start_once(home) for _ in range(TRIES)]
    yield Row("sandbox ready, first start (makes its keys)", first, "s")
    yield Row("sandbox ready, all four services", min(t for t, _ in again), "s", 1)
    yield Row("sandbox memory (RSS)", max(mb for _, mb in again), "MB", 80)


def _start_once(home: str) -> tuple[float, float]:
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "baink_lab.cli", "sandbox"],
        env=os.environ | {"BAINK_HOME": home},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    with process.stdout as out:
        assert out.readline().startswith(b"{"), "the sandbox did not start"
        seconds = time.perf_counter() - begun
        memory = psutil.Process(process.pid).memory_info().rss / 2**20
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    return seconds, memory
