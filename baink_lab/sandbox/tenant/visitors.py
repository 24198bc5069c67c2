"""Which browsers may use our pages: no rebound names, and no form that another site sends."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from baink_lab.sandbox.tenant import pages

_OUR_OWN = ("same-origin", "none")  # none: typed in by the person


def is_our_name(host: str, names: Collection[str]) -> bool:
    """True when a page of somebody else cannot have sent this `Host`.

    A page elsewhere may make its own name resolve to 127.0.0.1 (DNS rebinding): it then sends
    that name. An address or a name without a dot cannot be made to do so: nobody owns them in the
    public DNS.

    Args:
        host: the Host header.
        names: names with a dot, without port, that we are reached under.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name in names or _nobody_owns(name)


def is_cross_site(headers: Headers) -> bool:
    """True for what a browser sends on behalf of a page that we did not serve."""
    origin = headers.get("origin")
    if origin is None:  # a link that somebody follows, a picture, or no browser at all
        link = headers.get("sec-fetch-mode", "navigate") == "navigate"
        return not link and headers.get("sec-fetch-site", "none") not in _OUR_OWN
    try:
        return urlsplit(origin).netloc != headers.get("host")
    except ValueError:
        return True


class Visitors:
    """Stands before a page: strangers' names get 421, other sites' forms 403.

    A browser may come from anywhere with GET: applications send their users here.

    Args:
        app: the page.
        names: names with a dot, without port, that we are reached under.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = Headers(scope=scope)
        app = self._app
        if not is_our_name(headers.get("host", ""), self._names):
            app = pages.oops("This tenant does not answer under that name.", 421)
        elif scope["method"] not in ("GET", "HEAD") and is_cross_site(headers):
            app = pages.oops("Another site may not fill in this form.", 403)
        await app(scope, receive, send)


def guarded(routes: Iterable[Route], names: Collection[str]) -> list[Route]:
    """The same routes, with `Visitors` before each."""
    kept = list(routes)
    for route in kept:
        route.app = Visitors(route.app, names)
    return kept


def _nobody_owns(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return bool(name) and ("." not in name or name.endswith(".localhost"))
    return True
