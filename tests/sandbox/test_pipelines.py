"""A client that sends requests and reads no answers is hung up on, and costs no memory."""

from __future__ import annotations

import contextlib
import socket
from urllib.parse import urlsplit

import psutil
import pytest

from tests.real_sandbox import sandbox_process

MIB = 1024 * 1024
ONE = b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
FLOOD = 64 * MIB
GROWTH = 64 * MIB  # a flood that is kept is a kilobyte and more for each of a million requests


@pytest.mark.timeout(120)
def test_a_pipeline_without_end_is_cut_off(tmp_path):
    with sandbox_process(tmp_path) as (pid, line):
        process = psutil.Process(pid)
        settled = most = process.memory_info().rss
        sent = 0
        address = ("127.0.0.1", urlsplit(line["tenant"]).port)
        with (
            socket.create_connection(address, timeout=20) as opened,
            contextlib.suppress(ConnectionError),
        ):
            while sent < FLOOD:
                opened.sendall(ONE * 500)
                sent += len(ONE) * 500
                most = max(most, process.memory_info().rss)
        assert sent < FLOOD, "nobody hung up"
        assert most - settled < GROWTH, f"{(most - settled) / MIB:.0f} MiB more"
        # A few at once are served.
        with socket.create_connection(address, timeout=20) as opened:
            opened.sendall(ONE * 5)
            answers = b""
            while answers.count(b"HTTP/1.1 ") < 5 and (more := opened.recv(65_536)):
                answers += more
        assert answers.count(b"HTTP/1.1 400") == 5
