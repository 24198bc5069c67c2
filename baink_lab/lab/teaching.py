"""The teacher's part of a lab: exercises, checks, hints step by step, solutions."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from baink_lab.lab import checks
from baink_lab.lab.checks import endless, forgotten
from baink_lab.lab.checks.exercises import Exercise, exercise, is_stub, other_shape, source_of
from baink_lab.lab.checks.mistakes import BY_MISTAKE
from baink_lab.lab.checks.result import Kind, Result, slip
from baink_lab.lab.learner.cells import newer_one
from baink_lab.lab.practice.own_desk import in_a_check
from baink_lab.lab.progress import Progress

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab


_PASSED_BEFORE = (
    " (It passed before this kernel was started; that is kept. This one knows no function of yours "
    "before its cell is run.)"
)


class Teacher:
    """Knows the exercises of one lab, and what went wrong last.

    Args:
        lab: whose teacher it is.
        progress: where each check is noted.
    """

    def __init__(self, lab: Lab, progress: Progress) -> None:
        self._lab = lab
        self._progress = progress
        self._shelf = checks.shelf_of(lab.number)
        self._exercises: dict[str, Exercise] = {}
        self._last: dict[str, Result] = {}
        self._given: dict[tuple[str, str], int] = {}
        self._solved: set[str] = set()

    def exercise(self, written: Callable[..., Any]) -> Exercise:
        """Take a learner's function in.

        Raises:
            NoSuchCheck: the lab has no exercise of that name.
        """
        name = written.__name__
        reference = self._shelf.reference(name)
        made = exercise(written, reference, lambda: self._lab.settings.baink_autopilot)
        made.solved = name in self._solved and is_stub(written)
        self._exercises[name] = made
        return made

    def found(self, name: str) -> Exercise | None:
        """A learner's function; None while its cell was not run."""
        return self._exercises.get(name)

    async def check(self, name: str) -> Result:
        """Look whether a step or an exercise is done, and note it.

        Raises:
            NoSuchCheck: this lab has no check of that name.
        """
        look = self._shelf.check(name)
        result = self._not_ready(name)
        if result is None:
            with (
                in_a_check(),
                forgotten.noticed() as names,
                endless.stopped(self._files(), clock=self._has_clock()) as watch,
            ):
                result = await look(self._lab)
            if result is None or watch.why:
                result = slip(name, watch.why, watch.next_step)
            result = endless.with_swallowed(result, watch.swallowed, watch.hushed)
            result = self._with_newer(forgotten.with_await(result, names))
        self._last[name] = result
        if mine := self._exercises.get(name):
            mine.last = result
        self._progress.note(self._lab.number, result)
        return result

    def hint(self, name: str) -> str:
        """One step more towards a solution, and how many are left; none after a pass.

        Raises:
            NoSuchCheck: this lab has no check of that name.
        """
        if self._passed(name):
            return f'{name} has passed: nothing to hint. (Changed it? await lab.check("{name}").)'
        steps, mistake = self._steps(name)
        key = (name, mistake or steps[0])
        count = self._given[key] = min(self._given.get(key, 0) + 1, len(steps))
        left = len(steps) - count
        more = f"{left} more" if left else "the last one"
        if not left and name in self._shelf.references:
            more = f'the last one; lab.solution("{name}") shows a solution'
        return f"Hint {count} of {len(steps)} ({more}): {steps[count - 1]}"

    def solution(self, name: str) -> str:
        """A solution, once there was a try; it stands in for what has not passed.

        Raises:
            NoSuchCheck: this lab has no exercise of that name.
        """
        reference = self._shelf.reference(name)
        if not self._tried(name):
            return (
                f'Try {name} first: fill in its body, run its cell and await lab.check("{name}"). '
                "A wrong try is a good try."
            )
        shown = source_of(name, reference)
        one = self._exercises.get(name)
        if self._passed(name) and not (one and one.solved):
            return f"{shown}\n# Your {name} has passed: yours stays, and this is only shown."
        self._solved.add(name)
        if one:
            one.solved = True
        return f"{shown}\n# This stands in for your {name} now, until you run its cell again."

    def _files(self) -> set[str]:
        """Where the learner's functions are written: each cell is a file of its own."""
        written = (inspect.unwrap(one.written) for one in self._exercises.values())
        # Code that dataclasses write for themselves claims to be in "<string>".
        return {one.__code__.co_filename for one in written} - {"<string>"}

    def _has_clock(self) -> bool:
        patterns = (one.pattern for one in self._shelf.references.values())
        return any("clock" in inspect.signature(one).parameters for one in patterns)

    def _not_ready(self, name: str) -> Result | None:
        """What is to be said of an exercise before it can be looked at."""
        if name not in self._shelf.references:
            return None
        mine = self._exercises.get(name)
        if mine is None:
            first = f"Run the cell with @lab.exercise and `def {name}`, then check again."
            why = self._newer(name, None) or f"I have not seen your {name} yet."
            if self._progress.passed(self._lab.number, name):
                why += _PASSED_BEFORE
            return Result(name, Kind.NOT_RUN, why, first)
        if not mine.attempted:
            step = f'Fill in its body and run its cell. Stuck? lab.hint("{name}").'
            empty = Result(name, Kind.NOT_ATTEMPTED, f"Your {name} has no body yet.", step)
            return self._with_newer(empty)
        # What stands in is the package's own, whatever the cell says.
        other = None if mine.lent else other_shape(mine)
        return None if other is None else self._with_newer(other)

    def _with_newer(self, result: Result) -> Result:
        """The result, which says so when the learner has written the function anew in vain."""
        mine = self._exercises.get(result.name)
        newer = self._newer(result.name, mine.written) if mine and not mine.solved else ""
        if not newer:
            return result
        step = (
            f"Mend that cell, run it until it ends without an error, and check {result.name} again."
        )
        if result:  # what passed is not what the learner sees in the newer cell
            why = f"{newer} it passed."
            return Result(result.name, Kind.NOT_RUN, why, step, hints=(step,))
        why = f"{newer} {result.why}"
        return dataclasses.replace(result, why=why, next_step=step, mistake="", hints=(step,))

    def _newer(self, name: str, written: Callable[..., Any] | None) -> str:
        return newer_one(name, written, self._shelf.references)

    def _tried(self, name: str) -> bool:
        last = self._last.get(name)
        return last is not None and last.kind not in {Kind.NOT_RUN, Kind.NOT_ATTEMPTED}

    def _passed(self, name: str) -> bool:
        last = self._last.get(name)
        return last is not None and last.kind is Kind.PASSED

    def _steps(self, name: str) -> tuple[tuple[str, ...], str]:
        """The steps that fit the last failure, and the mistake's id."""
        general = self._shelf.hint(name)
        last = self._last.get(name)
        mistake = last.mistake if last is not None else ""
        if last is not None and last.hints:
            more = BY_MISTAKE.get(mistake, general)
            new = (one for one in more if not any(one in told for told in last.hints))
            return (*last.hints, *new), ""  # what was told already is not told again
        return (BY_MISTAKE[mistake], mistake) if mistake in BY_MISTAKE else (general, "")
