"""Bring the tenant to where a lab starts: add what is missing, take away what came ready-made.

What a learner made is never taken away here (`start_over` does that): the progress file remembers
which pieces came with the sandbox or were added here, and only those go again. What was there and
was only changed stays whose it was.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import httpx

from baink_lab.auth0.management import ManagementClient
from baink_lab.lab.progress import Progress
from baink_lab.lab.tenant.enrolment import enroll_stand_in
from baink_lab.lab.tenant.pieces import LOGIN_GRANTS, PIECES, client_path, needs
from baink_lab.lab.tenant.view import TenantView, look
from baink_lab.settings import World


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
