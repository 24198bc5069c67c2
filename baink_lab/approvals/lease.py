"""Who polls: of all resumers on one store, one at a time.

Two that poll the same request come between each other: the tenant sees polls at half the
interval, answers each with `slow_down`, and neither ever gets the outcome.
"""

from __future__ import annotations

import os
import socket
import uuid
from typing import Any

from langgraph.store.base import BaseStore

from baink_lab.clock import Clock

NAMESPACE = ("leases",)
NAME = "resumer"
LEASE_SECONDS = 15.0


class Lease:
    """The right to poll, kept in the store and renewed while its holder lives.

    A store has no compare-and-set, so for a moment two may both think that they hold it: then
    the tenant says `slow_down` once, and the next look ends it.

    Args:
        store: where all resumers look.
        clock: what tells the time.
    """

    def __init__(self, store: BaseStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._owner = uuid.uuid4().hex
        self.held = False

    async def hold(self) -> bool:
        """Take the lease if it is free, renew it if it is ours; True while we hold it."""
        now = self._clock.now()
        item = await self._store.aget(NAMESPACE, NAME)
        if item is None or self._is_free(item.value, now):
            mine = {"owner": self._owner, "host": socket.gethostname(), "pid": os.getpid()}
            until = {"until": now + LEASE_SECONDS}
            await self._store.aput(NAMESPACE, NAME, mine | until, index=False)
            item = await self._store.aget(NAMESPACE, NAME)  # another may have been quicker
        self.held = item is not None and item.value.get("owner") == self._owner
        return self.held

    async def release(self) -> None:
        """Let the next one poll at once."""
        if self.held:
            await self._store.adelete(NAMESPACE, NAME)
            self.held = False

    def _is_free(self, lease: dict[str, Any], now: float) -> bool:
        if lease.get("owner") == self._owner:
            return True
        left = float(lease.get("until", 0.0)) - now
        # One that lasts longer than any lease was written before the clock was set back.
        return not 0 < left <= LEASE_SECONDS or _is_dead(lease)


def _is_dead(lease: dict[str, Any]) -> bool:
    """Whether the holder was a process of this machine and is no more: killed, say."""
    process_id = lease.get("pid")
    if lease.get("host") != socket.gethostname() or not isinstance(process_id, int):
        return False
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
