"""The doctor looks at Guardian, and at the customer and their phone."""

from __future__ import annotations

from baink_lab.auth0.machine_token import ManagementError
from baink_lab.auth0.management import PUSH, ManagementClient
from baink_lab.lab.doctor.findings import Finding, judged
from baink_lab.lab.widgets.show import counted
from baink_lab.settings import World

FACTOR = "Security > Multi-factor Auth > Push Notification using Auth0 Guardian"
PROVIDERS = {
    "guardian": "the Auth0 Guardian app",
    "direct": "an app of your own (FCM, APNs)",
    "sns": "an app of your own (AWS SNS)",
}


async def look_at_guardian(management: ManagementClient, world: World) -> list[Finding]:
    """Whether a push can be sent at all, and to which app."""
    enabled = await management.push_factor_enabled()
    try:
        chosen = await management.get(f"guardian/factors/{PUSH}/selected-provider")
    except ManagementError as refused:
        if refused.status != 404:
            raise
        chosen = {}
    provider = str((chosen or {}).get("provider") or "none")
    return [
        judged(
            "Guardian push",
            enabled,
            "enabled" if enabled else "disabled",
            why="/bc-authorize refuses, since no phone can be asked.",
            fix=f"{FACTOR}: switch it on. Lab 03 does it.",
        ),
        judged(
            "push provider",
            provider in PROVIDERS,
            PROVIDERS.get(provider, provider),
            why="The factor is on, and nobody is named who would deliver the push.",
            fix=f"{FACTOR} > Push Notification App: Auth0 Guardian. Lab 03 does it.",
        ),
    ]


async def look_at_customer(management: ManagementClient, world: World) -> list[Finding]:
    """Whether the customer is there and has a phone."""
    if not world.user_id:
        fix = (
            "Run await lab.login(), or set AUTH0_USER_ID (User Management > Users > the user > "
            "user_id)."
        )
        why = "Whose phone is to be asked? Nobody is logged in here."
        return [Finding("customer", None, "AUTH0_USER_ID is not set", fix, why)]
    user = await management.find_user(world.user_id)
    if user is None:
        return [
            Finding(
                "customer",
                False,
                f"the tenant has no user {world.user_id}",
                "Copy the user_id of User Management > Users to AUTH0_USER_ID.",
                "/bc-authorize answers unknown_user_id.",
            )
        ]
    devices = await management.push_enrollments(world.user_id)
    name = str(user.get("name") or world.user_id)
    page = "User Management > Users > the user"
    return [
        judged(
            "customer",
            user.get("blocked") is not True,
            f"{name} ({world.user_id}){', blocked' if user.get('blocked') is True else ''}",
            why="A blocked user can neither log in nor be asked.",
            fix=f"{page} > Unblock.",
        ),
        judged(
            "customer's phone",
            bool(devices),
            f"{name} has {counted(len(devices), 'phone')} enrolled",
            why="/bc-authorize refuses, or sends an e-mail in place of the push.",
            fix=f"Lab 03 enrolls one; or {page} > Multi-Factor Authentication > send an enrolment "
            "invitation.",
        ),
    ]
