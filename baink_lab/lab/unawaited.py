"""A forgotten `await` at the end of a cell: what is shown for it in place of `<coroutine …>`."""

from __future__ import annotations

import html
import types
from pathlib import Path
from typing import Any

_OURS = str(Path(__file__).parents[1])


def tell_forgotten_await() -> None:
    """From now on a notebook that shows a coroutine of ours says what is missing."""
    from IPython import get_ipython  # noqa: PLC0415 - notebooks only

    if shell := get_ipython():
        formatters: Any = shell.display_formatter.formatters
        formatters["text/plain"].for_type(types.CoroutineType, _as_text)
        formatters["text/html"].for_type(types.CoroutineType, _as_html)


def _as_text(shown: types.CoroutineType[Any, Any, Any], printer: Any, cycle: bool) -> None:
    printer.text(_sentence(shown) or repr(shown))


def _as_html(shown: types.CoroutineType[Any, Any, Any]) -> str | None:
    sentence = _sentence(shown)
    return f'<p role="status">{html.escape(sentence)}</p>' if sentence else None


def _sentence(shown: types.CoroutineType[Any, Any, Any]) -> str:
    if not shown.cr_code.co_filename.startswith(_OURS):
        return ""
    shown.close()  # or Python would warn of it again, some cells later
    name = shown.__name__
    return (
        f"Nothing was done yet: write `await` in front of the call of `{name}`, and run it again."
    )
