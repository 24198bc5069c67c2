"""A parse that fails by chance is tried once more."""

from __future__ import annotations

import ast

import pytest

from baink_lab.lab.learner import parsed


def test_a_fault_of_the_parser_is_tried_once_more(monkeypatch):
    faults = [SystemError("AST constructor recursion depth mismatch")]
    real = ast.parse

    def parse(source):
        if faults:
            raise faults.pop()
        return real(source)

    monkeypatch.setattr(parsed.ast, "parse", parse)
    assert ast.unparse(parsed.parsed("x = 1")) == "x = 1"
    assert faults == []


def test_what_is_no_python_is_told_as_that():
    with pytest.raises(SyntaxError):
        parsed.parsed("def")
