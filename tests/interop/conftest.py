"""One sandbox for all peers, and a way to run a peer's script against it."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests.interop import install
from tests.interop.served import sandbox


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    with sandbox(tmp_path_factory.mktemp("sandbox")) as line:
        yield line


def environment(line, **more):
    """Nothing of the caller's own that could help or hinder the peer; the CA that it trusts."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "XDG_CACHE_HOME")
    ours = {name: os.environ[name] for name in kept if name in os.environ}
    ca = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), line["ca"])
    return ours | ca | {"READY": json.dumps(line), "NO_PROXY": "*"} | more


def run_peer(command, line, cwd, **more):
    """Run to the end; the script's own assertions decide. Returns the last line as JSON."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment(line, **more),
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture
def peer(served, tmp_path):
    """Run a Python peer: `peer("sdk", "management.py", "factors")`."""

    def peer(name, script, *arguments):
        command = [install.python_of(name), install.PEERS / script, *arguments]
        return run_peer(command, served, tmp_path)

    return peer


@pytest.fixture
def node_peer(served, tmp_path):
    """Run a Node.js peer's script, with the packages of `peers/node`."""

    def node_peer(script, *arguments, line=served):
        (tmp_path / "node_modules").symlink_to(install.node_modules())
        copy = tmp_path / script
        copy.write_bytes((install.PEERS / "node" / script).read_bytes())
        return run_peer([install.node(), copy, *arguments], line, tmp_path)

    return node_peer
