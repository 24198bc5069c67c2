"""Peer: auth0-ai-langchain's GraphResumer on a real LangGraph server; prints how it ended."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from auth0_ai_langchain.async_authorization import GraphResumer
from langgraph_sdk import get_client
from phone import decide, ready, waiting

HERE = Path(__file__).parent
SECONDS = 150


def serve(port):
    config = Path("langgraph.json")
    config.write_text(
        json.dumps({"dependencies": ["."], "graphs": {"aiya": f"{HERE / 'graph.py'}:graph"}})
    )
    command = [sys.executable, "-m", "langgraph_cli", "dev", "--no-browser", "--no-reload"]
    # auth0-ai calls the tenant synchronously; the server refuses that unless told.
    command += ["--allow-blocking"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--config", str(config)]
    env = os.environ | {"LANGSMITH_TRACING": "false", "LANGGRAPH_NO_VERSION_CHECK": "1"}
    return subprocess.Popen(command, env=env, stdout=sys.stderr, stderr=sys.stderr)


async def up(client, server):
    end = time.monotonic() + SECONDS
    while True:
        if server.poll() is not None:
            raise SystemExit("the LangGraph server ended")
        try:
            return await client.assistants.search()
        except Exception:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.3)


async def run(client, decision, order):
    message = order["message"]
    thread = await client.threads.create()
    where = thread["thread_id"]
    config = {"configurable": {"user_id": ready["user_id"]}}
    say = {"messages": [{"role": "user", "content": json.dumps(order)}]}
    await client.runs.wait(where, "aiya", input=say, config=config)
    state = await client.threads.get(where)
    assert state["status"] == "interrupted", state
    errors = []
    resumer = GraphResumer(client, filters={"graph_id": "aiya"})
    resumed = []
    resumer.on_resume(resumed.append).on_error(errors.append)
    resumer.start()
    try:
        assert [item["binding_message"] for item in waiting()] == [message]
        decide(message, decision)
        end = time.monotonic() + SECONDS
        while (state := await client.threads.get(where))["status"] in ("interrupted", "busy"):
            assert time.monotonic() < end, (state, errors)
            await asyncio.sleep(0.3)
    finally:
        resumer.stop()
    assert resumed, "the resumer woke the thread"
    last = state["values"]["messages"][-1]["content"] if not errors else ""
    return {"status": state["status"], "last": last, "errors": [str(error) for error in errors]}


async def main():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = serve(port)
    try:
        client = get_client(url=f"http://127.0.0.1:{port}")
        await up(client, server)
        return await run(client, sys.argv[1], json.loads(sys.argv[2]))
    finally:
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
