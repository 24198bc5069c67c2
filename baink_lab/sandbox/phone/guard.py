"""Who may talk to the phone at all: the secret path, our own host name, our own pages."""

from __future__ import annotations

import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from baink_lab.sandbox.phone.answers import error


class Guard:
    """Lets through what begins with the secret and comes from no other site.

    A page elsewhere may make its own name resolve to 127.0.0.1 (DNS rebinding): it then sends
    that name as `Host`. An address or a name without a dot cannot be made to do so: nobody owns
    them in the public DNS. A page may also send a form or a fetch across: that has its `Origin`.

    Args:
        app: the phone, mounted at `/phone`.
        secret: the first segment of every path; compared in constant time.
        hosts: names with a dot, without port, that the phone is reached under.
    """

    def __init__(self, app: ASGIApp, secret: str, hosts: tuple[str, ...] = ()) -> None:
        self._app = app
        self._secret = secret.encode()
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        segment, slash, rest = scope["path"].removeprefix("/").partition("/")
        if not self._is_ours(headers.get("host", "")):
            await error(421, "This phone does not answer under that name.")(scope, receive, send)
        elif not hmac.compare_digest(segment.encode("utf-8", "replace"), self._secret):
            await error(404, "There is nothing here.")(scope, receive, send)
        elif _is_cross_site(headers):
            await error(403, "Another site may not use this phone.")(scope, receive, send)
        elif not slash:  # so that the page's relative addresses work
            await RedirectResponse(f"{segment}/", 307)(scope, receive, send)
        else:
            await self._app({**scope, "path": f"/phone/{rest}"}, receive, send)

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._hosts or _nobody_owns(name)


def _nobody_owns(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return bool(name) and ("." not in name or name.endswith(".localhost"))
    return True


def _is_cross_site(headers: Headers) -> bool:
    """True for what a browser sends on behalf of a page that the phone did not serve."""
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc != headers.get("host")
    except ValueError:
        return True
