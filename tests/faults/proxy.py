"""A TCP proxy that is slow, resets, and cuts answers in half: a line, not a mock of one."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct


class ChaosProxy:
    """Passes bytes on to `port`; each connection draws its fault from seeded dice.

    Attributes:
        faults: how many connections met with one.
        left: how many faults are still to come; after them the line is good.
        healthy: from now on every connection is passed on whole.
    """

    def __init__(self, port: int, seed: int, most: int = 30) -> None:
        self.target = port
        self.left = most
        self.dice = random.Random(seed)
        self.faults = 0
        self.healthy = False

    @contextlib.asynccontextmanager
    async def running(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader, writer):
        fault = "none" if self.healthy or not self.left else self.dice.choice(FAULTS)
        if fault != "none":
            self.faults += 1
            self.left -= 1
        try:
            await getattr(self, f"_{fault}")(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _none(self, reader, writer):
        await self._exchange(reader, writer, keep=1.0)

    async def _slow(self, reader, writer):
        await asyncio.sleep(self.dice.uniform(0.05, 0.3))
        await self._exchange(reader, writer, keep=1.0)

    async def _half(self, reader, writer):
        """The tenant has done its part; half of its answer arrives."""
        await self._exchange(reader, writer, keep=self.dice.random())

    async def _reset(self, reader, writer):
        await reader.read(1)
        # Linger 0: the connection ends with RST.
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def _busy(self, reader, writer):
        await read_message(reader)
        writer.write(b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n")
        writer.write(b"connection: close\r\n\r\n")
        await writer.drain()

    async def _broken(self, reader, writer):
        await read_message(reader)
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 4\r\nconnection: close\r\n\r\n")
        writer.write(b"oops")
        await writer.drain()

    async def _exchange(self, reader, writer, keep):
        """One request and its answer, of which a part is kept."""
        request = await read_message(reader)
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            up_writer.write(request)
            await up_writer.drain()
            answer = await read_message(up_reader)
        finally:
            up_writer.close()
        writer.write(answer[: int(len(answer) * keep)])
        await writer.drain()


FAULTS = ("none", "none", "slow", "half", "reset", "busy", "broken")


async def read_message(reader) -> bytes:
    """An HTTP/1.1 message with a Content-Length, headers and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return head + await reader.readexactly(length)
