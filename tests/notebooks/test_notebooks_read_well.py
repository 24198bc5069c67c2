"""Notebooks are prose: short cells, no library code, pictures in words too, clean outputs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

from baink_lab.lab.learner.parsed import parsed

ROOT = Path(__file__).parents[2]
NOTEBOOKS = {path.stem: nbformat.read(path, 4) for path in (ROOT / "notebooks").glob("*.ipynb")}


@pytest.fixture(params=sorted(NOTEBOOKS))
def book(request):
    return NOTEBOOKS[request.param]


def code_cells(book):
    return [cell for cell in book.cells if cell.cell_type == "code"]


def test_cells_are_short(book):
    for cell in code_cells(book):
        assert len(cell.source.splitlines()) <= 15, cell.source


def test_no_library_code_hides_in_a_cell(book):
    for cell in code_cells(book):
        source = "async def cell():\n" + "\n".join(
            f"    {line}" for line in cell.source.split("\n")
        )
        for node in ast.walk(parsed(source).body[0]):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "cell":
                exercise = any("exercise" in ast.unparse(one) for one in node.decorator_list)
                assert exercise or node.end_lineno - node.lineno < 5, node.name


def test_a_notebook_says_goal_and_minutes_first(book):
    first = book.cells[0].source
    assert first.startswith("# Lab ")
    assert "**Goal:**" in first
    assert re.search(r"Reading: \d+ minutes?\. Doing: \d+ minutes?\. You need: ", first)


def test_every_picture_has_words(book):
    for cell in book.cells:
        for words in re.findall(r"!\[(.*?)\]\(", cell.source):
            assert len(words) > 10, f"no alt text: {cell.source[:80]}"
        if "```mermaid" in cell.source:
            assert "accTitle:" in cell.source
            assert "accDescr:" in cell.source


def test_only_compared_outputs_are_kept(book):
    for cell in code_cells(book):
        assert cell.execution_count is None
        assert not cell.outputs or "keep_output" in cell.metadata.get("tags", [])


def test_lab_00_draws_the_flow():
    text = "\n".join(cell.source for cell in NOTEBOOKS["00_start_here"].cells)
    assert "sequenceDiagram" in text
    for step in ("bc-authorize", "push", "approve", "access token", "idempotency key"):
        assert step in text
