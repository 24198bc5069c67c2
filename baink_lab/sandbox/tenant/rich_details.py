"""`authorization_details` of a CIBA request: parsed, and held against the API (RFC 9396)."""

from __future__ import annotations

import re
from typing import Any

from baink_lab.sandbox.tenant.errors import OAuthError
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.wire import parse_json

# Contract section 2.3.
MAX_BYTES = 5 * 1024
MAX_ENTRIES = 5
MAX_PROPERTIES = 10
MAX_DEPTH = 5
_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,255}")


def read_details(
    tenant: Tenant, client: dict[str, Any], api: dict[str, Any] | None, text: str
) -> list[dict[str, Any]]:
    """The array in `text`, when each of its types is registered and allowed.

    Args:
        tenant: for the client's grants.
        client: who asks.
        api: the API named by `audience`; None when none was named.
        text: the parameter as sent.

    Raises:
        OAuthError: 400 `invalid_authorization_details` (RFC 9396 section 5).
    """
    if len(text.encode()) > MAX_BYTES:
        raise _invalid("must be at most 5 KB")
    try:
        value = parse_json(text)
    except ValueError:
        raise _invalid("is not valid JSON") from None
    if not isinstance(value, list) or not 0 < len(value) <= MAX_ENTRIES:
        raise _invalid(f"must be an array of 1 to {MAX_ENTRIES} objects")
    allowed = _allowed_types(tenant, client, api)
    for entry in value:
        if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
            raise _invalid("must be an array of objects, each with a type")
        if entry["type"] not in allowed:
            raise _invalid(f"has the type {entry['type'][:64]!r}, not allowed for this API")
        _check_shape(entry, 1)
    return value


def _allowed_types(
    tenant: Tenant, client: dict[str, Any], api: dict[str, Any] | None
) -> frozenset[str]:
    if api is None:
        return frozenset()
    registered = frozenset(item["type"] for item in api["authorization_details"])
    if api["subject_type_authorization"]["user"]["policy"] != "require_client_grant":
        return registered
    grant = tenant.grant(client["client_id"], api["identifier"], "user") or {}
    return registered & frozenset(grant.get("authorization_details_types") or ())


def _check_shape(value: Any, depth: int) -> None:
    if isinstance(value, str) and len(value) > 255:
        raise _invalid("has a value of more than 255 characters")
    if not isinstance(value, dict | list):
        return
    if depth > MAX_DEPTH:
        raise _invalid(f"is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, list):
        for item in value:
            _check_shape(item, depth + 1)
        return
    if len(value) > MAX_PROPERTIES or not all(map(_NAME.fullmatch, value)):
        raise _invalid(f"has an object with unusable names or more than {MAX_PROPERTIES} of them")
    for item in value.values():
        _check_shape(item, depth + 1)


def _invalid(why: str) -> OAuthError:
    return OAuthError("invalid_authorization_details", f"authorization_details {why}")
