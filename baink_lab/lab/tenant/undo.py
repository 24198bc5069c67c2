"""How to take back what the lab changed at a real tenant. It lists; it never changes anything."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from baink_lab.lab.tenant.journal import Change, Journal
from baink_lab.settings import Settings

#: What the API calls a thing, and where the dashboard has it; the first that fits is taken.
_DASHBOARD = (
    (r"clients/[^/]+ .*grant_types", "Applications > Applications > the app > Settings > "
     "Advanced Settings > Grant Types; channels: section Client-Initiated Backchannel "
     "Authentication (CIBA) there"),
    (r"clients/[^/]+ .*async_approval", "Applications > Applications > the app > Settings > "
     "Client-Initiated Backchannel Authentication (CIBA)"),
    (r"clients\b.*callbacks", "Applications > Applications > the app > Settings > Allowed "
     "Callback URLs"),
    (r"clients\b", "Applications > Applications > the app > Settings"),
    (r"resource-servers/[^/]+ .*scopes", "Applications > APIs > the API > Permissions"),
    (r"resource-servers\b", "Applications > APIs > the API > Settings"),
    (r"client-grants\b", "Applications > APIs > the API > Application Access > the app > Edit"),
    (r"guardian/enrollments\b", "User Management > Users > the user > Multi-Factor Authentication"),
    (r"guardian\b", "Security > Multi-factor Auth > Push Notification using Auth0 Guardian"),
    (r"users/[^/]+/permissions", "User Management > Users > the user > Permissions"),
    (r"users\b", "User Management > Users"),
)  # fmt: skip
_TICKET = "guardian/enrollments/ticket"


def undo(settings: Settings, journal: Journal) -> str:
    """Every change that may still be there, newest first, each with both ways back."""
    changes = [one for one in journal.read() if one.happened is not False]
    if not changes:
        return f"The lab has changed nothing at a real tenant ({journal.path} is empty)."
    lines = [
        f"What the lab changed, newest first; go from the top. From {journal.path}.",
        "Nothing is changed by this list. What somebody else changed since would be overwritten "
        "by the older values: compare first.",
    ]
    for number, change in enumerate(reversed(changes), 1):
        lines += ["", *_told(number, change)]
    others = sorted({one.tenant for one in changes} - {settings.auth0_domain})
    if others:
        lines += ["", f"Some of it is at another tenant than the settings': {', '.join(others)}."]
    return "\n".join(lines)


def way_back(change: Change) -> tuple[str, Any] | str:
    """The API call that takes a change back: request line and body; or why there is none."""
    if change.unread:
        return f"What was there before could not be read ({change.unread})."
    if change.method == "DELETE":
        return _made_again(change)
    if change.method == "POST":
        return _deleted(change)
    if change.before is None:
        return "There was nothing before."
    return (f"{change.method} /api/v2/{change.path}", change.before)


def _deleted(change: Change) -> tuple[str, Any] | str:
    path = change.path
    if path == _TICKET:
        return (
            "An enrolment ticket that nobody uses ends by itself after five days. A phone that "
            "was enrolled by it: DELETE /api/v2/guardian/enrollments/{id}, ids at "
            "GET /api/v2/users/{id}/enrollments."
        )
    if path.endswith("/permissions"):
        held = (change.before or {}).get("permissions", [])
        new = [one for one in (change.sent or {}).get("permissions", []) if one not in held]
        return (f"DELETE /api/v2/{path}", {"permissions": new})
    made = change.made.get({"clients": "client_id", "users": "user_id"}.get(path, "id"))
    if made is None:
        return "The tenant's answer is not known: look whether it is there, and delete it."
    return (f"DELETE /api/v2/{path}/{quote(made, safe='')}", None)


def _made_again(change: Change) -> tuple[str, Any] | str:
    if change.path.endswith("/permissions"):
        return (f"POST /api/v2/{change.path}", change.before)
    if change.path.startswith("guardian/enrollments/"):
        return "A phone cannot be enrolled by the API: send the user an enrolment invitation."
    if change.before is None:
        return "There was nothing to delete."
    collection = change.path.rpartition("/")[0]
    body = {name: value for name, value in change.before.items() if name not in ("id", "client_id")}
    return (f"POST /api/v2/{collection}", body)


def dashboard(change: Change) -> str:
    """Where a person finds it in the dashboard."""
    fields = " ".join(change.sent) if isinstance(change.sent, dict) else ""
    for pattern, place in _DASHBOARD:
        if re.match(pattern, f"{change.path} {fields}"):
            return place
    return "https://manage.auth0.com/"


def _told(number: int, change: Change) -> list[str]:
    doubt = "" if change.happened else " (no answer came: it may have happened, look first)"
    lines = [f"{number}. {change.at} {change.tenant}: {change.method} {change.path}{doubt}"]
    lines.append(f"   dashboard: {dashboard(change)}")
    back = way_back(change)
    if isinstance(back, str):
        return [*lines, f"   {back}"]
    call, body = back
    lines.append(f"   API: {call}")
    if body is not None:
        lines.append(f"        {json.dumps(body, ensure_ascii=False)}")
    return lines
