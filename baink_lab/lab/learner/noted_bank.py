"""The bank as a learner's `transfer` is given it: the same, and what became of the transfer."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from baink_lab.bank.client import BankClient, BankError


class NotedBank:
    """Hands everything on to the bank.

    Args:
        bank: the client.
        before: is awaited before each transfer.

    Attributes:
        moved: whether a transfer was confirmed.
        refused: the code of the bank's refusal; empty when it refused nothing.
    """

    def __init__(self, bank: BankClient, before: Callable[[], Awaitable[None]]) -> None:
        self._bank = bank
        self.moved = False
        self.refused = ""

        @functools.wraps(bank.transfer)  # its name too: a forgotten `await` is told by it
        async def transfer(*given: Any, **named: Any) -> dict[str, Any]:
            await before()
            try:
                receipt = await bank.transfer(*given, **named)
            except BankError as refusal:
                self.refused = refusal.code
                raise
            self.moved = True
            return receipt

        self.transfer = transfer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bank, name)
