"""Who may talk to the phone at all: the secret path, our own host name, our own pages."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from baink_lab.sandbox.phone.answers import error
from baink_lab.sandbox.tenant.visitors import is_cross_site, is_our_name


class Guard:
    """Lets through what begins with the secret and comes from no other site.

    Other sites are told by the name they reach us under, and by their `Origin` (see `visitors`).

    Args:
        app: the service, mounted at `mount`.
        secret: the first segment of every path; compared in constant time.
        hosts: names with a dot, without port, that the service is reached under.
        mount: where `app` has its routes.
    """

    def __init__(
        self, app: ASGIApp, secret: str, hosts: tuple[str, ...] = (), *, mount: str = "/phone"
    ) -> None:
        self._app = app
        self._mount = mount
        self._secret = secret.encode()
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        segment, slash, rest = scope["path"].removeprefix("/").partition("/")
        if not is_our_name(headers.get("host", ""), self._hosts):
            await error(421, "Nothing answers under that name here.")(scope, receive, send)
        elif not hmac.compare_digest(segment.encode("utf-8", "replace"), self._secret):
            await error(404, "There is nothing here.")(scope, receive, send)
        elif is_cross_site(headers):
            await error(403, "Another site may not use this.")(scope, receive, send)
        elif not slash:  # so that the page's relative addresses work
            await RedirectResponse(f"{segment}/", 307)(scope, receive, send)
        else:
            await self._app({**scope, "path": f"{self._mount}/{rest}"}, receive, send)
