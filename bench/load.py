"""A lean HTTP load client in a process of its own: so many connections, one request each at a time.

Reads one job as JSON from stdin and prints what it saw as JSON; see `Job` and `Seen`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from baink_lab.sandbox.http import new_loop

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclasses.dataclass(frozen=True)
class Job:
    """What to do.

    Attributes:
        port: on 127.0.0.1.
        path: of each POST.
        forms: urlencoded bodies, sent in this order.
        connections: how many requests are under way at any time.
        seconds: go round the forms for so long; 0 sends each once.
        warm_up: seconds before the first one that counts.
    """

    port: int
    path: str
    forms: list[str]
    connections: int
    seconds: float = 0
    warm_up: float = 0


@dataclasses.dataclass(frozen=True)
class Seen:
    """What came back.

    Attributes:
        rate: answers a second.
        p50: milliseconds, of the median answer.
        p99: milliseconds, of the slowest answer but one in a hundred.
        kinds: how often each status and `error` came.
        bodies: the answers, when each form was sent once.
    """

    rate: float
    p50: float
    p99: float
    kinds: dict[str, int]
    bodies: list[str]


def load(job: Job) -> Seen:
    """Do the job in a process of its own, so that it does not slow what it measures."""
    command = [sys.executable, "-m", "bench.load"]
    text = json.dumps(dataclasses.asdict(job))
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True)
    return Seen(**json.loads(done.stdout))


class _Connection(asyncio.Protocol):
    """Sends, waits for the whole answer, sends the next."""

    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self.took: list[tuple[float, float]] = []
        self.kinds: Counter[str] = Counter()
        self.bodies: list[bytes] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._until = until
        self._got = b""
        self._sent = 0.0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, end, body = self._got.partition(_END)
        if not end:
            return
        size = int(head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0])
        if len(body) < size:
            return
        now = time.perf_counter()
        self.took.append((now, now - self._sent))
        self.bodies.append(body)
        self.kinds[_kind(head[9:12], body)] += 1
        self._got = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(exc or ConnectionError("the server hung up"))

    def _next(self) -> None:
        request = next(self._requests, None) if time.perf_counter() < self._until else None
        if request is None:
            self.over.set_result(None)
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)


def _kind(status: bytes, body: bytes) -> str:
    if status < b"400":
        return status.decode()
    return f"{status.decode()} {json.loads(body).get('error')}"


def _raw(job: Job, form: str) -> bytes:
    return (
        f"POST {job.path} HTTP/1.1\r\nHost: 127.0.0.1:{job.port}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(form)}\r\n\r\n{form}"
    ).encode()


async def _run(job: Job) -> Seen:
    raw = [_raw(job, form) for form in job.forms]
    begun = time.perf_counter()
    counted = begun + job.warm_up
    until = counted + job.seconds if job.seconds else float("inf")
    requests = itertools.cycle(raw) if job.seconds else iter(raw)
    loop = asyncio.get_running_loop()
    opened = [
        (await loop.create_connection(lambda: _Connection(requests, until), "127.0.0.1", job.port))[
            1
        ]
        for _ in range(job.connections)
    ]
    await asyncio.gather(*(each.over for each in opened))
    took = [(at, took) for each in opened for at, took in each.took if at >= counted]
    last = max(at for at, _ in took)
    times = sorted(1000 * took for _, took in took)
    kinds = sum((each.kinds for each in opened), Counter())
    bodies = [] if job.seconds else [body.decode() for each in opened for body in each.bodies]
    return Seen(
        rate=len(times) / (last - counted),
        p50=times[len(times) // 2],
        p99=times[int(len(times) * 0.99)],
        kinds=dict(kinds),
        bodies=bodies,
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_loop) as runner:
        print(json.dumps(dataclasses.asdict(runner.run(_run(Job(**json.load(sys.stdin)))))))
