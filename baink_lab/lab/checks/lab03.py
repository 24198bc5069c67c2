"""Lab 03: the push factor is on, the customer has a phone, and a waiting transfer went on."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from urllib.parse import quote

from baink_lab.approvals import Approval, State
from baink_lab.lab.checks.evidence import ANEW, Story, refusals
from baink_lab.lab.checks.lab00 import first_transfer
from baink_lab.lab.checks.result import Result, failed, not_yet, passed
from baink_lab.lab.checks.shelf import Shelf
from baink_lab.lab.checks.steps import run_cell, unsent, with_refusal
from baink_lab.settings import TRANSFER_SCOPE

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

FACTOR, ENROLLED, CONTINUED = "push_factor", "enrolled", "continued"
_REFUSED = "not enrolled in push notifications"


async def push_factor(lab: Lab) -> Result:
    """Guardian push is switched on for the tenant, and goes to the Guardian app."""
    view = await lab.tenant()
    if view.has_factor:
        why = (
            "Guardian push is on, and goes to the Guardian app: the tenant can send a question to "
            "a customer's phone. It is a switch of the whole tenant; who gets a push is decided by "
            "who is enrolled."
        )
        return passed(FACTOR, why)
    if view.factor:
        return _another_app(str(view.provider), enrolled_live=_live(lab) and bool(view.devices))
    if not await _has_touched_factor(lab):
        return not_yet(FACTOR, "Guardian push is off, as in a new tenant.", run_cell(1, "PUT"))
    why = (
        "Guardian push is switched off for the tenant. A request to the phone is then refused in "
        "the very words that a customer without a phone gets, though the customer may have one."
    )
    step = (
        "Security > Multi-factor Auth > Push Notification using Auth0 Guardian: switch it on. "
        f"By API: run the cell of step 1. {unsent('PUT')}"
    )
    return failed(FACTOR, why, step, "T4")


async def enrolled(lab: Lab) -> Result:
    """The customer has a confirmed Guardian device."""
    view = await lab.tenant()
    if view.devices:
        name = view.devices[-1].get("name") or "a phone"
        why = (
            f"“{name}” is enrolled for this customer: from now on the tenant knows where to send "
            "a question, and whose signature to expect under the answer."
        )
        if not view.has_factor:
            why += (
                " But the push factor is off, and until step 1's cell has switched it on, no "
                "question is sent."
            )
        return passed(ENROLLED, why)
    if not await _has_invited(lab):
        why = "The customer has no phone enrolled yet."
        step = (
            "Run the cells of step 2 and step 3, and press the button on the page of the link. "
            f"{unsent('POST')}"
        )
        return not_yet(ENROLLED, why, step)
    why = (
        "The customer has no confirmed device. A ticket alone enrols nobody: somebody has to open "
        "its link, on the page press the button, and with a real phone scan the code."
    )
    step = (
        "Run the cell of step 3, open the link that it shows, and press the button there. "
        f"{unsent('POST')}"
    )
    return failed(ENROLLED, why, step, "T5")


async def went_on(lab: Lab) -> Result:
    """The transfer that met no phone went on once there was one."""
    lacks = await _lacks_permission(lab)
    if lacks is not None:
        return lacks
    approvals = await lab.approvals()
    if approvals and approvals[-1].state is State.UNENROLLED:
        why = "The last question found no phone, so nothing moved."
        step = 'Once the check "enrolled" is green: await lab.say("continue transfer").'
        return not_yet(CONTINUED, why, step)
    result = dataclasses.replace(await first_transfer(lab), name=CONTINUED)
    if result:
        return await _gone_on(lab, result, approvals)
    if approvals and approvals[-1].state is State.DENIED:
        why = "You denied it, so it has not gone on, and nothing moved: just as it should be."
        step = 'To see it go on: await lab.say("try again"), then press Approve on the phone.'
        return not_yet(CONTINUED, why, step)
    return result


async def _gone_on(lab: Lab, result: Result, approvals: list[Approval]) -> Result:
    """Whether what was approved is what had met no phone, and whether it was asked for anew."""
    alone = [one for one in approvals if one.state is State.UNENROLLED]
    if not alone:
        return _met_a_phone(live=_live(lab))
    if not _same_transfer(approvals):
        why = "Another transfer was approved than the one that met no phone: that one waits still."
        step = 'await lab.say("continue transfer"), then press Approve on the phone.'
        return not_yet(CONTINUED, why, step)
    if (await Story.of(lab)).asked_anew(alone[-1]):
        return dataclasses.replace(result, why=result.why + ANEW)
    return result


def _met_a_phone(*, live: bool) -> Result:
    """Step 2 was left out, or came when there was a phone already."""
    why = (
        "The transfer was approved, and moved. But it met a phone at once, so nothing had to go on."
    )
    if live:
        why += " That will do: nobody has to take a real phone off the customer's list for it."
        return passed(CONTINUED, why)
    step = (
        "Step 2 comes first: ask when there is no phone. await lab.unenroll(), ask Aiya for a "
        "transfer, open the link that she gives, press the button there, and "
        'await lab.say("continue transfer").'
    )
    return dataclasses.replace(not_yet(CONTINUED, why, step), hints=(step,))


def _same_transfer(approvals: list[Approval]) -> bool:
    """Whether a transfer that met no phone was approved later, to the last letter."""
    alone = {one.digest: one.created_at for one in approvals if one.state is State.UNENROLLED}
    return any(
        one.state is State.APPROVED and one.created_at > alone.get(one.digest, one.created_at)
        for one in approvals
    )


def _live(lab: Lab) -> bool:
    return lab.settings.mode == "live"


def _another_app(provider: str, *, enrolled_live: bool) -> Result:
    """The second request of step 1 named an app that few learners have, and none in the sandbox."""
    sender = {"sns": "Amazon SNS", "direct": "your own FCM and APNs credentials"}
    by = sender.get(provider, provider)
    why = (
        f"Guardian push is on, but its provider is {provider}: pushes go by {by}, to an app of "
        "your own with the Guardian SDK. The Guardian app gets none of them."
    )
    if enrolled_live:
        why = (
            f"Guardian push is on, and goes by {by} to an app of your own, where the customer is "
            "enrolled. The Guardian app gets none of it."
        )
        return passed(FACTOR, why)
    step = (
        "Security > Multi-factor Auth > Push Notification using Auth0 Guardian > Push Notification "
        "App: Auth0 Guardian. By API: "
        '`await http.put(f"{factor}/selected-provider", json={"provider": "guardian"})`. '
        "(With an app of your own at a real tenant: go on, this turns green once it is enrolled.)"
    )
    hints = (
        "Step 1's cell sends two requests. What does the second one choose?",
        "The table above compares two apps. Which of them has your customer?",
        step,
    )
    return failed(FACTOR, why, step, hints=hints)


async def _has_touched_factor(lab: Lab) -> bool:
    """Whether anything was tried in this lab: a change of the factor, or a question in vain."""
    calls = await lab.log_of_lab("sapi")
    paths = [one.get("details", {}).get("request", {}).get("path") for one in calls]
    return any("guardian/factors/" in str(path) for path in paths) or bool(
        await refusals(lab, _REFUSED)
    )


async def _has_invited(lab: Lab) -> bool:
    """Whether the learner made a ticket; Aiya makes one for each request that met no phone."""
    calls = await lab.log_of_lab("sapi")
    tickets = [one for one in calls if "ticket" in str(one.get("description"))]
    return len(tickets) > len(await refusals(lab, _REFUSED))


async def _lacks_permission(lab: Lab) -> Result | None:
    """With RBAC a token holds only what the customer may do."""
    view = await lab.tenant()
    if not (view.api or {}).get("enforce_policies"):
        return None
    user = f"users/{quote(lab.world.user_id, safe='')}"
    has = [one["permission_name"] for one in await lab.manager().get(f"{user}/permissions")]
    if TRANSFER_SCOPE in has:
        return None
    why = (
        "RBAC is on for the API, and the customer has no permission create:transfer. The push is "
        "sent and approved, and then the token lacks the scope: the bank answers 403."
    )
    step = (
        "User Management > Users > the customer > Permissions > Assign Permissions; or switch "
        "RBAC off at the API > Settings > RBAC Settings."
    )
    return failed(CONTINUED, why, step, "T13")


SHELF = Shelf(
    3,
    {
        FACTOR: with_refusal(push_factor, "PUT", "/guardian/factors/"),
        ENROLLED: with_refusal(enrolled, "POST", "/guardian/enrollments/"),
        CONTINUED: went_on,
    },
    {
        FACTOR: ("Run the cell of step 1: a PUT, since the factor is always there, on or off.",),
        ENROLLED: (
            "A ticket is an invitation. Who takes it up becomes the customer's phone.",
            "Open the link of step 3 in a tab, and press the button there.",
        ),
        CONTINUED: (
            "The chat remembers what you asked for.",
            'await lab.say("continue transfer"), then press Approve on the phone.',
        ),
    },
)
