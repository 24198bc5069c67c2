"""A text where something else was given: told in a sentence, with the way to the text."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from baink_lab.errors import BainkError, InOneSentence


class NoText(InOneSentence, BainkError):
    """Something else was given where a text belongs."""

    code = "no_text"


def text_of(value: Any, what: str, member: str = "") -> str:
    """The value, which has to be a text.

    Args:
        value: what was given.
        what: it should be, with its article, such as "an account's id".
        member: under which an object of this kind has the text.

    Raises:
        NoText: it is none.
    """
    if isinstance(value, str):
        return value
    kind = type(value).__name__
    said = f"{what[0].upper()}{what[1:]} is a text, and this is of type {kind}"
    if inspect.iscoroutine(value):
        value.close()  # or Python would warn of it some cells later
        raise NoText(f"{said}: write `await` where it is made.")
    if member and hasattr(value, "json"):
        raise NoText(f'{said}: take `.json()["{member}"]` of it.')
    if member and isinstance(value, Mapping):
        raise NoText(f'{said}: take its `["{member}"]`.')
    raise NoText(f"{said}.")
