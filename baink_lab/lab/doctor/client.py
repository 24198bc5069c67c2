"""The doctor looks at the bAInk's application at the tenant."""

from __future__ import annotations

from typing import Any

from baink_lab.auth0.ciba import CIBA_GRANT
from baink_lab.auth0.management import ManagementClient
from baink_lab.lab.doctor.findings import Finding, judged
from baink_lab.lab.tenant.view import PUSH_CHANNEL
from baink_lab.lab.widgets.show import counted
from baink_lab.settings import World

SECRET_METHODS = ("client_secret_post", "client_secret_basic")
CODE_GRANT = "authorization_code"
ONCE = "Once, before lab 00 (README, Live mode)."


async def look_at_client(
    management: ManagementClient, world: World, callback: str
) -> list[Finding]:
    """Whether the application may do what the labs do with it.

    Args:
        management: asks the tenant.
        world: names the application.
        callback: where logins end; empty when nobody has to log in.
    """
    client = await management.find_client(world.client_id)
    if client is None:
        return [
            Finding(
                "client",
                False,
                f"the tenant has no application {world.client_id}",
                "Copy the Client ID of Applications > Applications > the bAInk to AUTH0_CLIENT_ID.",
                "The tenant answers only applications that it knows.",
            )
        ]
    settings = f"Applications > Applications > {client.get('name', world.client_id)}"
    return [
        *_kind(client, settings),
        *_grants(client, settings),
        *([_callback(client, settings, callback)] if callback else []),
    ]


def _kind(client: dict[str, Any], settings: str) -> list[Finding]:
    method = str(client.get("token_endpoint_auth_method") or "private_key_jwt")
    name = str(client.get("name", "the application"))
    return [
        judged(
            "client",
            method in SECRET_METHODS,
            f"{name} authenticates by {method}",
            why="CIBA is for confidential clients, and the lab has a client secret to show.",
            fix=f"{settings} > Credentials: choose Client Secret (Post). {ONCE}",
        ),
        judged(
            "first party",
            client.get("is_first_party") is not False,
            "yes" if client.get("is_first_party") is not False else "a third party's application",
            why="Auth0 lets first-party applications alone ask a customer's phone.",
            fix="A third-party application cannot be converted: Applications > Applications > "
            f"Create Application > Regular Web Application, and set its id. {ONCE}",
        ),
        judged(
            "OIDC conformant",
            client.get("oidc_conformant") is True,
            "yes" if client.get("oidc_conformant") is True else "no",
            why="CIBA is refused to applications that keep to Auth0's older ways.",
            fix=f"{settings} > Settings > Advanced Settings > OAuth > OIDC Conformant. {ONCE}",
        ),
    ]


def _grants(client: dict[str, Any], settings: str) -> list[Finding]:
    grants = [str(one) for one in client.get("grant_types") or []]
    channels = [str(one) for one in client.get("async_approval_notification_channels") or []]
    types = f"{settings} > Settings > Advanced Settings > Grant Types: tick"
    return [
        judged(
            "login grant",
            CODE_GRANT in grants,
            "Authorization Code" if CODE_GRANT in grants else "none",
            why="Without it the customer cannot log in, so that neither bank nor Aiya serves them.",
            fix=f"{types} Authorization Code, and Refresh Token. {ONCE}",
        ),
        judged(
            "CIBA grant",
            CIBA_GRANT in grants,
            f"{counted(len(grants), 'grant type')}, "
            f"{'CIBA' if CIBA_GRANT in grants else 'not CIBA'}",
            why="/bc-authorize answers 403 unauthorized_client.",
            fix=f"{types} Client Initiated Backchannel Authentication (CIBA). Lab 02 does it.",
        ),
        judged(
            "notification channel",
            PUSH_CHANNEL in channels,
            ", ".join(channels) or "none",
            why="A request may be taken, but no push is ever sent.",
            fix=f"{settings} > Settings > Client-Initiated Backchannel Authentication (CIBA): "
            "tick Guardian push. Lab 02 does it.",
        ),
    ]


def _callback(client: dict[str, Any], settings: str, callback: str) -> Finding:
    known = [str(one) for one in client.get("callbacks") or []]
    return judged(
        "callback of the login",
        callback in known,
        f"{callback} is {'' if callback in known else 'not '}allowed",
        why="Auth0 compares callbacks to the letter; the login would end with Callback URL "
        "mismatch, in the browser alone.",
        fix=f"{settings} > Settings > Allowed Callback URLs: add {callback}. {ONCE}",
    )
