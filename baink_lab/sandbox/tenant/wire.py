"""Bodies in, JSON out: reading requests with limits, and answering as Auth0 does."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive

from baink_lab.sandbox.tenant.errors import OAuthError

MAX_BODY = 64 * 1024  # bytes; Auth0's own limit is not documented
MAX_FIELDS = 100
MAX_QUERY = 8 * 1024  # bytes of a query string: what a login remembers of it must stay small
JSON_TYPE = "application/json; charset=utf-8"
FORM_TYPE = "application/x-www-form-urlencoded"
NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}  # RFC 6749 section 5.1


def dump(value: Any) -> bytes:
    """JSON as UTF-8."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response that nobody may cache."""
    return Response(dump(body), status, {**NO_STORE, **(headers or {})}, media_type=JSON_TYPE)


async def read_body(receive: Receive) -> bytes:
    """The whole request body.

    Raises:
        OAuthError: 413 when it is larger than `MAX_BODY`.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY:
            raise OAuthError("invalid_request", "Request body is too large", status=413)
        parts.append(chunk)
        if not message.get("more_body", False):
            return b"".join(parts)


def parse_json(text: str | bytes) -> Any:
    """JSON in UTF-8, without what its readers disagree on.

    That is NaN, infinities, lone surrogates, and a name that an object has twice.

    Raises:
        ValueError: not JSON, or one of those.
    """
    try:
        value = json.loads(
            text.decode() if isinstance(text, bytes) else text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_each_once,
        )
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate fails here
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def parse_form(raw: bytes) -> dict[str, str]:
    """The fields of a form body or a query, each at most once (RFC 6749 section 3.1).

    Raises:
        OAuthError: a repeated field, too many fields, or text that is not UTF-8.
    """
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise OAuthError("invalid_request", "Request body is not a valid form") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise OAuthError("invalid_request", "A parameter is included more than once")
    # RFC 6749 section 3.2: a parameter without a value is as if it had been left out.
    return {name: value for name, value in fields.items() if value}


def query_of(request: Request) -> dict[str, str]:
    """The fields of a query (see `parse_form`).

    Raises:
        OAuthError: it is larger than `MAX_QUERY`, or as in `parse_form`.
    """
    raw = bytes(request.scope["query_string"])
    if len(raw) > MAX_QUERY:
        raise OAuthError("invalid_request", "The query string is too long")
    return parse_form(raw)


def parse_fields(raw: bytes, content_type: str, *, allow_json: bool = False) -> dict[str, str]:
    """The parameters of an OAuth request body.

    Raises:
        OAuthError: the body is not of a type that the endpoint documents, or is malformed.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM_TYPE:
        return parse_form(raw)
    if kind == "application/json" and allow_json:
        return _json_fields(raw)
    accepted = f"{FORM_TYPE} or application/json" if allow_json else FORM_TYPE
    raise OAuthError("invalid_request", f"Content-Type must be {accepted}")


async def form_of(request: Request) -> dict[str, str]:
    """The form fields of a Starlette request (see `parse_fields`)."""
    raw = await read_body(request.receive)
    return parse_fields(raw, request.headers.get("content-type", ""))


def _json_fields(raw: bytes) -> dict[str, str]:
    try:
        value = parse_json(raw)
    except ValueError:
        raise OAuthError("invalid_request", "Request body is not valid JSON") from None
    if not isinstance(value, dict):
        raise OAuthError("invalid_request", "Request body must be a JSON object")
    fields = {name: item for name, item in value.items() if item not in (None, "")}
    wrong = next((name for name, item in fields.items() if not isinstance(item, str)), None)
    if wrong is not None:
        raise OAuthError("invalid_request", f"{wrong[:64]} must be a string")
    return fields


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is out of range")
    return value
