"""What a tenant can answer that is not a token, as exceptions.

Auth0Error
├── Unavailable           no answer, 429, 5xx or broken JSON: try again later
└── CibaError             a CIBA request came to an end without tokens
    ├── AccessDenied      the customer said no
    ├── Expired           nobody answered in time
    ├── Unenrolled        the customer has no device that can be asked
    └── RequestSpent      this auth_req_id is unknown, foreign or already exchanged
"""

from __future__ import annotations

from baink_lab.errors import BainkError, InOneSentence


class Auth0Error(BainkError):
    """The tenant refused; `code` is the OAuth `error` of its answer."""

    code = "auth0_error"


class Unavailable(InOneSentence, Auth0Error):
    """The tenant gave no usable answer; this says nothing about the customer's decision.

    Args:
        sentence: what happened.
        retry_after: seconds that the tenant asks us to wait, when it says so.
    """

    code = "temporarily_unavailable"

    def __init__(
        self, sentence: str, *, code: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(sentence, code=code)
        self.retry_after = retry_after


class CibaError(Auth0Error):
    """A CIBA request that can bring no tokens any more (OpenID CIBA Core, sections 11 and 13)."""

    code = "ciba_error"


class AccessDenied(CibaError):
    """The customer denied the request on the phone."""

    code = "access_denied"


class Expired(CibaError):
    """Nobody answered before the request's time was up."""

    code = "expired_token"


class Unenrolled(CibaError):
    """The customer has no device enrolled that can be asked."""

    code = "unenrolled"


class RequestSpent(CibaError):
    """The auth_req_id is unknown, of another client, or was exchanged before."""

    code = "invalid_grant"
