"""Which checks there are: for each lab, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from baink_lab.errors import BainkError
from baink_lab.lab.checks import lab00
from baink_lab.lab.checks.result import Result

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

#: Looks at the evidence of one lab; see `baink_lab.lab.session.Lab`.
Check: TypeAlias = "Callable[[Lab], Awaitable[Result]]"

CHECKS: Mapping[int, Mapping[str, Check]] = {0: lab00.CHECKS}


class NoSuchCheck(BainkError):
    """The lab has no check of that name; the sentence lists those that it has."""

    code = "no_such_check"


def find(number: int, name: str) -> Check:
    """The check of a lab.

    Raises:
        NoSuchCheck: there is none of that name.
    """
    checks = CHECKS.get(number, {})
    if name not in checks:
        known = ", ".join(f'"{one}"' for one in checks) or "none yet"
        raise NoSuchCheck(f'Lab {number:02d} has no check "{name}". It has: {known}.')
    return checks[name]
