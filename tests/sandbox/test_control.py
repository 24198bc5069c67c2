"""The control surface over HTTP: its own secret, its own orders, and nothing to anybody else."""

from __future__ import annotations

import httpx
import pytest

from baink_lab.sandbox import control
from baink_lab.sandbox.lab_time import SandboxTime, ahead
from baink_lab.sandbox.outage import Outage
from baink_lab.sandbox.tenant import Tenant, create_app

SECRET = "control-secret-of-the-test"


@pytest.fixture
def tenant(tmp_path):
    time = SandboxTime(tmp_path)
    tenant = Tenant.open(tmp_path / "tenant.db", issuer="http://t.test/", now=time.clock.now)
    tenant.time = time
    yield tenant
    tenant.close()


@pytest.fixture
async def http(tenant):
    tenant.outage = Outage(create_app(tenant), tenant.now)
    app = control.create_app(tenant.time, tenant.outage, tenant, SECRET)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:1"
    ) as http:
        yield http


async def test_time_is_set_forward_and_kept_on_disk(http, tenant, tmp_path):
    before = tenant.now()
    for seconds, whole in ((360, 360), (0.5, 360.5)):
        answer = await http.post(f"/{SECRET}/clock/advance", json={"seconds": seconds})
        assert answer.json() == {"ahead": whole, "tenant_down": 0}
    assert tenant.now() >= before + 360.5
    assert ahead(tmp_path) == 360.5
    assert SandboxTime(tmp_path).ahead == 360.5
    assert (await http.get(f"/{SECRET}/")).json()["ahead"] == 360.5


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{}", b"[]", b"seconds", b'{"seconds": null}', b'{"seconds": true}', b"\xff"),
        *(b'{"seconds": "6"}', b'{"seconds": NaN}', b'{"seconds": 1e999}', b"[" * 900),
        b'{"seconds": 1' + b"0" * 400 + b"}",
    ],
)
async def test_nonsense_is_refused_in_words(http, tenant, raw):
    headers = {"content-type": "application/json"}
    for path in ("clock/advance", "tenant/down"):
        answer = await http.post(f"/{SECRET}/{path}", content=raw, headers=headers)
        assert answer.status_code == 400
        assert answer.json()["error"].endswith(".")
    assert tenant.time.ahead == 0


async def test_time_goes_neither_back_nor_out_of_sight(http, tenant):
    for seconds, why in ((-1, "Time does not go back"), (1e12, "ten years")):
        answer = await http.post(f"/{SECRET}/clock/advance", json={"seconds": seconds})
        assert answer.status_code == 409
        assert why in answer.json()["error"]
    assert tenant.time.ahead == 0


async def test_who_may_not(http, tenant):
    order = {"seconds": 60}
    path = f"/{SECRET}/clock/advance"
    assert (await http.post("/wrong/clock/advance", json=order)).status_code == 404
    assert (await http.post(path, content=b'{"seconds": 60}')).status_code == 415
    big = {"seconds": 60, "more": "x" * 2000}
    assert (await http.post(path, json=big)).status_code == 413
    for header, value in (("origin", "http://evil.example"), ("host", "evil.example")):
        answer = await http.post(path, json=order, headers={header: value})
        assert answer.status_code in {403, 421}
    assert (await http.get(path)).status_code == 405
    assert tenant.time.ahead == 0


async def test_a_tenant_goes_down_and_comes_back_by_the_same_clock(http, tenant):
    transport = httpx.ASGITransport(tenant.outage)
    async with httpx.AsyncClient(transport=transport, base_url="http://t.test") as outside:
        await http.post(f"/{SECRET}/tenant/down", json={"seconds": 30})
        assert (await outside.get("/.well-known/jwks.json")).status_code == 503
        await http.post(f"/{SECRET}/clock/advance", json={"seconds": 31})
        assert (await outside.get("/.well-known/jwks.json")).status_code == 200
        await http.post(f"/{SECRET}/tenant/down", json={"seconds": 30})
        await http.post(f"/{SECRET}/clock/reset", json={})
        assert (await outside.get("/.well-known/jwks.json")).status_code == 200


@pytest.mark.parametrize("content", ["", "{}", '{"ahead": -5}', '{"ahead": "x"}', '{"ahead": NaN}'])
def test_a_damaged_file_is_real_time(tmp_path, content):
    (tmp_path / "clock.json").write_text(content, "utf-8")
    assert ahead(tmp_path) == 0
