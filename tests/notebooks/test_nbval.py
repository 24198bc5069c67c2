"""Every notebook runs from top to bottom, unattended, and its kept outputs are what comes out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.timeout(300)
def test_notebook_runs_under_nbval(notebook, tmp_path):
    env = os.environ | {"BAINK_AUTOPILOT": "1", "BAINK_HOME": str(tmp_path / "home")}
    flags = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=60", "-q"]
    # A configuration of its own: ours turns warnings of Jupyter's own start-up into errors.
    flags += [
        "-p",
        "no:cacheprovider",
        "-p",
        "no:asyncio",
        "-c",
        os.devnull,
        "--rootdir",
        str(tmp_path),
    ]
    copy = tmp_path / notebook.name
    book = nbformat.read(notebook, 4)
    for count, cell in enumerate(book.cells, start=1):
        if cell.cell_type == "code":  # nbstripout takes the counts, nbval wants them
            cell.execution_count = count
    nbformat.write(book, copy)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *flags, str(copy)],
        env=env,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_check_cell_keeps_its_output_for_comparison(notebook):
    for cell in nbformat.read(notebook, 4).cells:
        if cell.cell_type == "code" and "lab.check(" in cell.source:
            assert {"keep_output", "nbval-check-output"} <= set(cell.metadata.get("tags", []))
            assert cell.outputs, f"run {cell.source!r} and keep its output"
