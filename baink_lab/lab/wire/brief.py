"""An exchange made brief for a cell's output: of a changed object, what was asked to be changed."""

from __future__ import annotations

import dataclasses

from baink_lab.lab.wire.watched import Exchange

_FEW = 3  # members beside those that were sent: shown as they are


def brief(exchange: Exchange) -> Exchange:
    """The same; after a PATCH that succeeded, the answer's other members are only counted.

    The tenant answers with the whole object, and the line that has changed is lost among forty.
    """
    sent, received = exchange.sent, exchange.received
    both = isinstance(sent, dict) and isinstance(received, dict)
    if not both or exchange.method != "PATCH" or exchange.status >= 300:
        return exchange
    asked = {name: value for name, value in received.items() if name in sent}
    others = len(received) - len(asked)
    if not asked or others <= _FEW:
        return exchange
    more = {"…": f"and {others} more: answer.json() has them all, secrets too"}
    return dataclasses.replace(exchange, received=asked | more)
