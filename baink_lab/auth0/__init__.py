"""A tenant, seen from a client: discovery, CIBA, tokens, login, management."""

from baink_lab.auth0.ciba import CibaClient, CibaRequest, Pending, Tokens
from baink_lab.auth0.errors import (
    AccessDenied,
    Auth0Error,
    CibaError,
    Expired,
    RequestSpent,
    Unavailable,
    Unenrolled,
)

__all__ = [
    "AccessDenied",
    "Auth0Error",
    "CibaClient",
    "CibaError",
    "CibaRequest",
    "Expired",
    "Pending",
    "RequestSpent",
    "Tokens",
    "Unavailable",
    "Unenrolled",
]
