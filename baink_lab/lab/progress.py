"""What a learner has done so far: one plain JSON file in BAINK_HOME, easy to read and hand in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from baink_lab.lab.widgets.show import Shown, table
from baink_lab.sandbox import home

if TYPE_CHECKING:
    from baink_lab.lab.checks.result import Result

FILE = "progress.json"
LOCK_SECONDS = 10.0
_FORMAT = 1


class Progress:
    """Checks passed and tries made, over all labs. Several notebooks may have it open.

    Args:
        folder: where the file is: BAINK_HOME, or `live` below it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._lock = FileLock(folder / f"{FILE}.lock", timeout=LOCK_SECONDS)

    def read(self) -> dict[str, Any]:
        """Everything in the file; the empty form when there is none yet."""
        empty = {"format": _FORMAT, "version": metadata.version("baink-lab"), "labs": {}}
        return empty | home.read_json(self.path)

    @contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        """Everything in the file, written back at the end of the block."""
        with self._lock:
            content = self.read()
            yield content
            text = json.dumps(content, indent=2, ensure_ascii=False)
            home.write_private(self.path, f"{text}\n")

    def note(self, number: int, result: Result) -> None:
        """Count a check that was made, and when it passed for the first time."""
        with self.change() as content:
            checks = content["labs"].setdefault(f"{number:02d}", {}).setdefault("checks", {})
            one = checks.setdefault(result.name, {"tries": 0})
            one["tries"] += 1
            one["last"] = result.kind.value
            if result:
                one.setdefault("passed_at", datetime.now(UTC).isoformat(timespec="seconds"))

    def tries(self, number: int, name: str) -> int:
        """How often the learner's own work was looked at."""
        return int(self._noted(number, name).get("tries", 0))

    def passed(self, number: int, name: str) -> bool:
        """Whether a check has passed at any time."""
        return "passed_at" in self._noted(number, name)

    def _noted(self, number: int, name: str) -> dict[str, Any]:
        """What is kept of one check; empty before its first try."""
        checks = self.read()["labs"].get(f"{number:02d}", {}).get("checks", {})
        found: dict[str, Any] = checks.get(name, {})
        return found

    def forget(self, number: int) -> None:
        """Begin a lab anew."""
        with self.change() as content:
            content["labs"].pop(f"{number:02d}", None)

    def begin(self, number: int, log_id: str) -> None:
        """Remember the tenant's newest log entry: what comes after it belongs to the lab."""
        with self.change() as content:
            content["labs"].setdefault(f"{number:02d}", {})["begun_after"] = log_id

    def begun_after(self, number: int) -> str | None:
        """The log entry after which the lab was begun; None before that."""
        found = self.read()["labs"].get(f"{number:02d}", {}).get("begun_after")
        return found if isinstance(found, str) else None

    def export(self, path: Path) -> Path:
        """Copy the file to where the learner wants it."""
        with self.change():
            pass
        return Path(shutil.copyfile(self.path, path))

    def shown(self, labs: dict[int, tuple[str, list[str]]]) -> Shown:
        """A table: which checks of which lab are passed, in words and as a bar.

        Args:
            labs: name and checks of each, by number.
        """
        done = self.read()["labs"]
        rows, bars = [], []
        for number, (name, checks) in labs.items():
            mine = done.get(f"{number:02d}", {}).get("checks", {})
            good = [one for one in checks if mine.get(one, {}).get("passed_at")]
            left = ", ".join(one for one in checks if one not in good) or "nothing"
            rows.append([f"{number:02d} {name}", f"{len(good)} of {len(checks)}", left])
            bars.append(_bar(f"Lab {number:02d}", len(good), len(checks)))
        told = table("Progress", ["Lab", "Passed", "Left"], rows)
        # Each count is in the table once a lab, in the order of the labs.
        shown, at = told.html, 0
        for (_, count, _), bar in zip(rows, bars, strict=True):
            at = shown.index(f">{count}<", at) + 1 + len(count)
            shown = f"{shown[:at]} {bar}{shown[at:]}"
        return Shown(shown, told.text)


def _bar(what: str, good: int, most: int) -> str:
    words = f"{what}: {good} of {most} passed"
    return f'<progress max="{most}" value="{good}" aria-label="{words}">{words}</progress>'
