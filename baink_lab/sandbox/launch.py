"""Find the sandbox of a folder, or start one that dies with its owner."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

import httpx
from filelock import AsyncFileLock, FileLock, Timeout

from baink_lab import settings as settings_module
from baink_lab.errors import BainkError, InOneSentence
from baink_lab.sandbox import home as files
from baink_lab.sandbox.loopback import loopback_http
from baink_lab.settings import Settings

Autopilot = Literal["approve", "deny", "ignore"]
"""What the sandbox's own thumb does with each push: see `baink_lab.sandbox.autopilot`."""

HEALTH_SECONDS = 1.0
START_SECONDS = 30.0
STOP_SECONDS = 5.0
_STEP_SECONDS = 0.05
_TAKEN_AWAY = (
    "The sandbox's files were taken away, so it is not started again. To begin anew, run the "
    "first cell of a notebook, or the command."
)
_DIRECT: dict[str, None] = {"all://127.0.0.1": None, "all://localhost": None}

# Kept so that a child that has ended can be reaped, and is never taken for a running one.
_children: list[subprocess.Popen[bytes]] = []


class SandboxError(InOneSentence, BainkError):
    """The sandbox did not start, did not stop, or is taken; the sentence says what to do."""

    code = "sandbox"


async def ensure(
    home: Path,
    *,
    settings: Settings | None = None,
    port: int | None = None,
    interval: int = 5,
    expires: int = 300,
    relaxed: bool = False,
    autopilot: Autopilot | None = None,
) -> dict[str, Any]:
    """Return the ready line of the sandbox of `home`, starting one when none answers.

    A sandbox that is already there, started by another kernel or by hand, is used as it is:
    the options count for a new one only. A new one ends when this process ends. Ask again
    whenever a service stops answering: one that was killed is started anew with the same state,
    and on the same ports unless another program has taken one (see also `keep`).

    Args:
        home: BAINK_HOME; made when it is missing.
        settings: sandbox or live mode, from the environment unless given.
        port: of the tenant; the one of last time when left out.
        interval: polling interval of CIBA requests, in seconds.
        expires: default life of a CIBA request, in seconds.
        relaxed: lift the tenant's limits a minute, for tests.
        autopilot: decide each push without a person.

    Raises:
        SandboxError: it did not come up; the sentence ends with the last lines of its log.
        SettingsError: the environment cannot be used.
    """
    settings = settings or settings_module.load()
    folder = files.make(files.folder(home, live=settings.mode == "live"))
    flags = [f"--interval={interval}", f"--expires={expires}"]
    flags += [f"--port={port}"] if port is not None else []
    flags += [f"--autopilot={autopilot}"] if autopilot else []
    flags += ["--relaxed"] if relaxed else []
    try:
        async with AsyncFileLock(folder / "launch.lock", timeout=2 * START_SECONDS):
            if ready := await _found(folder):
                return ready
            child = _spawn(home, folder, settings, flags)
            return await _until_ready(folder, child)
    except Timeout:
        raise SandboxError(
            f"Another program has been starting the sandbox of {folder} for a minute. End it, "
            "or set BAINK_HOME to another folder."
        ) from None


async def keep(
    start: Callable[[], Awaitable[dict[str, Any]]],
    told: Callable[[str, dict[str, Any] | None], None],
    *,
    folder: Path,
) -> None:
    """Watch the sandbox until cancelled; when it is gone, say so and start it anew.

    Where its folder is gone too, somebody has taken it away: that is told, and is the end.

    Args:
        start: calls `ensure` with the options of the caller.
        told: gets a sentence, and the new ready line once it is back.
        folder: which one to watch (see `running`).
    """
    while True:
        await asyncio.sleep(HEALTH_SECONDS)
        if is_locked(folder):  # cheap; a sandbox that was killed holds no lock
            continue
        if _is_gone(folder):
            told(_TAKEN_AWAY, None)
            return
        told("The sandbox has stopped. I start it anew; nothing is lost.", None)
        try:
            told("The sandbox is back.", await start())
        except (BainkError, OSError) as failure:
            told(f"{failure} I try again.", None)


async def running(folder: Path) -> dict[str, Any] | None:
    """The ready line of the sandbox that serves `folder`; None when none answers.

    Args:
        folder: BAINK_HOME, or `live` below it (see `baink_lab.sandbox.home.folder`).
    """
    return await _running(folder)


async def stop(home: Path) -> bool:
    """End the sandboxes of `home`, both modes; True when there was one.

    Raises:
        SandboxError: one would not end within 5 s, even when killed.
    """
    return any([await _stop(folder) for folder in files.folders(home)])


async def stop_own(folder: Path) -> bool:
    """End the sandbox of `folder` if this process started it; True when it did.

    Raises:
        SandboxError: it would not end within 5 s, even when killed.
    """
    pid = files.read_json(folder / files.READY).get("pid")
    ours = any(child.pid == pid and child.poll() is None for child in _children)
    return ours and await _stop(folder)


def is_locked(folder: Path) -> bool:
    """True while a sandbox process, ready or not yet, holds `folder`."""
    if not folder.is_dir():
        return False
    try:
        with FileLock(folder / files.LOCK, timeout=0):
            return False
    except Timeout:
        return True


def _is_gone(folder: Path) -> bool:
    return not folder.is_dir()


async def _running(folder: Path) -> dict[str, Any] | None:
    # A ready line without a lock is one that a killed sandbox left behind.
    ready = files.read_json(folder / files.READY)
    if not ready or not is_locked(folder):
        return None
    async with loopback_http(HEALTH_SECONDS, ready.get("ca")) as http:
        return ready if await _answers(ready, http) else None


