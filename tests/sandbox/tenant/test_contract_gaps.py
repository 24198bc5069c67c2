"""Rows of auth0-contract.md that no other test holds: headers, log entries, prompts, methods."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from baink_lab.sandbox.tenant import models
from baink_lab.sandbox.tenant.one_time_passwords import code_at, matching_step
from tests.conftest import ISSUER
from tests.sandbox.tenant.mgmt_world import mgmt_world

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEA"  # 26 characters: Base32 without its padding


@pytest.fixture
async def management(tmp_path):
    async with mgmt_world(tmp_path / "tenant.db") as world:
        yield world


@pytest.fixture
def ask(tenant_http, world):
    async def ask(**changes):
        form = {
            "client_id": world.client_id,
            "client_secret": world.client_secret,
            "login_hint": json.dumps({"format": "iss_sub", "iss": ISSUER, "sub": world.user_id}),
            "scope": "openid create:transfer",
            "audience": world.audience,
            "binding_message": "Move 25.00 USD",
        }
        return await tenant_http.post("bc-authorize", data=form | changes)

    return ask


async def test_every_answer_of_a_limited_endpoint_tells_what_is_left(ask, clock):
    """Contract section 5.2; a user has five a minute (2.1)."""
    began = clock.now()
    left = []
    for _ in range(6):
        answer = await ask()
        assert answer.headers["x-ratelimit-limit"] == "5"
        assert began + 59 < int(answer.headers["x-ratelimit-reset"]) <= began + 61
        left.append(int(answer.headers["x-ratelimit-remaining"]))
        clock.advance(0.1)
    assert left == [4, 3, 2, 1, 0, 0]
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")


async def test_each_device_has_its_push_in_the_log(ask, tenant, world):
    """Contract section 5.9: what started, and one entry for each device with its enrolment."""
    models.enroll(tenant, world.user_id, "Tablet")
    models.enroll_otp(tenant, world.user_id, SECRET)
    assert (await ask()).status_code == 200
    new = tenant.events.newest_first()[:4]
    assert [entry["type"] for entry in new] == [
        *("gd_send_pn", "gd_send_pn", "gd_start_auth", "ciba_start_succeeded")
    ]
    linked = {entry["details"]["transaction_linking_id"] for entry in new}
    assert len(linked) == 1, "the join key of an audit trail"
    pushed = [entry["details"] for entry in new[:2]]
    assert {details["enrollment"]["name"] for details in pushed} == {"Ana's phone", "Tablet"}
    for details in pushed:
        assert details["authenticator"] == "guardian"
        assert details["device_id"] == details["enrollment"]["_id"]
        assert details["enrollment"]["user_id"] == world.user_id
    device = next(e for e in models.push_devices(tenant, world.user_id) if e["name"] == "Tablet")
    tenant.decide(tenant.notifications()[0]["id"], "deny", enrollment=device, reason="hacked")
    answered = tenant.events.newest_first()[0]
    assert answered["type"] == "gd_auth_rejected"
    assert answered["details"]["enrollment"]["name"] == "Tablet"
    assert answered["details"]["transaction_linking_id"] in linked


async def test_no_grant_reads_otherwise_at_authorize(tenant_http, tenant, world):
    """Contract section 3.5: `invalid_request` on the redirect, `access_denied` at the token."""
    for key, grant in list(tenant.grants.items()):
        if grant["client_id"] == world.client_id:
            tenant.grants.remove(key)
    query = {
        "response_type": "code",
        "client_id": world.client_id,
        "redirect_uri": "http://127.0.0.1/callback",
        "scope": "openid",
        "audience": world.audience,
        "state": "s",
    }
    sent = await tenant_http.get("authorize", params=query)
    assert sent.status_code == 302
    back = parse_qs(urlsplit(sent.headers["location"]).query)
    assert back["error"] == ["invalid_request"]
    assert back["error_description"] == [
        f'Client "{world.client_id}" is not authorized to access resource server '
        f'"{world.audience}".'
    ]
    assert back["state"] == ["s"]


async def test_the_push_prompt_is_read_and_changed(management):
    path = "/prompts/mfa-push"
    empty = {"app_name": "", "apple_app_link": "", "google_app_link": ""}
    assert await management.good("GET", path) == empty
    apple = "https://apps.example/bank"
    given = {"app_name": "the bAInk", "apple_app_link": apple}
    assert await management.good("PATCH", path, given) == empty | given
    assert await management.good("PATCH", path, {"apple_app_link": ""}) == {
        **empty,
        "app_name": "the bAInk",
    }
    assert (await management.good("GET", path))["app_name"] == "the bAInk"
    for wrong in ({"app_name": 1}, {"apple_app_link": "javascript:alert(1)"}, {"x": ""}, []):
        assert (await management.bad("PATCH", path, wrong))[:2] == (400, "invalid_body")
    assert (await management.bad("PATCH", path, given, scope="read:guardian_factors"))[0] == 403


async def test_an_authenticator_is_made_by_the_api(management):
    """Contract section 5.8: totp is among the types, push is not."""
    user_id = management.ids["user_id"]
    path = f"/users/{user_id.replace('|', '%7C')}/authentication-methods"
    body = {"type": "totp", "name": "Laptop", "totp_secret": SECRET}
    made = await management.good("POST", path, body, 201)
    assert (made["type"], made["name"], made["confirmed"]) == ("totp", "Laptop", True)
    kept = management.tenant.enrollments[made["id"].removeprefix("totp|")]
    now = management.clock()
    assert matching_step(kept["_totp"], code_at(SECRET, int(now // 30)), now) is not None
    listed = await management.good("GET", path)
    assert {method["type"] for method in listed} == {"push", "totp"}
    assert SECRET not in json.dumps(listed)
    [shown] = [method for method in listed if method["type"] == "totp"]
    assert shown == {name: value for name, value in made.items() if name != "totp_secret"}
    for wrong in (
        {"type": "push"},
        {"type": "phone"},
        {"type": "totp"},
        {"type": "totp", "totp_secret": "short"},
        {"type": "totp", "totp_secret": "not base32 at all!"},
        {"type": "totp", "totp_secret": "A" * 17},
    ):
        assert (await management.bad("POST", path, wrong))[:2] == (400, "invalid_body")
    assert (await management.bad("POST", path, body, scope="read:authentication_methods"))[0] == 403
    assert (await management.bad("POST", path.replace(user_id[-4:], "none"), body))[0] == 404
