"""The sandbox as real processes: how it starts, whom it serves, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

import httpx
import psutil
import pytest

from baink_lab.auth0 import AccessDenied, CibaClient, Expired
from baink_lab.auth0.login import log_in_with_form
from baink_lab.bank.client import BankClient
from baink_lab.errors import BainkError
from baink_lab.sandbox import home as files
from baink_lab.sandbox import launch
from baink_lab.settings import Settings, World

PATIENCE = 30.0  # seconds until something that should have happened is called a failure
PUBLIC = {
    *("tenant", "issuer", "bank", "model", "phone", "client_id", "client_secret"),
    *("management_client_id", "management_client_secret", "user_id", "audience"),
}
SECRETS = ("client_secret", "management_client_secret", "user_password", "phone", "control")
OWNER = """
import asyncio, json, sys
from pathlib import Path
from baink_lab.sandbox import launch
print(json.dumps(asyncio.run(launch.ensure(Path(sys.argv[1])))), flush=True)
sys.stdin.read()
"""


def environment(home, **more):
    ours = ("AUTH0_", "BAINK_", "OPENAI_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"BAINK_HOME": str(home)} | more


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(("AUTH0_", "BAINK_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)  # no .env


@pytest.fixture
async def home(tmp_path):
    """A home whose sandbox, whoever started it, is stopped at the end."""
    home = tmp_path / "home"
    yield home
    await launch.stop(home)


@pytest.fixture
def run(home, tmp_path):
    """Start a process with pipes, in a folder without .env."""
    with contextlib.ExitStack() as started:

        def run(*command, **variables):
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=tmp_path,
                env=environment(home, **variables),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            started.enter_context(process)  # closes the pipes, and waits
            started.callback(process.kill)
            return process

        yield run


@pytest.fixture
def sandbox(run):
    """Start `baink-lab sandbox` by hand; returns the process and its ready line."""

    def sandbox(*flags, **variables):
        process = run("-m", "baink_lab.cli", "sandbox", *flags, **variables)
        line = process.stdout.readline()
        assert line, process.stderr.read()
        return process, json.loads(line)

    return sandbox


@pytest.fixture
def ensure(home):
    def ensure(**options):
        return launch.ensure(home, settings=Settings(), **options)

    return ensure


async def eventually(what, *args):
    """Ask again and again until `what(*args)` is true; fail when it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not what(*args):
        assert time.monotonic() < deadline, f"{what} did not become true"
        await asyncio.sleep(0.02)


def listens(url):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", httpx.URL(url).port)) == 0


def services(ready):
    return [ready[name] for name in ("tenant", "bank", "model", "phone", "control")]


def all_closed(ready):
    return not any(listens(url) for url in services(ready))


def ciba(ready):
    return CibaClient(ready["issuer"], ready["client_id"], ready["client_secret"])


def ask(client, ready, **more):
    fields = {
        "user_id": ready["user_id"],
        "scope": "create:transfer",
        "audience": ready["audience"],
        "binding_message": "Move 25.00 USD",
    }
    return client.start(**fields | more)


async def approve(http, ready):
    (push,) = (await http.get(f"{ready['phone']}/notifications")).json()
    answer = await http.post(
        f"{ready['phone']}/notifications/{push['id']}", json={"decision": "approve"}
    )
    assert answer.status_code == 204


# By hand: `baink-lab sandbox`


def test_the_ready_line_is_whole_and_the_ready_file_is_the_same_and_private(sandbox, tmp_path):
    path = tmp_path / "new" / "ready.json"
    process, ready = sandbox(f"--ready-file={path}")
    assert ready.keys() >= PUBLIC
    assert all(isinstance(ready[name], str) and ready[name] for name in PUBLIC)
    assert ready["issuer"] == ready["tenant"] + "/"
    assert len(httpx.URL(ready["phone"]).path.strip("/")) >= 22, "a secret guards the phone"
    assert json.loads(path.read_text()) == ready
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ready["pid"] == process.pid


