"""Our resumer beside a real LangGraph Server: it wakes a `RemoteGraph` as it wakes a local one."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time
import uuid
from pathlib import Path

import httpx
import pytest
from langgraph.pregel.remote import RemoteGraph
from langgraph_sdk import get_client

from baink_lab.approvals import Resumer, Vault, key_from_file, sqlite_store
from baink_lab.auth0 import CibaClient
from baink_lab.lab.phone.stand_in import Phone
from baink_lab.sandbox import launch
from baink_lab.settings import Settings
from tests.interop import install

pytestmark = pytest.mark.timeout(300)
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def place(tmp_path):
    home = tmp_path / "sandbox"
    ready = await launch.ensure(home, settings=Settings(baink_home=home), interval=1, relaxed=True)
    (tmp_path / "ready.json").write_text(json.dumps(ready))
    key_from_file(tmp_path / "vault.key")
    async with sqlite_store(tmp_path / "approvals.db"):
        pass
    yield ready
    await launch.stop(home)


@pytest.fixture
def server(place, tmp_path):
    python = install.python_of("server")
    folder = tmp_path / "server"
    shutil.copytree(install.PEERS / "server", folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [python, "-m", "langgraph_cli", "dev", "--no-browser", "--no-reload"]
    env = os.environ | {"AGENT_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    # The command looks for its own packages on PATH.
    env["PATH"] = os.pathsep.join([str(python.parent), env.get("PATH", "")])
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)], cwd=folder, env=env, stdout=log, stderr=log
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, tmp_path / "server.log")
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _wait(url, process, log):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/ok", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise AssertionError(f"the server did not start: {log.read_text()[-3000:]}")


async def test_a_remote_graph_is_woken_at_once_and_after_talk(place, server, tmp_path):
    thread = str(uuid.uuid4())
    await get_client(url=server).threads.create(thread_id=thread)
    graph, phone, user = RemoteGraph("agent", url=server), Phone(place["phone"]), place["user_id"]
    client = CibaClient(place["issuer"], place["client_id"], place["client_secret"])
    async with client as ciba, sqlite_store(tmp_path / "approvals.db") as store:
        vault = Vault(store, [key_from_file(tmp_path / "vault.key")])
        over = asyncio.Event()
        async with Resumer(graph, ciba, store=store, vault=vault) as resumer:
            resumer.desk.on_delivered(lambda approval: over.set())

            async def say(text):
                message = {"role": "user", "content": text}
                await resumer.enter({"messages": [message]}, thread, user)

            await say("pay 5.00")
            await phone.approve()
            await over.wait()
            over.clear()
            await say("pay 6.00")
            await say("hello")  # the interrupt steps aside, and the outcome comes late
            await phone.approve()
            await over.wait()
    paid = [json.loads(line) for line in (tmp_path / "paid.jsonl").read_text().splitlines()]
    assert [one["amount"] for one in paid] == ["5.00", "6.00"]
    assert all(one["token"] for one in paid)
    state = await graph.aget_state({"configurable": {"thread_id": thread}})
    texts = [message["content"] for message in state.values["messages"]]
    assert texts[-2].startswith("Event: outcome of tool call call_5 (pay): ")
    assert '"approved"' in texts[-2]
