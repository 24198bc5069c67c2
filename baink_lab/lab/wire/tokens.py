"""Tokens laid side by side with what the bank wants. What is shown cannot be used as a token."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from baink_lab.lab.widgets.show import Shown, table
from baink_lab.settings import TRANSFER_SCOPE, World

OPAQUE = "opaque: no JWT, so for the tenant's /userinfo alone"
_FIRST = ("typ", "iss", "aud", "scope", "sub", "client_id", "azp")
_TIMES = ("iat", "exp", "auth_time")


def claims_of(token: str) -> dict[str, Any] | None:
    """The header's `typ` and all claims, nothing verified; None for what is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        header, claims = (json.loads(_unpacked(part)) for part in parts[:2])
    except ValueError:
        return None
    both = isinstance(header, dict) and isinstance(claims, dict)
    return {"typ": header.get("typ"), **claims} if both else None


def wanted_by_bank(world: World) -> dict[str, str]:
    """What the bAInk's transfers API wants in a token."""
    return {
        "typ": "at+jwt",
        "iss": world.issuer,
        "aud": world.audience,
        "scope": TRANSFER_SCOPE,
    }


def why_refused(claims: Mapping[str, Any], wanted: Mapping[str, str]) -> str | None:
    """The first claim that keeps a token from being accepted: iss, aud or scope; None if all fit.

    Args:
        claims: of the token. `aud` is one text or a list, `scope` is words in one text.
        wanted: by the API: one issuer, one audience, one scope.
    """
    audiences = claims.get("aud", [])
    if claims.get("iss") != wanted["iss"]:
        return "iss"
    if wanted["aud"] not in (audiences if isinstance(audiences, list) else [audiences]):
        return "aud"
    if wanted["scope"] not in str(claims.get("scope", "")).split():
        return "scope"
    return None


def no_token(value: object) -> str:
    """Why something is no token, in a sentence or two; empty for a text."""
    if isinstance(value, str) and value:
        return ""
    if not value:
        return (
            "There is no token: the tenant gives one only after a yes on the phone, to whoever "
            "collects it. Ask, press Approve, collect the answer, and run this cell again."
        )
    kind = type(value).__name__
    if kind == "coroutine":
        return "A token is a text, and nobody waited for this one: write `await` where it is made."
    way = '`.json()["access_token"]` of it' if kind == "Response" else 'its `["access_token"]`'
    return f"A token is a text, and this is a {kind}: take {way}."


def side_by_side(tokens: Mapping[str, str], wanted: Mapping[str, str]) -> Shown:
    """A table of claims: one column for each token, the last for what the bank wants.

    Args:
        tokens: by whose they are. Their signatures are not shown.
        wanted: see `wanted_by_bank`.
    """
    found = {name: claims_of(token) for name, token in tokens.items()}
    names = dict.fromkeys([*_FIRST, *(claim for one in found.values() for claim in one or {})])
    rows = []
    for claim in names:
        cells = [_said(one, claim) for one in found.values()]
        if any(cells) or claim in wanted:
            rows.append([claim, *cells, wanted.get(claim, "")])
    shape = [OPAQUE if one is None else "JWT" for one in found.values()]
    rows.insert(0, ["(form)", *shape, "JWT, RFC 9068"])
    return table("Tokens", ["Claim", *found, "The bank wants"], rows)


def _said(claims: Mapping[str, Any] | None, name: str) -> str:
    value = (claims or {}).get(name, "")
    if name in _TIMES and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).strftime("%H:%M:%S UTC")
    return value if isinstance(value, str) else json.dumps(value)


def _unpacked(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
