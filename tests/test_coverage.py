"""Each row of source lab and card names tests that exist, or the issue that it waits for."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from baink_lab.lab.learner.parsed import parsed

ROOT = Path(__file__).parents[1]
ROWS = tomllib.loads((ROOT / "tests" / "coverage.toml").read_text("utf-8"))


def test_every_row_is_there():
    wanted = [f"S{n}" for n in range(1, 27)] + [f"C{n}" for n in range(1, 12)]
    assert list(ROWS) == wanted


@pytest.mark.parametrize("row", ROWS)
def test_a_row_names_tests_that_exist(row):
    assert ROWS[row].keys() <= {"tests", "until"}
    assert ROWS[row].get("tests") or ROWS[row].get("until"), f"{row} names nothing"
    for test in ROWS[row].get("tests", []):
        path, _, name = test.partition("::")
        tree = parsed((ROOT / path).read_text("utf-8"))
        names = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert not name or name in names, f"{row}: there is no {test}"
