"""Lab 02's API at the tenant: its identifier and tokens, its permission, and who may ask."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from baink_lab.auth0.tokens import ALGORITHMS
from baink_lab.lab.checks.evidence import refusals
from baink_lab.lab.checks.result import Result, failed, not_yet, passed, slip
from baink_lab.lab.checks.steps import run_cell, unsent
from baink_lab.lab.tenant.pieces import TRANSFERS_API
from baink_lab.lab.tenant.view import DIALECTS, TenantView
from baink_lab.settings import TRANSFER_SCOPE

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

API, PERMISSION, ACCESS = "api", "permission", "access"
LIFETIME: int = TRANSFERS_API["token_lifetime"]  # seconds that a token is good for
_PER_APP = {"user": TRANSFERS_API["subject_type_authorization"]["user"]}
CLOSE = 0.75  # how alike two names are that are meant to be the same


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
            f"By API: {patch_api(token_dialect=DIALECTS[0])}."
        )
        return failed(API, why, step, "T8")
    if (algorithm := view.api.get("signing_alg")) not in ALGORITHMS:
        why = (
            f"The API's tokens are signed with {algorithm}. The bank takes "
            f"{' and '.join(ALGORITHMS)}: it verifies with the tenant's public keys, and shares no "
            "secret with anybody."
        )
        step = (
            "Applications > APIs > your API > Settings > Signing Algorithm: RS256. "
            f"By API: {patch_api(signing_alg='RS256')}."
        )
        return slip(API, why, step)
    why = (
        "The API is there, under the very identifier that the bank looks for in `aud`, and its "
        "tokens are RFC 9068 access tokens."
    )
    return passed(API, f"{why}{_not_as_asked(view)}")


def _not_as_asked(view: TenantView) -> str:
    """What step 2 asks for besides, and the bank does not need; empty when it is as asked."""
    asked: dict[str, Any] = {}
    told = []
    if view.user_policy == "allow_all":
        asked["subject_type_authorization"] = _PER_APP
        told.append("its access policy lets every application of the tenant ask for users")
    if view.api is not None and (seconds := view.api.get("token_lifetime", 0)) > LIFETIME:
        asked["token_lifetime"] = LIFETIME
        told.append(f"its tokens are good for {seconds} seconds, and not for {LIFETIME}")
    if not told:
        return ""
    return f" But {' and '.join(told)}. As step 2 has it: {patch_api(**asked)}."


async def permission_exists(lab: Lab) -> Result:
    """The API defines create:transfer."""
    view = await lab.tenant()
    if view.api is None:
        return first(PERMISSION, API)
    if TRANSFER_SCOPE in view.scopes:
        why = "The API defines create:transfer: it can now be asked for, granted, and checked."
        return passed(PERMISSION, why)
    added = [one.get("value") for sent in _sent(lab, "PATCH") for one in sent.get("scopes", [])]
    alike = _alike(TRANSFER_SCOPE, view.scopes, added)
    if alike:
        why = (
            f'The API defines "{alike}", the bank wants "{TRANSFER_SCOPE}". A scope is compared '
            "letter by letter, and one that does not exist is left out of tokens without a word."
        )
        step = (
            "Applications > APIs > your API > Permissions: add create:transfer. By API: run the "
            "cell of step 3 again, with that value. (The other one may stay: nobody asks for it.)"
        )
        return failed(PERMISSION, why, step, "T10")
    if not view.scopes and not view.grants:
        why = "The API defines no permission yet."
        return not_yet(PERMISSION, why, run_cell(3, "PATCH"))
    why = (
        f"The API defines: {', '.join(view.scopes) or 'nothing'}. create:transfer is not among "
        "them, so the tenant leaves it out of every token, and the bank answers 403 "
        "insufficient_scope."
    )
    step = (
        "Applications > APIs > your API > Permissions > Add a Permission: create:transfer. By API: "
        f"run the cell of step 3. {unsent('PATCH')}"
    )
    return failed(PERMISSION, why, step, "T9")


async def access_granted(lab: Lab) -> Result:
    """The application may ask for the permission on behalf of users."""
    view = await lab.tenant()
    if view.api is None:
        return first(ACCESS, API)
    if TRANSFER_SCOPE not in view.scopes:
        return first(ACCESS, PERMISSION)
    if view.has_access:
        why = (
            "The bAInk may ask for create:transfer on behalf of users. Every other application "
            "of the tenant may not."
        )
        if view.user_policy == "allow_all":
            why = (
                "The API lets every application of the tenant ask on behalf of users, so the bAInk "
                "may ask too. That is wider than it needs to be: the API > Settings > Application "
                "Access Policy > User-Delegated Access: Per-app authorization closes it, and step "
                "4 lets the bAInk in."
            )
        return passed(ACCESS, why)
    if view.user_policy == "deny_all":
        return _nobody_may()
    if not view.grants and not await refusals(lab, "is not authorized to access"):
        why = "The bAInk is not authorized for the API yet."
        return not_yet(ACCESS, why, run_cell(4, "POST"))
    return _grant_falls_short(view)


def _grant_falls_short(view: TenantView) -> Result:
    where = "Applications > APIs > your API > Application Access > the bAInk > Edit"
    if view.user_grant is not None:
        has = ", ".join(view.user_grant.get("scope", [])) or "no permission"
        why = (
            f"The bAInk is authorized for the API, with {has}. What the grant lacks is left out "
            "of the token without a word."
        )
        path = f"client-grants/{view.user_grant['id']}"
        step = (
            f"{where}: tick create:transfer. By API: "
            f'`await http.patch("{path}", json={{"scope": ["create:transfer"]}})`.'
        )
        return failed(ACCESS, why, step, "T12")
    why = (
        "The bAInk is not authorized for the API."
        if not view.grants
        else "The bAInk's grant is of the subject type client: for its own account, machine to "
        "machine. CIBA asks on behalf of a user, and needs a grant of the type user."
    )
    step = (
        f"{where} > User-Delegated Access. By API: run the cell of step 4, with "
        '`"subject_type": "user"`. (A grant of the type client may stay.)'
    )
    return failed(ACCESS, why, step, "T11")


def _nobody_may() -> Result:
    why = (
        "The API's access policy for users is deny_all: no application may ask on behalf of "
        "users, whatever it was granted."
    )
    step = (
        "Applications > APIs > your API > Settings > Application Access Policy > User-Delegated "
        f"Access: Per-app authorization. By API: {patch_api(subject_type_authorization=_PER_APP)}. "
        "Then step 4."
    )
    hints = (
        "The grant is not the fault. Who may ask at all, by the API's own policy?",
        "Compare subject_type_authorization with the one in the cell of step 2.",
        step,
    )
    return failed(ACCESS, why, step, "T11", hints=hints)


def patch_api(**change: object) -> str:
    """The call that changes the API, as code to copy into a cell."""
    path = '"resource-servers/" + lab.quoted(world.audience)'
    return f"`await http.patch({path}, json={change})`"


async def _api_missing(lab: Lab, view: TenantView, wanted: str) -> Result:
    base = wanted.removesuffix("/transfers")
    others = [str(api["identifier"]) for api in view.apis if api["identifier"] != base]
    alike = _alike(wanted, others, [one.get("identifier") for one in _sent(lab, "POST")])
    if alike:
        why = (
            f"There is an API {alike}\nand the bank wants      {wanted}\nIdentifiers are "
            f"compared letter by letter: {_difference(alike, wanted)}."
        )
        step = (
            "An identifier cannot be changed. Run the cell of step 2 with `world.audience`; the "
            "other API may stay, nobody asks for it."
        )
        return failed(API, why, step, "T7")
    if not others and not await refusals(lab, "Service not enabled within domain"):
        why = "The tenant has no API for transfers yet."
        return not_yet(API, why, run_cell(2, "POST"))
    known = ", ".join(others) or "none but the one for accounts"
    why = (
        f"The tenant has no API {wanted} (it has: {known}). A request for it is answered 403 "
        "access_denied, Service not enabled within domain."
    )
    step = (
        f"Applications > APIs > Create API, with the identifier {wanted}. By API: run the cell of "
        f"step 2. {unsent('POST')}"
    )
    return failed(API, why, step, "T6")


def _sent(lab: Lab, method: str) -> list[dict[str, Any]]:
    """What a notebook asked of the tenant's APIs and was not refused, oldest first."""
    return [
        one.sent
        for one in lab.exchanges
        if one.method == method
        and "/resource-servers" in one.path
        and one.status < 400
        and isinstance(one.sent, dict)
    ]


