"""Lengths of time as people write them: "6 min", "1 h 30 min", "2 days"."""

from __future__ import annotations

import math
import re
from datetime import timedelta

from baink_lab.errors import BainkError, InOneSentence

Duration = str | float | timedelta

_UNITS = {
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "m": 60.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hr": 3600.0,
    "hour": 3600.0,
    "d": 86_400.0,
    "day": 86_400.0,
    "week": 604_800.0,
}
_PART = re.compile(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*([a-z]+)\.?\s*(?:,|and\b)?", re.IGNORECASE)


class DurationError(InOneSentence, BainkError):
    """That is no length of time; the sentence shows how one is written."""

    code = "duration"


def seconds_of(duration: Duration) -> float:
    """The length of time in seconds.

    Args:
        duration: text like "6 min" or "1 h 30 min", a timedelta, or a number of seconds.

    Raises:
        DurationError: it is none of these, or not longer than nothing.
    """
    if isinstance(duration, timedelta):
        seconds: float | None = duration.total_seconds()
    elif isinstance(duration, str):
        seconds = _read(duration)
    elif isinstance(duration, int | float) and not isinstance(duration, bool):
        seconds = float(duration) if abs(duration) < 1e12 else math.inf
    else:
        seconds = None
    if seconds is None:
        raise DurationError(
            f"{duration!r} is no length of time. Write it like "
            '"6 min", "90 s", "1 h 30 min" or "2 days".'
        )
    if not 0 < seconds < math.inf:
        raise DurationError(
            f"{duration!r} is not a time to go forward by: time does not go back, so give more "
            "than nothing and less than forever."
        )
    return seconds


def in_words(seconds: float) -> str:
    """The same the other way round: "6 min", "1 h 30 min", "2 days"; whole seconds."""
    left, parts = round(seconds), []
    for size, name in ((86_400, "day"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}{'s' if name == 'day' and count != 1 else ''}")
    return " ".join(parts) or "0 s"


def _read(text: str) -> float | None:
    at, seconds = 0, 0.0
    text = text.strip()
    negative = text.startswith("-")
    at = 1 if negative else 0
    while at < len(text):
        part = _PART.match(text, at)
        size = _UNITS.get(_singular(part[2])) if part else None
        if part is None or size is None:
            return None
        seconds += float(part[1]) * size
        at = part.end()
    if not text.strip("- "):
        return None
    return -seconds if negative else seconds


def _singular(unit: str) -> str:
    unit = unit.lower()
    return unit if unit in _UNITS else unit.removesuffix("s")
