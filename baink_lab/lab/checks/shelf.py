"""What each lab has on its shelf: checks, hints, and the references of its exercises."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from baink_lab.errors import BainkError, InOneSentence
from baink_lab.lab.checks.exercises import Reference
from baink_lab.lab.checks.result import Result

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

#: Looks at the evidence of one lab; see `baink_lab.lab.session.Lab`.
Check: TypeAlias = "Callable[[Lab], Awaitable[Result]]"


class NoSuchCheck(InOneSentence, BainkError):
    """The lab has no check of that name; the sentence lists those that it has."""

    code = "no_such_check"


@dataclasses.dataclass(frozen=True)
class Shelf:
    """One lab's checks.

    Attributes:
        number: of the lab.
        checks: by name, in the order of the notebook.
        hints: for each check, from where to look to what to do; those of a recognised mistake
            come first, see `mistakes`.
        references: of the checks that are exercises.
    """

    number: int
    checks: Mapping[str, Check]
    hints: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    references: Mapping[str, Reference] = dataclasses.field(default_factory=dict)

    def check(self, name: str) -> Check:
        """The check of that name.

        Raises:
            NoSuchCheck: there is none.
        """
        return self.checks[self._known(name, self.checks, "check")]

    def hint(self, name: str) -> tuple[str, ...]:
        """The hints of a check.

        Raises:
            NoSuchCheck: there is no check of that name.
        """
        self.check(name)
        return self.hints.get(name) or (f'Run await lab.check("{name}"): it says what to do.',)

    def reference(self, name: str) -> Reference:
        """What stands in for an exercise.

        Raises:
            NoSuchCheck: there is no exercise of that name.
        """
        return self.references[self._known(name, self.references, "exercise")]

    def _known(self, name: str, among: Mapping[str, object], kind: str) -> str:
        if name in among:
            return name
        if not among:
            raise NoSuchCheck(
                f"Lab {self.number:02d} has no {kind}s, so there is no solution to show. "
                "lab.hint(…), with the name of a check, helps on."
            )
        known = ", ".join(f'"{one}"' for one in among)
        if not name:
            raise NoSuchCheck(f"Say which {kind}, by its name. Lab {self.number:02d} has: {known}.")
        raise NoSuchCheck(f'Lab {self.number:02d} has no {kind} "{name}". It has: {known}.')
