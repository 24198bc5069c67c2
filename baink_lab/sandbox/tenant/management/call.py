"""One request to the Management API, as the endpoints see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, get_origin
from urllib.parse import parse_qsl

from pydantic import BaseModel
from starlette.responses import Response

from baink_lab.sandbox.tenant.management.payload import (
    Query,
    read_payload,
    read_query,
    refuse_query,
)
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.wire import MAX_FIELDS

_Body = TypeVar("_Body", bound=BaseModel)
_Query = TypeVar("_Query", bound=Query)


@dataclass(frozen=True, slots=True)
class Call:
    """An authorized request.

    Args:
        tenant: the tenant.
        params: what the braces of the path stand for, decoded.
        scopes: what the token carries.
        raw_query: the query string as it came.
        raw_body: the body as it came.
    """

    tenant: Tenant
    params: dict[str, str]
    scopes: frozenset[str]
    raw_query: bytes
    raw_body: bytes

    def body(self, model: type[_Body]) -> _Body:
        """The checked body.

        Raises:
            ManagementError: 400 `invalid_body`.
        """
        return read_payload(model, self.raw_body)

    def query(self, model: type[_Query]) -> _Query:
        """The checked query. A parameter may be repeated only where the model has a list.

        Raises:
            ManagementError: 400 `invalid_query_string`.
        """
        lists = {
            field.alias or name
            for name, field in model.model_fields.items()
            if get_origin(field.annotation) is list
        }
        values: dict[str, str | list[str]] = {}
        for name, value in self._pairs():
            former = values.get(name)
            if name in lists:
                values[name] = [*(former or []), value]
            elif former is None:
                values[name] = value
            else:
                refuse_query("A parameter is included more than once")
        return read_query(model, values)

    def _pairs(self) -> list[tuple[str, str]]:
        try:
            text = self.raw_query.decode("ascii")
            return parse_qsl(text, errors="strict", max_num_fields=MAX_FIELDS)
        except ValueError:
            refuse_query("Malformed query string")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of the API.

    Args:
        method: HTTP method.
        path: below `/api/v2`, such as `/users/{id}/enrollments`.
        scopes: any of these opens it.
        handle: does the work. It checks everything before it writes anything.
        title: the `sapi` log's description; empty for reads, which are not logged.
        guardian: word refusals as the Guardian endpoints do.
    """

    method: str
    path: str
    scopes: tuple[str, ...]
    handle: Callable[[Call], Response]
    title: str = ""
    guardian: bool = False
