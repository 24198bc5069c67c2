"""Checks bodies and queries against declared models, and words refusals as Auth0 does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from baink_lab.sandbox.tenant.errors import ManagementError
from baink_lab.sandbox.tenant.wire import parse_json

MAX_DEPTH = 20  # levels of nesting in a body
_MAX_ECHO = 64  # characters of a caller's own text that a message repeats
_TYPES = {
    "string_type": "string",
    "int_type": "integer",
    "float_type": "number",
    "bool_type": "boolean",
    "list_type": "array",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
}
_SENTENCES = {
    "literal_error": "No enum match for: {value}",
    "string_too_long": "String is too long ({size} chars), maximum {max_length}",
    "string_too_short": "String is too short ({size} chars), minimum {min_length}",
    "string_pattern_mismatch": "String does not match pattern: {pattern}",
    "greater_than_equal": "Value {value} is less than minimum {ge}",
    "less_than_equal": "Value {value} is greater than maximum {le}",
    "value_error": "{error}",
}
_NAMES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}


class Payload(BaseModel):
    """A JSON body: exact types, no properties beyond the declared ones."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def given(self) -> dict[str, Any]:
        """The properties that the caller sent, and no defaults."""
        return self.model_dump(exclude_unset=True)


class Query(BaseModel):
    """A query string: text that must read as the declared types."""

    model_config = ConfigDict(extra="forbid")


_Body = TypeVar("_Body", bound=BaseModel)
_Query = TypeVar("_Query", bound=Query)


def read_payload(model: type[_Body], raw: bytes) -> _Body:
    """The checked body of a request (contract section 5.1).

    Args:
        model: what the endpoint takes.
        raw: the body's bytes.

    Raises:
        ManagementError: 400 `invalid_body`.
    """
    try:
        value = parse_json(raw)
    except ValueError:
        raise ManagementError(400, "Invalid request payload JSON format", "invalid_body") from None
    if _depth_exceeds(value, MAX_DEPTH):
        refuse_payload(f"Nested deeper than {MAX_DEPTH} levels")
    try:
        return model.model_validate(value)
    except ValidationError as wrong:
        refuse_payload(_words(wrong))


def read_query(model: type[_Query], pairs: Mapping[str, str | list[str]]) -> _Query:
    """The checked query of a request.

    Args:
        model: what the endpoint takes.
        pairs: the parameters.

    Raises:
        ManagementError: 400 `invalid_query_string`.
    """
    try:
        return model.model_validate(pairs)
    except ValidationError as wrong:
        refuse_query(_words(wrong))


def refuse_payload(reason: str) -> NoReturn:
    """Refuse a body.

    Raises:
        ManagementError: 400 `invalid_body`, always.
    """
    raise ManagementError(400, f"Payload validation error: '{reason}'.", "invalid_body")


def refuse_query(reason: str) -> NoReturn:
    """Refuse a query string.

    Raises:
        ManagementError: 400 `invalid_query_string`, always.
    """
    raise ManagementError(400, f"Query validation error: '{reason}'.", "invalid_query_string")


def _words(wrong: ValidationError) -> str:
    """The first fault in the words of Auth0's validator."""
    fault = wrong.errors(include_url=False)[0]
    path = ".".join(str(step)[:_MAX_ECHO] for step in fault["loc"])
    if fault["type"] == "missing":
        return f"Missing required property: {path}"
    if fault["type"] == "extra_forbidden":
        return f"Additional properties not allowed: {path}"
    return f"{_fault(fault)} on property {path}" if path else _fault(fault)


def _fault(fault: ErrorDetails) -> str:
    kind, value = fault["type"], fault["input"]
    if kind in _TYPES:
        return f"Expected type {_TYPES[kind]} but found type {_type_name(value)}"
    if kind not in _SENTENCES:
        return fault["msg"]
    size = len(value) if isinstance(value, str) else 0
    context = {"size": size, "value": str(value)[:_MAX_ECHO], **fault.get("ctx", {})}
    return _SENTENCES[kind].format(**context)


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    return _NAMES.get(type(value), "object")


def _depth_exceeds(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        containers = [item for item in level if isinstance(item, dict | list)]
        if not containers:
            return False
        level = [
            child
            for item in containers
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return bool(level)
