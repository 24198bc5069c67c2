"""Every test that the threat model names exists, and every invariant names one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from baink_lab.lab.learner.parsed import parsed

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text("utf-8")


def functions():
    found = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(parsed(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.setdefault(node.name, set()).add(path.relative_to(ROOT).as_posix())
    return found


def test_every_invariant_names_tests_and_every_test_exists():
    known = functions()
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", PAGE, re.M)
    assert [int(number) for number, _ in rows] == list(range(1, 12))
    for number, tests in rows:
        assert re.search(r"`tests/[\w/]+\.py", tests), f"invariant {number} names no test"
    for path, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE):
        assert (ROOT / path).is_file(), path
        assert not name or path in known[name], f"{path} has no {name}"
    for name in re.findall(r"`(test_\w+)`", PAGE):
        assert name in known, name


def test_the_page_holds_a_campaign_without_a_loss():
    assert re.search(r"\d{3,} runs, \d+ killed: lost 0, doubled 0, lied 0", PAGE)
