"""The doctor looks at what the lab's Management application may do."""

from __future__ import annotations

import httpx

from baink_lab.auth0.wire import answer_of, send
from baink_lab.lab.doctor.client import ONCE
from baink_lab.lab.doctor.findings import Finding
from baink_lab.lab.wire.tokens import claims_of
from baink_lab.settings import World

READS = (
    *("read:clients", "read:resource_servers", "read:client_grants"),
    *("read:guardian_factors", "read:users", "read:logs"),
)
WRITES = (
    *("update:clients", "create:resource_servers", "update:resource_servers"),
    *("create:client_grants", "update:client_grants", "update:guardian_factors"),
    "create:guardian_enrollment_tickets",
)
ACCESS = (
    "Applications > APIs > Auth0 Management API > Application Access > your Management "
    "application > Edit > Client Access: grant"
)


async def look_at_management(world: World, http: httpx.AsyncClient) -> list[Finding]:
    """Get a token of its own, and read the scopes in it.

    Raises:
        Unavailable: the tenant gave no usable answer.
    """
    form = {
        "grant_type": "client_credentials",
        "client_id": world.management_client_id,
        "client_secret": world.management_client_secret,
        "audience": f"{world.issuer}api/v2/",
    }
    response = await send(http, "POST", f"{world.issuer}oauth/token", data=form)
    answer = answer_of(response)
    if response.status_code != 200:
        return [_no_token(world, answer)]
    claims = claims_of(str(answer.get("access_token"))) or {}
    granted = set(str(answer.get("scope") or claims.get("scope") or "").split())
    unread = [scope for scope in READS if scope not in granted]
    unwritten = [scope for scope in WRITES if scope not in granted]
    if unread:
        return [
            Finding(
                "management scopes",
                False,
                f"not granted: {', '.join(unread)}",
                f"{ACCESS} {', '.join(unread)}. {ONCE}",
                "Checks and this doctor cannot look at what they are to judge.",
            )
        ]
    if unwritten:
        return [
            Finding(
                "management scopes",
                None,
                f"enough to look, not to change: {', '.join(unwritten)} not granted",
                f"{ACCESS} {', '.join(unwritten)}; or use the dashboard in labs 02 and 03. {ONCE}",
                "The API cells of labs 02 and 03 would be refused, and Aiya could not offer an "
                "enrolment.",
            )
        ]
    return [Finding("management scopes", True, f"all {len(READS) + len(WRITES)} that labs use")]


def _no_token(world: World, answer: dict[str, object]) -> Finding:
    said = str(answer.get("error_description") or answer.get("error") or "no reason given")
    if "Service not enabled" in said:
        fix = (
            "AUTH0_DOMAIN looks like a custom domain; set it to the tenant's own (Settings > "
            "Custom Domains), like your-tenant.eu.auth0.com."
        )
        why = "The Management API goes by the tenant's own domain, whatever else has a name of it."
    elif "not authorized" in said:
        fix, why = f"{ACCESS} {', '.join(READS + WRITES)}. {ONCE}", "It may not ask for a token."
    else:
        fix = "Check AUTH0_MGMT_CLIENT_ID and AUTH0_MGMT_CLIENT_SECRET."
        why = "The tenant does not believe the Management application."
    return Finding("management scopes", False, f"no token: {said.rstrip('.')}", fix, why)
