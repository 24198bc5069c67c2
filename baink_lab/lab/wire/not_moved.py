"""A transfer that the bank refused for its token in lab 04: said in words below the exchange."""

from __future__ import annotations

from baink_lab.lab.wire.watched import Exchange

_AGAIN = "Go back to “For real”, ask again, and go on from there."


def why_not_moved(exchange: Exchange) -> str:
    """What became of a refused transfer, and what to do; empty for every other exchange."""
    if exchange.to != "Bank" or exchange.status not in {401, 403}:
        return ""
    return (
        "Nothing was moved: the bank takes a token for five minutes, and for one transfer. "
        f"{_AGAIN}"
    )
