"""The doctor in live mode, against a tenant over HTTPS that only the settings know."""

from __future__ import annotations

import pytest

from baink_lab.clock import SystemClock
from baink_lab.lab.doctor.services import look_at_services
from baink_lab.settings import load
from tests.lab.live_world import allow_callback, opened

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def services(line):
    """What the doctor finds of the services; no sandbox process is needed for that."""

    async def services(clock=None):
        settings = load()
        ready = {**line, "model": "http://127.0.0.1:9/v1"}
        found = await look_at_services(settings, settings.world(ready), clock=clock)
        return {one.name: one for one in found}

    return services


async def test_a_tenant_that_is_set_up_is_well(live):
    async with opened(4) as lab:
        said = str(await lab.doctor())
    assert "wrong:" not in said
    for name in ("tenant", "issuer", "clock", "callback of the login", "management scopes"):
        assert f"good: {name}: " in said
    assert "not checked: domain: " in said  # a port of this machine is none of Auth0's names
    assert "custom domain" in said


async def test_a_callback_that_is_not_allowed_is_told_with_its_way(live):
    await allow_callback("http://127.0.0.1:1/callback")
    async with opened(4) as lab:
        said = str(await lab.doctor())
    assert said.count("wrong:") == 1
    assert "wrong: callback of the login: " in said
    assert f"Allowed Callback URLs: add {load().login_callback}" in said


async def test_a_certificate_that_is_not_trusted(live, services):
    live(SSL_CERT_FILE="")
    found = (await services())["tenant"]
    assert found.ok is False
    assert "is not trusted" in found.found
    assert "SSL_CERT_FILE" in found.fix


async def test_a_domain_that_is_not_there(live, services):
    live(AUTH0_DOMAIN="no-such-tenant.invalid")
    found = (await services())["tenant"]
    assert "there is no host no-such-tenant.invalid" in found.found
    assert "AUTH0_DOMAIN" in found.fix


async def test_a_domain_where_nobody_answers(live, services):
    live(AUTH0_DOMAIN="127.0.0.1:9")
    found = (await services())["tenant"]
    assert "127.0.0.1:9 does not answer" in found.found


async def test_a_domain_that_is_no_https(live, services, line):
    live(AUTH0_DOMAIN=line["bank"].removeprefix("http://"))
    found = (await services())["tenant"]
    assert found.ok is False
    assert "TLS" in found.found


@pytest.mark.parametrize(("seconds", "side"), [(120, "ahead of"), (-120, "behind")])
async def test_a_clock_that_is_off(live, services, seconds, side):
    class Off(SystemClock):
        def now(self):
            return super().now() + seconds

    found = (await services(Off()))["clock"]
    assert found.ok is False
    assert f"s {side} the tenant's" in found.found
    assert "NTP" in found.fix


async def test_a_clock_that_is_right(live, services):
    assert (await services())["clock"].ok
