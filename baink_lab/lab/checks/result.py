"""What a check says: one of five kinds, why, and the next thing to try."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any

from baink_lab.lab.widgets.show import no_formula, with_code


class Kind(enum.StrEnum):
    """The five results of a check (DESIGN.md, A lab notebook)."""

    NOT_RUN = "not run"
    NOT_ATTEMPTED = "not attempted"
    WRONG = "wrong"
    RAISED = "raised"
    PASSED = "passed"


@dataclasses.dataclass(frozen=True)
class Result:
    """The answer of one check.

    Attributes:
        name: of the check.
        kind: which of the five.
        why: what was seen, and why it is right or wrong.
        next_step: what to do; empty when passed.
        mistake: id of the mistake that was recognised, like ``T5``; see docs.
        hints: for this very failure; the check's own follow.
    """

    name: str
    kind: Kind
    why: str
    next_step: str = ""
    mistake: str = ""
    hints: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.kind is Kind.PASSED

    def __repr__(self) -> str:
        sign = "✅" if self else ("⬜" if self.kind is Kind.NOT_ATTEMPTED else "❌")
        lines = [f"{sign} {self.name}: {self.kind}. {self.why}"]
        return "\n".join([*lines, *([f"→ {self.next_step}"] if self.next_step else [])])

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        first, *rest = (with_code(line) for line in repr(self).splitlines())
        more = "".join(f"<br>{line}" for line in rest)
        return {
            "text/html": no_formula(f'<p role="status"><strong>{first}</strong>{more}</p>'),
            "text/plain": repr(self),
        }


def passed(name: str, why: str) -> Result:
    """It works; `why` says why it does."""
    return Result(name, Kind.PASSED, why)


def failed(
    name: str, why: str, next_step: str, mistake: str = "", *, hints: tuple[str, ...] = ()
) -> Result:
    """Something else than wanted was seen."""
    return Result(name, Kind.WRONG, why, next_step, mistake, hints)


def slip(name: str, why: str, step: str, mistake: str = "") -> Result:
    """A mistake whose next step is its first hint too; those of the named mistake come then."""
    return failed(name, why, step, mistake, hints=(step,))


def not_yet(name: str, why: str, next_step: str) -> Result:
    """Nothing was done yet that could be looked at."""
    return Result(name, Kind.NOT_ATTEMPTED, why, next_step)
