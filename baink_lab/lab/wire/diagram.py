"""The messages that were really sent, as a sequence diagram; every secret is masked already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from baink_lab.lab.wire.sequence import NOTHING, drawn
from baink_lab.lab.wire.traffic import Message


class Diagram:
    """A sequence diagram in the colours of JupyterLab's theme; in a terminal, lines of text.

    Args:
        messages: oldest first.
        title: what it shows, for screen readers.
    """

    def __init__(self, messages: Sequence[Message], title: str) -> None:
        self._messages = list(messages)
        self._title = title

    def __repr__(self) -> str:
        return "\n".join(one.words for one in self._messages) or f"{NOTHING}."

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        picture = f'<div class="baink-drawn">{drawn(self._messages, self._title)}</div>'
        # As wide as the notebook lets it be, and never wider.
        fitting = "<style>.baink-drawn svg{display:block;max-width:100%;height:auto}</style>"
        shown = {"text/html": f"{fitting}{picture}"} if self._messages else {}
        return shown | {"text/plain": repr(self)}
