"""Every notebook runs from top to bottom, unattended, and its kept outputs are what comes out."""

from __future__ import annotations

import subprocess

import nbformat
import pytest

from tests.notebooks.unattended import NOTEBOOKS, nbval


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.timeout(300)
def test_notebook_runs_under_nbval(notebook, tmp_path):
    command, env = nbval([notebook], tmp_path)
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_check_cell_keeps_its_output_for_comparison(notebook):
    for cell in nbformat.read(notebook, 4).cells:
        if cell.cell_type == "code" and "lab.check(" in cell.source:
            assert {"keep_output", "nbval-check-output"} <= set(cell.metadata.get("tags", []))
            assert cell.outputs, f"run {cell.source!r} and keep its output"
