"""What the labs configure at the tenant, piece by piece: how each is known, made, taken away."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import quote

from baink_lab.auth0.ciba import CIBA_GRANT
from baink_lab.auth0.management import PUSH, ManagementClient
from baink_lab.auth0.tokens import ALGORITHMS
from baink_lab.lab.tenant.enrolment import enroll_stand_in
from baink_lab.lab.tenant.view import DIALECTS, GUARDIAN_APP, PUSH_CHANNEL, TenantView
from baink_lab.settings import TRANSFER_SCOPE, World

LOGIN_GRANTS = ("authorization_code", "refresh_token")  # every lab stands on them
FIRST_READY_LAB = 4  # from here on everything is configured; before the labs too, in lab 00

FACTOR = f"guardian/factors/{PUSH}"

TRANSFERS_API: Mapping[str, Any] = {
    "name": "bAInk transfers",
    "signing_alg": "RS256",
    "token_dialect": "rfc9068_profile",
    "token_lifetime": 300,
    "subject_type_authorization": {
        "user": {"policy": "require_client_grant"},
        "client": {"policy": "require_client_grant"},
    },
}

#: Makes a piece; says in words what of it was there and has been changed, or nothing.
_Make: TypeAlias = Callable[[ManagementClient, World, TenantView], Awaitable[str]]
_Remove: TypeAlias = Callable[[ManagementClient, World, TenantView], Awaitable[None]]


@dataclasses.dataclass(frozen=True)
class Piece:
    """One thing that a lab configures.

    Attributes:
        name: in sentences.
        lab: where the learner makes it.
        mark: what tells this very one from another; None while it is missing.
    """

    name: str
    lab: int
    mark: Callable[[TenantView], str | None]
    make: _Make
    remove: _Remove


def needs(number: int, piece: Piece) -> bool:
    """Whether lab `number` starts with this piece in place."""
    return number == 0 or number >= FIRST_READY_LAB or piece.lab < number


async def _make_ciba(management: ManagementClient, world: World, view: TenantView) -> str:
    client = view.client
    granted = client.get("grant_types") or []
    channels = client.get("async_approval_notification_channels") or []
    body: dict[str, Any] = {
        "grant_types": _with(granted, CIBA_GRANT),
        "async_approval_notification_channels": _with(channels, PUSH_CHANNEL),
    }
    if client.get("token_endpoint_auth_method") == "none":
        body["token_endpoint_auth_method"] = "client_secret_post"  # noqa: S105 - a method's name
    await management.patch(client_path(world), body)
    if CIBA_GRANT not in granted:
        return ""
    had = ", ".join(channels) or "none"
    return f"the bAInk's notification channels from {had} to {', '.join([*channels, PUSH_CHANNEL])}"


async def _remove_ciba(management: ManagementClient, world: World, view: TenantView) -> None:
    kept = [one for one in view.client["grant_types"] if one != CIBA_GRANT]
    await management.patch(client_path(world), {"grant_types": kept})


async def _make_api(management: ManagementClient, world: World, view: TenantView) -> str:
    if view.api is None:
        await management.post("resource-servers", {**TRANSFERS_API, "identifier": world.audience})
        return ""
    body, words = {}, []
    for name, fitting, in_words in (
        ("token_dialect", DIALECTS, "token profile"),
        ("signing_alg", ALGORITHMS, "signing algorithm"),
    ):
        if (had := view.api.get(name)) not in fitting:
            body[name] = TRANSFERS_API[name]
            words.append(f"{in_words} from {had} to {TRANSFERS_API[name]}")
    await management.patch(api_path(world), body)
    return f"the transfers API's {' and its '.join(words)}"


async def _remove_api(management: ManagementClient, world: World, view: TenantView) -> None:
    await management.delete(api_path(world))


async def _make_permission(management: ManagementClient, world: World, view: TenantView) -> str:
    scopes = [*(view.api or {}).get("scopes", []), permission()]
    await management.patch(api_path(world), {"scopes": scopes})
    return ""


async def _remove_permission(management: ManagementClient, world: World, view: TenantView) -> None:
    kept = [one for one in (view.api or {})["scopes"] if one["value"] != TRANSFER_SCOPE]
    await management.patch(api_path(world), {"scopes": kept})


async def _make_access(management: ManagementClient, world: World, view: TenantView) -> str:
    words = []
    if view.user_policy == "deny_all":
        policies = TRANSFERS_API["subject_type_authorization"]
        await management.patch(api_path(world), {"subject_type_authorization": policies})
        wanted = policies["user"]["policy"]
        words.append(f"the transfers API's access policy for users from deny_all to {wanted}")
    grant = view.user_grant
    if grant is None:
        await management.post("client-grants", access(world))
        words += ["the bAInk's access to it, which is new"] if words else []
    elif not grant.get("allow_all_scopes") and TRANSFER_SCOPE not in grant.get("scope", []):
        scope = _with(grant.get("scope"), TRANSFER_SCOPE)
        await management.patch(f"client-grants/{grant['id']}", {"scope": scope})
        words.append(f"the bAInk's grant for it: {TRANSFER_SCOPE} is in it now")
    return "; ".join(words)


async def _remove_access(management: ManagementClient, world: World, view: TenantView) -> None:
    if view.user_grant is not None:
        await management.delete(f"client-grants/{view.user_grant['id']}")


async def _make_factor(management: ManagementClient, world: World, view: TenantView) -> str:
    words = await guardian_app(management, view)
    if view.factor:
        return words
    await management.put(FACTOR, {"enabled": True})
    return ""


async def _remove_factor(management: ManagementClient, world: World, view: TenantView) -> None:
    await management.put(FACTOR, {"enabled": False})


async def guardian_app(management: ManagementClient, view: TenantView) -> str:
    """Let the Guardian app get the pushes again; says what was changed, or nothing."""
    if view.provider in {GUARDIAN_APP, None}:
        return ""
    await management.put(f"{FACTOR}/selected-provider", {"provider": GUARDIAN_APP})
    return f"the tenant's push provider from {view.provider} to {GUARDIAN_APP}"


async def _make_phone(management: ManagementClient, world: World, view: TenantView) -> str:
    await enroll_stand_in(await management.enrollment_ticket(world.user_id))
    return ""


async def _remove_phone(management: ManagementClient, world: World, view: TenantView) -> None:
    for device in view.devices:
        await management.delete(f"guardian/enrollments/{device['id']}")


def permission() -> dict[str, str]:
    """The permission that the bank's transfers want."""
    return {"value": TRANSFER_SCOPE, "description": "Initiate an account transfer"}


