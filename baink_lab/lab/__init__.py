"""What notebooks show: the session, its widgets, checks, and the doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from baink_lab.lab.opening import open_lab as open_lab
    from baink_lab.lab.session import Lab as Lab

__all__ = ["Lab", "open_lab"]


def __getattr__(name: str) -> Any:
    """Import at the first use: the doctor lives here too and must be quick."""
    if name == "open_lab":
        from baink_lab.lab.opening import open_lab  # noqa: PLC0415

        return open_lab
    if name == "Lab":
        from baink_lab.lab.session import Lab  # noqa: PLC0415

        return Lab
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
