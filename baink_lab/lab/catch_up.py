"""Bring the tenant to where a lab starts: add what is missing, take away what came ready-made.

What a learner made is never taken away here (`start_over` does that): the progress file remembers
which pieces came with the sandbox or were added here, and only those go again. What was there and
was only changed stays whose it was.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import quote

import httpx

from baink_lab.auth0.ciba import CIBA_GRANT
from baink_lab.auth0.management import PUSH, ManagementClient
from baink_lab.auth0.tokens import ALGORITHMS
from baink_lab.lab.enrolment import enroll_stand_in
from baink_lab.lab.progress import Progress
from baink_lab.lab.tenant_view import DIALECTS, GUARDIAN_APP, PUSH_CHANNEL, TenantView, look
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
class _Piece:
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


async def catch_up(
    management: ManagementClient,
    world: World,
    number: int,
    progress: Progress,
    *,
    http: httpx.AsyncClient | None = None,
) -> list[str]:
    """Bring the tenant to where lab `number` starts, and say in sentences what was done.

    Runs again without harm. Changes a sandbox's tenant only: the caller sees to that.

    Args:
        management: asks the tenant.
        world: where it is.
        number: of the lab.
        progress: remembers which pieces no learner made.
        http: reaches the enrolment page; a client of its own when left out.

    Raises:
        Auth0Error: the tenant refused a change.
    """
    view, told = await _log_in_again(management, world, await look(management, world))
    ours = _ours(view, world, progress)
    lacking = [n for n, one in PIECES.items() if needs(number, one) and one.mark(view) is None]
    taken = [n for n, one in PIECES.items() if not needs(number, one) and _may_go(n, view, ours)]
    changed: dict[str, str] = {}
    for name in lacking:
        if name == "phone":
            await enroll_stand_in(await management.enrollment_ticket(world.user_id), http=http)
        elif words := await PIECES[name].make(management, world, view):
            changed[name] = words
    for name in reversed(taken):
        if not (name == "permission" and "api" in taken):  # it goes with its API
            await PIECES[name].remove(management, world, view)
    added = [name for name in lacking if name not in changed]
    if lacking or taken:
        after = await look(management, world)
        ours = _ours(after, world, progress) if changed else ours
        ours |= {name: str(PIECES[name].mark(after)) for name in added}
        ours = {name: mark for name, mark in ours.items() if name not in taken}
    with progress.change() as content:
        content["world"] = {"client_id": world.client_id, "ours": ours}
    return [*told, *_told(number, added, list(changed.values()), taken)]


async def _log_in_again(
    management: ManagementClient, world: World, view: TenantView
) -> tuple[TenantView, list[str]]:
    """Give the application back what a login needs: a PATCH with fewer grant types takes it."""
    granted = view.client.get("grant_types") or []
    lost = [one for one in LOGIN_GRANTS if one not in granted]
    if not lost:
        return view, []
    client = await management.patch(client_path(world), {"grant_types": [*lost, *granted]})
    told = (
        f"The application the bAInk had lost what a login needs, {' and '.join(lost)}, so I gave "
        "it back. (A PATCH replaces the whole list of grant types.)"
    )
    return dataclasses.replace(view, client=client), [told]


def _ours(view: TenantView, world: World, progress: Progress) -> dict[str, str]:
    """The marks of the pieces that no learner made, as far as they are still there."""
    known = progress.read().get("world", {})
    there = {name: mark for name, piece in PIECES.items() if (mark := piece.mark(view))}
    if known.get("client_id") != world.client_id:  # a tenant that no lab has seen before
        return there
    before = known.get("ours", {})
    return {name: mark for name, mark in there.items() if before.get(name) == mark}


def needs(number: int, piece: _Piece) -> bool:
    """Whether lab `number` starts with this piece in place."""
    return number == 0 or number >= FIRST_READY_LAB or piece.lab < number


def _may_go(name: str, view: TenantView, ours: Mapping[str, str]) -> bool:
    """True for what is there and is not the learner's, nor holds up anything of theirs."""
    mark = PIECES[name].mark(view)
    if mark is None or ours.get(name) != mark:
        return False
    others = [one for one in view.grants if str(one["id"]) != ours.get("access")]
    return not (name in ("api", "permission") and others)


def _told(number: int, added: list[str], changed: list[str], taken: list[str]) -> list[str]:
    sentences = []
    done = [f"added: {', '.join(PIECES[name].name for name in added)}"] if added else []
    done += [f"changed: {'; '.join(changed)}"] if changed else []
    if done:
        text = ". I ".join(done)
        sentences.append(f"Lab {number:02d} stands on earlier steps, so I {text}.")
    if taken:
        names = ", ".join(PIECES[name].name for name in taken)
        sentences.append(
            f"Lab {number:02d} starts before these were configured, so I took away what had come "
            f"ready-made: {names}. That is meant so: you make them yourself, and a later lab adds "
            "what is missing. What you made stays."
        )
    return sentences


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


PIECES: dict[str, _Piece] = {
    "ciba": _Piece(
        "the CIBA grant",
        2,
        lambda view: "on" if view.has_ciba else None,
        _make_ciba,
        _remove_ciba,
    ),
    "api": _Piece(
        "the transfers API",
        2,
        lambda view: str(view.api["id"]) if view.api and view.has_api else None,
        _make_api,
        _remove_api,
    ),
    "permission": _Piece(
        "its permission create:transfer",
        2,
        lambda view: str((view.api or {})["id"]) if TRANSFER_SCOPE in view.scopes else None,
        _make_permission,
        _remove_permission,
    ),
    "access": _Piece(
        "the bAInk's access to it",
        2,
        lambda view: str((view.user_grant or {}).get("id", "all")) if view.has_access else None,
        _make_access,
        _remove_access,
    ),
    "factor": _Piece(
        "the Guardian push factor",
        3,
        lambda view: "on" if view.has_factor else None,
        _make_factor,
        _remove_factor,
    ),
    "phone": _Piece(
        "the customer's enrolled phone",
        3,
        lambda view: " ".join(sorted(one["id"] for one in view.devices)) or None,
        _make_phone,
        _remove_phone,
    ),
}
