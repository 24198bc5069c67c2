"""`make mutants` can still break each invariant: the line that each mutant takes is there, once."""

from __future__ import annotations

import pytest

from bench.mutations import MUTANTS, ROOT


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.what)
def test_the_line_that_a_mutant_breaks_is_there_once(mutant):
    assert (ROOT / mutant.file).read_text("utf-8").count(mutant.old) == 1
    assert mutant.new != mutant.old


def test_each_invariant_has_a_mutant():
    assert {one.invariant for one in MUTANTS} == set(range(1, 12))
