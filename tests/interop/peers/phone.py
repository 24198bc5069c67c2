"""The thumb of the peers: answers on the stand-in phone."""

import json
import os
import urllib.request

ready = json.loads(os.environ["READY"])
# The phone is ours and on loopback: no proxy may come between.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def waiting():
    with _open(f"{ready['phone']}/notifications") as answer:
        return json.load(answer)


def decide(message, decision):
    """Answer the one request that shows `message`; returns what the phone showed."""
    [shown] = [item for item in waiting() if item["binding_message"] == message]
    request = urllib.request.Request(
        f"{ready['phone']}/notifications/{shown['id']}",
        data=json.dumps({"decision": decision}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with _open(request) as answer:
        assert answer.status == 204
    return shown
