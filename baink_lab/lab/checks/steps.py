"""The next step when a cell of the notebook was not run, or ran and sent nothing."""

from __future__ import annotations


def run_cell(number: int, method: str) -> str:
    """What to do: run the cell of a step.

    Args:
        number: of the step.
        method: of the request that its cell sends; without `await`, httpx only prepares it.
    """
    return f"Run the cell of step {number}. {unsent(method)}"


def unsent(method: str) -> str:
    """Why a cell that ran may have changed nothing: Python says so in a warning, or not at all."""
    return f"(You ran it? Without `await` the {method} is not sent.)"
