"""While a check plays, nobody is asked at the desk of the Aiya that runs: a check has its own.

A notebook has a name for that desk. A learner's function that takes it in place of its argument
would send a push to the customer's phone, and leave a record of a conversation that is gone.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from baink_lab.approvals import Approval, Desk
from baink_lab.errors import BainkError, InOneSentence

_IN_A_CHECK: ContextVar[bool] = ContextVar("in_a_check", default=False)


class OtherDesk(InOneSentence, BainkError):
    """A function under check asked at a desk that it was not given."""

    code = "other_desk"

    def __init__(self) -> None:
        super().__init__(
            "this is the desk of the Aiya that runs, and nobody was asked. Your function is given "
            "a desk, as its first argument: ask there"
        )


@contextlib.contextmanager
def in_a_check() -> Iterator[None]:
    """Whatever is begun in this block belongs to a check."""
    token = _IN_A_CHECK.set(True)
    try:
        yield
    finally:
        _IN_A_CHECK.reset(token)


def spare(desk: Desk) -> None:
    """From now on `desk` asks nobody for a check.

    Its `ask` then raises `OtherDesk`.
    """
    ask = desk.ask

    @functools.wraps(ask)
    async def asked(*given: Any, **named: Any) -> Approval:
        if _IN_A_CHECK.get():
            raise OtherDesk
        return await ask(*given, **named)

    desk.ask = asked  # type: ignore[method-assign]
