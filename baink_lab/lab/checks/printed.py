"""What a learner's function prints while a check runs it: shown as always, and kept to look at."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def prints_kept() -> Iterator[io.StringIO]:
    """In this block what is printed is kept, and printed."""
    kept = _Kept(sys.stdout)
    with contextlib.redirect_stdout(kept):
        yield kept


class _Kept(io.StringIO):
    def __init__(self, out: Any) -> None:
        super().__init__()
        self._out = out

    def write(self, text: str) -> int:
        super().write(text)
        return int(self._out.write(text))

    def flush(self) -> None:
        self._out.flush()