async def _answers(ready: dict[str, Any], http: httpx.AsyncClient) -> bool:
    """Ask the tenant who it is and the bank for anything: both must be ours and awake."""
    with contextlib.suppress(httpx.HTTPError, httpx.InvalidURL, KeyError, TypeError, ValueError):
        bank = await http.get(f"{ready['bank']}/api/accounts")
        if bank.status_code != 401:
            return False
        if ready["mode"] == "live":
            return True
        tenant = await http.get(f"{ready['tenant']}/.well-known/openid-configuration")
        if tenant.status_code == 503:  # down on purpose, maybe: see `baink_lab.sandbox.control`
            told = await http.get(f"{ready['control']}/")
            return bool(told.json()["tenant_down"])
        return bool(tenant.json()["issuer"] == ready["issuer"])
    return False


async def _found(folder: Path) -> dict[str, Any] | None:
    """The sandbox that is there; one that starts or is busy gets its time to answer."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        if ready := await _running(folder):
            await _check_trust(ready)
            return ready
        if not is_locked(folder):
            return None
        if time.monotonic() > deadline:
            raise SandboxError(
                f"A sandbox holds {folder} but does not answer. End its process, "
                "or set BAINK_HOME to another folder."
            )
        await asyncio.sleep(_STEP_SECONDS)


async def _check_trust(ready: dict[str, Any]) -> None:
    """A sandbox with `--tls` is of use only to programs that trust its authority."""
    if "ca" not in ready:
        return
    try:
        async with httpx.AsyncClient(timeout=HEALTH_SECONDS, mounts=_DIRECT) as http:
            await http.get(f"{ready['bank']}/api/accounts")
    except (httpx.ConnectError, OSError):
        raise SandboxError(
            "The sandbox speaks HTTPS under an authority of its own, which this program does not "
            f"trust. Set SSL_CERT_FILE={ready['ca']} before you start it."
        ) from None


def _spawn(
    home: Path, folder: Path, settings: Settings, flags: list[str]
) -> subprocess.Popen[bytes]:
    _children[:] = [child for child in _children if child.poll() is None]
    command = [sys.executable, "-P", "-m", "baink_lab.cli", "sandbox"]
    command += [f"--owner-pid={os.getpid()}", *flags]
    files.write_private(folder / files.LOG, "")
    with (folder / files.LOG).open("ab") as log:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            # A home without .env: the child's settings are what we pass, and nothing else.
            cwd=folder,
            env=_environment(home, settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the ready line holds secrets; the ready file is 0600
            stderr=log,  # and so is what it says when it fails
            start_new_session=True,  # Ctrl+C in the notebook's terminal is not for the sandbox
        )
    _children.append(child)
    return child


def _environment(home: Path, settings: Settings) -> dict[str, str]:
    """Our own environment; of the lab's settings, only what the sandbox needs to know."""
    ours = {
        "AUTH0_DOMAIN": settings.auth0_domain or "",
        "AUTH0_CLIENT_ID": settings.auth0_client_id,
        "AUTH0_CLIENT_SECRET": settings.auth0_client_secret.get_secret_value(),
        "AUTH0_USER_ID": settings.auth0_user_id,
        "BAINK_AUDIENCE": settings.baink_audience,
        "BAINK_HOME": str(home.resolve()),
    }
    lab = ("AUTH0_", "BAINK_", "OPENAI_")
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(lab)}
    return kept | {name: value for name, value in ours.items() if value}


async def _until_ready(folder: Path, child: subprocess.Popen[bytes]) -> dict[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    try:
        while time.monotonic() < deadline:
            if ready := await _running(folder):
                return ready
            # One started by hand at the same moment may have won: then wait for that one.
            if child.poll() is not None and not is_locked(folder):
                raise SandboxError(f"The sandbox ended as it started. {_last_words(folder)}")
            await asyncio.sleep(_STEP_SECONDS)
    except asyncio.CancelledError:
        child.terminate()
        raise
    child.terminate()
    raise SandboxError(
        f"The sandbox was not ready within {START_SECONDS:.0f} s. {_last_words(folder)}"
    )


def _last_words(folder: Path, lines: int = 8) -> str:
    path = folder / files.LOG
    with contextlib.suppress(OSError):
        words = path.read_text("utf-8", "replace").strip().splitlines()[-lines:]
        if words:
            return f"Its log ({path}) ends with:\n" + "\n".join(words)
    return f"Its log ({path}) is empty; run `baink-lab sandbox` in a terminal to see more."


async def _stop(folder: Path) -> bool:
    if not is_locked(folder):
        return False
    for order in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        process_id = await _process_id(folder)
        if process_id is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process_id, order)
        if await _released(folder):
            (folder / files.READY).unlink(missing_ok=True)
            await _reap(process_id)
            return True
    raise SandboxError(f"The sandbox of {folder} does not stop. End its process and try again.")


async def _reap(process_id: int | None) -> None:
    """Take note that a child of ours has ended, so that none is left as a zombie."""
    for child in [child for child in _children if child.pid == process_id]:
        await asyncio.to_thread(child.wait, STOP_SECONDS)
        _children.remove(child)


async def _process_id(folder: Path) -> int | None:
    """Whom to stop. A sandbox that is starting gets its time to say who it is."""
    deadline = time.monotonic() + STOP_SECONDS
    while is_locked(folder) and time.monotonic() < deadline:
        # The lock is held, so this process id is a sandbox's and not a stranger's.
        process_id = files.read_json(folder / files.READY).get("pid")
        if isinstance(process_id, int):
            return process_id
        await asyncio.sleep(_STEP_SECONDS)
    return None


async def _released(folder: Path) -> bool:
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if not is_locked(folder):
            return True
        await asyncio.sleep(_STEP_SECONDS)
    return False
