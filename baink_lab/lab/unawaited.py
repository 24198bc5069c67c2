"""A forgotten `await` at the end of a cell: what is shown for it in place of `<coroutine …>`."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

from baink_lab.lab.notebook import shell
from baink_lab.lab.show import paragraph

_OURS = str(Path(__file__).parents[1])


def tell_forgotten_await() -> None:
    """From now on a notebook that shows a coroutine of ours says what is missing."""
    if running := shell():
        formatters = running.display_formatter.formatters
        formatters["text/plain"].for_type(types.CoroutineType, _as_text)
        formatters["text/html"].for_type(types.CoroutineType, _as_html)


def _as_text(shown: types.CoroutineType[Any, Any, Any], printer: Any, cycle: bool) -> None:
    printer.text(_sentence(shown) or repr(shown))


def _as_html(shown: types.CoroutineType[Any, Any, Any]) -> str | None:
    sentence = _sentence(shown)
    return paragraph(sentence).html if sentence else None


def _sentence(shown: types.CoroutineType[Any, Any, Any]) -> str:
    if not shown.cr_code.co_filename.startswith(_OURS):
        return ""
    shown.close()  # or Python would warn of it again, some cells later
    name = shown.__name__
    return (
        f"Nothing was done yet: write `await` in front of the call of `{name}`, and run it again."
    )
