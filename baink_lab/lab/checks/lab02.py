"""Lab 02: the client may ask phones, and the tenant makes a token that the bank takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baink_lab.auth0.ciba import CIBA_GRANT
from baink_lab.auth0.discovery import discover
from baink_lab.auth0.login import log_in_with_form
from baink_lab.auth0.wire import new_http
from baink_lab.errors import BainkError
from baink_lab.lab.checks.evidence import refusals
from baink_lab.lab.checks.lab02_api import (
    ACCESS,
    API,
    PERMISSION,
    access_granted,
    api_exists,
    first,
    patch_api,
    permission_exists,
)
from baink_lab.lab.checks.result import Result, failed, not_yet, passed
from baink_lab.lab.checks.shelf import Shelf
from baink_lab.lab.checks.steps import run_cell, unsent, with_refusal
from baink_lab.lab.tenant.pieces import LOGIN_GRANTS
from baink_lab.lab.tenant.view import PUSH_CHANNEL, TenantView
from baink_lab.lab.widgets.show import counted
from baink_lab.lab.wire.tokens import claims_of, wanted_by_bank, why_refused
from baink_lab.settings import TRANSFER_SCOPE

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

SETTINGS, CIBA, TOKEN = "settings", "ciba", "token"
APP = "Applications > Applications > the bAInk"


async def settings_fit(lab: Lab) -> Result:
    """The tenant is who its domain says, and believes that we are the bAInk."""
    world = lab.world
    async with new_http() as http:
        try:
            provider = await discover(world.issuer, http)
        except BainkError as failure:
            if failure.code == "issuer_mismatch":
                return _other_issuer(failure.sentence)
            return failed(SETTINGS, failure.sentence, "Run await lab.doctor().")
        form = {
            "grant_type": "refresh_token",
            "refresh_token": "none",
            "client_id": world.client_id,
            "client_secret": world.client_secret,
        }
        answer = await http.post(provider.token_endpoint, data=form)
    # The token is no good, of course. But who says so has believed our secret first.
    if answer.status_code == 401 or answer.json().get("error") == "invalid_client":
        said = f"{answer.status_code} {answer.json().get('error')}"
        why = (
            f"The tenant does not accept our client secret: it answers {said}. (Auth0's "
            "documentation says invalid_client, its tenants say access_denied.)"
        )
        step = f"Copy the secret from {APP} > Settings to AUTH0_CLIENT_SECRET; restart the kernel."
        return failed(SETTINGS, why, step, "T14")
    why = "The tenant names itself as its domain says, and it knows the bAInk by its secret."
    return passed(SETTINGS, why)


async def ciba_enabled(lab: Lab) -> Result:
    """The application may ask phones: grant type, authentication, channel."""
    view = await lab.tenant()
    client = view.client
    if client.get("token_endpoint_auth_method") == "none":
        why = (
            "The bAInk is a public client: anybody could claim to be it and ask the customer's "
            "phone. So Auth0 offers CIBA to confidential clients only."
        )
        step = (
            f"{APP} > Credentials: choose Client Secret (Post). By API: "
            '`await http.patch(app, json={"token_endpoint_auth_method": "client_secret_post"})`.'
        )
        return failed(CIBA, why, step, "T2")
    if CIBA_GRANT not in client.get("grant_types", []):
        if not await _has_tried(lab, view):
            why = "The bAInk may not ask phones yet: it lacks the grant type for it."
            return not_yet(CIBA, why, run_cell(1, "PATCH"))
        granted = ", ".join(client.get("grant_types", []))
        why = (
            f"The grant type is not among those of the bAInk ({granted}). A request to the phone "
            "would be answered 403 unauthorized_client."
        )
        step = (
            f"{APP} > Settings > Advanced Settings > Grant Types: tick CIBA. By API: run the cell "
            f"of step 1. {unsent('PATCH')}"
        )
        return failed(CIBA, why, step, "T1")
    channels = client.get("async_approval_notification_channels") or []
    if PUSH_CHANNEL not in channels:
        named = ", ".join(channels) or "none"
        why = f"The bAInk's notification channels are: {named}. So no push is ever sent."
        step = (
            f"{APP} > Settings > Client-Initiated Backchannel Authentication (CIBA): tick push. "
            f"By API: run the cell of step 1 again, with {PUSH_CHANNEL} in it."
        )
        return failed(CIBA, why, step, "T3")
    if lost := [one for one in LOGIN_GRANTS if one not in client["grant_types"]]:
        return _login_lost(client["grant_types"], lost)
    why = (
        "The bAInk is a confidential client with the CIBA grant, and reaches customers by push. "
        "Its other grants are still there: the list was replaced by a longer one."
    )
    return passed(CIBA, why)


def _login_lost(granted: list[str], lost: list[str]) -> Result:
    """The list of grant types was replaced by a shorter one."""
    why = (
        f"The bAInk may ask phones, but has lost {counted(len(lost), 'grant')}: "
        f"{' and '.join(lost)}. The list of grant types is replaced, not merged, and the one that "
        "was sent lacked what is lost. So no customer can log in."
    )
    whole = ", ".join(f'"{one}"' for one in [*lost, *granted])
    step = (
        f"{APP} > Settings > Advanced Settings > Grant Types: tick Authorization Code and Refresh "
        f'Token. By API: `await http.patch(app, json={{"grant_types": [{whole}]}})`.'
    )
    hints = (
        "Look at the answer to step 1's PATCH: which grant types has the bAInk now?",
        "Read the list, add to it, and send it whole: that is what with_one does in step 1's cell.",
        step,
    )
    return failed(CIBA, why, step, hints=hints)


async def token_fits(lab: Lab) -> Result:
    """The tenant really makes a token that the bank would take."""
    for name, look in CHECKS.items():
        if not await look(lab):
            return first(TOKEN, name)
    if not lab.world.user_password:
        why = "In live mode this is shown by lab 04, with your phone: all settings fit."
        return passed(TOKEN, why)
    scope = f"openid {TRANSFER_SCOPE}"
    login = await log_in_with_form(
        lab.world, scope=scope, audience=lab.world.audience, clock=lab.clock
    )
    wrong = why_refused(claims_of(login.access_token) or {}, wanted_by_bank(lab.world))
    if wrong == "scope":
        return await rbac(lab, TOKEN)
    if wrong is not None:
        return failed(TOKEN, f"The token's {wrong} does not fit.", "Run lab.decode on it.")
    why = (
        "I asked the tenant for a token for the transfers API, at a login: issuer, audience, "
        "scope and typ are as the bank wants them. (I threw it away.) Aiya will never ask at a "
        "login: she asks the phone."
    )
    return passed(TOKEN, why)


async def rbac(lab: Lab, name: str) -> Result:
    """The token lacks the scope though everybody has it: the user has not."""
    why = (
        "The token lacks create:transfer, though API and application have it: RBAC is on for the "
        "API, and the customer has no such permission."
    )
    step = (
        "User Management > Users > the customer > Permissions > Assign Permissions; or switch "
        "RBAC off at the API > Settings > RBAC Settings. By API: "
        f"{patch_api(enforce_policies=False)}."
    )
    view = await lab.tenant()
    if (view.api or {}).get("enforce_policies"):
        return failed(name, why, step, "T13")
    return failed(name, "The token lacks create:transfer.", "Run await lab.doctor().")


def _other_issuer(sentence: str) -> Result:
    why = (
        f"The tenant is not who its address says. {sentence} Tokens name the tenant's own domain "
        "as their issuer, so the bank would refuse them all."
    )
    step = (
        "AUTH0_DOMAIN is the bare domain of the tenant, like your-tenant.eu.auth0.com: no URL, "
        "and not the custom domain while tokens name the other one."
    )
    return failed(SETTINGS, why, step, "T15")


async def _has_tried(lab: Lab, view: TenantView) -> bool:
    """True when something was done that only makes sense after the step."""
    return bool(view.grants or await refusals(lab, "not allowed for the client"))


CHECKS = {
    SETTINGS: settings_fit,
    CIBA: with_refusal(ciba_enabled, "PATCH", "/clients/"),
    API: with_refusal(api_exists, "POST", "/resource-servers"),
    PERMISSION: with_refusal(permission_exists, "PATCH", "/resource-servers/"),
    ACCESS: with_refusal(access_granted, "POST", "/client-grants"),
}

SHELF = Shelf(
    2,
    {**CHECKS, TOKEN: token_fits},
    {
        SETTINGS: ("Run await lab.doctor(): it looks at every setting.",),
        CIBA: ("Run the cell of step 1. It reads the grant types first: the list is replaced.",),
        API: ("Run the cell of step 2; compare the identifier with lab.world.audience.",),
        PERMISSION: ("Run the cell of step 3.",),
        ACCESS: ("Run the cell of step 4. The subject type must be user.",),
        TOKEN: ("Run the checks above from the first; mend the first that is not green.",),
    },
)
