"""A tenant with its Management API behind httpx, and tokens for it."""

from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from baink_lab.sandbox.tenant import access, management, tokens
from baink_lab.sandbox.tenant.errors import ManagementError, OAuthError
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.wire import answer

ISSUER = "http://127.0.0.1:8765/"
START = 1_700_000_000.0
TRANSFERS = "https://localhost:3000/api/accounts/transfers"
ACCOUNTS = "https://localhost:3000/api/accounts"
CIBA = "urn:openid:params:grant-type:ciba"
MONEY = "urn:auth0:schemas:authorization-details:v1:money-transfer"


class Clock:
    """Seconds that stand still until a test moves them."""

    def __init__(self):
        self.at = START

    def __call__(self):
        return self.at


@dataclass
class World:
    tenant: Tenant
    clock: Clock
    http: httpx.AsyncClient

    @property
    def ids(self):
        return self.tenant.credentials()

    def token(self, **claims: Any) -> str:
        now = int(self.clock())
        payload = {
            "iss": self.tenant.issuer,
            "sub": "x@clients",
            "azp": self.ids["management_client_id"],
            "aud": self.tenant.management_audience,
            "iat": now,
            "exp": now + 86400,
            "scope": "",
            **claims,
        }
        return self.tenant.keys.sign(payload, typ="JWT")

    async def call(self, method, path, json=None, *, scope=None, token=None, **kwargs):
        """One call; with every scope unless `scope` says otherwise."""
        if token is None:
            token = full_token(self.tenant) if scope is None else self.token(scope=scope)
        headers = {"authorization": f"Bearer {token}", **kwargs.pop("headers", {})}
        if json is not None:
            kwargs["json"] = json
        return await self.http.request(method, f"/api/v2{path}", headers=headers, **kwargs)

    async def good(self, method, path, json=None, status=200, **kwargs):
        answer = await self.call(method, path, json, **kwargs)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.json() if answer.content else None

    async def bad(self, method, path, json=None, **kwargs):
        """Status, errorCode and message of a refusal."""
        answer = await self.call(method, path, json, **kwargs)
        body = answer.json()
        assert body["statusCode"] == answer.status_code
        return answer.status_code, body.get("errorCode"), body["message"]

    def log_types(self):
        return [entry["type"] for entry in self.tenant.events.newest_first()]


def full_token(tenant):
    """What the seeded management client gets from /oauth/token."""
    client = tenant.clients[tenant.credentials()["management_client_id"]]
    granted = access.for_client(tenant, client, tenant.management_audience, [])
    return tokens.client_token(tenant, client, granted)["access_token"]


async def _refused(request, error):
    return answer(error.body, error.status, error.headers)


def mgmt_app(tenant):
    handlers = {ManagementError: _refused, OAuthError: _refused}
    mount = Mount("/api/v2", routes=management.routes(tenant))
    return Starlette(routes=[mount], exception_handlers=handlers)


@contextmanager
def open_tenant(path, clock, **kwargs):
    tenant = Tenant.open(path, issuer=ISSUER, now=clock, **kwargs)
    try:
        yield tenant
    finally:
        tenant.close()


@asynccontextmanager
async def mgmt_world(path, **kwargs):
    clock = kwargs.pop("clock", None) or Clock()
    with open_tenant(path, clock, **{"relaxed": True, **kwargs}) as tenant:
        transport = httpx.ASGITransport(mgmt_app(tenant))
        async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
            yield World(tenant, clock, http)
