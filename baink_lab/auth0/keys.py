"""The tenant's signing keys, fetched when needed and never more often than needed."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from baink_lab.auth0.errors import Unavailable
from baink_lab.auth0.wire import answer_of, send
from baink_lab.clock import Clock

FRESH_SECONDS = 600  # Auth0 advises to keep a key set 5 to 10 minutes
REFETCH_SECONDS = 30  # between two fetches for a kid that we do not know
RETRY_SECONDS = 1  # between two fetches when the tenant does not answer


class KeysUnavailable(Unavailable):
    """The tenant's keys cannot be had now, so nothing can be said about the token."""

    code = "keys_unavailable"


class KeyRing:
    """The tenant's signing keys by `kid` (RFC 7517).

    Args:
        jwks_uri: where the keys are.
        http: the client to fetch with.
        clock: tells how old the keys are.
    """

    def __init__(self, jwks_uri: str, http: httpx.AsyncClient, clock: Clock) -> None:
        self._uri, self._http, self._clock = jwks_uri, http, clock
        self._keys: dict[str, RSAKey] = {}
        self._fetched = self._tried = float("-inf")
        self._one_fetch = asyncio.Lock()

    async def find(self, kid: str) -> RSAKey | None:
        """The key named `kid`; None when the tenant publishes no such key.

        Raises:
            KeysUnavailable: the tenant does not answer.
        """
        # The lock is for those who may fetch: a known key never waits for somebody's fetch.
        if not (self._fresh() and kid in self._keys):
            async with self._one_fetch:
                await self._refresh(kid)
        return self._keys.get(kid)

    def _fresh(self) -> bool:
        return 0 <= self._clock.now() - self._fetched < FRESH_SECONDS

    async def _refresh(self, kid: str) -> None:
        """Fetch the keys if they are old or lack `kid`, unless that was tried just now."""
        if self._fresh() and kid in self._keys:
            return  # whoever held the lock before us has fetched it
        since_try = self._clock.now() - self._tried
        if since_try < 0:  # the clock was set back
            since_try = math.inf
        if self._tried != self._fetched:  # the last try failed, and says nothing about `kid`
            if since_try < RETRY_SECONDS:
                raise KeysUnavailable("The tenant's keys could not be fetched a moment ago.")
            await self._fetch()
        elif since_try >= REFETCH_SECONDS:
            await self._fetch()

    async def _fetch(self) -> None:
        self._tried = self._clock.now()
        try:
            response = await send(self._http, "GET", self._uri)
            entries = answer_of(response).get("keys") if response.status_code == 200 else None
        except Unavailable as failure:
            raise KeysUnavailable(f"The tenant's keys: {failure.sentence}") from None
        if not isinstance(entries, list):
            raise KeysUnavailable(f"The tenant's keys: HTTP {response.status_code}, no key set.")
        keys = [key for entry in entries if (key := _rsa_key(entry))]
        self._keys = {key.kid: key for key in keys if key.kid}
        self._fetched = self._tried


def _rsa_key(entry: Any) -> RSAKey | None:
    """One key of a key set; None for kinds that we do not use (RFC 7517, section 5)."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    try:
        return RSAKey.import_key(entry)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
