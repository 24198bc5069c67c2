"""What the tenant refuses, in the two shapes that Auth0 uses, and what the phone cannot do.

BainkError
├── OAuthError            /bc-authorize, /oauth/*: {"error", "error_description"}
├── ManagementError       /api/v2/*: {"statusCode", "error", "message", "errorCode"}
├── TenantFileError       the state file cannot be used
├── AlreadyDecided        a notification was answered before, or has expired
└── UnknownNotification   there never was such a notification
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from baink_lab.errors import BainkError


class OAuthError(BainkError):
    """A refusal in the shape of RFC 6749 section 5.2 (contract sections 2.2 and 3.5).

    Args:
        error: the wire code, such as `invalid_request`.
        description: the `error_description`, for people.
        status: HTTP status.
        headers: extra response headers.
        extra: extra members of the body, such as `interval`.
    """

    code = "oauth_error"

    def __init__(
        self,
        error: str,
        description: str,
        *,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(description, code=error)
        self.status = status
        self.headers = dict(headers or {})
        self.body: dict[str, Any] = {"error": error, "error_description": description, **extra}


class ManagementError(BainkError):
    """A refusal of the Management API (contract section 5.1).

    Args:
        status: HTTP status, repeated in the body.
        message: the sentence that real tenants print.
        error_code: `errorCode`; left out when None.
        headers: extra response headers.
    """

    code = "management_error"

    def __init__(
        self,
        status: int,
        message: str,
        error_code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, code=error_code)
        self.status = status
        self.headers = dict(headers or {})
        phrase = HTTPStatus(status).phrase
        self.body: dict[str, Any] = {"statusCode": status, "error": phrase, "message": message}
        if error_code:
            self.body["errorCode"] = error_code


class TenantFileError(BainkError):
    """The tenant's state file is damaged or was written by a newer version."""

    code = "tenant_file"


class AlreadyDecided(BainkError):
    """The notification was approved or denied before, or its time has run out."""

    code = "already_decided"


class UnknownNotification(BainkError):
    """No notification has that id."""

    code = "unknown_notification"
