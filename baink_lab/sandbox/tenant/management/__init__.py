"""The tenant's Management API v2 (contract section 5)."""

from __future__ import annotations

from starlette.routing import Route

from baink_lab.sandbox.tenant.management import (
    apis,
    client_grants,
    clients,
    credentials,
    enrollments,
    guardian,
    logs,
    permissions,
    prompts,
    signing_keys,
    tickets,
    users,
)
from baink_lab.sandbox.tenant.management.router import Router
from baink_lab.sandbox.tenant.management.tickets import enroll_with_ticket
from baink_lab.sandbox.tenant.state import Tenant

__all__ = ["enroll_with_ticket", "routes"]

_ROOMS = (
    clients,
    credentials,
    apis,
    client_grants,
    guardian,
    prompts,
    tickets,
    enrollments,
    users,
    permissions,
    signing_keys,
    logs,
)


def routes(tenant: Tenant) -> list[Route]:
    """Routes for a Mount at `/api/v2`. Refusals are raised: the app words them.

    Args:
        tenant: the tenant.
    """
    endpoints = [endpoint for room in _ROOMS for endpoint in room.endpoints()]
    return [Router(tenant, endpoints).route()]
