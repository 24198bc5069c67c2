"""A folder for what is thrown away: in memory where Linux offers it, else in the usual place.

A check writes some hundred times, and each write to a disk waits for the disk: on a busy machine a
learner waited three times as long.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's own; names in it are made by tempfile
ROOM = 64 * 2**20


@contextlib.contextmanager
def practice_folder() -> Iterator[Path]:
    """A new folder, gone at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="baink-practice-", dir=in_memory()) as name:
        yield Path(name)


def in_memory(room: int = ROOM) -> Path | None:
    """Where files live in memory; None where nothing does, or with fewer than `room` bytes left."""
    try:
        roomy = shutil.disk_usage(SHARED_MEMORY).free > room
    except OSError:  # no Linux
        return None
    return SHARED_MEMORY if roomy and os.access(SHARED_MEMORY, os.W_OK) else None
