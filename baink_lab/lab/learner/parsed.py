"""Python source as a tree, in spite of a fault of Python 3.11."""

from __future__ import annotations

import ast


def parsed(source: str) -> ast.Module:
    """`ast.parse`, tried once more where it failed by chance.

    Python 3.11 counts the depth of a tree for all threads together, so one that parses
    while another does may get a SystemError ("recursion depth mismatch", CPython gh-106905).

    Raises:
        SyntaxError: the source is no Python.
    """
    try:
        return ast.parse(source)
    except SystemError:
        return ast.parse(source)
