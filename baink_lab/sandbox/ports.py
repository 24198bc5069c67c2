"""Listening sockets on loopback, on the same ports as last time wherever they are free."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from baink_lab.sandbox import home as files
from baink_lab.sandbox.launch import SandboxError

LOOPBACK = "127.0.0.1"
BACKLOG = 2048
# Below the ports that systems give to outgoing connections (Linux 32768 up, others 49152 up):
# one of those could sit on our port at the moment when a restarted sandbox wants it back.
QUIET_PORTS = range(20_000, 32_000)


def bind(folder: Path, names: Sequence[str], first: int | None = None) -> dict[str, socket.socket]:
    """One listening socket for each name; the ports are remembered in `folder`.

    Args:
        folder: the sandbox's home.
        names: of the services.
        first: the port wanted for the first of them; another is taken when it is not free.

    Raises:
        SandboxError: the machine has no free port.
    """
    remembered = files.read_json(folder / files.ADDRESSES)
    wanted = {name: remembered.get(name) for name in names}
    if first is not None:
        wanted[names[0]] = first
    sockets = {name: listen(port) for name, port in wanted.items()}
    ports = {name: bound.getsockname()[1] for name, bound in sockets.items()}
    files.write_json(folder / files.ADDRESSES, remembered | ports)
    return sockets


def listen(port: Any) -> socket.socket:
    """A socket on `port`, or on any free one when `port` is taken or makes no sense.

    Raises:
        SandboxError: the machine has no free port.
    """
    wanted = [port] if isinstance(port, int) else []
    for choice in [*wanted, *random.sample(QUIET_PORTS, 8), 0]:
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # A port that was ours seconds ago is free again (TIME_WAIT); one in use still refuses.
        if os.name == "posix":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((LOOPBACK, choice))
            bound.listen(BACKLOG)
        except (OSError, OverflowError):
            bound.close()
            continue
        return bound
    raise SandboxError(f"No free port on {LOOPBACK}: close some programs and try again.")


def base_url(bound: socket.socket) -> str:
    """The address of a service, without trailing slash."""
    return f"http://{LOOPBACK}:{bound.getsockname()[1]}"
