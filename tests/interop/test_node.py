"""Both ends against npm: openid-client at our tenant, and our client at oidc-provider."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess

import httpx
import pytest

from baink_lab.auth0 import AccessDenied, CibaClient, Pending
from tests.interop import install
from tests.interop.conftest import environment


@pytest.mark.parametrize("what", ["approved", "denied", "refused", "code", "machine"])
def test_openid_client_at_our_tenant(node_peer, what):
    assert node_peer("client.mjs", what) == {"ok": what}


@pytest.fixture
def provider(tmp_path):
    """An oidc-provider process with CIBA on: its issuer, and its phone."""
    (tmp_path / "node_modules").symlink_to(install.node_modules())
    script = tmp_path / "provider.mjs"
    script.write_bytes((install.PEERS / "node" / "provider.mjs").read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (tmp_path / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [str(install.node()), str(script), str(port)],
            cwd=tmp_path,
            env=environment({"ca": ""}),
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
    try:
        line = process.stdout.readline()
        assert line, (tmp_path / "stderr").read_text()
        yield json.loads(line)
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


@pytest.fixture
async def ciba(provider):
    client = CibaClient(provider["issuer"], "bank", "a-secret-of-the-interop-tests")
    async with client:
        yield client


async def press(provider, button):
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"{provider['phone']}/{button}")
    assert answer.status_code == 204, answer.text


async def test_our_client_at_oidc_provider_is_approved(provider, ciba):
    request = await ciba.start("ana", "openid", None, "Move 25.00 USD")
    first = await ciba.poll(request)
    assert isinstance(first, Pending)
    waiting = asyncio.create_task(ciba.wait(first.request))
    await press(provider, "approve")
    tokens = await asyncio.wait_for(waiting, 30)
    assert tokens.id_token
    assert tokens.scope == "openid"


async def test_our_client_at_oidc_provider_is_denied(provider, ciba):
    request = await ciba.start("ana", "openid", None, "Move 25.00 USD")
    await press(provider, "deny")
    with pytest.raises(AccessDenied):
        await ciba.wait(request)
