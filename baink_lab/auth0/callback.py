"""A loopback port that a login's browser comes back to (RFC 8252 section 7.3)."""

from __future__ import annotations

import asyncio
import contextlib
import html
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from baink_lab.auth0.browser import LoginError
from baink_lab.errors import BainkError

HEAD_BYTES = 16 * 1024
HEAD_SECONDS = 10.0
GOOD, BAD = "You are logged in", "The login did not work"

#: Gets the whole address that the browser came with; returns what the browser's page shall say.
Take = Callable[[str], Awaitable[str]]


class PortTaken(LoginError):
    """Another program listens on the port of the callback."""

    code = "port_taken"


@contextlib.asynccontextmanager
async def callback_port(redirect_uri: str, take: Take) -> AsyncIterator[None]:
    """Listen where `redirect_uri` points, while the block runs.

    Args:
        redirect_uri: on 127.0.0.1, with a port.
        take: is called with each address that a browser brings; a `BainkError` of it becomes the
            page that the browser shows, and nothing else: it is for `take` to remember.

    Raises:
        PortTaken: another program has the port.
    """
    place = urlsplit(redirect_uri)
    port = _Port(redirect_uri, take)
    try:
        server = await asyncio.start_server(port.answer, "127.0.0.1", place.port, limit=HEAD_BYTES)
    except OSError as failure:
        why = os.strerror(failure.errno) if failure.errno else type(failure).__name__
        raise PortTaken(
            f"Port {place.port} of this machine cannot be listened on ({why})."
        ) from None
    try:
        yield
    finally:
        server.close()
        await port.finish()


class _Port:
    """What listens: one small answer to each connection."""

    def __init__(self, redirect_uri: str, take: Take) -> None:
        self._uri = redirect_uri
        self._path = urlsplit(redirect_uri).path
        netloc = urlsplit(redirect_uri).netloc
        # Another name would be another site's, bound to this address (DNS rebinding).
        self._hosts = {netloc, netloc.replace("127.0.0.1", "localhost")}
        self._take = take
        self._answering: set[asyncio.Task[None]] = set()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request and answer it; asyncio calls this for each connection."""
        task = asyncio.current_task()
        assert task is not None
        self._answering.add(task)
        try:
            status, title, words = await self._answer(reader)
            writer.write(_page(status, title, words))
            await writer.drain()
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            pass  # a connection that a browser opened ahead and never used, or no HTTP at all
        finally:
            self._answering.discard(task)
            writer.close()

    async def finish(self) -> None:
        """Let the pages that are being answered go out; what sends nothing is cut off."""
        if self._answering:
            _, late = await asyncio.wait(self._answering, timeout=1)
            for task in late:
                task.cancel()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[HTTPStatus, str, str]:
        async with asyncio.timeout(HEAD_SECONDS):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        if fields.get("host") not in self._hosts:
            return HTTPStatus.MISDIRECTED_REQUEST, BAD, "This address is not that of the login."
        path, _, query = target.partition("?")
        if path != self._path:
            return HTTPStatus.NOT_FOUND, BAD, "There is nothing here but the end of a login."
        if method != "GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, BAD, "A login ends with GET."
        try:
            return HTTPStatus.OK, GOOD, await self._take(f"{self._uri}?{query}")
        except BainkError as problem:
            return HTTPStatus.BAD_REQUEST, BAD, problem.sentence


def _page(status: HTTPStatus, title: str, words: str) -> bytes:
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title>"
        "<style>:root{color-scheme:light dark;font:1.1rem/1.5 system-ui,sans-serif}"
        "main{max-width:34rem;margin:15vh auto;padding:0 1rem}</style></head>"
        f'<body><main><h1>{html.escape(title)}</h1><p role="status">{html.escape(words)}</p>'
        "</main></body></html>"
    ).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
        "frame-ancestors 'none'; base-uri 'none'\r\n"
        "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
