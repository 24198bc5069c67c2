"""The tenant over HTTP: every endpoint in one Starlette app."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from baink_lab.sandbox.tenant import backchannel, grants, management, metadata, tokens
from baink_lab.sandbox.tenant.enrollment_page import EnrollmentPage
from baink_lab.sandbox.tenant.errors import ManagementError, OAuthError
from baink_lab.sandbox.tenant.events import Caller
from baink_lab.sandbox.tenant.guardian_devices import GuardianDevices
from baink_lab.sandbox.tenant.guardian_transactions import Transactions
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.universal_login import UniversalLogin
from baink_lab.sandbox.tenant.visitors import guarded
from baink_lab.sandbox.tenant.wire import answer, parse_fields, read_body


def create_app(tenant: Tenant) -> Starlette:
    """The tenant's ASGI app. The caller closes the tenant."""
    endpoints = _Endpoints(tenant)
    transactions = Transactions(tenant)
    login, enrollment = UniversalLogin(tenant), EnrollmentPage(tenant, transactions)
    app = Starlette(
        routes=[
            Route("/bc-authorize", endpoints.bc_authorize, methods=["POST"]),
            Route("/oauth/token", endpoints.token, methods=["POST"]),
            Route("/oauth/revoke", endpoints.revoke, methods=["POST"]),
            Route("/userinfo", endpoints.userinfo, methods=["GET", "POST"]),
            Route("/.well-known/openid-configuration", endpoints.discovery),
            Route("/.well-known/oauth-authorization-server", endpoints.discovery),
            Route("/.well-known/jwks.json", endpoints.jwks),
            *guarded([*login.routes(), *enrollment.routes()], [tenant.name]),
            *GuardianDevices(tenant, transactions).routes(),
            Mount("/api/v2", routes=management.routes(tenant)),
        ],
        exception_handlers={
            OAuthError: _refused,
            ManagementError: _refused,
            HTTPException: _no_such_endpoint,
        },
    )
    app.router.redirect_slashes = False  # one path for each thing: anything else is a 404
    return app


class _Endpoints:
    """The OAuth and OpenID endpoints."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    async def bc_authorize(self, request: Request) -> Response:
        fields = await _fields(request)
        authorization = request.headers.get("authorization", "")
        body, limits = backchannel.start(self._tenant, fields, authorization, _caller(request))
        return answer(body, headers=limits)

    async def token(self, request: Request) -> Response:
        fields = await _fields(request, allow_json=True)
        authorization = request.headers.get("authorization", "")
        return answer(grants.exchange(self._tenant, fields, authorization, _caller(request)))

    async def revoke(self, request: Request) -> Response:
        fields = await _fields(request, allow_json=True)
        client = grants.identify(self._tenant, fields, request.headers.get("authorization", ""))
        key = tokens.opaque_key(grants.require(fields, "token"))
        record = self._tenant.refresh_tokens.get(key)
        if record is not None and record["client_id"] == client["client_id"]:
            self._tenant.refresh_tokens.remove(key)
        return Response(status_code=200)

    async def userinfo(self, request: Request) -> Response:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        claims = self._session(token.strip()) if kind.lower() == "bearer" else None
        if claims is None:
            return Response("Unauthorized", 401, {"www-authenticate": 'Bearer realm="Users"'})
        user = self._tenant.users.get(claims["sub"], {})
        return answer({"sub": claims["sub"], **tokens.profile_claims(user, claims["scope"])})

    async def discovery(self, request: Request) -> Response:
        return answer(metadata.discovery(self._tenant), headers=_CACHED)

    async def jwks(self, request: Request) -> Response:
        return answer(self._tenant.keys.jwks(), headers=_CACHED)

    def _session(self, token: str) -> dict[str, Any] | None:
        """`sub` and `scope` (a list) of a token that is good for /userinfo."""
        now = self._tenant.now()
        record = self._tenant.opaque_tokens.get(tokens.opaque_key(token))
        if record is not None:
            return dict(record) if record["expires_at"] > now else None
        claims = self._tenant.keys.read(token)
        if claims is None or not _is_for(claims, self._tenant.userinfo_url):
            return None
        scope = str(claims.get("scope", "")).split()
        return {"sub": claims["sub"], "scope": scope} if claims["exp"] > now else None


def _is_for(claims: dict[str, Any], audience: str) -> bool:
    """True when the token's `aud`, a string or an array, has this audience."""
    audiences = claims.get("aud")
    return audience in (audiences if isinstance(audiences, list) else [audiences])


_CACHED = {"cache-control": "public, max-age=15", "pragma": "public"}


async def _fields(request: Request, *, allow_json: bool = False) -> dict[str, str]:
    raw = await read_body(request.receive)
    return parse_fields(raw, request.headers.get("content-type", ""), allow_json=allow_json)


def _caller(request: Request) -> Caller:
    host = request.client.host if request.client else "127.0.0.1"
    return Caller(host, request.headers.get("user-agent", ""))


async def _refused(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, OAuthError | ManagementError)
    return answer(refused.body, refused.status, refused.headers)


async def _no_such_endpoint(request: Request, wrong: Exception) -> Response:
    assert isinstance(wrong, HTTPException)
    refused = ManagementError(wrong.status_code, wrong.detail)
    return answer(refused.body, refused.status, wrong.headers)
