"""The loopback port of a login: one page for a browser, and nothing for anybody else."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

from baink_lab.auth0.browser import LoginError
from baink_lab.auth0.callback import HEAD_BYTES, PortTaken, callback_port


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


@pytest.fixture
def uri():
    return f"http://127.0.0.1:{free_port()}/callback"


@pytest.fixture
async def taken(uri):
    """The addresses that were taken; one that says `bad` is refused."""
    taken = []

    async def take(address):
        taken.append(address)
        if "bad" in address:
            raise LoginError("<b>No</b>, since it is bad.")
        return "Go back."

    async with callback_port(uri, take):
        yield taken


@pytest.fixture
async def browser(uri, taken):
    base = uri.removesuffix("/callback")
    async with httpx.AsyncClient(base_url=base, trust_env=False) as browser:
        yield browser


async def test_the_whole_address_is_taken(browser, taken, uri):
    page = await browser.get("/callback?code=a%20b&state=s")
    assert (page.status_code, "Go back." in page.text) == (200, True)
    assert taken == [f"{uri}?code=a%20b&state=s"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"


async def test_why_it_did_not_work_is_on_the_page_and_is_no_html(browser):
    page = await browser.get("/callback?bad")
    assert page.status_code == 400
    assert "&lt;b&gt;No&lt;/b&gt;, since it is bad." in page.text


@pytest.mark.parametrize(
    ("method", "path", "host", "status"),
    [
        ("GET", "/favicon.ico", None, 404),
        ("GET", "/callback/x?code=c", None, 404),
        ("POST", "/callback?code=c", None, 405),
        ("GET", "/callback?code=c", "evil.example", 421),
        ("GET", "/callback?code=c", "127.0.0.1", 421),
    ],
)
async def test_anything_else_is_not_taken(browser, taken, method, path, host, status):
    headers = {"host": host} if host else {}
    assert (await browser.request(method, path, headers=headers)).status_code == status
    assert taken == []


async def test_localhost_is_this_machine_too(browser, taken, uri):
    host = uri.split("/")[2].replace("127.0.0.1", "localhost")
    assert (await browser.get("/callback?code=c", headers={"host": host})).status_code == 200
    assert len(taken) == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x16\x03\x01\x00\xff",
        b"GET\r\n\r\n",
        b"GET /callback HTTP/1.1\r\n",
        b"GET /callback?" + b"a" * (2 * HEAD_BYTES) + b" HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_no_http_harms_nobody(browser, taken, uri, sent):
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(uri).port)
    writer.write(sent)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    assert taken == []
    assert (await browser.get("/callback?code=c")).status_code == 200


async def test_a_connection_that_says_nothing_does_not_hold_up_the_end(uri):
    async def take(address):
        return ""

    async with asyncio.timeout(30):
        async with callback_port(uri, take):
            _, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(uri).port)
        writer.close()
        async with callback_port(uri, take):  # and the port is free again
            pass


async def test_a_taken_port_is_one_sentence(uri, taken):
    with pytest.raises(PortTaken, match=r"^Port \d+ of this machine cannot be listened on") as no:
        async with callback_port(uri, None):
            pass
    assert no.value.code == "port_taken"
