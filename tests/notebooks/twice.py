"""Run each code cell of a notebook twice in a row, in one kernel: `python twice.py NOTEBOOK`."""

from __future__ import annotations

import copy
import sys

import nbformat
from nbclient import NotebookClient

RED = ("❌", "⬜")


def main(path: str) -> None:
    book = nbformat.read(path, 4)
    doubled = []
    for cell in book.cells:
        if cell.cell_type == "code":
            again = copy.deepcopy(cell)
            again.id = f"{cell.id}-again"
            doubled += [cell, again]
    book.cells = doubled
    NotebookClient(book, timeout=90, startup_timeout=120, kernel_name="python3").execute()
    for cell in doubled:
        for output in cell.outputs:
            assert not any(sign in str(output) for sign in RED), (cell.source, output)


if __name__ == "__main__":
    main(sys.argv[1])
