"""Who skips a cell is told which one made the name that is missing; other errors stay Python's."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest

from baink_lab.lab.learner.skipped_cells import _made_by
from tests.lab.lab_kernel import Kernel

pytestmark = pytest.mark.timeout(120)

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
OPEN = "from baink_lab.lab import open_lab\nlab = await open_lab(6)"


@pytest.fixture(scope="module")
def kernel(shared_home, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cells")
    (notebook,) = NOTEBOOKS.glob("06_*.ipynb")
    shutil.copy(notebook, folder)
    kernel = Kernel(folder)
    assert kernel.run(OPEN) is None
    yield kernel
    kernel.close()


@pytest.mark.parametrize(
    ("code", "heading", "first"),
    [
        ("await lab.counters(since=before)", "Run it", "before = await lab.counters()"),
        ("before = before + 1", "Run it", "before = await lab.counters()"),
        ("await lab.build(registry=registry)", "Exercise 1", "@lab.exercise"),
        (
            "await lab.build(more=[statement, dispute])",
            "The gate is reusable",
            "from baink_lab.aiya.more_tools import",
        ),
        ("def mine():\n    return Ending()\nmine()", "Exercise 2", "from baink_lab.approvals.poll"),
    ],
)
def test_the_cell_that_makes_a_missing_name_is_named(kernel, code, heading, first):
    shown = kernel.shown(code)
    assert "is not there" in shown
    assert f"“{heading}" in shown
    assert f"begins with `{first}" in shown
    assert "Traceback" not in shown


def test_all_names_that_are_missing_are_told_at_once(kernel):
    shown = kernel.shown("await lab.build(registry=registry, more=[statement, dispute])")
    assert "`registry` is not there" in shown or "`statement` is not there" in shown
    assert shown.count("is not there") == 1
    assert "Not there either" in shown
    for name in ("registry", "statement", "dispute"):
        assert f"`{name}`" in shown


def test_any_other_name_is_told_by_python(kernel):
    for code in ("befor", "import json\njson.loads(befor)"):
        shown = kernel.shown(code)
        assert "Traceback" in shown
        assert "name 'befor' is not defined" in shown
    failed = kernel.run("before")
    assert (failed["ename"], failed["evalue"]) == ("NameError", "name 'before' is not defined")


def test_a_cell_that_makes_the_name_itself_is_not_sent_for(kernel):
    cell = next(
        cell.source
        for cell in nbformat.read(next(NOTEBOOKS.glob("06_*.ipynb")), 4).cells
        if cell.source.startswith("checking = ")
    )
    assert "Traceback" in kernel.shown(cell.replace("lab.accounts", "checking"))
    assert "under “The gate is reusable”" in kernel.shown("checking['id']")


def test_names_are_found_however_they_are_made():
    made = _made_by(
        "import a.b, c as d\nfrom e import f\ng, (h, i) = 1, (2, 3)\nfor j in []:\n    k = 1\n"
        "async def m(n):\n    o = 1\nwith x() as p:\n    pass\nq.r = 1\n"
    )
    assert made == {"a", "d", "f", "g", "h", "i", "j", "k", "m", "p"}
    assert _made_by("%magic") == set()