def _alike(wanted: str, names: list[str], made: list[Any]) -> str:
    """A name that is nearly the wanted one: what was made last, or else the nearest; or none."""
    lower = {one.lower(): one for one in names}
    alike = [lower[one] for one in difflib.get_close_matches(wanted.lower(), lower, 9, CLOSE)]
    return next((one for one in reversed(made) if one in alike), alike[0] if alike else "")


def _difference(given: str, wanted: str) -> str:
    """Where two identifiers differ, in words."""
    matcher = difflib.SequenceMatcher(None, given, wanted, autojunk=False)
    parts = []
    for what, start, end, start2, end2 in matcher.get_opcodes():
        if what != "equal":
            had, needs = given[start:end], wanted[start2:end2]
            if not had:
                parts.append(f"“{needs}” is missing after “{_last_word(given[:start])}”")
            elif not needs:
                parts.append(f"“{had}” is too much, after “{_last_word(given[:start])}”")
            else:
                parts.append(f"“{had}” should be “{needs}”")
    return ", ".join(parts)


def _last_word(text: str) -> str:
    """The last part of an address, whole."""
    return re.split(r"(?<=.)[/:](?=.)", text)[-1]


def first(name: str, step: str) -> Result:
    """Not yet: the check of another step comes first."""
    why = f'The check "{step}" comes first, and is not passed.'
    return not_yet(name, why, f'Run await lab.check("{step}"): it says what to do.')
