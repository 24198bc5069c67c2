"""Exercises: a function with an empty body that the learner fills in, and what stands in for it."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from baink_lab.errors import BainkError, InOneSentence
from baink_lab.lab.checks.result import Kind, Result, slip
from baink_lab.lab.checks.tips import read_slowly, tip
from baink_lab.lab.learner.cells import cell_of, line_in, said_by
from baink_lab.lab.learner.parsed import parsed

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab


class NotAttempted(InOneSentence, BainkError):
    """The exercise's function has no body yet, and nothing stands in for it.

    Args:
        exercise: its name.
    """

    code = "not_attempted"

    def __init__(self, exercise: str) -> None:
        super().__init__(f'{exercise} has no body yet: fill it in, or run lab.hint("{exercise}").')
        self.exercise = exercise


@dataclasses.dataclass(frozen=True)
class Reference:
    """What stands in for a learner's function.

    Attributes:
        source: the package's own function, shown as the solution.
        stand_in: the same with the exercise's parameters; `source` itself unless given.
        in_a_cell: whether `source` has the exercise's own shape: it is shown without types.
        note: what is to be said below the source.
    """

    source: Any
    stand_in: Callable[..., Any] | None = None
    in_a_cell: bool = False
    note: str = ""

    @property
    def run(self) -> Callable[..., Any]:
        """What to call in place of the learner's function."""
        return self.stand_in or self.source

    @property
    def pattern(self) -> Callable[..., Any]:
        """A function with the exercise's own parameters, async if the exercise is."""
        return self.source if self.in_a_cell else self.run


@dataclasses.dataclass
class Exercise:
    """A learner's function.

    Attributes:
        name: of the function.
        written: as the learner wrote it.
        reference: what stands in for it.
        lend: whether the reference stands in while the body is empty (autopilot).
        solved: whether it stands in for what is written, until the cell is run again
            (`lab.solution`).
        last: what its last check said of it, since its cell was run.
    """

    name: str
    written: Callable[..., Any]
    reference: Reference
    lend: Callable[[], bool]
    solved: bool = False
    last: Result | None = None

    @functools.cached_property
    def empty(self) -> bool:
        """Whether the body is still empty: what a cell has once defined does not change."""
        return is_stub(self.written)

    @property
    def lent(self) -> bool:
        """Whether the reference stands in."""
        return self.solved or (self.empty and self.lend())

    @property
    def attempted(self) -> bool:
        """Whether there is something to look at."""
        return self.lent or not self.empty

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the learner's function, or the reference where it stands in.

        Raises:
            NotAttempted: the body is empty.
        """
        made = self.chosen()(*args, **kwargs)
        if inspect.iscoroutine(made):
            made.__name__ = self.name  # whatever stands in is told by the learner's name
        return made

    def chosen(self) -> Callable[..., Any]:
        """What a call runs now.

        Raises:
            NotAttempted: the body is empty.
        """
        if self.lent:
            return self.reference.run
        if self.empty:
            raise NotAttempted(self.name)
        return self.written


def exercise_of(lab: Lab, name: str) -> Exercise:
    """A learner's function, in a check of it: the teacher looks at nothing that is not there."""
    mine = lab.found(name)
    assert mine is not None
    return mine


def own_piece(given: Any) -> Any:
    """A learner's function; None where the reference stands in for it: the package's own stays.

    Raises:
        NotAttempted: it is an exercise without a body.
    """
    if isinstance(given, Exercise) and given.chosen() is given.reference.run:
        return None
    return given


class OtherShape(InOneSentence, BainkError):
    """A learner's function cannot be called as the exercise's is."""

    code = "other_shape"


def not_passed(given: Any) -> str:
    """The name of a learner's function whose check has not passed, and why; empty for the rest.

    Raises:
        OtherShape: it cannot be called at all.
    """
    if not isinstance(given, Exercise) or given.lent:
        return ""
    if wrong := shape_told(given):
        raise OtherShape(wrong)
    if given.last is None:
        return f"{given.name} (not checked since its cell was run)"
    return "" if given.last else f"{given.name} ({given.last.kind})"


def shape_told(mine: Exercise) -> str:
    """What `other_shape` says, in one text with the cell; empty when the shape is right."""
    found = other_shape(mine)
    if found is None:
        return ""
    where = cell_of(inspect.unwrap(mine.written).__code__.co_filename)
    return f"{found.why} {found.next_step} It is in {where}: mend it, and run that cell."


