"""Encrypted home of tokens and of outcomes: the only thing that a waiting node believes."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from langgraph.store.base import BaseStore, PutOp

from baink_lab.clock import Clock, SystemClock
from baink_lab.errors import BainkError

NAMESPACE = ("vault",)


class VaultError(BainkError):
    """The vault's key cannot be used, or an entry was not sealed by it."""

    code = "vault"


class Vault:
    """Seals JSON objects under a name and forgets them when their time is up.

    An entry carries its own name inside the seal, so that one copied over another is refused.

    Args:
        store: any LangGraph store; it sees ciphertext only.
        keys: Fernet keys (URL-safe base64 of 32 bytes). The first one seals, all of them open:
            put a new key in front to rotate.
        clock: tells when an entry's time is up.

    Raises:
        VaultError: no key, or a malformed one.
    """

    def __init__(
        self, store: BaseStore, keys: Sequence[bytes | str], *, clock: Clock | None = None
    ) -> None:
        if not keys:
            raise VaultError("The vault needs at least one key; make one with Fernet.generate_key.")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise VaultError(
                "A vault key is 32 bytes in URL-safe base64, as Fernet.generate_key makes them."
            ) from None
        self._store = store
        self._clock = clock or SystemClock()

    def __repr__(self) -> str:
        return "Vault(sealed)"

    async def put(self, name: str, secret: Mapping[str, Any], *, expires_at: float) -> None:
        """Seal `secret` under `name` until `expires_at` (seconds since the epoch)."""
        await self._store.abatch([self.put_op(name, secret, expires_at=expires_at)])

    def put_op(self, name: str, secret: Mapping[str, Any], *, expires_at: float) -> PutOp:
        """The same as `put`, as an operation that can join others in one batch."""
        inside = json.dumps({"name": name, "expires_at": expires_at, "secret": dict(secret)})
        sealed = self._fernet.encrypt(inside.encode()).decode()
        return PutOp(NAMESPACE, name, {"sealed": sealed, "expires_at": expires_at}, index=False)

    async def get(self, name: str) -> dict[str, Any] | None:
        """What was sealed under `name`; None when there is nothing, or its time is up.

        Raises:
            VaultError: the entry was not sealed by this vault, or under another name.
        """
        item = await self._store.aget(NAMESPACE, name)
        if item is None:
            return None
        try:
            inside = json.loads(self._fernet.decrypt(str(item.value.get("sealed", "")).encode()))
        except InvalidToken:
            raise VaultError(f"The vault's entry {name} was not sealed with its key.") from None
        if inside["name"] != name:
            raise VaultError(f"The vault's entry {name} was sealed under another name.")
        if inside["expires_at"] <= self._clock.now():
            return None
        secret: dict[str, Any] = inside["secret"]
        return secret

    async def forget(self, *names: str) -> None:
        """Remove the entries of these names, if there are any."""
        await self._store.abatch([PutOp(NAMESPACE, name, None) for name in names])

    async def sweep(self, limit: int = 1000) -> int:
        """Remove entries whose time is up; returns how many went."""
        items = await self._store.asearch(NAMESPACE, limit=limit)
        now = self._clock.now()
        late = [item.key for item in items if float(item.value.get("expires_at", 0)) <= now]
        if late:
            await self.forget(*late)
        return len(late)


def key_from_file(path: Path) -> bytes:
    """The key in `path`, which is made with mode 0600 when it is missing.

    It appears whole or not at all: a process that dies here leaves no half a key.

    Raises:
        VaultError: others may read the file.
    """
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was quicker: use its key
            os.link(fresh, path)
        fresh.unlink()
    if path.stat().st_mode & 0o077:
        raise VaultError(f"{path} can be read by others: run chmod 600 on it.")
    return path.read_bytes().strip()