async def test_all_services_answer_and_only_on_loopback(sandbox):
    process, ready = sandbox()
    async with httpx.AsyncClient() as http:
        discovery = await http.get(f"{ready['tenant']}/.well-known/openid-configuration")
        assert discovery.json()["issuer"] == ready["issuer"]
        assert (await http.get(f"{ready['bank']}/api/accounts")).status_code == 401
        assert (await http.get(f"{ready['model']}/models")).status_code == 200
        assert (await http.get(f"{ready['phone']}/notifications")).json() == []
        assert (await http.get(f"{ready['phone']}/../notifications")).status_code == 404
    bound = [
        each.laddr
        for each in psutil.Process(process.pid).net_connections("all")
        if each.status == psutil.CONN_LISTEN and each.family != socket.AF_UNIX
    ]
    assert {address.ip for address in bound} == {"127.0.0.1"}
    assert {address.port for address in bound} == {httpx.URL(url).port for url in services(ready)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_orderly(sandbox, home, tmp_path, number):
    path = tmp_path / "ready.json"
    process, ready = sandbox(f"--ready-file={path}")
    process.send_signal(number)  # at once: a program may not be slower than we are
    assert process.wait(PATIENCE) == 0
    assert all_closed(ready)
    assert not path.exists()
    assert not (home / files.READY).exists()
    assert process.stdout.read() == ""
    assert process.stderr.read() == ""


async def test_it_ends_with_a_browser_still_connected(sandbox):
    process, ready = sandbox()
    async with httpx.AsyncClient() as http:
        await http.get(f"{ready['phone']}/notifications")
        process.terminate()
        assert await asyncio.to_thread(process.wait, PATIENCE) == 0


def test_the_wanted_port_is_taken_when_it_is_free_and_kept(sandbox):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process, ready = sandbox(f"--port={port}")
    assert ready["tenant"] == f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(PATIENCE)
    assert services(sandbox()[1]) == services(ready)


def test_another_port_is_chosen_when_the_wanted_one_is_taken(sandbox):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        _, ready = sandbox(f"--port={port}")
        assert httpx.URL(ready["tenant"]).port != port
        assert listens(ready["tenant"])


def test_a_second_one_on_the_same_home_is_one_sentence(sandbox, run, tmp_path):
    path = tmp_path / "ready.json"
    _, ready = sandbox(f"--ready-file={path}")
    second = run("-m", "baink_lab.cli", "sandbox", f"--ready-file={path}")
    said, complaint = second.communicate(timeout=PATIENCE)
    assert (second.returncode, said) == (2, "")
    assert complaint.startswith("baink-lab: A sandbox already runs in ")
    assert complaint.count("\n") == 1
    assert json.loads(path.read_text()) == ready, "the first is not disturbed"
    assert not all_closed(ready)


def test_a_ready_file_of_a_dead_sandbox_is_never_taken_for_a_new_one(sandbox, tmp_path):
    path = tmp_path / "ready.json"
    process, first = sandbox(f"--ready-file={path}")
    process.kill()
    process.wait(PATIENCE)
    assert json.loads(path.read_text()) == first
    _, second = sandbox(f"--ready-file={path}")
    assert json.loads(path.read_text()) == second
    assert second["pid"] != first["pid"]


async def test_live_mode_serves_the_bank_and_shows_no_secret(sandbox, home):
    secrets = {"AUTH0_CLIENT_ID": "c", "AUTH0_CLIENT_SECRET": "live-s3cret"}
    _, ready = sandbox(AUTH0_DOMAIN="tenant.example.com", **secrets)
    assert ready["issuer"] == "https://tenant.example.com/"
    assert ready["phone"] is None
    assert "live-s3cret" not in json.dumps(ready)
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{ready['bank']}/api/accounts")).status_code == 401
    assert (home / "live" / files.READY).exists()
    assert await launch.running(home) is None, "sandbox mode has a folder of its own"


# From a program: `launch`


async def test_three_programs_at_once_get_one_sandbox(run, home):
    owners = [run("-c", OWNER, str(home)) for _ in range(3)]
    lines = await asyncio.gather(*(asyncio.to_thread(o.stdout.readline) for o in owners))
    assert lines[0], owners[0].stderr.read()
    assert lines[0] == lines[1] == lines[2]
    pid = json.loads(lines[0])["pid"]
    assert psutil.Process(pid).ppid() in {owner.pid for owner in owners}


async def test_it_ends_soon_after_its_owner_was_killed(run, home):
    owner = run("-c", OWNER, str(home))
    ready = json.loads(owner.stdout.readline())
    assert launch.is_locked(home)
    owner.kill()
    await eventually(all_closed, ready)
    await eventually(lambda: not launch.is_locked(home))
    assert not (home / files.READY).exists()


async def test_one_that_was_killed_is_started_anew_with_the_same_state(ensure, home):
    first = await ensure(interval=1)
    world = World.from_ready(first)
    async with ciba(first) as client, BankClient(first["bank"]) as bank, httpx.AsyncClient() as web:
        session = (await log_in_with_form(world)).access_token
        accounts = (await bank.accounts(session))["accounts"]
        request = await ask(client, first)

        begun = psutil.Process(first["pid"]).create_time()
        os.kill(first["pid"], signal.SIGKILL)
        await eventually(lambda: not launch.is_locked(home))
        assert await launch.running(home) is None, "the ready file that is left is not believed"
        second = await ensure(interval=1)
        # Not the process id: a busy machine may give the same one again.
        assert psutil.Process(second["pid"]).create_time() != begun
        assert second | {"pid": 0} == first | {"pid": 0}, "same addresses, ids and secrets"

        await approve(web, second)  # the CIBA request still waits
        tokens = await client.wait(request)
        order = {
            "from_account": accounts[0]["id"],
            "to_account": accounts[1]["id"],
            "amount": "25.00",
            "currency": "USD",
        }
        receipt = await bank.transfer(tokens.access_token, "key", **order)
        moved = await bank.accounts(session)  # the session's token is good still

        os.kill(second["pid"], signal.SIGKILL)
        await eventually(lambda: not launch.is_locked(home))
        third = await ensure()
        assert services(third) == services(first)
        assert await bank.accounts(session) == moved != accounts
        assert await bank.transfer(tokens.access_token, "key", **order) == receipt, "moved once"


async def test_a_running_one_is_found_and_stopped(ensure, home):
    ready = await ensure()
    assert await ensure(interval=60) == ready
    assert await launch.running(home) == ready
    assert await launch.stop(home) is True
    assert all_closed(ready)
    assert await launch.running(home) is None
    assert await launch.stop(home) is False


async def test_one_that_is_stopped_by_force_is_told_and_restarted(ensure, home):
    told = asyncio.Queue()
    first = await ensure()
    keeper = asyncio.create_task(
        launch.keep(ensure, lambda *said: told.put_nowait(said), folder=home)
    )
    try:
        os.kill(first["pid"], signal.SIGKILL)
        sentence, ready = await asyncio.wait_for(told.get(), PATIENCE)
        assert "stopped" in sentence
        assert ready is None
        sentence, ready = await asyncio.wait_for(told.get(), PATIENCE)
        assert "back" in sentence
        assert services(ready) == services(first)
        assert not all_closed(ready)
    finally:
        keeper.cancel()


async def test_one_whose_files_are_taken_away_is_not_started_again(ensure, home):
    await ensure()
    await launch.stop(home)
    shutil.rmtree(home)
    told = []
    watch = launch.keep(ensure, lambda *said: told.append(said), folder=home)
    await asyncio.wait_for(watch, PATIENCE)
    ((sentence, ready),) = told
    assert "taken away" in sentence
    assert ready is None
    assert not home.exists()


async def test_the_watch_survives_a_start_that_fails(home, monkeypatch):
    monkeypatch.setattr(launch, "HEALTH_SECONDS", 0.01)
    home.mkdir()
    told = asyncio.Queue()
    failures = iter([launch.SandboxError("No."), BainkError("Nor now."), OSError("disk full")])

    async def start():
        for failure in failures:
            raise failure
        return {"pid": 1}

    keeper = asyncio.create_task(
        launch.keep(start, lambda *said: told.put_nowait(said), folder=home)
    )
    try:
        said = [await asyncio.wait_for(told.get(), PATIENCE) for _ in range(8)]
    finally:
        keeper.cancel()
    assert [ready for _, ready in said] == [None] * 7 + [{"pid": 1}]
    assert ["No." in said[1][0], "Nor now." in said[3][0], "disk full" in said[5][0]] == [True] * 3


async def test_one_that_cannot_start_says_why(home):
    home.mkdir()
    (home / "tenant.db").write_text("this is no database, and long enough to be seen as none" * 20)
    with pytest.raises(launch.SandboxError) as failed:
        await launch.ensure(home, settings=Settings())
    assert str(home / files.LOG) in failed.value.sentence
    assert not launch.is_locked(home)


# The thumb


@pytest.mark.parametrize("decision", ["approve", "deny", "ignore"])
async def test_the_autopilot_decides(ensure, decision):
    ready = await ensure(autopilot=decision, interval=1, expires=4)
    async with ciba(ready) as client:
        request = await ask(client, ready)
        if decision == "approve":
            assert (await client.wait(request)).access_token
        else:
            with pytest.raises(AccessDenied if decision == "deny" else Expired):
                await client.wait(request)


async def test_no_secret_is_in_the_log(ensure, home):
    ready = await ensure(autopilot="approve", interval=1)
    async with ciba(ready) as client, BankClient(ready["bank"]) as bank, httpx.AsyncClient() as web:
        request = await ask(client, ready)
        tokens = await client.wait(request)
        assert "accounts" in await bank.accounts(
            (await log_in_with_form(World.from_ready(ready))).access_token
        )
        for token in (tokens.access_token, tokens.access_token + "x"):
            headers = {"authorization": f"Bearer {token}"}
            await web.get(f"{ready['bank']}/api/accounts", headers=headers)
            await web.post(f"{ready['bank']}/api/accounts/transfers", headers=headers, json={})
        await web.post(f"{ready['phone']}/notifications/none", json={"decision": "deny"})
    await launch.stop(home)
    log = home / files.LOG
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    text = log.read_text()
    for name in SECRETS:
        assert ready[name] not in text
    for secret in (request.auth_req_id, tokens.access_token, ready["phone"].rsplit("/", 1)[1]):
        assert secret not in text
    assert text == "", "nothing was amiss"
