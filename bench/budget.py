"""One line of the bench: what was measured, and what was promised."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Row:
    """A measurement; `target` is None for figures that DESIGN.md only wants printed.

    The target is a most, or with `at_least` a least.
    """

    what: str
    measured: float
    unit: str
    target: float | None = None
    at_least: bool = False

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        enough = self.measured >= self.target if self.at_least else self.measured <= self.target
        return "met" if enough else "MISSED"


def table(rows: Sequence[Row]) -> str:
    """The rows as text, aligned."""
    lines = [("what", "measured", "target", "")]
    for row in rows:
        sign = ">=" if row.at_least else "<="
        target = "" if row.target is None else f"{sign} {row.target:g} {row.unit}"
        lines.append((row.what, f"{row.measured:.4g} {row.unit}", target, row.verdict))
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
