"""A name that is not there since its cell was skipped: that cell is named, in place of a traceback.

So is the cell that asks, where a refusal is taken for an answer (`refused_question`), and the
`await` that was forgotten, where a coroutine is. After a restart, or by a jump, a learner may run a
cell whose names an earlier one makes.
"""

from __future__ import annotations

import ast
import difflib
import json
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from baink_lab.lab.learner.parsed import parsed
from baink_lab.lab.learner.unawaited import taken_for_answer
from baink_lab.lab.widgets.notebook import shell
from baink_lab.lab.wire.refused_question import refused_question, sentence

ALIKE = 0.6


def tell_skipped_cells(number: int) -> None:
    """From now on the notebook of lab `number` names the cell that makes a missing name.

    Names that no cell of it makes are told by Python, as ever.
    """

    def handler(
        running: Any,
        kind: type[BaseException],
        failure: NameError | KeyError | AttributeError,
        trace: TracebackType,
        **more: Any,
    ) -> None:
        told = ""
        if isinstance(failure, KeyError):
            told = _refused(number, failure, running)
        elif isinstance(failure, AttributeError):
            told = taken_for_answer(failure, running) if _in_a_cell(running, trace) else ""
        elif _in_a_cell(running, trace):
            told = _sentence(number, str(failure.name), running.user_ns["In"][-1], running.user_ns)
        if told:
            vars(failure)["_render_traceback_"] = told.splitlines
        running.showtraceback((kind, failure, trace), **more)

    if running := shell():
        running.set_custom_exc((NameError, KeyError, AttributeError), handler)


def _refused(number: int, failure: KeyError, running: Any) -> str:
    name, error = refused_question(failure, running.user_ns, running.user_ns["In"][-1])
    made = (heading for heading, source in _cells(number) if name in _made_by(source))
    return sentence(name, error, next(made, "")) if name else ""


def _in_a_cell(running: Any, trace: TracebackType) -> bool:
    """Whether the name is missed by what a learner wrote, and not by a library."""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_globals is running.user_ns


def _sentence(number: int, name: str, now: str, there: Container[str]) -> str:
    """Which cell makes the name; empty when none does, or the running one itself."""
    cells = list(_cells(number))
    found = _maker(cells, name, now)
    if found is None:
        return ""
    heading, source = found
    made = _made_by(source)
    under = f"It stands under “{heading}”, and" if heading else "It"
    first = next(line for line in source.splitlines() if line.strip())
    told = (
        f"`{name}` is not there: the cell that makes it was not run, or ended in an error. "
        f"{under} begins with `{first}`. Run it first, then this one."
    )
    others = [one for one in _used_by(now) if one not in there and one not in made]
    more = ", ".join(f"`{one}`" for one in others if _maker(cells, one, now))
    if more:
        told += f" (Not there either, and each made by a cell of its own: {more}.)"
    return told


def _maker(cells: Sequence[tuple[str, str]], name: str, now: str) -> tuple[str, str] | None:
    """The first cell that makes the name, under its heading, and is not the running one."""
    itself = name in _made_by(now)
    for heading, source in cells:
        if itself and difflib.SequenceMatcher(None, source, now).ratio() > ALIKE:
            continue  # the running cell, or what the learner made of it
        if name in _made_by(source):
            return heading, source
    return None


def _used_by(source: str) -> list[str]:
    """The names that a cell reads and does not make, in their order; none of what it defines."""
    try:
        nodes = ast.walk(parsed(source))
    except SyntaxError:  # a line for IPython alone
        return []
    read = (one.id for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load))
    made = _made_by(source)
    return [one for one in dict.fromkeys(read) if one not in made]


def _cells(number: int) -> Iterator[tuple[str, str]]:
    """Each code cell of the notebook where it stands: the heading above it, and its source."""
    file = next(iter(sorted(Path.cwd().glob(f"{number:02d}_*.ipynb"))), None)
    try:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"] if file else []
    except (OSError, ValueError, KeyError):
        return
    heading = ""
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            yield heading, source
            continue
        for line in source.splitlines():
            if line.startswith("#"):
                heading = line.lstrip("# ")


def _made_by(source: str) -> set[str]:
    """The names that a cell makes, its imports too."""
    try:
        tree = parsed(source)
    except SyntaxError:  # a line for IPython alone
        return set()
    made: set[str] = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                made.add(name)
            case ast.ClassDef(name=name):
                made.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                made.update(one.asname or one.name.partition(".")[0] for one in names)
            case _:
                made.update(
                    one.id
                    for one in ast.walk(node)
                    if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
                )
    return made
