"""The next step when a cell of the notebook was not run, or ran and changed nothing."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from baink_lab.lab.checks.result import Kind, Result
from baink_lab.lab.learner.unawaited import kept_waiting

if TYPE_CHECKING:
    from baink_lab.lab.checks.shelf import Check
    from baink_lab.lab.session import Lab
    from baink_lab.lab.wire.watched import Exchange


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


def with_refusal(check: Check, method: str, place: str) -> Check:
    """The check; where it is not green, it quotes the refusal of the step's own request.

    Args:
        check: of a step that sends one request.
        method: of that request.
        place: a part of its path.
    """

    async def look(lab: Lab) -> Result:
        result = await check(lab)
        if not result and kept_waiting(method.lower()):
            step = f"Write `await` in front of `http.{method.lower()}(…)`, and run that cell again."
            why = f"{result.why} The {method} of your cell was not sent: nobody awaited it."
            return dataclasses.replace(result, why=why, next_step=step, hints=(step, *result.hints))
        sent = [one for one in lab.exchanges if one.method == method and place in one.path]
        return result if result or not sent else _answered(result, sent[-1])

    look.__doc__ = check.__doc__
    return look


def _answered(result: Result, last: Exchange) -> Result:
    """The result of a step whose request was sent: nobody forgot an `await`."""
    step = result.next_step.replace(f" {unsent(last.method)}", "")
    if last.status < 400:
        return dataclasses.replace(result, next_step=step)
    told = last.received if isinstance(last.received, dict) else {}
    said = told.get("message") or told.get("error") or "it did not say why"
    why = (
        f"{result.why} Your last {last.method} was sent, and the tenant refused it with "
        f"{last.status}: {said}"
    )
    refused = dataclasses.replace(result, kind=Kind.WRONG, why=why)
    if last.status == 409:
        more = "(What is there already is not made again: change it, or delete it first.)"
        return dataclasses.replace(refused, next_step=f"{step} {more}")
    mend = _mended(last)
    return dataclasses.replace(refused, next_step=f"{mend} {step}", hints=(mend, *result.hints))


def _mended(last: Exchange) -> str:
    """What to do about a refused request."""
    if last.status == 404 and "://" in last.path:
        return "An identifier with slashes is one part of the path: write lab.quoted(…) around it."
    if last.status == 404:
        end = last.path.rpartition("/")[2]
        return f"Nothing at the tenant is called “{end}”: mend the end of the address."
    return "Mend what the tenant names, and run that cell again."
