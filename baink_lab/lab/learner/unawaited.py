"""A forgotten `await`, told where it was forgotten, and not by Python some cells later.

At a cell's end a sentence stands in place of `<coroutine …>`; what is thrown away is told in place
of a late warning, and a name that got a coroutine in place of an answer below its cell.
"""

from __future__ import annotations

import inspect
import re
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from baink_lab.lab.learner.cells import cell_of
from baink_lab.lab.widgets.notebook import shell
from baink_lab.lab.widgets.show import paragraph

_WARNING = re.compile(r"coroutine '(?:.*\.)?(\w+)' was never awaited")
_BORN = re.compile(r'File "([^"]+)", line (\d+)')
_OURS = str(Path(__file__).parents[2])
_told: list[types.CoroutineType[Any, Any, Any]] = []  # kept, or Python would warn of them later


def tell_forgotten_await() -> None:
    """From now on a notebook says what is missing, where it shows a coroutine of ours or loses one.

    Python warns when a coroutine is thrown away, which may be some cells later.
    """
    if running := shell():
        if getattr(warnings.showwarning, "__module__", "") != __name__:
            sys.set_coroutine_origin_tracking_depth(1)  # a warning then names the line
            warnings.showwarning = _in_a_sentence(warnings.showwarning)
            running.events.register("post_run_cell", _tell_left_behind)
        formatters = running.display_formatter.formatters
        formatters["text/plain"].for_type(types.CoroutineType, _as_text)
        formatters["text/html"].for_type(types.CoroutineType, _as_html)
        if _tell_assigned not in running.events.callbacks["post_run_cell"]:
            running.events.register("post_run_cell", _tell_assigned)


def taken_for_answer(failure: AttributeError, running: Any) -> str:
    """What to write where a coroutine was taken for the answer; empty for anything else.

    Args:
        failure: what the cell raised.
        running: the notebook's shell.
    """
    one = failure.obj
    if not inspect.iscoroutine(one):
        return ""
    names = (name for name, kept in running.user_ns.items() if kept is one and name[0] != "_")
    name = next(names, "")
    if not name:
        one.close()  # nobody can await it any more: or Python would warn of it, some cells later
    what = f"`{name}`" if name else "it"
    where = "there, run that cell, then this one" if name else f"there: `(await …).{failure.name}`"
    return (
        f"You forgot `await` in front of `{one.__name__}(…)`: {what} is no answer yet, so it has "
        f"no {failure.name}. Write `await` {where}."
    )


def kept_waiting(called: str) -> bool:
    """Whether a name in the notebook holds a call of this function that nobody has awaited yet."""
    names = getattr(shell(), "user_ns", {})
    return any(
        one.__name__ == called
        for name, one in list(names.items())
        if not name.startswith("_") and _is_fresh(one)
    )


def _is_fresh(one: object) -> bool:
    return inspect.iscoroutine(one) and inspect.getcoroutinestate(one) == inspect.CORO_CREATED


def _tell_assigned(result: Any) -> None:
    """After each cell: which names hold a coroutine that nobody has awaited."""
    from IPython import display as ipython  # noqa: PLC0415 - notebooks only

    show: Any = ipython.display
    for name, one in list(getattr(shell(), "user_ns", {}).items()):
        if name.startswith("_") or not _is_fresh(one) or any(one is told for told in _told):
            continue
        _told.append(one)
        show(
            paragraph(
                f"`{name}` is no answer, and nothing was done yet: write `await` in front of the "
                f"call of `{one.__name__}`, and run this cell again."
            )
        )


def _as_text(shown: types.CoroutineType[Any, Any, Any], printer: Any, cycle: bool) -> None:
    printer.text(_sentence(shown) or repr(shown))


def _as_html(shown: types.CoroutineType[Any, Any, Any]) -> str | None:
    sentence = _sentence(shown)
    return paragraph(sentence).html if sentence else None


def _sentence(shown: types.CoroutineType[Any, Any, Any]) -> str:
    if not shown.cr_code.co_filename.startswith(_OURS):
        return ""
    shown.close()  # or Python would warn of it again, some cells later
    name = shown.__name__
    return (
        f"Nothing was done yet: write `await` in front of the call of `{name}`, and run it again."
    )


def _in_a_sentence(before: Any) -> Any:
    """`warnings.showwarning`, which has a sentence of its own for one warning."""

    def show(message: Any, category: Any, filename: str, lineno: int, *more: Any) -> None:
        found = _WARNING.match(str(message)) if issubclass(category, RuntimeWarning) else None
        if found is None:
            before(message, category, filename, lineno, *more)
            return
        born = _BORN.findall(str(message))
        file, line = born[-1] if born else (filename, str(lineno))
        print(_lost(found[1], file, int(line)))  # noqa: T201 - a notebook's output

    return show


def _tell_left_behind(result: Any) -> None:
    """Say which coroutines a cell that raised had made, and its traceback still holds."""
    for one in _left_behind(getattr(result, "error_in_exec", None)):
        origin = one.cr_origin or ((one.cr_code.co_filename, one.cr_code.co_firstlineno, ""),)
        one.close()  # or Python would warn of it when the next cell raises
        print(_lost(one.__name__, origin[0][0], origin[0][1]))  # noqa: T201 - a notebook's output


def _left_behind(failure: BaseException | None) -> Iterator[types.CoroutineType[Any, Any, Any]]:
    while failure is not None:
        trace = failure.__traceback__
        while trace is not None:
            frame, trace = trace.tb_frame, trace.tb_next
            if frame.f_locals is frame.f_globals:
                continue  # the cell's own names live on: they may be awaited yet
            for one in list(frame.f_locals.values()):
                if _is_fresh(one):
                    yield one
        failure = failure.__cause__ or failure.__context__


def _lost(name: str, file: str, line: int) -> str:
    cell = cell_of(file)
    where = f" in line {line} of {cell}" if cell.startswith("Cell") else ""
    return f"You forgot `await` in front of `{name}(…)`{where}: nothing was run by it."
