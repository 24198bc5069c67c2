"""Lab 02: client, API, permission and access, each as CIBA and the bank need it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from baink_lab.auth0.ciba import CIBA_GRANT
from baink_lab.auth0.discovery import discover
from baink_lab.auth0.login import log_in_with_form
from baink_lab.auth0.wire import new_http
from baink_lab.errors import BainkError
from baink_lab.lab.checks.result import Result, failed, not_yet, passed
from baink_lab.lab.checks.shelf import Shelf
from baink_lab.lab.tenant_view import DIALECTS, PUSH_CHANNEL, TenantView
from baink_lab.lab.tokens import claims_of, wanted_by_bank, why_refused
from baink_lab.settings import TRANSFER_SCOPE

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

SETTINGS, CIBA, API, PERMISSION, ACCESS, TOKEN = (
    "settings",
    "ciba",
    "api",
    "permission",
    "access",
    "token",
)
APP = "Applications > Applications > the bAInk"
CLOSE = 0.75  # how alike two names are that are meant to be the same


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
        step = f"{APP} > Credentials: choose Client Secret (Post)."
        return failed(CIBA, why, step, "T2")
    if CIBA_GRANT not in client.get("grant_types", []):
        if not await _has_tried(lab, view):
            why = "The bAInk may not ask phones yet: it lacks the grant type for it."
            return not_yet(CIBA, why, "Run the cell of step 1.")
        granted = ", ".join(client.get("grant_types", []))
        why = (
            f"The grant type is not among those of the bAInk ({granted}). A request to the phone "
            "would be answered 403 unauthorized_client."
        )
        step = f"{APP} > Settings > Advanced Settings > Grant Types: tick CIBA. Or step 1's cell."
        return failed(CIBA, why, step, "T1")
    channels = client.get("async_approval_notification_channels") or []
    if PUSH_CHANNEL not in channels:
        named = ", ".join(channels) or "none"
        why = f"The bAInk's notification channels are: {named}. So no push is ever sent."
        step = (
            f"{APP} > Settings > Client-Initiated Backchannel Authentication (CIBA): tick push. "
            f'By API: "async_approval_notification_channels": ["{PUSH_CHANNEL}"].'
        )
        return failed(CIBA, why, step, "T3")
    why = (
        "The bAInk is a confidential client with the CIBA grant, and reaches customers by push. "
        "Its other grants are still there: the list was replaced by a longer one."
    )
    return passed(CIBA, why)


async def api_exists(lab: Lab) -> Result:
    """An API with the very identifier that the bank wants, and RFC 9068 tokens."""
    view = await lab.tenant()
    wanted = lab.world.audience
    if view.api is None:
        return await _api_missing(lab, view, wanted)
    dialect = view.api.get("token_dialect")
    if dialect not in DIALECTS:
        why = (
            f"The API's token profile is {dialect}: Auth0's own. Its tokens say typ JWT and have "
            "no client_id; the bank takes RFC 9068 tokens, whose typ is at+jwt, so that an ID "
            "token can never pass as an access token."
        )
        step = (
            "Applications > APIs > your API > Settings > JSON Web Token (JWT) Profile: RFC 9068. "
            'By API: PATCH it with {"token_dialect": "rfc9068_profile"}.'
        )
        return failed(API, why, step, "T8")
    why = (
        "The API is there, under the very identifier that the bank looks for in `aud`, and its "
        "tokens are RFC 9068 access tokens."
    )
    return passed(API, why)


async def permission_exists(lab: Lab) -> Result:
    """The API defines create:transfer."""
    view = await lab.tenant()
    if view.api is None:
        return _first(PERMISSION, API)
    if TRANSFER_SCOPE in view.scopes:
        why = "The API defines create:transfer: it can now be asked for, granted, and checked."
        return passed(PERMISSION, why)
    alike = difflib.get_close_matches(TRANSFER_SCOPE, view.scopes, 1, CLOSE)
    if alike:
        why = (
            f'The API defines "{alike[0]}", the bank wants "{TRANSFER_SCOPE}". A scope is compared '
            "letter by letter, and one that does not exist is left out of tokens without a word."
        )
        step = "Applications > APIs > your API > Permissions: remove that one, add create:transfer."
        return failed(PERMISSION, why, step, "T10")
    if not view.scopes and not view.grants:
        why = "The API defines no permission yet."
        return not_yet(PERMISSION, why, "Run the cell of step 3.")
    why = (
        f"The API defines: {', '.join(view.scopes) or 'nothing'}. create:transfer is not among "
        "them, so the tenant leaves it out of every token, and the bank answers 403 "
        "insufficient_scope."
    )
    step = "Applications > APIs > your API > Permissions > Add a Permission: create:transfer."
    return failed(PERMISSION, why, step, "T9")


async def access_granted(lab: Lab) -> Result:
    """The application may ask for the permission on behalf of users."""
    view = await lab.tenant()
    if view.api is None:
        return _first(ACCESS, API)
    if TRANSFER_SCOPE not in view.scopes:
        return _first(ACCESS, PERMISSION)
    if view.has_access:
        why = (
            "The bAInk may ask for create:transfer on behalf of users. Every other application "
            "of the tenant may not."
        )
        if view.user_policy == "allow_all":
            why = "The API lets every application of the tenant ask, so the bAInk may ask too."
        return passed(ACCESS, why)
    where = "Applications > APIs > your API > Application Access > the bAInk > Edit"
    if view.user_grant is not None and view.user_policy != "deny_all":
        has = ", ".join(view.user_grant.get("scope", [])) or "no permission"
        why = (
            f"The bAInk is authorized for the API, with {has}. What the grant lacks is left out "
            "of the token without a word."
        )
        return failed(ACCESS, why, f"{where}: tick create:transfer.", "T12")
    if not view.grants and view.user_policy != "deny_all":
        why = "The bAInk is not authorized for the API yet."
        if not await _refused(lab, "is not authorized to access"):
            return not_yet(ACCESS, why, "Run the cell of step 4.")
    else:
        why = (
            "The bAInk's grant is of the subject type client: for its own account, machine to "
            "machine. CIBA asks on behalf of a user, and needs a grant of the type user."
        )
        if view.user_policy == "deny_all":
            why = "The API's access policy lets no application ask on behalf of users."
    step = f'{where} > User-Delegated Access. By API: "subject_type": "user".'
    return failed(ACCESS, why, step, "T11")


async def token_fits(lab: Lab) -> Result:
    """The tenant really makes a token that the bank would take."""
    for name, look in CHECKS.items():
        if not await look(lab):
            return _first(TOKEN, name)
    if not lab.world.user_password:
        why = "In live mode this is shown by lab 04, with your phone: all settings fit."
        return passed(TOKEN, why)
    scope = f"openid {TRANSFER_SCOPE}"
    login = await log_in_with_form(
        lab.world, scope=scope, audience=lab.world.audience, clock=lab.clock
    )
    refused = why_refused(claims_of(login.access_token) or {}, wanted_by_bank(lab.world))
    if refused == "scope":
        return await rbac(lab, TOKEN)
    if refused is not None:
        return failed(TOKEN, f"The token's {refused} does not fit.", "Run lab.decode on it.")
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
        "RBAC off at the API > Settings > RBAC Settings."
    )
    view = await lab.tenant()
    if (view.api or {}).get("enforce_policies"):
        return failed(name, why, step, "T13")
    return failed(name, "The token lacks create:transfer.", "Run await lab.doctor().")


async def _api_missing(lab: Lab, view: TenantView, wanted: str) -> Result:
    base = wanted.removesuffix("/transfers")
    others = [str(api["identifier"]) for api in view.apis if api["identifier"] != base]
    alike = difflib.get_close_matches(wanted, others, 1, CLOSE)
    if alike:
        why = (
            f"There is an API {alike[0]}\nand the bank wants      {wanted}\nIdentifiers are "
            f"compared letter by letter: {_difference(alike[0], wanted)}."
        )
        step = "An identifier cannot be changed: delete that API, and run the cell of step 2."
        return failed(API, why, step, "T7")
    if not others and not await _refused(lab, "Service not enabled within domain"):
        return not_yet(API, "The tenant has no API for transfers yet.", "Run the cell of step 2.")
    known = ", ".join(others) or "none but the one for accounts"
    why = (
        f"The tenant has no API {wanted} (it has: {known}). A request for it is answered 403 "
        "access_denied, Service not enabled within domain."
    )
    step = f"Applications > APIs > Create API, with the identifier {wanted}."
    return failed(API, why, step, "T6")


def _difference(given: str, wanted: str) -> str:
    """Where two identifiers differ, in words."""
    matcher = difflib.SequenceMatcher(None, given, wanted, autojunk=False)
    parts = []
    for what, start, end, start2, end2 in matcher.get_opcodes():
        if what != "equal":
            had, needs = given[start:end] or "nothing", wanted[start2:end2] or "nothing"
            parts.append(f"“{had}” should be “{needs}”")
    return ", ".join(parts)


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
    return bool(view.grants) or await _refused(lab, "not allowed for the client")


async def _refused(lab: Lab, words: str) -> bool:
    """True when the tenant has refused a request to the phone with these words."""
    entries: list[dict[str, Any]] = await lab.log("ciba_start_failed")
    return any(words in str(one.get("description")) for one in entries)


def _first(name: str, step: str) -> Result:
    why = f'The check "{step}" comes first, and is not passed.'
    return not_yet(name, why, f'Run await lab.check("{step}"): it says what to do.')


CHECKS = {
    SETTINGS: settings_fit,
    CIBA: ciba_enabled,
    API: api_exists,
    PERMISSION: permission_exists,
    ACCESS: access_granted,
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
        TOKEN: ("Run the checks of steps 0 to 4; fix the first that is not green.",),
    },
)
