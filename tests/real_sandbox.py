"""`baink-lab sandbox` as a process of its own, for tests that need the real thing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def sandbox_process(folder: Path, *flags: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Run the sandbox in `folder`; yields its process id and its ready line."""
    ours = ("AUTH0_", "BAINK_", "OPENAI_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    command = [sys.executable, "-m", "baink_lab.cli", "sandbox", *flags]
    with (folder / "sandbox.err").open("wb") as err:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=env | {"BAINK_HOME": str(folder / "home")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
        )
    with process:
        try:
            line = process.stdout.readline()
            assert line, (folder / "sandbox.err").read_text()
            ready = json.loads(line)
            yield ready["pid"], ready
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()  # the assertion below tells
    assert process.returncode == 0, (folder / "sandbox.err").read_text()
