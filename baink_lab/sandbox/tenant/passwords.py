"""Passwords of the tenant's own users: kept as scrypt hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets

# 16 MiB and some tens of milliseconds: OWASP's floor for scrypt is higher, but these passwords
# are random, generated at the first start, and open nothing but a sandbox.
_COST = {"n": 2**14, "r": 8, "p": 1}


def hash_password(password: str) -> str:
    """A salted scrypt hash, as text."""
    salt = secrets.token_bytes(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, **_COST)
    return f"{salt.hex()}${digest.hex()}"


def password_matches(password: str, stored: str) -> bool:
    """True when `stored` was made from this password. Takes tens of milliseconds."""
    salt, _, expected = stored.partition("$")
    digest = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), **_COST)
    return hmac.compare_digest(digest.hex(), expected)
