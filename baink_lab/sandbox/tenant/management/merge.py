"""How a PATCH changes a document: lists are replaced, settings objects are merged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MERGED = frozenset(
    {
        "app_metadata",
        "client_metadata",
        "jwt_configuration",
        "subject_type_authorization",
        "user_metadata",
    }
)


def merged(document: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A changed copy (contract sections 5.4, 5.5 and 5.8, quirk 15).

    Args:
        document: what is there.
        given: what the caller sent. Inside merged objects, null removes a property.
    """
    changed = {**document, **given}
    for name in MERGED.intersection(given):
        both = {**(document.get(name) or {}), **(given[name] or {})}
        changed[name] = {key: value for key, value in both.items() if value is not None}
    return changed
