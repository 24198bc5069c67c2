"""One process with every service of the lab, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from baink_lab.sandbox import home as files
from baink_lab.sandbox.autopilot import decide_all
from baink_lab.sandbox.http import Server, new_loop
from baink_lab.sandbox.launch import Autopilot, SandboxError
from baink_lab.sandbox.ports import LOOPBACK, base_url, bind, checked_address
from baink_lab.sandbox.tenant.tls import local_certificate
from baink_lab.sandbox.world import TenantOptions, open_world, services
from baink_lab.settings import Settings

OWNER_SECONDS = 0.5
LOCK_SECONDS = 2.0


@dataclasses.dataclass(frozen=True)
class SandboxOptions:
    """How to run one sandbox.

    Attributes:
        settings: names the home folder and, in live mode, the tenant that the bank trusts.
        port: of the tenant (in live mode, of the bank); another one is chosen when it is taken.
        interval: polling interval of CIBA requests, in seconds.
        expires: default life of a CIBA request, in seconds.
        relaxed: lift the tenant's limits a minute, for tests.
        autopilot: decide each push without a person.
        ready_file: also write the ready line there (0600).
        owner_pid: stop when this parent process is gone.
        tls: serve HTTPS, under a certificate authority of this machine.
        address: IP address to listen on.
        expose: `address` may be one that others reach.
    """

    settings: Settings
    port: int | None = None
    interval: float = 5
    expires: int = 300
    relaxed: bool = False
    autopilot: Autopilot | None = None
    ready_file: Path | None = None
    owner_pid: int | None = None
    tls: bool = False
    address: str = LOOPBACK
    expose: bool = False


def run(options: SandboxOptions, ready: Callable[[dict[str, Any]], None]) -> None:
    """Serve on the quickest event loop that there is; see `serve`."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(serve(options, ready))


async def serve(options: SandboxOptions, ready: Callable[[dict[str, Any]], None]) -> None:
    """Run until SIGTERM, SIGINT, the owner's end, or until cancelled.

    Args:
        options: how to run.
        ready: called once with the ready line, when every service answers.

    Raises:
        SandboxError: another sandbox holds the same home folder, a service did not start, or
            the address is not one to listen on.
    """
    settings = options.settings
    address = checked_address(options.address, expose=options.expose)
    if options.tls and settings.mode == "live":
        raise SandboxError("--tls is for the sandbox's own tenant: unset AUTH0_DOMAIN to use it.")
    folder = files.make(files.folder(settings.baink_home, live=settings.mode == "live"))
    # A signal that comes while we start, or the moment after the ready line, ends us orderly too.
    with _signals() as stopped, _only_one(folder):
        for stale in _ready_files(folder, options):
            with contextlib.suppress(OSError):  # writing it will say what is wrong
                stale.unlink()
        secured = local_certificate(folder / "tls", address) if options.tls else None
        sockets = bind(folder, services(settings), options.port, address)
        bases = {name: base_url(bound, secure=options.tls) for name, bound in sockets.items()}
        tenant = TenantOptions(options.interval, options.expires, options.relaxed)
        try:
            authority = secured.authority if secured else None
            async with open_world(folder, settings, bases, tenant, authority) as (line, apps):
                servers = {Server(apps[name], secured): bound for name, bound in sockets.items()}
                await _run(servers, line, folder, options, ready, stopped)
        finally:
            for bound in sockets.values():
                bound.close()


async def _run(
    servers: dict[Server, socket.socket],
    line: dict[str, Any],
    folder: Path,
    options: SandboxOptions,
    ready: Callable[[dict[str, Any]], None],
    stopped: asyncio.Event,
) -> None:
    serving = [asyncio.create_task(server.run_on(bound)) for server, bound in servers.items()]
    by_wish = False
    try:
        for server in servers:
            await server.settled.wait()
        if all(server.started for server in servers):
            with _announced(line, folder, options):
                ready(line)
                by_wish = await _until_told(stopped, serving, line, options)
    finally:
        for server in servers:
            server.should_exit = True
        failures = await asyncio.gather(*serving, return_exceptions=True)
    if not by_wish:
        why = next((repr(failure) for failure in failures if failure), "no reason given")
        raise SandboxError(f"A service of the sandbox did not start, or ended: {why}.")


async def _until_told(
    told: asyncio.Event,
    serving: list[asyncio.Task[None]],
    line: dict[str, Any],
    options: SandboxOptions,
) -> bool:
    """True at a signal or when the owner is gone; False when a service has ended by itself."""
    watches: list[asyncio.Task[Any]] = [asyncio.create_task(told.wait())]
    helpers: list[asyncio.Task[Any]] = []
    if options.owner_pid is not None:
        watches.append(asyncio.create_task(_owner_gone(options.owner_pid)))
    if options.autopilot in {"approve", "deny"} and line["phone"]:
        helpers.append(
            asyncio.create_task(decide_all(line["phone"], options.autopilot, line.get("ca")))
        )
    try:
        await asyncio.wait([*watches, *serving], return_when=asyncio.FIRST_COMPLETED)
        return any(task.done() for task in watches)
    finally:
        for task in watches + helpers:
            task.cancel()
        await asyncio.gather(*watches, *helpers, return_exceptions=True)


async def _owner_gone(owner: int) -> bool:
    """Return once our parent is not `owner` any more (an orphan gets another parent)."""
    while os.getppid() == owner:  # noqa: ASYNC110 - no event tells of a parent's end
        await asyncio.sleep(OWNER_SECONDS)
    return True


@contextlib.contextmanager
def _signals() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    handled: list[signal.Signals] = []
    # Refused outside the main thread and on Windows; there the process simply ends.
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, told.set)
            handled.append(number)
    try:
        yield told
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def _announced(line: dict[str, Any], folder: Path, options: SandboxOptions) -> Iterator[None]:
    """The ready files are there exactly while the services answer."""
    paths = _ready_files(folder, options)
    try:
        for path in paths:
            path.absolute().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            files.write_json(path, line)
    except OSError as failure:
        why = failure.strerror or type(failure).__name__
        raise SandboxError(f"The ready file {path} cannot be written ({why}).") from None
    try:
        yield
    finally:
        for path in paths:
            if files.read_json(path).get("pid") == os.getpid():
                path.unlink(missing_ok=True)


def _ready_files(folder: Path, options: SandboxOptions) -> list[Path]:
    return [folder / files.READY, *([options.ready_file] if options.ready_file else [])]


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / files.LOCK, timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout:
        raise SandboxError(
            f"A sandbox already runs in {folder} (its addresses are in {files.READY} there). "
            "Use it, stop it, or set BAINK_HOME to another folder."
        ) from None
    try:
        yield
    finally:
        lock.release()
