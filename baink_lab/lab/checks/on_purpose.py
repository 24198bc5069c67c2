"""Whether a learner's code raised on purpose, by a `raise` of its own, or stumbled."""

from __future__ import annotations

import ast
import inspect
import linecache
import traceback
from collections.abc import Callable
from typing import Any

from baink_lab.lab.learner.cells import cell_of
from baink_lab.lab.learner.parsed import parsed


def on_purpose(failure: BaseException, written: Callable[..., Any]) -> bool:
    """Whether the very exception that a `raise` or an `assert` names came out of it.

    Args:
        failure: what came out.
        written: the learner's function. A helper of another cell is the learner's too.
    """
    frames = traceback.extract_tb(failure.__traceback__)
    if not frames:
        return False
    last = frames[-1]
    mine = inspect.unwrap(written).__code__.co_filename
    if last.filename != mine and not cell_of(last.filename).startswith("Cell"):
        return False
    try:
        tree = parsed("".join(linecache.getlines(last.filename)))
    except SyntaxError:  # a cell with `await` outside of a function, or a magic
        return (last.line or "").lstrip().startswith("raise ")
    return any(
        _says(node, failure)
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise | ast.Assert)
        and node.lineno <= (last.lineno or 0) <= (node.end_lineno or node.lineno)
    )


def _says(node: ast.Raise | ast.Assert, failure: BaseException) -> bool:
    if isinstance(node, ast.Assert):
        return isinstance(failure, AssertionError)
    if isinstance(failure, TypeError) and "must derive from BaseException" in str(failure):
        return False
    named = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    match named:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            # A variable may hold any exception; a slip in the line would be one of these.
            slips = NameError | KeyError | AttributeError | TypeError
            return type(failure).__name__ == name or not isinstance(failure, slips)
        case _:
            return named is None
