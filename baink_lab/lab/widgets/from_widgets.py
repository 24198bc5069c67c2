"""From a widget's event to our own event loop.

JupyterLab may deliver clicks through a subshell: a thread with a loop of its own, in which our
locks and clients do not work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from baink_lab.lab.widgets.notebook import shell


class Runner:
    """Runs coroutines on the loop in which it was made, whoever asks. Make it in a cell."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin `work()` on our loop and return at once."""
        self._loop.call_soon_threadsafe(self._begin, work)

    def call(self, work: Callable[[], object]) -> None:
        """Have `work()` done on our loop, soon."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)

    def _begin(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = self._loop.create_task(work())
        self._running.add(task)  # the loop itself keeps only weak references
        task.add_done_callback(self._running.discard)


def has_widgets() -> bool:
    """Whether widgets can be shown here: in a kernel, with ipywidgets installed."""
    try:
        import ipywidgets  # noqa: F401, PLC0415
    except ImportError:
        return False
    return getattr(shell(), "kernel", None) is not None
