"""A tenant on a clock that tests drive, and HTTP to it without sockets."""

from __future__ import annotations

import os
import shutil
import tempfile

import httpx
import pytest

from baink_lab.clock import VirtualClock
from baink_lab.lab.practice.folder import in_memory
from baink_lab.sandbox import phone
from baink_lab.sandbox.tenant import Tenant, create_app
from baink_lab.settings import World

ISSUER = "http://127.0.0.1:7777/"
BANK = "http://127.0.0.1:7778"
TESTS_ROOM = 2 * 2**30  # bytes; a whole run has left 0.2 GB


def pytest_configure(config):
    """Write to memory where there is room: SQLite waits for a disk at each commit."""
    if "TMPDIR" not in os.environ and (memory := in_memory(TESTS_ROOM)):
        os.environ["TMPDIR"] = tempfile.tempdir = str(memory)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A person's machine may lack a browser or curl; CI installs them, so a skip fails there."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture(scope="session")
def first_tenant(tmp_path_factory):
    """The file of a new tenant: made once, since its key takes a moment."""
    path = tmp_path_factory.mktemp("tenant") / "tenant.db"
    Tenant.open(path, issuer=ISSUER, now=VirtualClock().now).close()
    return path


@pytest.fixture
def tenant(first_tenant, tmp_path, clock):
    shutil.copy(first_tenant, tmp_path / "tenant.db")
    tenant = Tenant.open(tmp_path / "tenant.db", issuer=ISSUER, now=clock.now)
    yield tenant
    tenant.close()


@pytest.fixture
async def tenant_http(tenant):
    transport = httpx.ASGITransport(create_app(tenant))
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
        yield http


@pytest.fixture
async def phone_http(tenant):
    transport = httpx.ASGITransport(phone.create_app(tenant, "s3cret"))
    async with httpx.AsyncClient(transport=transport, base_url="http://phone/s3cret/") as http:
        yield http


@pytest.fixture
def world(tenant):
    return World.from_ready(
        {"tenant": ISSUER.rstrip("/"), "issuer": ISSUER, "bank": BANK, "model": "http://model/v1"}
        | tenant.credentials()
    )
