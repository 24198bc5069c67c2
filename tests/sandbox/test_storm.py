"""Thousands of hostile requests at the real process: no 5xx, nothing written, memory stays flat."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.hostile import HEADERS, unsigned
from tests.real_sandbox import sandbox_process

MIB = 1024 * 1024
FLOOD = 192 * MIB  # sent to one connection, which must not keep it
GROWTH = 64 * MIB  # what the whole process may grow by; a flood that is kept is three times that
STORMS = 12  # some 3,500 requests
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
DEEP = b"[" * 10_000
MANY = b"+".join(b"s%d" % number for number in range(10_000))
BODIES = {
    "nothing": b"",
    "null bytes": b"client_id=%00&scope=\x00\x00",
    "not UTF-8": b"\xff\xfe\xfd=%ff",
    "UTF-16": '{"grant_type":"x","decision":"approve"}'.encode("utf-16"),
    "parameters twice": b"client_id=a&client_id=b&grant_type=x&grant_type=y",
    "names twice": b'{"decision":"approve","decision":"deny"}',
    "10,000 scopes": b"client_id=a&scope=" + MANY[:60_000],
    "10,000 levels": DEEP,
    "10,000 levels, closed": DEEP + b"]" * 10_000,
    "10,000 objects": b'{"a":' * 10_000,
    "10,000 fields": b"&".join(b"f%d=1" % number for number in range(8_000)),
    "a huge number": b'{"amount":' + b"9" * 50_000 + b"}",
    "1e400": b'{"amount":1e400,"exp":-1e400,"x":NaN}',
    "lone surrogates": b'{"decision":"\\ud800","\\udfff":1}',
    "too large": b"x=" + b"y" * 100_000,
    "much too large": b'{"x":"' + b"y" * (3 * MIB) + b'"}',
}
HEADS = {
    "bytes": b"\x00\x01\x02\x03\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 32,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "no version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "a method of its own": b"WRECK / HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT": b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "an absolute address": b"GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "bad escapes": b"GET /%zz/%00/%ff/..%2f..%2fetc/passwd?%=%&%ff HTTP/1.1\r\nHost: x\r\n\r\n",
    "a long path": b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "10,000 headers": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: evil.example\r\n\r\n",
    "a bare line feed": b"GET / HTTP/1.1\nHost: x\n\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\n"
    b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
    "a length below zero": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a length of 10^30": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1"
    + b"0" * 30
    + b"\r\n\r\n",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    "bad chunks": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
    "a chunk of 2^64": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"FFFFFFFFFFFFFFFFF\r\n",
    "a WebSocket": b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: eHh4eHh4eHh4eHh4eHh4eA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "garbage behind a request": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + b"\x00garbage" * 5_000,
    "a cut-off head": b"POST / HTTP/1.1\r\nHost: x\r\nContent-",
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    folder = tmp_path_factory.mktemp("storm")
    with sandbox_process(folder) as (pid, line):
        yield folder / "home", psutil.Process(pid), line


def targets(line):
    """Where to send hostile bodies: service, path, and the type that its readers take."""
    secret = urlsplit(line["phone"]).path
    return [
        (line["tenant"], "/bc-authorize", FORM),
        (line["tenant"], "/oauth/token", FORM),
        (line["tenant"], "/oauth/token", JSON),
        (line["tenant"], "/oauth/revoke", FORM),
        (line["tenant"], "/u/login?state=x", FORM),
        (line["tenant"], "/guardian/enroll?ticket=x", FORM),
        (line["tenant"], "/api/v2/clients", JSON),
        (line["tenant"], "/appliance-mfa/api/enroll", JSON),
        (line["tenant"], "/appliance-mfa/api/resolve-transaction", JSON),
        (line["phone"], f"{secret}/notifications/cns_x", JSON),
        (line["bank"], "/api/accounts/transfers", JSON),
        (line["model"], "/v1/chat/completions", JSON),
    ]


def port_of(url):
    return urlsplit(url).port


@contextlib.contextmanager
def connection(url):
    with socket.create_connection(("127.0.0.1", port_of(url)), timeout=20) as opened:
        yield opened


def exchange(url, *parts):
    """The status of the first answer; 0 when the connection ends without one."""
    answer = b""
    with connection(url) as opened:
        with contextlib.suppress(OSError):
            for part in parts:
                opened.sendall(part)
            opened.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while b"\r\n" not in answer and (more := opened.recv(4096)):
                answer += more
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def post(path, kind, body, length=None, extra=""):
    size = len(body) if length is None else length
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n{extra}"
    return f"{head}Content-Length: {size}\r\n\r\n".encode() + body


def written(home):
    """Everything in the files of tenant and bank but the tenant's log."""
    found = {}
    for path in sorted(home.rglob("*.db")):
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
            rows = file.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY 1")
            for (table,) in rows.fetchall():
                if table not in ("logs", "sqlite_sequence"):
                    query = f'SELECT * FROM "{table}"'
                    found[path.name, table] = sorted(map(repr, file.execute(query)))
    assert {name for name, _ in found} >= {"tenant.db", "ledger.db"}
    return found


