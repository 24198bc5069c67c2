"""Learner's code that would stop the kernel: a loop without an end, a sleep in real time.

A kernel that is stuck in a check helps nobody: a loop and `time.sleep` do not let the event loop
turn, so nothing else could end them, and `asyncio.sleep` waits for minutes that a check's clock
lets pass at once. Lines are counted, not seconds: a slow machine is no mistake.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import linecache
import re
import sys
import time
import traceback
from collections.abc import Collection, Iterator
from types import FrameType
from typing import Any

from langgraph.errors import GraphBubbleUp

from baink_lab import clock
from baink_lab.lab.checks.result import Kind, Result, slip
from baink_lab.lab.learner.cells import said_by

MOST_LINES = 20_000  # of an exercise in one check; the longest honest one runs some hundreds
#: What Python raises for a slip of the pen, never a server.
_SLIPS = (TypeError, AttributeError, NameError, LookupError)
_ANY = re.compile(r"except(\s+(Base)?Exception\b.*)?\s*:")
_LOOK = "Look at the loop: what ends it, and what does it wait for (with `await`)?"
_IN_PLACE = "Write `await clock.sleep(…)` in its place."
_NO_CLOCK = (
    "Take it out: nothing in this lab's functions waits by itself. `interrupt()` lets the graph "
    "sleep on disk, and the answer wakes it."
)


class Stopped(BaseException):
    """Ends the learner's code; no `except Exception` in it may go on."""


class Watch:
    """What was stopped.

    Attributes:
        why: in a sentence; empty when nothing was.
        next_step: what to do about it.
        swallowed: a slip that an `except` for everything hid, and its line, in a sentence; empty
            when there was none.
        hushed: the same of any other error, such as one that was raised on purpose.
    """

    def __init__(self, files: Collection[str], clock: bool) -> None:
        self.why = self.next_step = self.swallowed = self.hushed = ""
        self._own_caught = False
        self._up: tuple[BaseException, FrameType, int] | None = None  # an error, not yet caught
        self._files = files
        self._clock = clock
        self._lines = 0
        self.real_sleep = time.sleep

    def each_call(self, frame: FrameType, event: str, arg: Any) -> Any:
        """A trace function: lines of the learner's own code are counted, no others."""
        if frame.f_code is asyncio.sleep.__code__:
            self._real_time(frame)
        return self._each_line if frame.f_code.co_filename in self._files else None

    def _each_line(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "exception":
            self._up = (arg[1], frame, frame.f_lineno)
        elif event == "return":
            self._up = None  # whoever called is told, and may catch it
        elif event == "line":
            self._note_swallowed(frame)
            self._lines += 1
            if self._lines > MOST_LINES:
                code = _code(frame, frame.f_lineno)
                where = f"line {frame.f_lineno}" + (f", `{code}`" if code else "")
                self._stop(
                    f"Your code went round {MOST_LINES:,} lines and came to no end, so I stopped "
                    f"it at {where}.",
                    f"{self.hushed} {_LOOK}".strip(),
                )
        return self._each_line

    def _note_swallowed(self, frame: FrameType) -> None:
        """The first line after an error, in the same function, is an `except` for everything."""
        if self._up is None or self._up[1] is not frame:
            return
        failure, _, number = self._up
        self._up = None
        if not _ANY.match(_code(frame, frame.f_lineno)) or isinstance(failure, GraphBubbleUp):
            return
        if isinstance(failure, Exception):
            self._note_hushed(failure)
        if isinstance(failure, _SLIPS):
            code = _code(frame, number)
            where = f"line {number}" + (f", `{code}`," if code else "")
            self.swallowed = (
                f"Your `except` hid an error of your own: {where} raised {said_by(failure)}."
            )

    def _note_hushed(self, failure: Exception) -> None:
        """Of all that was caught, what the learner's own code had raised tells most."""
        *_, (last, _) = traceback.walk_tb(failure.__traceback__)
        own = last.f_code.co_filename in self._files
        if own or not self._own_caught:
            self._own_caught = own
            too = "catches your own `raise` too" if own else "keeps it from whoever called you"
            self.hushed = (
                f"Your `except` caught {said_by(failure)}: an `except` for everything {too}. "
                "Catch only what you expect, or take the `try` away."
            )

    def sleep(self, seconds: Any) -> None:
        """`time.sleep` for everybody but the learner's code."""
        if sys._getframe(1).f_code.co_filename in self._files:
            self._stop(
                "`time.sleep` stops the whole kernel: while it sleeps nobody else is served, the "
                "phone's answer neither.",
                _IN_PLACE if self._clock else _NO_CLOCK,
            )
        self.real_sleep(seconds)

    def _real_time(self, frame: FrameType) -> None:
        """`asyncio.sleep` by whatever name: no time passes where a check turns the clock."""
        caller, name = frame.f_back, "asyncio.sleep"
        if caller is not None and caller.f_code.co_filename == clock.__file__:
            caller, name = caller.f_back, "lab.clock.sleep"  # the lab's, or the machine's
        if caller is None or caller.f_code.co_filename not in self._files:
            return
        if frame.f_locals["delay"] > 0:
            if not self._clock:
                self._stop(f"`{name}` keeps the graph awake while it waits.", _NO_CLOCK)
            self._stop(
                f"`{name}` waits in real time, and the check goes by the argument `clock`, which "
                "it turns itself: five minutes pass on it at once.",
                _IN_PLACE,
            )

    def _stop(self, why: str, next_step: str) -> None:
        self.why, self.next_step = why, next_step
        raise Stopped


def _code(frame: FrameType, line: int) -> str:
    return linecache.getline(frame.f_code.co_filename, line).strip()


def with_swallowed(result: Result, swallowed: str, hushed: str) -> Result:
    """The result; where it is wrong, it names what the learner's own `except` hid."""
    if result.kind is not Kind.WRONG:
        return result
    if swallowed:
        step = (
            "Mend that line. And catch only what you expect: `except Exception` hides your own "
            "slips from you."
        )
        return slip(result.name, f"{swallowed} What it led to: {result.why}", step)
    if hushed and hushed not in result.next_step:
        why = f"{result.why} ({hushed})"
        return dataclasses.replace(result, why=why, hints=(*result.hints, hushed))
    return result


@contextlib.contextmanager
def stopped(files: Collection[str], *, clock: bool) -> Iterator[Watch]:
    """In this block code from these files is stopped where it would stop the kernel.

    A debugger that is at work is left alone: then nothing is watched.

    Args:
        files: with the learner's code.
        clock: whether the lab's exercises are given one; else nothing in them has to sleep.
    """
    watch = Watch(files, clock)
    if sys.gettrace() is not None or not files:
        yield watch
        return
    time.sleep = watch.sleep
    sys.settrace(watch.each_call)
    try:
        with contextlib.suppress(Stopped):
            yield watch
    finally:
        sys.settrace(None)
        time.sleep = watch.real_sleep