def access(world: World) -> dict[str, Any]:
    """The grant that lets the bAInk ask for the permission on behalf of users."""
    named = {"client_id": world.client_id, "audience": world.audience}
    return {**named, "subject_type": "user", "scope": [TRANSFER_SCOPE]}


def api_path(world: World) -> str:
    """Where the Management API has the transfers API."""
    return f"resource-servers/{quote(world.audience, safe='')}"


def client_path(world: World) -> str:
    """Where the Management API has the bAInk's application."""
    return f"clients/{quote(world.client_id, safe='')}"


def _with(values: Any, one: str) -> list[str]:
    return list(dict.fromkeys([*(values or []), one]))


PIECES: dict[str, Piece] = {
    "ciba": Piece(
        "the CIBA grant",
        2,
        lambda view: "on" if view.has_ciba else None,
        _make_ciba,
        _remove_ciba,
    ),
    "api": Piece(
        "the transfers API",
        2,
        lambda view: str(view.api["id"]) if view.api and view.has_api else None,
        _make_api,
        _remove_api,
    ),
    "permission": Piece(
        "its permission create:transfer",
        2,
        lambda view: str((view.api or {})["id"]) if TRANSFER_SCOPE in view.scopes else None,
        _make_permission,
        _remove_permission,
    ),
    "access": Piece(
        "the bAInk's access to it",
        2,
        lambda view: str((view.user_grant or {}).get("id", "all")) if view.has_access else None,
        _make_access,
        _remove_access,
    ),
    "factor": Piece(
        "the Guardian push factor",
        3,
        lambda view: "on" if view.has_factor else None,
        _make_factor,
        _remove_factor,
    ),
    "phone": Piece(
        "the customer's enrolled phone",
        3,
        lambda view: " ".join(sorted(one["id"] for one in view.devices)) or None,
        _make_phone,
        _remove_phone,
    ),
}