def storm(line):
    """Every hostile request once; returns how many there were."""
    sent = 0
    for base, path, kind in targets(line):
        for name, body in BODIES.items():
            status = exchange(base, post(path, kind, body))
            revoked = path == "/oauth/revoke" and status == 200
            assert revoked or 400 <= status < 500, (path, name, status)
            sent += 1
        exchange(base, post(path, kind, b"x=", length=5_000))  # cut off
        exchange(base, *(bytes([byte]) for byte in post(path, kind, b"{}", length=50)))  # dribbled
        sent += 2
    for base in (line["tenant"], line["phone"], line["bank"], line["model"]):
        for name, head in HEADS.items():
            status = exchange(base, head)
            assert status == 0 or status < 500, (base, name, status)
            sent += 1
    for header in HEADERS.values():
        token = unsigned(header)[:30_000]
        for base, path in (
            (line["tenant"], "/userinfo"),
            (line["tenant"], "/api/v2/users"),
            (line["tenant"], "/rich-consents/cns_x"),
            (line["bank"], "/api/accounts"),
        ):
            scheme = "MFA-DPoP" if "rich" in path else "Bearer"
            head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {scheme} {token}\r\n\r\n"
            status = exchange(base, head.encode())
            assert 400 <= status < 500, (path, header, status)
            sent += 1
    return sent


def test_a_storm_leaves_no_trace(sandbox):
    """Some thousand requests: all refused, nothing written, nothing kept in memory."""
    home, process, line = sandbox
    before = written(home)
    each = storm(line)  # what is made once and kept is made now
    settled = process.memory_info().rss
    for _ in range(STORMS - 1):
        storm(line)
    grown = process.memory_info().rss - settled
    assert grown < GROWTH / 2, f"{grown / MIB:.0f} MiB more after {each * (STORMS - 1)} requests"
    assert written(home) == before
    assert httpx.get(f"{line['phone']}/notifications", trust_env=False).json() == []


def flood(process, url, start, piece):
    """Send `FLOOD` bytes, or as many as are taken; by how much the process grew meanwhile."""
    settled = most = process.memory_info().rss
    with connection(url) as opened, contextlib.suppress(OSError):
        opened.sendall(start)
        for number in range(FLOOD // len(piece)):
            opened.sendall(piece)
            if number % 16 == 0:
                most = max(most, process.memory_info().rss)
    return max(most, process.memory_info().rss) - settled


SERVICES = ("tenant", "phone", "bank", "model")
CHUNK = b"10000\r\n" + b"y" * 0x10000 + b"\r\n"
HEAD = "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("what", ["body", "chunks", "headers", "one header", "path", "pipeline"])
def test_a_flood_is_not_kept(sandbox, service, what):
    """A request without an end costs the sandbox no memory, whichever part has none."""
    _, process, line = sandbox
    url = line[service]
    path = {
        "tenant": "/oauth/token",
        "phone": f"{urlsplit(url).path}/notifications/cns_x",
        "bank": "/api/accounts/transfers",
        "model": "/v1/chat/completions",
    }[service]
    head = HEAD.format(path=path).encode()
    start, piece = {
        "body": (head + b"Content-Length: %d\r\n\r\n" % FLOOD, b"y" * 65_536),
        "chunks": (head + b"Transfer-Encoding: chunked\r\n\r\n", CHUNK),
        "headers": (head, b"A: " + b"b" * 1_000 + b"\r\n"),
        "one header": (head + b"A: ", b"b" * 65_536),
        "path": (b"GET /", b"a" * 65_536),
        "pipeline": (b"", head + b"Content-Length: 2\r\n\r\n{}"),
    }[what]
    if what in ("headers", "pipeline"):
        piece *= 60
    grown = flood(process, url, start, piece)
    assert grown < GROWTH, f"{grown / MIB:.0f} MiB more"
    assert process.is_running()


def test_open_connections_that_say_nothing_stop_nobody(sandbox):
    """Two hundred half requests wait at each service, and others are served."""
    _, process, line = sandbox
    settled = process.memory_info().rss
    with contextlib.ExitStack() as held:
        for service in SERVICES:
            for _ in range(200):
                opened = held.enter_context(connection(line[service]))
                opened.sendall(
                    b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
                )
        keys = httpx.get(f"{line['tenant']}/.well-known/jwks.json", trust_env=False)
        assert keys.status_code == 200
        assert httpx.get(f"{line['bank']}/health", trust_env=False).status_code == 200
        assert httpx.get(f"{line['phone']}/notifications", trust_env=False).status_code == 200
        assert process.memory_info().rss - settled < GROWTH
    assert json.loads(keys.text)["keys"]
