"""A tenant that is down for a while: each request gets 503 and an empty body."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


class Outage:
    """Stands before an app and, while it is down, answers in its place.

    Args:
        app: the service.
        now: seconds since the epoch.
    """

    def __init__(self, app: ASGIApp, now: Callable[[], float]) -> None:
        self._app = app
        self._now = now
        self._until = 0.0

    @property
    def left(self) -> float:
        """For how many seconds the service will be down; 0 when it is up."""
        return max(0.0, self._until - self._now())

    def begin(self, seconds: float) -> None:
        """Go down for `seconds` from now; 0 brings the service up again."""
        self._until = self._now() + seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and self.left:
            await Response(status_code=503)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
