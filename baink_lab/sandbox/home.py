"""The files of one sandbox folder: lock, ready line, log, addresses, clock."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from baink_lab.errors import BainkError, InOneSentence

LOCK = "sandbox.lock"
READY = "ready.json"
LOG = "sandbox.log"
ADDRESSES = "addresses.json"
CLOCK = "clock.json"


class HomeError(InOneSentence, BainkError):
    """BAINK_HOME cannot be used; the sentence says why."""

    code = "home"


def folder(home: Path, *, live: bool) -> Path:
    """Where the state lives: `home`, or `home/live` so that both modes can run side by side."""
    return home / "live" if live else home


def folders(home: Path) -> list[Path]:
    """Every folder below `home` that may hold a sandbox's lock."""
    return [folder(home, live=live) for live in (False, True)]


def make(path: Path) -> Path:
    """Create `path` for its owner alone (0700), parents included; return it.

    Raises:
        HomeError: it cannot be made, or not be written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        why = "" if os.access(path, os.W_OK | os.X_OK) else "not writable"
    except OSError as failure:
        why = failure.strerror or type(failure).__name__
    if why:
        raise HomeError(
            f"The folder {path} cannot be used ({why}). "
            "Set BAINK_HOME to a folder that you can write to."
        )
    return path


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; empty when it is missing or damaged."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path` in one step, readable by its owner alone (0600)."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write `value` as JSON; see `write_private`."""
    write_private(path, json.dumps(value) + "\n")
