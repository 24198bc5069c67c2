"""The messages that were really sent, as a sequence diagram; every secret is masked already."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from baink_lab.lab.wire import Exchange

_TOLD = ("error", "interval", "expires_in", "scope", "token_type", "status", "code")
_LONGEST = 60
_UNSAFE = re.compile(r"[;#<>{}\n]")


class Diagram:
    """A Mermaid sequence diagram; JupyterLab draws it offline, elsewhere it is lines of text.

    Args:
        exchanges: oldest first.
        title: what it shows, for screen readers.
    """

    def __init__(self, exchanges: Sequence[Exchange], title: str) -> None:
        self._exchanges = list(exchanges)
        self._title = title

    @property
    def source(self) -> str:
        """The diagram in Mermaid's language."""
        words = ". ".join(f"{_asked(one)} to {one.to}, {_answered(one)}" for one in self._exchanges)
        lines = ["sequenceDiagram", f"accTitle: {self._title}", f"accDescr: {words}"]
        lines.append("participant Y as You")
        for who in dict.fromkeys(one.to for one in self._exchanges):
            lines.append(f"participant {who}")
        for one in self._exchanges:
            lines.append(f"Y->>{one.to}: {_asked(one)}")
            lines.append(f"{one.to}-->>Y: {_answered(one)}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        if not self._exchanges:
            return "Nothing was sent yet."
        lines = [f"You → {one.to}: {_asked(one)} → {_answered(one)}" for one in self._exchanges]
        return "\n".join(lines)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        drawn = {"text/vnd.mermaid": self.source} if self._exchanges else {}
        return drawn | {"text/plain": repr(self)}


def _asked(one: Exchange) -> str:
    return _plain(f"{one.method} {one.path.partition('?')[0]}")


def _answered(one: Exchange) -> str:
    told = one.received if isinstance(one.received, dict) else {}
    parts = [f"{name} {told[name]}" for name in _TOLD if name in told]
    if "auth_req_id" in told:
        parts.insert(0, "auth_req_id")
    if "access_token" in told:
        parts.insert(0, "access_token")
    return _plain(", ".join([str(one.status), *parts]))


def _plain(text: str) -> str:
    text = _UNSAFE.sub(" ", text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
