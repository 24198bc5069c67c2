"""Exercises: a function with an empty body that the learner fills in, and what stands in for it."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import re
import textwrap
import traceback
from collections.abc import Callable
from typing import Any

from baink_lab.errors import BainkError, InOneSentence
from baink_lab.lab.checks.result import Kind, Result


class NotAttempted(InOneSentence, BainkError):
    """The exercise's function has no body yet, and nothing stands in for it."""

    code = "not_attempted"


@dataclasses.dataclass(frozen=True)
class Reference:
    """What stands in for a learner's function.

    Attributes:
        source: the package's own function or class, or several, shown as the solution.
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
    """

    name: str
    written: Callable[..., Any]
    reference: Reference
    lend: Callable[[], bool]
    solved: bool = False

    @property
    def attempted(self) -> bool:
        """Whether there is something to look at."""
        return self.solved or self.lend() or not is_stub(self.written)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the learner's function, or the reference where it stands in.

        Raises:
            NotAttempted: the body is empty.
        """
        return self.chosen()(*args, **kwargs)

    def chosen(self) -> Callable[..., Any]:
        """What a call runs now.

        Raises:
            NotAttempted: the body is empty.
        """
        if self.solved or (is_stub(self.written) and self.lend()):
            return self.reference.run
        if is_stub(self.written):
            raise NotAttempted(
                f'{self.name} has no body yet: fill it in, or run lab.hint("{self.name}").'
            )
        return self.written


def own_piece(given: Any) -> Any:
    """A learner's function; None where the reference stands in for it: the package's own stays.

    Raises:
        NotAttempted: it is an exercise without a body.
    """
    if isinstance(given, Exercise) and given.chosen() is given.reference.run:
        return None
    return given


def is_stub(function: Callable[..., Any]) -> bool:
    """True when a function's body does nothing: `...`, `pass`, or NotImplementedError."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError, SyntaxError):  # typed somewhere where no source is kept
        return False
    defined = next(
        (one for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)), None
    )
    return defined is not None and all(_does_nothing(one) for one in defined.body)


def raised(name: str, failure: BaseException, written: Callable[..., Any]) -> Result:
    """The result for a learner's function that raised: where, and what."""
    file = inspect.unwrap(written).__code__.co_filename
    frames = traceback.extract_tb(failure.__traceback__)
    mine = [frame for frame in frames if frame.filename == file]
    where = f"Line {mine[-1].lineno} of {_cell_of(file)}" if mine else f"In the function {name}"
    line = f": `{mine[-1].line}`" if mine and mine[-1].line else ""
    said = f"{type(failure).__name__}: {failure}".rstrip(": ")
    why = f"Your code raised {said}. {where}{line}."
    if tip := _tip(f"{failure}"):
        step = f"{tip} Then run the cell, and check again."
        return Result(name, Kind.RAISED, why, step, hints=(tip,))
    step = f'Fix that line, run its cell, and check again; or lab.hint("{name}").'
    return Result(name, Kind.RAISED, why, step)


#: What Python's own words mean in an exercise.
_TIPS = (
    (
        r"'dict' object has no attribute '(\w+)'",
        'What stands before `.{0}` is a dictionary: write `["{0}"]`.',
    ),
    (
        r"'NoneType' object has no attribute '(\w+)'",
        "What stands before `.{0}` is None there. When can that be, and what is to be done then?",
    ),
    (
        r"'[A-Z]\w+(?<!NoneType)' object is not subscriptable",
        'What stands before `[` is an object: write `.name`, not `["name"]`.',
    ),
    (
        r"can't be used in 'await' expression",
        "That function is a plain one, nothing waits for it: take `await` away.",
    ),
    (
        r"Object of type (?!coroutine)(\w+) is not JSON serializable",
        "What you return is kept as JSON, and {0} cannot be: return texts, numbers, lists and "
        "dictionaries.",
    ),
)


def _tip(said: str) -> str:
    """What to do about a message of Python's that learners often meet; empty for the rest."""
    for pattern, tip in _TIPS:
        if found := re.search(pattern, said):
            return tip.format(*found.groups())
    return ""


def source_of(reference: Reference) -> str:
    """The source of a solution, and the note below it as a comment."""
    sources = reference.source if isinstance(reference.source, tuple) else (reference.source,)
    shown = []
    for target in map(inspect.unwrap, sources):
        where = f"{target.__module__}.{target.__qualname__}"
        text = textwrap.dedent(inspect.getsource(target))
        shown.append(f"# {where}\n{_without_types(text) if reference.in_a_cell else text}")
    shown += [f"# {line}" for line in textwrap.wrap(reference.note, 88)]
    return "\n".join(shown)


def _without_types(text: str) -> str:
    """A function as one writes it in a cell: its types name what a notebook has not imported."""
    defined = ast.parse(text).body[0]
    assert isinstance(defined, ast.FunctionDef | ast.AsyncFunctionDef)
    body = text.splitlines()[defined.body[0].lineno - 1 :]
    defined.returns, defined.body = None, [ast.Pass()]
    for one in defined.args.args:
        one.annotation = None
    return "\n".join([ast.unparse(defined).splitlines()[0], *body, ""])


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


def _cell_of(file: str) -> str:
    """The name that a notebook shows for a cell's file, like ``Cell In[5]``."""
    try:
        from IPython import get_ipython  # noqa: PLC0415 - only notebooks have cells

        shell = get_ipython()
        named = shell.compile.format_code_name(file) if shell else None
    except (ImportError, AttributeError):
        named = None
    return " ".join(named) if named else "your function's cell"
