"""What notebooks show: the session, its widgets, checks, and the doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from baink_lab.lab.opening import open_lab as open_lab
    from baink_lab.lab.session import Lab as Lab

__all__ = ["Lab", "open_lab"]


def __getattr__(name: str) -> Any:
    """Import the session at its first use: the doctor lives here too and must be quick."""
    if name in __all__:
        from baink_lab.lab import opening  # noqa: PLC0415

        return getattr(opening, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
