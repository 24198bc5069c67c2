"""What the bank answers when it will not: one table of refusals, told as RFC 9457 says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from baink_lab.errors import BainkError

# code → HTTP status, title. The code is what programs branch on; it never changes its meaning.
PROBLEMS: Mapping[str, tuple[int, str]] = {
    "missing_token": (401, "An access token is needed"),
    "invalid_request": (400, "The request is malformed"),
    "invalid_token": (401, "The access token is not accepted"),
    "insufficient_scope": (403, "The access token does not allow this"),
    "authorization_details_mismatch": (403, "This is not what was approved"),
    "token_already_used": (403, "The access token was already used"),
    "keys_unavailable": (503, "The token cannot be checked now"),
    "idempotency_key_missing": (400, "An Idempotency-Key is needed"),
    "idempotency_key_invalid": (400, "The Idempotency-Key cannot be used"),
    "idempotency_key_reused": (422, "The Idempotency-Key was used for something else"),
    "invalid_json": (400, "The body is not a JSON object"),
    "unsupported_media_type": (415, "The body must be JSON"),
    "body_too_large": (413, "The body is too large"),
    "invalid_field": (422, "A field is missing, unknown or of the wrong kind"),
    "invalid_limit": (400, "The limit cannot be used"),
    "invalid_year": (400, "The year cannot be used"),
    "invalid_amount": (422, "The amount cannot be used"),
    "invalid_memo": (422, "The memo cannot be used"),
    "unknown_account": (404, "There is no such account"),
    "unknown_transfer": (404, "There is no such transfer"),
    "not_your_account": (403, "The account is not yours"),
    "same_account": (422, "Both accounts are the same"),
    "currency_mismatch": (422, "The currencies differ"),
    "insufficient_funds": (422, "There is not enough money"),
    "ledger_busy": (503, "The ledger is busy"),
    "not_found": (404, "There is nothing here"),
    "method_not_allowed": (405, "That method is not for this"),
    "internal": (500, "The bank made a mistake"),
}


class Refusal(BainkError):
    """The bank will not do it.

    Args:
        code: a key of `PROBLEMS`.
        detail: what was wrong and how to mend it, for people; holds no secret.
        headers: to send with the answer, such as `WWW-Authenticate`.
        extra: further members of the problem, for programs.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail, code=code)
        self.status, self.title = PROBLEMS[code]
        self.headers = dict(headers or {})
        self.extra = extra


def response_to(refusal: Refusal) -> JSONResponse:
    """The refusal as `application/problem+json` (RFC 9457, section 3)."""
    body = {
        "type": f"urn:baink:problem:{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.sentence,
        "code": refusal.code,
        **refusal.extra,
    }
    return JSONResponse(
        body,
        status_code=refusal.status,
        headers={"Cache-Control": "no-store", **refusal.headers},
        media_type="application/problem+json",
    )
