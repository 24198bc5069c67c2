"""The part of the tenant that the labs configure, read once through the Management API."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import httpx

from baink_lab.auth0.ciba import CIBA_GRANT
from baink_lab.auth0.management import ManagementClient
from baink_lab.auth0.tokens import ALGORITHMS
from baink_lab.clock import Clock
from baink_lab.settings import TRANSFER_SCOPE, World

PUSH_CHANNEL = "guardian-push"
GUARDIAN_APP = "guardian"
DIALECTS = ("rfc9068_profile", "rfc9068_profile_authz")


@dataclasses.dataclass(frozen=True)
class TenantView:
    """What is configured now.

    Attributes:
        client: the bAInk's application.
        api: the transfers API; None when there is none.
        apis: every API that the tenant's owner made.
        grants: the bAInk's grants for the transfers API, of every subject type.
        factor: whether Guardian push is switched on.
        provider: which app gets the pushes; None when the tenant does not say.
        devices: the customer's confirmed Guardian devices.
    """

    client: dict[str, Any]
    api: dict[str, Any] | None
    apis: list[dict[str, Any]]
    grants: list[dict[str, Any]]
    factor: bool
    provider: str | None
    devices: list[dict[str, Any]]

    @property
    def scopes(self) -> list[str]:
        """The permissions of the transfers API."""
        return [str(one["value"]) for one in (self.api or {}).get("scopes") or []]

    @property
    def user_policy(self) -> str:
        """Who may ask for tokens of the transfers API on behalf of users."""
        policies = (self.api or {}).get("subject_type_authorization") or {}
        return str((policies.get("user") or {}).get("policy") or "allow_all")

    @property
    def user_grant(self) -> dict[str, Any] | None:
        """The grant that CIBA needs; see the contract's section 5.6."""
        return next((one for one in self.grants if one.get("subject_type") == "user"), None)

    @property
    def has_ciba(self) -> bool:
        """Whether the application may ask phones at all, by push."""
        channels = self.client.get("async_approval_notification_channels") or []
        return CIBA_GRANT in (self.client.get("grant_types") or []) and PUSH_CHANNEL in channels

    @property
    def has_api(self) -> bool:
        """Whether the API is there, with the tokens that the bank takes."""
        return (
            self.api is not None
            and self.api.get("token_dialect") in DIALECTS
            and self.api.get("signing_alg") in ALGORITHMS
        )

    @property
    def has_factor(self) -> bool:
        """Whether pushes are sent, and to the Guardian app."""
        return self.factor and self.provider in {GUARDIAN_APP, None}

    @property
    def has_access(self) -> bool:
        """Whether the application may ask for the permission on behalf of users."""
        if self.user_policy == "allow_all":
            return self.api is not None
        grant = self.user_grant
        return (
            self.user_policy != "deny_all"
            and grant is not None
            and (grant.get("allow_all_scopes") is True or TRANSFER_SCOPE in grant.get("scope", []))
        )


def management_client(
    world: World, http: httpx.AsyncClient, clock: Clock | None = None
) -> ManagementClient:
    """The Management API of a world, with the lab's own credentials for it.

    Args:
        world: where the tenant is.
        http: what to ask with, left open at the end.
        clock: what tells the time.
    """
    credentials = (world.management_client_id, world.management_client_secret)
    return ManagementClient(world.issuer, *credentials, http=http, clock=clock)


async def phones(management: ManagementClient, world: World) -> list[dict[str, Any]]:
    """The customer's confirmed Guardian devices; none before the customer is known (live mode).

    Raises:
        Auth0Error: the tenant refused, or did not answer.
    """
    return await management.push_enrollments(world.user_id) if world.user_id else []


async def look(management: ManagementClient, world: World) -> TenantView:
    """Read it all.

    Raises:
        Auth0Error: the tenant refused, or did not answer.
    """
    client, api, apis, grants, factor, provider, devices = await asyncio.gather(
        management.find_client(world.client_id),
        management.find_resource_server(world.audience),
        management.get("resource-servers", per_page=100),
        management.client_grants(client_id=world.client_id, audience=world.audience),
        management.push_factor_enabled(),
        management.push_provider(),
        phones(management, world),
    )
    own = [one for one in apis if not one.get("is_system")]
    return TenantView(client or {}, api, own, grants, factor, provider, devices)
