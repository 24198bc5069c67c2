"""Listening sockets, on the same ports as last time wherever they are free."""

from __future__ import annotations

import ipaddress
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
#: Services that nobody but this machine needs, whatever `--bind` says.
AT_HOME = ("control",)


def bind(
    folder: Path, names: Sequence[str], first: int | None = None, address: str = LOOPBACK
) -> dict[str, socket.socket]:
    """One listening socket for each name; the ports are remembered in `folder`.

    Args:
        folder: the sandbox's home.
        names: of the services.
        first: the port wanted for the first of them; another is taken when it is not free.
        address: of this machine; `AT_HOME` stays on loopback all the same.

    Raises:
        SandboxError: the machine has no free port, or no such address.
    """
    remembered = files.read_json(folder / files.ADDRESSES)
    wanted = {name: remembered.get(name) for name in names}
    if first is not None:
        wanted[names[0]] = first
    sockets = {
        name: listen(port, LOOPBACK if name in AT_HOME else address)
        for name, port in wanted.items()
    }
    ports = {name: bound.getsockname()[1] for name, bound in sockets.items()}
    files.write_json(folder / files.ADDRESSES, remembered | ports)
    return sockets


def listen(port: Any, address: str = LOOPBACK) -> socket.socket:
    """A socket on `port`, or on any free one when `port` is taken or makes no sense.

    Raises:
        SandboxError: the machine has no free port, or no such address.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    wanted = [port] if isinstance(port, int) else []
    for choice in [*wanted, *random.sample(QUIET_PORTS, 8), 0]:
        bound = socket.socket(family, socket.SOCK_STREAM)
        # A port that was ours seconds ago is free again (TIME_WAIT); one in use still refuses.
        if os.name == "posix":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((address, choice))
            bound.listen(BACKLOG)
        except (OSError, OverflowError):
            bound.close()
            continue
        return bound
    raise SandboxError(
        f"No free port on {address}: close some programs and try again, "
        "or name an address that this machine has."
    )


def base_url(bound: socket.socket, *, secure: bool = False) -> str:
    """The address of a service, without trailing slash."""
    address, port = bound.getsockname()[:2]
    host = f"[{address}]" if ":" in address else address
    return f"{'https' if secure else 'http'}://{host}:{port}"


def checked_address(text: str, *, expose: bool) -> str:
    """The address to listen on.

    Args:
        text: an IP address of this machine, as a person gave it.
        expose: that person knows that others can reach it.

    Raises:
        SandboxError: no address, or one that others reach although nobody said so.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise SandboxError(f"{text!r} is no IP address: give one of this machine's.") from None
    if address.is_unspecified:
        raise SandboxError(
            f"{address} means every address, but the tenant's tokens name one as their issuer: "
            "give one address of this machine."
        )
    if not address.is_loopback and not expose:
        raise SandboxError(
            f"Others on your network can reach {address}, so I do not listen there. "
            "Add --expose to do it all the same, or leave --bind away."
        )
    return str(address)


def exposed(address: str, *, secure: bool) -> list[str]:
    """In plain words, what listening on `address` lets others do; nothing for loopback.

    Args:
        address: from `checked_address`.
        secure: HTTPS is on.
    """
    if ipaddress.ip_address(address).is_loopback:
        return []
    told = [
        f"Exposed: whoever reaches {address} can try passwords and client secrets at the tenant, "
        "use the model, and call the bank with any token that it accepts.",
        "Whoever learns the phone's address, which holds its secret, can approve transfers.",
        "This sandbox is for learning: put no real customer, secret or money in it.",
    ]
    if not secure:
        told.append("Passwords, secrets and tokens cross the network unencrypted; see --tls.")
    return told
