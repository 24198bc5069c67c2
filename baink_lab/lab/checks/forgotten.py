"""A forgotten `await`: Python may warn of it a cell later; a check says it at once."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import re
import warnings
from collections.abc import Iterator

from baink_lab.lab.checks.result import Kind, Result

_WARNING = re.compile(r"coroutine '(?:.*?(\w+)\.)?(?:<locals>\.)?(\w+)' was never awaited")
#: What an exercise calls the object of a class.
_PARAMETERS = {"Desk": "desk", "BankClient": "bank", "VirtualClock": "clock", "QuickClock": "clock"}


@contextlib.contextmanager
def noticed() -> Iterator[list[str]]:
    """Names of the async functions that were called in this block and never awaited.

    The list is full once `look` was called, or the block is over; other warnings go their way.
    """
    names: list[str] = []
    with warnings.catch_warnings(record=True) as heard:
        warnings.filterwarnings("always", "coroutine .* was never awaited", RuntimeWarning)
        gc.freeze()  # what was there before need not be looked through
        try:
            yield names
            gc.collect()  # or a coroutine that a traceback still held would be told a cell later
        finally:
            gc.unfreeze()
        others = []
        for one in heard:
            found = _WARNING.match(str(one.message))
            if found is None:
                others.append(one)
            elif (name := _as_called(*found.groups())) not in names:
                names.append(name)
    for one in others:
        warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _as_called(owner: str | None, name: str) -> str:
    """How an exercise calls it: ``Desk.ask`` as ``desk.ask``."""
    parameter = _PARAMETERS.get(owner or "")
    return f"{parameter}.{name}" if parameter else name


def with_await(result: Result, names: list[str]) -> Result:
    """The result, which names the forgotten `await` when there is one and something went wrong."""
    names = [one for one in names if one != result.name]  # not called by the learner, but by us
    if not names or result.kind not in {Kind.WRONG, Kind.RAISED, Kind.PASSED}:
        return result
    if result.kind is Kind.PASSED:  # all else is right
        result = dataclasses.replace(result, kind=Kind.WRONG, why="Everything else is right.")
    calls = " and ".join(f"`{name}(…)`" for name in names)
    why = (
        f"You forgot `await` in front of {calls}: without it nothing is run, and you get a "
        f"coroutine in place of the answer. {result.why}"
    )
    step = f"Write `await` in front of {calls}, run the cell of your function, and check again."
    if re.search(r"'coroutine' object (?:is not subscriptable|has no attribute)", result.why):
        step += f" When more follows, with brackets: `(await {names[0]}(…))[…]`."
    return dataclasses.replace(result, why=why, next_step=step, mistake="", hints=(step,))
