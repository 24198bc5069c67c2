"""One thing that the doctor looked at."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple


@dataclasses.dataclass(frozen=True)
class Finding:
    """What was looked at, and what to do about it.

    Attributes:
        name: of the thing.
        ok: True when it is well, False when it is not, None when it could not be checked.
        found: what is there, in words. Never holds a secret.
        fix: what to do; empty when all is well.
        why: what goes wrong without it; empty when all is well.
    """

    name: str
    ok: bool | None
    found: str
    fix: str = ""
    why: str = ""


class Mark(NamedTuple):
    """How `Finding.ok` is shown: to the eye, and in words."""

    sign: str
    word: str


def judged(name: str, ok: bool, found: str, *, why: str, fix: str) -> Finding:
    """A finding that says why and what to do only when something is wrong."""
    return Finding(name, True, found) if ok else Finding(name, False, found, fix, why)


def mark(ok: bool | None) -> Mark:
    """The sign and the word for `Finding.ok`."""
    if ok is None:
        return Mark("⚪", "not checked")
    return Mark("✅", "good") if ok else Mark("❌", "wrong")
