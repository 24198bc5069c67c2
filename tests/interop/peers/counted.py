"""Peer: how often GraphResumer runs a graph while customers think; prints runs and checkpoints.

`counted.py '[5, 20]' 30 '{"from_account": …}'`: one thread a number, each approved that many
seconds after its push; a thread that has not heard of it 30 seconds later is given up.
"""

import asyncio
import json
import socket
import sys
import time

from auth0_ai_langchain.async_authorization import GraphResumer
from langgraph_sdk import get_client
from phone import decide, ready
from resumer import serve, up

USER = {"configurable": {"user_id": ready["user_id"]}}
# The run that sends the push polls too. A resumer that looks at once would poll too early.
FIRST_LOOK_SECONDS = 1.5


async def ask(client, wait, order):
    message = f"counted {wait}"
    thread = await client.threads.create()
    said = json.dumps(order | {"message": message, "amount": "1.00"})
    say = {"messages": [{"role": "user", "content": said}]}
    await client.runs.wait(thread["thread_id"], "aiya", input=say, config=USER)
    return thread["thread_id"], message


async def answered(client, thread, message, wait, patience):
    """Approve after `wait` seconds; what the thread holds before and when it is over."""
    await asyncio.sleep(wait)
    asleep = await client.threads.get_history(thread, limit=100)
    await asyncio.to_thread(decide, message, "approve")
    end = time.monotonic() + patience
    while (state := await client.threads.get(thread))["status"] in ("interrupted", "busy"):
        if time.monotonic() > end:
            break
        await asyncio.sleep(0.2)
    until = time.time()
    runs = await client.runs.list(thread, limit=1000)
    history = await client.threads.get_history(thread, limit=100)
    kept = json.dumps([asleep, history], default=str)
    heard = state["status"] == "idle"
    told = {"wait": wait, "message": message, "runs": len(runs), "collected": heard}
    return told | {"checkpoints": kept, "until": until}


async def run(client, waits, patience, order):
    asked = [await ask(client, wait, order) for wait in waits]
    await asyncio.sleep(FIRST_LOOK_SECONDS)
    resumer = GraphResumer(client, filters={"graph_id": "aiya"})
    resumer.start()
    try:
        ones = zip(asked, waits, strict=True)
        results = (answered(client, *one, wait, patience) for one, wait in ones)
        return await asyncio.gather(*results)
    finally:
        resumer.stop()


async def main():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = serve(port)
    try:
        client = get_client(url=f"http://127.0.0.1:{port}")
        await up(client, server)
        waits, patience, order = map(json.loads, sys.argv[1:4])
        return await run(client, waits, patience, order)
    finally:
        server.terminate()
        server.wait(20)


print(json.dumps(asyncio.run(main())))
