"""A question to the phone that the tenant refused: said in words below the exchange."""

from __future__ import annotations

from baink_lab.lab.wire.watched import Exchange

_TOLD = "The phone was not asked, so there is no auth_req_id"
_WAYS_ON = {
    "too_many_requests": (
        "so many questions in a minute are push fatigue. Wait a minute, and run the cell again."
    ),
    "unauthorized_client": (
        "the tenant does not let this client ask. `await lab.doctor()` says what is missing."
    ),
    "invalid_client": "the client's id and secret must be those of `world`.",
}
_WAYS_ON["access_denied"] = _WAYS_ON["invalid_client"]  # what tenants really say to a wrong secret


def why_not_asked(exchange: Exchange) -> str:
    """What became of a refused question, and what to do; empty for every other exchange."""
    if not exchange.path.partition("?")[0].endswith("/bc-authorize") or exchange.status < 400:
        return ""
    told = exchange.received if isinstance(exchange.received, dict) else {}
    way_on = _WAYS_ON.get(str(told.get("error")), "`error_description` says why.")
    return f"{_TOLD}: {way_on}"
