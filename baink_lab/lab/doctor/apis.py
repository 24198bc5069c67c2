"""The doctor looks at the two APIs at the tenant: transfers, which CIBA is for, and accounts."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from baink_lab.auth0.management import ManagementClient
from baink_lab.auth0.tokens import ALGORITHMS
from baink_lab.lab.doctor.client import ONCE
from baink_lab.lab.doctor.findings import Finding, judged
from baink_lab.lab.tenant.view import DIALECTS
from baink_lab.settings import READ_SCOPE, TRANSFER_SCOPE, World

MFA_CONSENT = "transactional-authorization-with-mfa"


async def look_at_transfers(management: ManagementClient, world: World) -> list[Finding]:
    """Whether tokens of the transfers API come as the bank wants them."""
    api = await management.find_resource_server(world.audience)
    if api is None:
        return [
            Finding(
                "API",
                False,
                f"the tenant has no API {world.audience}",
                f"Applications > APIs > Create API, with the identifier {world.audience}. "
                "Lab 02 does it.",
                "A request for it is answered 403: service not enabled within domain. The "
                "identifier counts to the letter, slash and all.",
            )
        ]
    scopes = _scopes(api)
    dialect, name = str(api.get("token_dialect")), str(api.get("name", world.audience))
    algorithm, policy = str(api.get("signing_alg")), api.get("consent_policy")
    settings = f"Applications > APIs > {name} > Settings"
    return [
        Finding("API", True, f"{name}, {world.audience}"),
        judged(
            "permission",
            TRANSFER_SCOPE in scopes,
            ", ".join(scopes) or "none",
            why="Auth0 leaves an unknown scope out of the token without a word; then the bank "
            "answers 403 insufficient_scope.",
            fix=f"Applications > APIs > {name} > Permissions: add {TRANSFER_SCOPE}. "
            "Lab 02 does it.",
        ),
        judged(
            "token profile",
            dialect in DIALECTS,
            dialect,
            why="The bank takes RFC 9068 tokens: typ at+jwt, with client_id and jti.",
            fix=f"{settings} > JSON Web Token (JWT) Profile: RFC 9068. Lab 02 does it.",
        ),
        judged(
            "signature",
            algorithm in ALGORITHMS,
            algorithm,
            why="The bank verifies with the tenant's public keys; a shared secret has none.",
            fix=f"{settings} > Signing Algorithm: RS256 (of a new API: it cannot be changed "
            "from HS256 everywhere). Lab 02 makes one.",
        ),
        judged(
            "consent policy",
            policy != MFA_CONSENT,
            str(policy or "standard"),
            why="CIBA does not work with it.",
            fix=f"{settings} > Access Settings: Standard.",
        ),
        await _rbac(management, world, api, name),
    ]


async def look_at_access(management: ManagementClient, world: World) -> list[Finding]:
    """Whether the bAInk may ask for transfers on behalf of a customer."""
    api = await management.find_resource_server(world.audience)
    return [
        judged(
            "application access",
            await _may(management, world, api, world.audience, TRANSFER_SCOPE),
            _policy(api),
            why="/bc-authorize answers 403 access_denied, or the token lacks the scope. A grant "
            "for machine-to-machine (Client Access) does not help CIBA.",
            fix="Applications > APIs > your API > Application Access > the bAInk > Edit > "
            f"User-Delegated Access: grant {TRANSFER_SCOPE}. If the API's Application Access "
            "Policy says No apps allowed, change that first. Lab 02 does it.",
        )
    ]


async def look_at_accounts(management: ManagementClient, world: World) -> list[Finding]:
    """Whether a login brings a token that the bank takes for reading."""
    audience = world.audience.removesuffix("/transfers")
    api = await management.find_resource_server(audience)
    lacks = []
    if api is None:
        lacks = [f"there is no API {audience}"]
    else:
        if READ_SCOPE not in _scopes(api):
            lacks.append(f"no permission {READ_SCOPE}")
        if api.get("token_dialect") not in DIALECTS:
            lacks.append("its token profile is not RFC 9068")
        if not await _may(management, world, api, audience, READ_SCOPE):
            lacks.append("the bAInk has no user access to it")
    return [
        judged(
            "accounts API",
            not lacks,
            "; ".join(lacks) or f"{audience} with {READ_SCOPE}",
            why="The customer's login asks for it: without it neither the accounts nor Aiya's "
            "reading tools work.",
            fix=f"Applications > APIs > Create API: identifier {audience}, profile RFC 9068, "
            f"permission {READ_SCOPE}, User-Delegated Access for the bAInk. {ONCE}",
        )
    ]


async def _rbac(
    management: ManagementClient, world: World, api: dict[str, Any], name: str
) -> Finding:
    if api.get("enforce_policies") is not True:
        return Finding("RBAC", True, "off: whoever is the customer may be granted the permission")
    if not world.user_id:
        fix = "Run await lab.login(), or set AUTH0_USER_ID."
        return Finding("RBAC", None, "on; whose permission is to be looked at is not known", fix)
    path = f"users/{quote(world.user_id, safe='')}/permissions"
    wanted = (world.audience, TRANSFER_SCOPE)
    held = [
        (one.get("resource_server_identifier"), one.get("permission_name"))
        for one in await management.get(path, per_page=100)
    ]
    return judged(
        "RBAC",
        wanted in held,
        f"on; the customer {'has' if wanted in held else 'does not have'} {TRANSFER_SCOPE}",
        why="The phone would be asked and say yes, and the token would lack the scope all the "
        "same: Auth0 leaves it out without a word.",
        fix="User Management > Users > the customer > Permissions > Assign Permissions: "
        f"{TRANSFER_SCOPE} of {name}; or switch RBAC off. Lab 02 tells of it.",
    )


async def _may(
    management: ManagementClient,
    world: World,
    api: dict[str, Any] | None,
    audience: str,
    scope: str,
) -> bool:
    policy = _policy(api)
    if policy == "allow_all":
        return True
    if policy == "deny_all":
        return False
    grants = await management.client_grants(
        client_id=world.client_id, audience=audience, subject_type="user"
    )
    return any(
        scope in (grant.get("scope") or []) or grant.get("allow_all_scopes") is True
        for grant in grants
    )


def _policy(api: dict[str, Any] | None) -> str:
    """Who may get tokens for users (contract section 5.5); no API, no policy."""
    user = ((api or {}).get("subject_type_authorization") or {}).get("user") or {}
    return str(user.get("policy") or ("allow_all" if api else "no API"))


def _scopes(api: dict[str, Any]) -> list[str]:
    return [str(scope.get("value")) for scope in api.get("scopes") or []]
