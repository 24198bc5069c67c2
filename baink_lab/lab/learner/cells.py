"""A notebook's cells: in which of them a function was written, and whether a later one has it."""

from __future__ import annotations

import ast
import inspect
import re
import traceback
import warnings
from collections.abc import Callable, Collection
from typing import Any

from baink_lab.lab.widgets.notebook import shell


def cell_of(file: str) -> str:
    """The name that a notebook shows for a cell's file, like ``Cell In[5]``."""
    number = _number_of(file)
    return f"Cell In[{number}]" if number else "your function's cell"


def said_by(failure: BaseException) -> str:
    """An exception as Python's last line names it: ``KeyError: 'id'``."""
    return f"{type(failure).__name__}: {failure}".rstrip(": .")


def line_in(failure: BaseException, written: Callable[..., Any]) -> str:
    """Where a function raised, as its author sees it: ``Line 3 of Cell In[5]: `x = y```."""
    file = inspect.unwrap(written).__code__.co_filename
    frames = traceback.extract_tb(failure.__traceback__)
    mine = [frame for frame in frames if frame.filename == file]
    if not mine:
        return f"In the function {written.__name__}"
    line = f": `{mine[-1].line}`" if mine[-1].line else ""
    return f"Line {mine[-1].lineno} of {cell_of(file)}{line}"


def depth_in(failure: BaseException, written: Callable[..., Any]) -> int:
    """How deep in the calls a function's file comes last; less than 0 when it is in none."""
    file = inspect.unwrap(written).__code__.co_filename
    frames = traceback.extract_tb(failure.__traceback__)
    return max((at for at, frame in enumerate(frames) if frame.filename == file), default=-1)


def newer_one(name: str, written: Callable[..., Any] | None, exercises: Collection[str]) -> str:
    """What is to be said of a later cell that defines the function too; empty when there is none.

    Such a cell raised an error before the function was there (a SyntaxError, say), has no
    `@lab.exercise`, or gives the function a name that no exercise has. Either way a check would
    look at the older function, or at none.

    Args:
        name: of the exercise.
        written: the function that is known; None when there is none.
        exercises: the names that the lab's exercises have.
    """
    known = _number_of(inspect.unwrap(written).__code__.co_filename) if written else 0
    if written and not known:
        return ""
    at, told = max(
        ((at, _unknown(name, text, exercises)) for at, text in enumerate(_inputs())),
        key=lambda one: one[0] if one[1] else -1,
        default=(0, ""),
    )
    if not told or at <= known:
        return ""
    older = f" What follows is about the older one, of In[{known}]:" if written else ""
    article = "an" if told.startswith(("`a", "`e", "`i", "`o", "`u")) else "a"
    return f"In[{at}] has {'a newer' if written else article} {told}{older}"


def _unknown(name: str, text: str, exercises: Collection[str]) -> str:
    """Which function of a cell did not reach the lab, and why, if it did not."""
    if _defines(name, text):
        return f"`{name}` that did not reach me: {_why_not(name, text)}"
    named = re.search(r"^@lab\.exercise\s*\n(?:async )?def (\w+)\(", text, re.MULTILINE)
    if named and named[1] not in exercises:
        return f"function `{named[1]}`, and no exercise has that name: call it `{name}` again."
    return ""


def _why_not(name: str, text: str) -> str:
    """Why a cell's function is not known to the lab."""
    running = shell()
    try:
        source = running.transform_cell(text) if running else text
        with warnings.catch_warnings(action="ignore"):  # they were told when the cell was run
            compile(source, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as slip:
        return f"line {slip.lineno} of its cell is no Python ({slip.msg}).{_of_patterns(slip)}"
    if not re.search(
        rf"^@lab\.exercise\s*\n(?:async )?def {re.escape(name)}\(", text, re.MULTILINE
    ):
        return "there is no `@lab.exercise` above it."
    return "its cell ended in an error before."


def _of_patterns(slip: SyntaxError) -> str:
    """What to do about a `case` that takes everything."""
    if found := re.search(r"name capture '(\w+)' makes remaining", slip.msg):
        name = found[1]
        return f" With brackets, `case {name}(…):`, it takes a {name}; without, whatever comes."
    if "wildcard makes remaining" in slip.msg:
        return " `case _:` takes whatever comes, so it stands last."
    return ""


def _defines(name: str, text: str) -> bool:
    return re.search(rf"^(async )?def {re.escape(name)}\b", text, re.MULTILINE) is not None


def _inputs() -> list[str]:
    """What was run so far, by its number; a cell that raised an error is there too."""
    running = shell()
    return list(running.user_ns.get("In", ())) if running else []


def _number_of(file: str) -> int:
    running = shell()
    named = running.compile.format_code_name(file) if running else None
    found = re.search(r"\d+", named[1]) if named else None
    return int(found.group()) if found else 0
