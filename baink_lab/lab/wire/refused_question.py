"""A cell that looks for an auth_req_id in a refusal: told where to ask again, no traceback."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_MEMBERS = ("auth_req_id", "interval", "expires_in")


def refused_question(failure: KeyError, names: Mapping[str, Any], cell: str) -> tuple[str, str]:
    """The name that holds a refusal in place of an answer, and the error; empty when none does.

    Args:
        failure: what the cell raised.
        names: of the notebook.
        cell: its source.
    """
    if failure.args[:1] not in {(one,) for one in _MEMBERS}:
        return "", ""
    for name in re.findall(r"[A-Za-z_]\w*", cell):
        one = names.get(name)
        if isinstance(one, dict) and "error" in one and "auth_req_id" not in one:
            return name, str(one["error"])
    return "", ""


def go_back(error: object) -> str:
    """How the way back begins after a refusal with this code of OAuth's."""
    return "Wait a minute, then go back" if error == "too_many_requests" else "Go back"


def sentence(name: str, error: str, heading: str) -> str:
    """What to do about it.

    Args:
        name: of what holds the refusal.
        error: OAuth's code.
        heading: above the cell that asks.
    """
    under = f" to “{heading}”" if heading else ""
    return (
        f"`{name}` holds no auth_req_id: the tenant refused the question ({error}). "
        f"{go_back(error)}{under}, run the cell that makes `{name}` again, and go on from there."
    )
