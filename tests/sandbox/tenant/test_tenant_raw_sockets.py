"""Bytes that no HTTP library would send, and bodies that nobody should: never a 500."""

from __future__ import annotations

import json
import socket
import threading
import tracemalloc

import pytest

from baink_lab.sandbox.http import Server
from baink_lab.sandbox.ports import listen
from baink_lab.sandbox.tenant import create_app

FORM = "application/x-www-form-urlencoded"
PATHS = ("/bc-authorize", "/oauth/token", "/oauth/revoke", "/userinfo")
DEVICE_PATHS = (
    "/appliance-mfa/api/enroll",
    "/appliance-mfa/api/resolve-transaction",
    "/api/v2/clients",
    "/guardian/enroll?ticket=x",
    "/u/login?state=x",
)
DEEP = b"[" * 60_000
BODIES = {
    "nothing": b"",
    "null bytes": b"client_id=%00&client_secret=\x00",
    "bad utf-8": b"client_id=%ff%fe&scope=\xff\xfe",
    "bad escape": b"client_id=%zz&%=%",
    "repeated": b"client_id=a&client_id=b",
    "ten thousand scopes": b"client_id=a&scope=" + b"+".join(b"s%d" % n for n in range(7000)),
    "many fields": b"&".join(b"f%d=1" % n for n in range(5000)),
    "deep json": DEEP,
    "deep hint": b"client_id=a&login_hint=" + DEEP,
    "lone surrogate": b'{"grant_type":"\\ud800"}',
    "json numbers": b'{"grant_type":1e999,"client_id":NaN}',
    "json array": b"[1]",
    "too large": b"x=" + b"a" * 70_000,
}


@pytest.fixture
def port(tenant):
    """The tenant on a real socket, in a thread of its own."""
    bound = listen(None)
    server = Server(create_app(tenant))
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.01)
    yield bound.getsockname()[1]
    server.should_exit = True
    thread.join(10)
    bound.close()


def send(port, raw):
    """The status of the answer to these bytes; 0 when the connection is closed without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        try:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65_536)
        except (ConnectionResetError, BrokenPipeError):
            return 0
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def request(path, body, kind, length=None):
    size = len(body) if length is None else length
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n\r\n"
    )
    return head.encode() + body


def everything(tenant):
    rows = tenant.store.connection.execute("SELECT kind, id, body FROM documents ORDER BY 1, 2")
    return list(rows)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("kind", [FORM, "application/json", "text/plain", ""])
def test_a_bad_body_is_refused_and_changes_nothing(port, tenant, name, kind):
    before = everything(tenant)
    for path in (*PATHS, *DEVICE_PATHS):
        status = send(port, request(path, BODIES[name], kind))
        if path == "/oauth/revoke" and status == 200:
            continue
        assert 400 <= status < 500, (path, status)
    assert everything(tenant) == before
    assert tenant.notifications() == []


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/v2/users/%ff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /authorize?client_id=%ff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /rich-consents/%00 HTTP/1.1\r\nHost: x\r\nAuthorization: MFA-DPoP \xff\r\n\r\n",
        b"GET /userinfo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff.\xff.\xff\r\n\r\n",
        b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nAuthorization: Basic \xff\r\n\r\n",
        b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"b" * 100_000 + b"\r\n\r\n",
    ],
)
def test_odd_bytes_are_refused(port, tenant, raw):
    before = everything(tenant)
    status = send(port, raw)
    assert status < 500, status
    assert everything(tenant) == before


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\nA: "])
def test_a_head_without_end_is_cut_off(port, start):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(start)
        with pytest.raises(OSError):
            for _ in range(2000):  # 8 MB: more than any socket buffers
                connection.sendall(b"b" * 4096)


def test_a_connection_may_carry_any_number_of_requests(port):
    """The bound is on one request's head, not on what a connection sends in all."""
    form = b"grant_type=" + b"a" * 60_000
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for _ in range(5):
            connection.sendall(request("/oauth/token", form, FORM))
            answer = b""
            while not answer.endswith(b"}"):
                answer += connection.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_body_cut_off_harms_nobody(port):
    send(port, request("/oauth/token", b"grant_type=", FORM, length=5000))
    assert send(port, b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: x\r\n\r\n") == 200


def test_memory_stays_flat(port, tenant):
    """Refused requests leave nothing behind."""
    hint = json.dumps({"format": "iss_sub", "iss": tenant.issuer, "sub": "auth0|nobody"})
    body = f"client_id=nobody&client_secret=x&scope=openid&login_hint={hint}".encode()
    raw = [request(path, body, FORM) for path in PATHS]

    def storm(times):
        for _ in range(times):
            for one in raw:
                send(port, one)

    storm(50)
    tracemalloc.start()
    storm(10)
    before, _ = tracemalloc.get_traced_memory()
    storm(150)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 300_000, f"{after - before} bytes more after 600 refused requests"
