"""Things to show in a notebook: HTML for browsers and screen readers, text for everybody else."""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Generator, Sequence
from datetime import datetime
from typing import Any

from baink_lab.lab.widgets.notebook import shell

#: For cells with words: JupyterLab sets all to the right, which is for numbers.
LEFT = 'style="text-align:left"'

#: The same in a table of ours: inside a widget nothing else keeps its columns apart.
_APART = 'style="text-align:left;padding:0.25em 0.5em"'

#: An id, an address: whatever is longer than English words are. A table that may not break it is
#: wider than a narrow window, and its last columns are out of sight.
_LONG_WORD = re.compile(r"(\S{16,})")

#: JupyterLab breaks printed lines in the middle of words and of amounts.
_BETWEEN_WORDS = (
    "<style>.jp-OutputArea-output pre{word-break:normal;overflow-wrap:anywhere}</style>"
)

#: For ears alone: what eyes see elsewhere.
UNSEEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"

#: What MathJax would set as a formula: between two `$`, say two amounts.
_LIKE_A_FORMULA = re.compile(r"[$\\]")

#: Arrows that are seen on white and on black: a picture is not drawn anew when the theme changes.
_BOTH_THEMES = "%%{init: {'themeVariables': {'lineColor': '#888888'}}}%%"

_ONLY_ELSEWHERE = "<style>.jp-LabShell .baink-words{display:none}</style>"


@dataclasses.dataclass(frozen=True)
class Shown:
    """One output in two forms; a notebook takes the richest that it can show.

    Attributes:
        html: safe to show as it is.
        text: says the same in words.
    """

    html: str
    text: str

    def __repr__(self) -> str:
        return self.text

    def __await__(self) -> Generator[None, None, Shown]:
        """Nothing is waited for: who writes `await` where none is needed sees the same."""
        yield from ()
        return self

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        return {"text/html": no_formula(self.html), "text/plain": self.text}


class WidgetShown:
    """A widget with words for where widgets cannot be shown (GitHub, nbconvert, a terminal)."""

    def __init__(self, widget: Any, text: str) -> None:
        self.widget = widget
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        told = self.widget._repr_mimebundle_(**kwargs)
        bundle = told[0] if isinstance(told, tuple) else told  # anywidget gives metadata too
        return dict(bundle) | {"text/plain": self.text}

    def _ipython_display_(self, **kwargs: Any) -> None:
        """Both, one below the other: nbconvert takes the widget, cannot draw it, and shows nothing.

        Where the widget is drawn, in JupyterLab, the words are not.
        """
        from IPython import display as ipython  # noqa: PLC0415 - notebooks only

        publish: Any = ipython.publish_display_data
        publish(self._repr_mimebundle_())
        lines = "<br>".join(html.escape(line) for line in self.text.splitlines())
        publish({"text/html": no_formula(elsewhere(lines))})


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A picture in Mermaid's language, with words for where it is not drawn.

    Attributes:
        mermaid: its source; JupyterLab draws it offline.
        text: says the same in words.
    """

    mermaid: str
    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        drawn = f"{_BOTH_THEMES}\n{self.mermaid}"
        return {"text/vnd.mermaid": drawn, "text/plain": self.text}


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Shown:
    """A table; cells are plain text."""
    cells = "".join(
        "<tr>" + "".join(f"<td {_APART}>{flowing(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    titles = "".join(f'<th scope="col" {_APART}>{flowing(title)}</th>' for title in head)
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return Shown(
        f"<table><caption>{html.escape(caption)}</caption><tr>{titles}</tr>{cells}</table>",
        "\n".join([f"{caption}:", *lines]),
    )


def flowing(text: str) -> str:
    """Text for a cell of a table, safe as HTML; a long word in it may be broken anywhere."""
    parts = _LONG_WORD.split(text)
    return "".join(
        f'<span style="overflow-wrap:anywhere">{html.escape(part)}</span>'
        if at % 2
        else html.escape(part)
        for at, part in enumerate(parts)
    )


def with_code(line: str) -> str:
    """A sentence as HTML; what stands in backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(line))


def no_formula(shown: str) -> str:
    """HTML that is shown as it is: MathJax sets formulas in every output, and amounts are none.

    The first class is for JupyterLab's MathJax 3, the other one for what nbconvert writes.
    """
    if not _LIKE_A_FORMULA.search(shown):
        return shown
    return f'<div class="mathjax_ignore tex2jax_ignore">{shown}</div>'


def elsewhere(words: str) -> str:
    """HTML that JupyterLab hides, since it draws a widget that says the same."""
    return f'{_ONLY_ELSEWHERE}<p class="baink-words">{words}</p>'


def break_between_words() -> None:
    """From here on this notebook breaks printed lines between words. Elsewhere nothing is done."""
    if shell() is not None:
        from IPython import display as ipython  # noqa: PLC0415 - notebooks only

        publish: Any = ipython.publish_display_data
        publish({"text/html": _BETWEEN_WORDS})


def paragraph(text: str) -> Shown:
    """A sentence or two; screen readers tell it when it comes."""
    return Shown(f'<p role="status">{with_code(text)}</p>', text)


def link(text: str, url: str) -> Shown:
    """A link that opens beside the notebook."""
    shown = f'<a href="{html.escape(url)}" target="_blank" rel="noreferrer">{html.escape(text)}</a>'
    return Shown(f"<p>{shown}</p>", f"{text}: {url}")


def source(text: str) -> Shown:
    """Program text."""
    return Shown(f'<pre tabindex="0">{html.escape(text)}</pre>', text)


def counted(number: int, one: str, many: str = "") -> str:
    """How many things, in words: "1 phone", "2 pushes".

    Args:
        number: of things.
        one: what one of them is called.
        many: what several are called; `one` and an s when left out.
    """
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def clock_face(seconds: float) -> str:
    """Minutes and seconds, like 4:59."""
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def seconds_of_date(date: str) -> float:
    """A date as servers write it (ISO 8601), in seconds since the epoch."""
    return datetime.fromisoformat(date).timestamp()


def time_of_day(at: float) -> str:
    """A moment as a clock on the wall shows it, like 14:05:09."""
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")
