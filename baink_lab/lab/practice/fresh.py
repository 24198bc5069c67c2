"""A new tenant for each practice; what it is seeded with is made once, since its keys take time."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator

from baink_lab.lab.practice.folder import practice_folder
from baink_lab.sandbox.tenant import Tenant

ISSUER = "https://practice.example/"
NOON = 1_800_000_000.0


@contextlib.contextmanager
def fresh_tenant(now: Callable[[], float]) -> Iterator[Tenant]:
    """A tenant that nobody has used yet, gone at the end of the block.

    Each has a file of its own. Names, secrets and signing keys are those of this process; no other
    process has them.

    Args:
        now: seconds since the epoch.
    """
    with practice_folder() as folder:
        path = folder / "tenant.db"
        path.write_bytes(_seeded())
        with contextlib.closing(Tenant.open(path, issuer=ISSUER, relaxed=True, now=now)) as tenant:
            yield tenant


@functools.cache
def _seeded() -> bytes:
    """The file of a new tenant, closed."""
    with practice_folder() as folder:
        path = folder / "tenant.db"
        Tenant.open(path, issuer=ISSUER, relaxed=True, now=lambda: NOON).close()
        return path.read_bytes()
