"""`baink-lab sandbox --tls` and `--bind` as real processes: whom they let in, and whom not."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import socket
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from baink_lab.sandbox import launch
from baink_lab.sandbox.loopback import loopback_http
from baink_lab.settings import Settings

pytestmark = pytest.mark.timeout(120)

SERVICES = ("tenant", "issuer", "bank", "model", "phone")
CONTROL = "control"  # never exposed
LAB = ("AUTH0_", "BAINK_", "OPENAI_", "SSL_CERT")
UNASSIGNED = "192.0.2.1"  # RFC 5737: no machine has it


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def run(home, tmp_path):
    """Start `baink-lab …` with pipes, in a folder without .env."""
    with contextlib.ExitStack() as started:

        def run(*command, **variables):
            kept = {name: text for name, text in os.environ.items() if not name.startswith(LAB)}
            process = subprocess.Popen(
                [sys.executable, "-m", "baink_lab.cli", *command],
                cwd=tmp_path,
                env=kept | {"BAINK_HOME": str(home)} | variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            started.enter_context(process)
            started.callback(process.kill)
            return process

        yield run


@pytest.fixture
def sandbox(run):
    def sandbox(*flags, **variables):
        process = run("sandbox", *flags, **variables)
        line = process.stdout.readline()
        assert line, process.stderr.read()
        return process, json.loads(line)

    return sandbox


def refusal(run, *flags, **variables):
    """The one sentence with which `baink-lab sandbox` gives up."""
    process = run("sandbox", *flags, **variables)
    said, complaint = process.communicate(timeout=60)
    assert (process.returncode, said) == (2, "")
    return complaint


def others():
    """The addresses of this machine that its neighbours reach."""
    found = [each.address for card in psutil.net_if_addrs().values() for each in card
             if each.family == socket.AF_INET]  # fmt: skip
    return [text for text in found if not ipaddress.ip_address(text).is_loopback]


async def test_every_service_speaks_https_under_one_authority(sandbox, home):
    _, ready = sandbox("--tls")
    assert all(ready[name].startswith("https://127.0.0.1:") for name in (*SERVICES, CONTROL))
    assert Path(ready["ca"]).is_relative_to(home)
    keys = [path for path in home.rglob("*") if path.is_file() and b"PRIVATE" in path.read_bytes()]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in keys)
    trust = ssl.create_default_context(cafile=ready["ca"])
    async with httpx.AsyncClient(verify=trust, trust_env=False) as http:
        discovery = await http.get(f"{ready['tenant']}/.well-known/openid-configuration")
        assert discovery.json()["issuer"] == ready["issuer"]
        assert discovery.json()["backchannel_authentication_endpoint"].startswith("https://")
        assert (await http.get(f"{ready['bank']}/api/accounts")).status_code == 401
        assert (await http.get(f"{ready['model']}/models")).status_code == 200
        assert (await http.get(f"{ready['phone']}/notifications")).json() == []
    async with httpx.AsyncClient(trust_env=False) as stranger:
        for name in SERVICES:
            with pytest.raises(httpx.ConnectError, match=r"(?i)certificate"):
                await stranger.get(ready[name])
    with pytest.raises(httpx.HTTPError):
        await httpx.AsyncClient().get(ready["tenant"].replace("https", "http"))


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_the_demo_over_https(sandbox, run, decision):
    _, ready = sandbox("--tls", "--interval=1")
    demo = run("demo", f"--decision={decision}", SSL_CERT_FILE=ready["ca"])
    said, complaint = demo.communicate(timeout=100)
    assert demo.returncode == 0, said + complaint
    assert f"Tenant {ready['tenant']}" in said
    assert ("As it should be: approved, 25.00 moved, once" in said) == (decision == "approve")


def test_a_program_that_does_not_trust_it_is_told_how(sandbox, run):
    _, ready = sandbox("--tls")
    demo = run("demo")
    _, complaint = demo.communicate(timeout=100)
    assert demo.returncode == 2
    assert f"Set SSL_CERT_FILE={ready['ca']}" in complaint
    assert complaint.count("\n") == 1


async def test_it_is_found_whatever_the_environment_trusts(sandbox, home, monkeypatch):
    _, ready = sandbox("--tls")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    assert await launch.running(home) == ready
    with pytest.raises(launch.SandboxError, match="SSL_CERT_FILE="):
        await launch.ensure(home, settings=Settings())
    monkeypatch.setenv("SSL_CERT_FILE", ready["ca"])
    assert await launch.ensure(home, settings=Settings()) == ready


async def test_the_autopilot_works_over_https(sandbox):
    _, ready = sandbox("--tls", "--interval=1", "--autopilot=approve")
    form = {
        "client_id": ready["client_id"],
        "client_secret": ready["client_secret"],
        "scope": "openid",
        "binding_message": "Over TLS",
        "login_hint": json.dumps(
            {"format": "iss_sub", "iss": ready["issuer"], "sub": ready["user_id"]}
        ),
    }
    async with loopback_http(10, ready["ca"]) as http:
        asked = await http.post(f"{ready['tenant']}/bc-authorize", data=form)
        assert asked.status_code == 200, asked.text
        assert (await http.get(f"{ready['phone']}/notifications")).json()
        while (await http.get(f"{ready['phone']}/notifications")).json():
            pass


async def test_a_missing_authority_stops_https_and_nothing_else(sandbox, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    _, ready = sandbox("--tls")
    _, plain = sandbox(BAINK_HOME=str(tmp_path / "plain"))
    async with loopback_http(10) as http:
        assert (await http.get(f"{plain['bank']}/api/accounts")).status_code == 401
        with pytest.raises(httpx.ConnectError, match=r"(?i)certificate"):
            await http.get(f"{ready['bank']}/api/accounts")


def test_live_mode_has_no_tenant_to_serve_over_https(run):
    live = {"AUTH0_DOMAIN": "t.example.com", "AUTH0_CLIENT_ID": "c", "AUTH0_CLIENT_SECRET": "s"}
    assert "--tls is for the sandbox's own tenant" in refusal(run, "--tls", **live)


# Whom it listens to


def test_it_refuses_an_address_that_others_reach(run, home):
    complaint = refusal(run, "--bind=192.0.2.1")
    assert complaint.startswith("baink-lab: Others on your network can reach 192.0.2.1")
    assert "--expose" in complaint
    assert complaint.count("\n") == 1
    assert not (home / "tenant.db").exists()


@pytest.mark.parametrize("text", ["localhost", "0.0.0.0", "::", "1.2.3", "127.0.0.1:80"])
def test_it_wants_one_address(run, text):
    complaint = refusal(run, f"--bind={text}", "--expose")
    assert "address" in complaint
    assert complaint.count("\n") == 1


@pytest.mark.parametrize("flags", [(), ("--tls",)])
def test_it_says_what_is_exposed(run, flags):
    complaint = refusal(run, f"--bind={UNASSIGNED}", "--expose", *flags)
    assert f"whoever reaches {UNASSIGNED} can" in complaint
    assert "can approve transfers" in complaint
    assert ("unencrypted" in complaint) == (flags == ())
    assert f"No free port on {UNASSIGNED}" in complaint, "no machine has that address"


@pytest.mark.parametrize("address", ["127.0.0.2", "::1"])
async def test_another_loopback_address_needs_no_word(sandbox, address):
    process, ready = sandbox(f"--bind={address}", "--tls")
    assert {httpx.URL(ready[name]).host for name in SERVICES} == {address}
    async with loopback_http(10, ready["ca"]) as http:
        assert (await http.get(f"{ready['phone']}/notifications")).json() == []
        keys = await http.get(f"{ready['issuer']}.well-known/jwks.json")
        assert keys.json()["keys"]
    process.terminate()
    assert process.wait(60) == 0
    assert process.stderr.read() == ""


async def test_exposed_over_https_it_answers_there_and_nowhere_else(sandbox):
    if not others():
        pytest.skip("this machine has loopback only")
    address = others()[0]
    _, ready = sandbox(f"--bind={address}", "--expose", "--tls")
    assert {httpx.URL(ready[name]).host for name in SERVICES} == {address}
    assert httpx.URL(ready[CONTROL]).host == "127.0.0.1"
    async with loopback_http(10, ready["ca"]) as http:
        assert (await http.get(f"{ready[CONTROL]}/")).status_code == 200
        for name, status in {"bank": 401, "phone": 200}.items():
            path = {"bank": "/api/accounts", "phone": "/notifications"}[name]
            assert (await http.get(f"{ready[name]}{path}")).status_code == status
        assert httpx.URL(ready["control"]).host == "127.0.0.1"
        assert (await http.get(f"{ready['control']}/")).json()["ahead"] == 0
    with socket.socket() as probe:
        port = httpx.URL(ready["tenant"]).port
        assert probe.connect_ex(("127.0.0.1", port)) != 0
