"""Which process asked for an approval and which one told its outcome: one line for each, on disk.

That an approval outlives its process can be seen nowhere else: records and checkpoints look the
same, whoever wrote them. That is their point.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Literal

from baink_lab.approvals import Approval, Desk

FILE = "lives.jsonl"

#: This process, told apart from a later one with the same number.
LIFE = f"{os.getpid()}-{time.time_ns()}"

Deed = Literal["asked", "told"]


def watch(desk: Desk, folder: Path) -> None:
    """From now on, note in `folder` what this process asks for and what it tells."""

    def note(deed: Deed, approval: Approval) -> None:
        line = json.dumps({"approval": approval.id, "deed": deed, "life": LIFE})
        with (folder / FILE).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    desk.on_asked(lambda approval: note("asked", approval))
    desk.on_delivered(lambda approval: note("told", approval))


def outlived(folder: Path, approval_id: str) -> bool:
    """Whether one process asked and another one told."""
    lives = _lives(folder, approval_id)
    return len(lives) == 2 and lives["asked"] != lives["told"]


def asked_elsewhere(folder: Path, approval_id: str) -> bool:
    """Whether another process than this one asked."""
    return _lives(folder, approval_id).get("asked", LIFE) != LIFE


def _lives(folder: Path, approval_id: str) -> dict[str, str]:
    """By deed, the life that did it first."""
    lives: dict[str, str] = {}
    path = folder / FILE
    for line in path.read_text("utf-8").splitlines() if path.exists() else []:
        try:
            noted = json.loads(line)
        except ValueError:  # a process that was killed may leave half a line
            continue
        if noted.get("approval") == approval_id:
            lives.setdefault(str(noted["deed"]), str(noted["life"]))
    return lives
