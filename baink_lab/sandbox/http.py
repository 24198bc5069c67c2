"""One service on one socket: uvicorn on uvloop and httptools, with a bound on what it reads."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from baink_lab.sandbox.tenant.tls import TlsFiles

MAX_HEAD = 64 * 1024  # bytes of request line and headers
MAX_WAITING = 256  # pipelined requests of one connection; real clients send none


def new_loop() -> asyncio.AbstractEventLoop:
    """An event loop: uvloop's, except where there is none (Windows, PyPy)."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


class Bounded(HttpToolsProtocol):
    """uvicorn's quicker parser, which by itself reads heads, and pipelines, without end."""

    _beside_bodies = 0  # bytes read of this request that are not its body

    def data_received(self, data: bytes) -> None:
        """Parse what came, and hang up when it is more than any head should be."""
        self._beside_bodies += len(data)
        super().data_received(data)
        if self._beside_bodies > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("Request head is too large.")
        # Each answer lets uvicorn read on, so what waits would grow as long as anybody sends.
        if len(self.pipeline) > MAX_WAITING:
            self.pipeline.clear()
            self.transport.close()

    def on_body(self, body: bytes) -> None:
        """Bodies have bounds of their own, in the apps."""
        self._beside_bodies -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next request may be as large again."""
        self._beside_bodies = 0
        super().on_message_complete()


class Server(uvicorn.Server):
    """uvicorn without its signal handlers (four would fight), and with a word when it is up.

    Args:
        app: what is served.
        secured: the certificate; None for plain HTTP.
    """

    def __init__(self, app: ASGIApp, secured: TlsFiles | None = None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Bounded,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
                ssl_certfile=secured.certificate if secured else None,
                ssl_keyfile=secured.key if secured else None,
            )
        )
        self.settled = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to the sandbox."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets)
        self.settled.set()

    async def run_on(self, bound: socket.socket) -> None:
        """Serve on `bound` until told to stop; `settled` is set whatever becomes of it."""
        try:
            await self.serve([bound])
        finally:
            self.settled.set()
