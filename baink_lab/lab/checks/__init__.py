"""Checks: what a lab looks at to say whether a step is done, and what to do when it is not."""

from __future__ import annotations

from baink_lab.lab.checks import lab00, lab01, lab02, lab03, lab04, lab05, lab06
from baink_lab.lab.checks.result import Kind, Result, failed, not_yet, passed
from baink_lab.lab.checks.shelf import Check, NoSuchCheck, Shelf

__all__ = [
    "Check",
    "Kind",
    "NoSuchCheck",
    "Result",
    "Shelf",
    "failed",
    "names_of",
    "not_yet",
    "passed",
    "shelf_of",
]

_SHELVES = {
    shelf.number: shelf
    for shelf in (
        lab00.SHELF,
        lab01.SHELF,
        lab02.SHELF,
        lab03.SHELF,
        lab04.SHELF,
        lab05.SHELF,
        lab06.SHELF,
    )
}


def shelf_of(number: int) -> Shelf:
    """The checks, hints and references of a lab; empty when it has none."""
    return _SHELVES.get(number) or Shelf(number, {})


def names_of(number: int) -> list[str]:
    """The checks of a lab, in the order of its notebook."""
    return list(shelf_of(number).checks)
