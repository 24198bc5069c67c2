"""The doctor looks at the way to the tenant: name, network, TLS, clock, and who answers."""

from __future__ import annotations

import email.utils
import socket
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from baink_lab.clock import Clock, SystemClock
from baink_lab.lab.doctor.findings import Finding, judged
from baink_lab.settings import Settings, World

SKEW_SECONDS = 30.0  # a Guardian answer is good for 30 s, an assertion may be 10 s ahead
AUTH0 = ".auth0.com"
CIBA_ENDPOINT = "backchannel_authentication_endpoint"


async def look_at_reach(
    settings: Settings, world: World, http: httpx.AsyncClient, *, restart: str, clock: Clock | None
) -> list[Finding]:
    """Ask the tenant who it is.

    Args:
        settings: the domain as it was given, and the mode.
        world: where the tenant is.
        http: the client to ask with.
        restart: what to do when it is the sandbox that does not answer.
        clock: what tells the time here.
    """
    clock = clock or SystemClock()
    live = settings.mode == "live"
    domain = [_domain(settings)] if live else []
    begun = clock.now()
    try:
        answer = await http.get(f"{world.issuer}.well-known/openid-configuration")
    except (httpx.HTTPError, httpx.InvalidURL) as failure:
        found, fix = _why_not(failure, urlsplit(world.issuer).netloc)
        why = "Without the tenant nothing of the labs works."
        return [*domain, Finding("tenant", False, found, fix if live else restart, why)]
    middle = (begun + clock.now()) / 2
    try:
        document: Any = answer.json()
    except ValueError:
        document = None
    if answer.status_code != 200 or not isinstance(document, dict):
        found = f"{world.issuer} has no discovery document (HTTP {answer.status_code})"
        fix = "Check AUTH0_DOMAIN: Applications > Applications > the bAInk > Settings > Domain."
        why = "Everything else is found through that document: whoever answers is no tenant."
        return [*domain, Finding("tenant", False, found, fix if live else restart, why)]
    return [
        *domain,
        _tenant(world, document),
        _issuer(world, document),
        *_clock(answer, middle),
        *_plan(document),
    ]


def _domain(settings: Settings) -> Finding:
    domain = settings.auth0_domain or ""
    if domain.endswith(AUTH0):
        return Finding("domain", True, f"{domain}, one of Auth0's")
    return Finding(
        "domain",
        None,
        f"{domain} is not a name of {AUTH0}",
        "If it is a custom domain, set AUTH0_DOMAIN to the tenant's own: Settings > Custom Domains "
        "in the dashboard names both.",
        "With a custom domain, tokens name that domain as issuer, while the Management API goes "
        "by the tenant's own.",
    )


def _tenant(world: World, document: dict[str, Any]) -> Finding:
    path = urlsplit(str(document.get(CIBA_ENDPOINT) or "/bc-authorize")).path
    return Finding("tenant", True, f"{world.issuer} answers; CIBA at {path}")


def _issuer(world: World, document: dict[str, Any]) -> Finding:
    said = str(document.get("issuer", ""))
    return judged(
        "issuer",
        said == world.issuer,
        said or "none",
        why=f"Tokens will say that they are from {said or 'nobody'}, and whoever expects "
        f"{world.issuer} refuses each of them.",
        fix=f"Set AUTH0_DOMAIN to {urlsplit(said).netloc or 'the domain of the tenant itself'}; a "
        "custom domain and the tenant's own are two issuers.",
    )


def _clock(answer: httpx.Response, here: float) -> list[Finding]:
    """The tenant's time is in its Date header, to the second (RFC 9110 section 6.6.1)."""
    try:
        there = email.utils.parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return []
    skew = here - there
    side = "ahead of" if skew > 0 else "behind"
    return [
        judged(
            "clock",
            abs(skew) <= SKEW_SECONDS,
            f"within {SKEW_SECONDS:.0f} s of the tenant's"
            if abs(skew) <= SKEW_SECONDS
            else f"{abs(skew):.0f} s {side} the tenant's",
            why="Tokens look expired, or not valid yet, and the time left for an answer is wrong.",
            fix="Let the machine set its clock by the network (NTP).",
        )
    ]


def _plan(document: dict[str, Any]) -> list[Finding]:
    """A hint only: Auth0's documented sample has no such line either."""
    if CIBA_ENDPOINT in document:
        return []
    return [
        Finding(
            "CIBA in the plan",
            None,
            "the tenant's discovery document names no CIBA endpoint",
            "Look whether Applications > Applications > the bAInk > Settings > Advanced Settings > "
            "Grant Types offers CIBA. It needs an Enterprise plan or an add-on.",
            "Without it the tenant refuses /bc-authorize.",
        )
    ]


def _why_not(failure: Exception, host: str) -> tuple[str, str]:
    for cause in _causes(failure):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"the certificate of {host} is not trusted: {cause.verify_message}",
                "If your network puts a certificate of its own in between, name its authority in "
                "SSL_CERT_FILE (a PEM file). Never switch the check off.",
            )
        if isinstance(cause, ssl.SSLError):
            return f"{host} does not speak TLS", "Check AUTH0_DOMAIN, port included."
        if isinstance(cause, socket.gaierror):
            return (
                f"there is no host {host}, or no network",
                "Check AUTH0_DOMAIN letter by letter, region included, and the network.",
            )
    kind = "does not answer in time" if isinstance(failure, httpx.TimeoutException) else ""
    return (
        f"{host} {kind or 'does not answer'} ({type(failure).__name__})",
        "Check AUTH0_DOMAIN and the network; behind a proxy, set HTTPS_PROXY.",
    )


def _causes(failure: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = failure
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
