"""How notebooks run with nobody there: copies with counted cells, nbval's flags, autopilot."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import nbformat

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def nbval(notebooks: Iterable[Path], folder: Path) -> tuple[list[str], dict[str, str]]:
    """Command and environment that run copies of them in `folder`, with a world of their own."""
    copies = []
    for notebook in notebooks:
        book = nbformat.read(notebook, 4)
        for count, cell in enumerate(book.cells, start=1):
            if cell.cell_type == "code":  # nbstripout takes the counts, nbval wants them
                cell.execution_count = count
        copies.append(str(folder / notebook.name))
        nbformat.write(book, copies[-1])
    flags = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=60", "-q"]
    flags += ["-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:langsmith_plugin"]
    # A configuration of its own: ours turns warnings of Jupyter's own start-up into errors.
    flags += ["-c", os.devnull, "--rootdir", str(folder)]
    env = os.environ | {"BAINK_AUTOPILOT": "1", "BAINK_HOME": str(folder / "home")}
    return [sys.executable, "-m", "pytest", *flags, *copies], env
