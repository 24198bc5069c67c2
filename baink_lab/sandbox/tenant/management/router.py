"""Finds the operation for a request, guards it, runs it and logs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from baink_lab.sandbox.tenant.errors import ManagementError, OAuthError
from baink_lab.sandbox.tenant.events import Caller
from baink_lab.sandbox.tenant.management import bearer
from baink_lab.sandbox.tenant.management.call import Call, Endpoint
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.wire import read_body

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_MAX_LOGGED_PATH = 512  # characters


class Router:
    """The Management API of one tenant, as one Starlette endpoint.

    Ids in paths may hold encoded slashes (contract section 5.5), which servers decode in
    `scope["path"]`. So the path is split here, in its raw form, before it is decoded.

    Args:
        tenant: the tenant.
        endpoints: every operation.
    """

    def __init__(self, tenant: Tenant, endpoints: Iterable[Endpoint]) -> None:
        self._tenant = tenant
        self._table = [(tuple(item.path[1:].split("/")), item) for item in endpoints]

    def route(self) -> Route:
        """The one route, for a Mount at `/api/v2`."""
        return Route("/{path:path}", self._serve, methods=METHODS)

    async def _serve(self, request: Request) -> Response:
        limits = self._tenant.management_bucket.take(self._tenant.now())
        try:
            raw_body = await _body(request)
            response = self._run(request, raw_body)
        except ManagementError as refused:
            refused.headers.update(limits)
            raise
        response.headers.update(limits)
        return response

    def _run(self, request: Request, raw_body: bytes) -> Response:
        segments = _segments(request.scope)
        endpoint, params = self._find(request.method, segments)
        authorization = request.headers.get("authorization", "")
        claims = bearer.authenticate(self._tenant, authorization, guardian=endpoint.guardian)
        scopes = bearer.scopes_of(claims)
        bearer.require_any(scopes, endpoint.scopes, guardian=endpoint.guardian)
        query = bytes(request.scope.get("query_string", b""))
        call = Call(self._tenant, params, scopes, query, raw_body)
        if not endpoint.title:
            return endpoint.handle(call)
        with self._tenant.store.atomic():
            response = endpoint.handle(call)
            self._log(request, endpoint, claims, segments, response.status_code)
        return response

    def _find(self, method: str, segments: list[str]) -> tuple[Endpoint, dict[str, str]]:
        allowed: list[str] = []
        for pattern, endpoint in self._table:
            params = _match(pattern, segments)
            if params is None:
                continue
            if endpoint.method == method:
                return endpoint, params
            allowed.append(endpoint.method)
        if allowed:
            headers = {"allow": ", ".join(sorted(set(allowed)))}
            raise ManagementError(405, "Method Not Allowed", headers=headers)
        raise ManagementError(404, "Not Found")

    def _log(
        self,
        request: Request,
        endpoint: Endpoint,
        claims: Mapping[str, Any],
        segments: list[str],
        status: int,
    ) -> None:
        """One `sapi` entry (contract section 5.9). Bodies may hold secrets: they stay out."""
        path = "/api/v2/" + "/".join(quote(segment, safe="") for segment in segments)
        host = request.client.host if request.client else "127.0.0.1"
        details = {
            "request": {
                "method": endpoint.method,
                "path": path[:_MAX_LOGGED_PATH],
                "channel": "api",
                "auth": {"strategy": "jwt", "scopes": list(endpoint.scopes)},
            },
            "response": {"statusCode": status},
        }
        self._tenant.events.add(
            "sapi",
            client=self._tenant.clients.get(str(claims.get("azp") or claims.get("client_id"))),
            caller=Caller(host, request.headers.get("user-agent", "")),
            description=endpoint.title,
            details=details,
        )


async def _body(request: Request) -> bytes:
    try:
        return await read_body(request.receive)
    except OAuthError as refused:
        raise ManagementError(refused.status, str(refused), "invalid_body") from None


def _segments(scope: Mapping[str, Any]) -> list[str]:
    """The decoded segments of the path below the mount point.

    Raises:
        ManagementError: 404, the path is not text or not below it.
    """
    raw = scope.get("raw_path") or quote(str(scope["path"])).encode()
    prefix = quote(str(scope.get("root_path", ""))) + "/"
    path = raw.partition(b"?")[0].decode("latin-1")
    try:
        if path.startswith(prefix):
            parts = path[len(prefix) :].split("/")
            return [unquote(part, errors="strict") for part in parts]
    except UnicodeDecodeError:
        pass
    raise ManagementError(404, "Not Found")


def _match(pattern: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(segments):
        return None
    params: dict[str, str] = {}
    for wanted, found in zip(pattern, segments, strict=True):
        if wanted.startswith("{") and found:
            params[wanted[1:-1]] = found
        elif wanted != found:
            return None
    return params
