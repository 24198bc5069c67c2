"""Work that is done once it is awaited, and that says so where somebody forgot the `await`."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Unawaited(Awaitable[T], Generic[T]):
    """What an async function returns; a coroutine would be shown as `<coroutine object …>`.

    Args:
        call: the line as it should have been written.
        work: begins the work; called by `await` alone, so nothing is left over without one.
    """

    def __init__(self, call: str, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._call = call
        self._work = work

    def __await__(self) -> Generator[Any, Any, T]:
        return self._work().__await__()

    def __repr__(self) -> str:
        return f"Nothing was done yet: write `await` in front, like this: {self._call}"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        words = html.escape(repr(self))
        return {"text/html": f'<p role="status">{words}</p>', "text/plain": repr(self)}