def is_stub(function: Callable[..., Any]) -> bool:
    """True when a function's body does nothing: `...`, `pass`, or NotImplementedError."""
    try:
        tree = parsed(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError, SyntaxError):  # typed somewhere where no source is kept
        return False
    defined = next(
        (one for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)), None
    )
    return defined is not None and all(_does_nothing(one) for one in defined.body)


def other_shape(mine: Exercise) -> Result | None:
    """The result for a learner's function that cannot be called as the exercise's is."""
    pattern, written = mine.reference.pattern, inspect.unwrap(mine.written)
    wanted = [
        one.name
        for one in inspect.signature(pattern).parameters.values()
        if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    awaited = inspect.iscoroutinefunction(pattern)
    first = f"{'async ' * awaited}def {mine.name}"
    try:
        inspect.signature(written).bind(*wanted)
    except TypeError:
        takes = ", ".join(inspect.signature(written).parameters)
        why = f"Your {mine.name} takes ({takes}), and is called with ({', '.join(wanted)})."
        step = f"Its first line stays as it was given: `{first}({', '.join(wanted)}):`."
        return slip(mine.name, why, step)
    if inspect.isasyncgenfunction(written) or inspect.isgeneratorfunction(written):
        why = f"Your {mine.name} has a `yield` in it, which makes it a generator."
        step = "Write `return` in place of `yield`."
        return slip(mine.name, why, step)
    if inspect.iscoroutinefunction(written) is not awaited:
        kind = "a plain function, but it is awaited" if awaited else "async, but nobody awaits it"
        why = f"Your {mine.name} is {kind}."
        step = f"Write `{first}`" + ("." if awaited else f", not `async {first}`.")
        return slip(mine.name, why, step)
    return None


def raised(name: str, failure: BaseException, written: Callable[..., Any]) -> Result:
    """The result for a learner's function that raised: where, and what."""
    if isinstance(failure, NotAttempted):
        why = f"Your {name} calls {failure.exercise}, which has no body yet."
        first = f"That exercise comes first: fill in {failure.exercise}, run its cell, and check it"
        step = f"{first}. Then check {name} again."
        return slip(name, why, step)
    said = said_by(failure)
    why = f"Your code raised {said}. {line_in(failure, written)}."
    if known := tip(name, said):
        step = f"{known} Then run the cell, and check again."
        return Result(name, Kind.RAISED, why, step, hints=(known,))
    step = f'Fix that line, run its cell, and check again; or lab.hint("{name}").'
    slowly = read_slowly(said)
    return Result(name, Kind.RAISED, why, step, hints=(slowly,) if slowly else ())


def no_return(name: str, what: str) -> Result:
    """The result for a learner's function that came to its end with nothing to return.

    Args:
        name: of the exercise.
        what: it should return.
    """
    why = f"Your {name} returned None: what is only printed, or kept in a name, reaches nobody."
    step = f"End it with `return`, and {what} behind it."
    return slip(name, why, step)


def source_of(name: str, reference: Reference) -> str:
    """The source of an exercise's solution, and the note below it as a comment."""
    target: Any = inspect.unwrap(reference.source)
    text = textwrap.dedent(inspect.getsource(target))
    shown = _as_in_a_cell(name, text) if reference.in_a_cell else text
    note = [f"# {line}" for line in textwrap.wrap(reference.note, 88)]
    return "\n".join([f"# {target.__module__}.{target.__qualname__}", shown, *note])


def _as_in_a_cell(name: str, text: str) -> str:
    """A function as one writes it in a cell.

    It has the exercise's name, and no types: they name what a notebook has not imported.
    """
    lines = text.splitlines()
    tree = parsed(text)
    found = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    for one in sorted(found, key=lambda one: -one.lineno):  # the last first: numbers stay right
        kind = "async def" if isinstance(one, ast.AsyncFunctionDef) else "def"
        names = ", ".join(arg.arg for arg in one.args.args)
        called = one.name if one.col_offset else name
        first = f"{' ' * one.col_offset}{kind} {called}({names}):"
        lines[one.lineno - 1 : one.body[0].lineno - 1] = [first]
    return "\n".join([*lines, ""])


def exercise(
    written: Callable[..., Any], reference: Reference, lend: Callable[[], bool]
) -> Exercise:
    """Wrap a learner's function; the wrapper is called like the function itself."""
    made = Exercise(written.__name__, written, reference, lend)
    functools.update_wrapper(made, written)
    return made


def _does_nothing(node: ast.stmt) -> bool:
    match node:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Raise(exc=ast.Name(id="NotImplementedError")):
            return True
        case ast.Raise(exc=ast.Call(func=ast.Name(id="NotImplementedError"))):
            return True
    return False
