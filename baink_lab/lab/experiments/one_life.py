"""One life of Aiya in a process of its own, which somebody is going to kill.

`python -m baink_lab.lab.experiments.one_life` reads one JSON object from its input (secrets are on
no command line), says one sentence to Aiya, prints an event a line, and then waits for its end.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from baink_lab.aiya import open_aiya
from baink_lab.clock import AdjustableClock
from baink_lab.errors import BainkError
from baink_lab.lab.experiments import lives
from baink_lab.sandbox.lab_time import ahead
from baink_lab.settings import World

ASLEEP = {"type": "asleep"}
LOOK_SECONDS = 0.5


async def live(order: dict[str, Any]) -> None:
    """Say `order["text"]`, and stay while whoever started us does."""
    world, folder = World(**order["world"]), Path(order["folder"])
    time = Path(order["time"])
    async with open_aiya(
        world,
        folder,
        model=order["model"],
        api_key=order["api_key"],
        vault_keys=order["vault_keys"],
        clock=AdjustableClock(lambda: ahead(time)),
    ) as aiya:
        lives.watch(aiya.resumer.desk, folder)
        with aiya.listen(lambda thread, event: _tell(event)):
            await aiya.say(order["text"], thread=order["thread"])
            _tell(ASLEEP)
            parent = os.getppid()
            while os.getppid() == parent:  # noqa: ASYNC110 - who is gone kills nobody, nor tells
                await asyncio.sleep(LOOK_SECONDS)


def _tell(event: dict[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(event)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        asyncio.run(live(json.load(sys.stdin)))
    except BainkError as failure:
        sys.exit(failure.sentence)
