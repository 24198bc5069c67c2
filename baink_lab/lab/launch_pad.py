"""The launch pad: where everything of the workshop is, in one table."""

from __future__ import annotations

import html

from baink_lab.lab.widgets.show import LEFT, Shown, flowing
from baink_lab.settings import Settings, World


def launch_pad(world: World, settings: Settings) -> Shown:
    """Where tenant, phone, bank, model, chat, progress and documents are, and what they are for.

    Args:
        world: where they are.
        settings: which of them are real.
    """
    live = settings.mode == "live"
    discovery = f"{world.issuer}.well-known/openid-configuration"
    tenant = "https://manage.auth0.com/" if live else discovery
    rows = [
        ("Tenant", tenant, "Auth0's dashboard" if live else "stands in for Auth0 on this machine"),
        ("Bank", f"{world.bank}/api/accounts", "the bAInk's API; it wants a token"),
        (
            "Model",
            f"{world.model}/models",
            "a real one" if settings.model_is_live else "a scripted stand-in",
        ),
        (
            "CIBA",
            "https://openid.net/specs/openid-client-initiated-backchannel-authentication-core-1_0.html",
            "the specification",
        ),
        (
            "Auth0 on CIBA",
            "https://auth0.com/docs/get-started/authentication-and-authorization-flow/"
            "client-initiated-backchannel-authentication-flow",
            "the flow, told by Auth0",
        ),
    ]
    if world.phone:
        rows.insert(1, ("Phone", f"{world.phone}/", "your second device: open it beside this page"))
    rows += [
        ("Chat", "await lab.chat()", "talk with Aiya, in any notebook"),
        ("Progress", "lab.done()", "what you have passed in every lab, and what is left"),
    ]
    cells = "".join(
        f'<tr><th scope="row" {LEFT}>{html.escape(name)}</th><td {LEFT}>{_place(where)}</td>'
        f"<td {LEFT}>{flowing(what)}</td></tr>"
        for name, where, what in rows
    )
    text = "\n".join(f"{name}: {where} ({what})" for name, where, what in rows)
    return Shown(f"<table><caption>Launch pad</caption>{cells}</table>", text)


def _place(where: str) -> str:
    """A link, or the line to run."""
    if "://" not in where:
        return f"<code>{html.escape(where)}</code>"
    shown = flowing(_short(where))
    return f'<a href="{html.escape(where)}" target="_blank" rel="noreferrer">{shown}</a>'


def _short(url: str) -> str:
    return url if len(url) <= 60 else f"{url[:57]}…"
