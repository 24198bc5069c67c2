"""The tenant's Management API v2 (contract section 5)."""

from __future__ import annotations

from starlette.routing import Route

from baink_lab.sandbox.tenant.management.router import Router
from baink_lab.sandbox.tenant.state import Tenant

__all__ = ["routes"]


def routes(tenant: Tenant) -> list[Route]:
    """Routes for a Mount at `/api/v2`. Refusals are raised: the app words them.

    Args:
        tenant: the tenant.
    """
    return [Router(tenant, []).route()]
