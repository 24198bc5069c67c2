"""Users, what they may do, their devices, Guardian's settings and the log."""

from urllib.parse import parse_qs, quote, urlsplit

import pytest

from baink_lab.sandbox.tenant import management
from baink_lab.sandbox.tenant.errors import ManagementError
from baink_lab.sandbox.tenant.passwords import password_matches
from tests.sandbox.tenant.mgmt_world import ISSUER, TRANSFERS, mgmt_world

ANA = "ana@baink.example"
EVE = {
    "connection": "Username-Password-Authentication",
    "email": "Eve@bAInk.example",
    "password": "eve-has-a-password",
    "email_verified": True,
    "verify_email": False,
}
NO_USER = (404, "inexistent_user", "The user does not exist.")


@pytest.fixture
async def world(tmp_path):
    async with mgmt_world(tmp_path / "t.db") as world:
        yield world


def ana_path(world, rest=""):
    return f"/users/{quote(world.ids['user_id'], safe='')}{rest}"


async def test_find_a_user(world):
    assert "%7C" in ana_path(world)
    ana = await world.good("GET", ana_path(world))
    assert ana["email"] == ANA
    assert "_password" not in ana
    for query in (
        f'q=email:"{ANA}"&search_engine=v3',
        "q=email:ANA%40baink.example",
        "q=ana*",
        'q=name:"Ana Alvarez" AND email_verified:true',
        "q=nickname:ana OR nickname:nobody",
        "q=email:*@baink.example NOT nickname:ben",
        "q=identities.connection:Username-* -name:ben*",
        "sort=email:1&per_page=1",
    ):
        assert await world.good("GET", f"/users?{query}") == [ana], query
    assert await world.good("GET", f"/users-by-email?email={ANA.upper()}") == [ana]
    assert await world.good("GET", "/users-by-email?email=no@body.example") == []
    assert await world.good("GET", "/users?q=_password:*") == []
    assert len(await world.good("GET", "/users?q=*")) == 2
    totals = await world.good("GET", "/users?include_totals=true&fields=email&sort=email:-1")
    assert totals == {
        "start": 0,
        "limit": 50,
        "length": 2,
        "total": 2,
        "users": [{"email": "ben@baink.example"}, {"email": ANA}],
    }


@pytest.mark.parametrize(
    "query",
    [
        "q=(a",
        "q=date:[1 TO 2]",
        'q="a',
        "q=a:b:c:(",
        "q=" + "a " * 30,
        "q=" + "a" * 2000,
        "sort=x",
        "search_engine=v9",
    ],
)
async def test_bad_searches(world, query):
    assert (await world.bad("GET", f"/users?{query}"))[:2] == (400, "invalid_query_string")


async def test_users_by_email_needs_an_email(world):
    text = "Query validation error: 'Missing required property: email'."
    assert (await world.bad("GET", "/users-by-email"))[2] == text


async def test_life_of_a_user(world):
    eve = await world.good("POST", "/users", EVE, 201)
    assert eve["email"] == "eve@baink.example"
    assert eve["email_verified"] is True
    assert eve["identities"][0]["provider"] == "auth0"
    assert set(eve).isdisjoint({"password", "_password", "connection", "verify_email"})
    text = "The user already exists."
    assert await world.bad("POST", "/users", EVE) == (409, "auth0_idp_error", text)
    path = f"/users/{quote(eve['user_id'], safe='')}"
    patch = {"name": "Eve", "user_metadata": {"a": [1], "b": {"c": None}}, "password": "another-1"}
    changed = await world.good("PATCH", path, patch)
    assert (changed["name"], changed["user_metadata"]) == ("Eve", {"a": [1], "b": {"c": None}})
    assert password_matches("another-1", world.tenant.users[eve["user_id"]]["_password"])
    changed = await world.good("PATCH", path, {"user_metadata": {"a": None}})
    assert changed["user_metadata"] == {"b": {"c": None}}
    assert (await world.bad("PATCH", path, {"email": ANA}))[0] == 409
    assert (await world.bad("PATCH", path, {}))[0] == 400
    await world.good("DELETE", path, status=204)
    await world.good("DELETE", path, status=204)
    assert await world.bad("GET", path) == NO_USER


async def test_deleting_a_user_takes_devices_and_permissions_along(world):
    permission = {"resource_server_identifier": TRANSFERS, "permission_name": "create:transfer"}
    await world.good("POST", ana_path(world, "/permissions"), {"permissions": [permission]}, 201)
    await world.good("DELETE", ana_path(world), status=204)
    assert not world.tenant.enrollments
    assert not world.tenant.permissions


@pytest.mark.parametrize(
    "change",
    [
        {"connection": "other"},
        {"connection": None},
        {"email": "x"},
        {"email": "a b@c"},
        {"email": "x" * 400 + "@y"},
        {"password": "short"},
        {"email_verified": "true"},
        {"user_metadata": []},
        {"user_id": "mine"},
        {"user_metadata": {"deep": [[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]}},
    ],
)
async def test_users_are_checked(world, change):
    assert (await world.bad("POST", "/users", {**EVE, **change}))[0] == 400
    assert len(world.tenant.users) == 2


async def test_permissions(world):
    path = ana_path(world, "/permissions")
    assert await world.good("GET", path) == []
    one = {"resource_server_identifier": TRANSFERS, "permission_name": "create:transfer"}
    assert await world.good("POST", path, {"permissions": [one, one]}, 201) is None
    await world.good("POST", path, {"permissions": [one]}, 201)
    shown = {
        **one,
        "resource_server_name": "bAInk transfers",
        "description": "Initiate an account transfer",
    }
    assert await world.good("GET", path) == [shown]
    assert (await world.good("GET", f"{path}?include_totals=true"))["permissions"] == [shown]
    unknown = {**one, "permission_name": "fly"}
    assert (await world.bad("POST", path, {"permissions": [unknown]}))[0] == 400
    nowhere = {**one, "resource_server_identifier": "x"}
    assert (await world.bad("POST", path, {"permissions": [nowhere]}))[0] == 404
    assert (await world.bad("POST", path, {"permissions": []}))[0] == 400
    await world.good("DELETE", path, {"permissions": [one, nowhere]}, 204)
    assert await world.good("GET", path) == []
    assert await world.bad("GET", "/users/auth0%7Cno/permissions") == NO_USER


async def test_enrollments_and_methods(world):
    (enrollment,) = await world.good("GET", ana_path(world, "/enrollments"))
    assert (enrollment["auth_method"], enrollment["status"]) == ("guardian", "confirmed")
    assert not any(name.startswith("_") for name in enrollment)
    shown = await world.good("GET", f"/guardian/enrollments/{enrollment['id']}")
    assert {**enrollment, **shown} == enrollment
    methods = await world.good("GET", ana_path(world, "/authentication-methods"))
    assert [(method["type"], method["confirmed"]) for method in methods] == [("push", True)]
    totals = await world.good("GET", ana_path(world, "/authentication-methods?include_totals=true"))
    assert totals["authenticators"] == methods
    encoded = quote(methods[0]["id"], safe="")
    one = ana_path(world, f"/authentication-methods/{encoded}")
    assert await world.good("GET", one) == methods[0]
    await world.good("DELETE", one, status=204)
    assert await world.good("GET", ana_path(world, "/enrollments")) == []
    assert (await world.bad("DELETE", one))[0] == 404
    gone = (404, "enrollment_not_found", "Enrollment not found")
    assert await world.bad("GET", f"/guardian/enrollments/{enrollment['id']}") == gone
    assert "gd_unenroll" in world.log_types()
    for rest in ("/enrollments", "/authentication-methods", "/logs"):
        assert await world.bad("GET", f"/users/auth0%7Cno{rest}") == NO_USER


async def test_delete_an_enrollment_and_all_methods(world):
    (device,) = world.tenant.enrollments
    path = f"/guardian/enrollments/{device}"
    await world.good("DELETE", path, status=204)
    assert (await world.bad("DELETE", path))[:2] == (404, "enrollment_not_found")
    await world.good("DELETE", ana_path(world, "/authentication-methods"), status=204)


async def ticket_for(world, **extra):
    body = {"user_id": world.ids["user_id"], "send_mail": False, **extra}
    return await world.good("POST", "/guardian/enrollments/ticket", body)


async def test_a_ticket_enrolls_once(world):
    got = await ticket_for(world, factor="push-notification", allow_multiple_enrollments=True)
    ticket = got["ticket_id"]
    assert got["ticket_url"] == f"{ISSUER}guardian/enroll?ticket={ticket}"
    enrollment = management.enroll_with_ticket(world.tenant, ticket, "  Spare phone ")
    assert enrollment["name"] == "Spare phone"
    assert len(await world.good("GET", ana_path(world, "/enrollments"))) == 2
    assert {"gd_start_enroll", "gd_enrollment_complete"} <= set(world.log_types())
    assert ticket not in str(world.tenant.events.newest_first())
    for wrong, status, code in (
        (ticket, 401, "invalid_token"),
        ("gten_unknown", 404, "enrollment_transaction_not_found"),
    ):
        with pytest.raises(ManagementError) as refused:
            management.enroll_with_ticket(world.tenant, wrong, "x")
        assert (refused.value.status, refused.value.code) == (status, code)


async def test_tickets_expire_and_do_not_double(world):
    ticket = (await ticket_for(world))["ticket_id"]
    with pytest.raises(ManagementError) as refused:
        management.enroll_with_ticket(world.tenant, ticket, "x")
    assert (refused.value.status, refused.value.code) == (409, "already_enrolled")
    world.clock.at += 5 * 86400
    with pytest.raises(ManagementError) as refused:
        management.enroll_with_ticket(world.tenant, ticket, "x")
    assert refused.value.status == 401
    other = (await ticket_for(world, allow_multiple_enrollments=True))["ticket_id"]
    assert set(world.tenant.tickets) == {other}
    for name in ("", "  ", "x" * 200):
        with pytest.raises(ManagementError) as refused:
            management.enroll_with_ticket(world.tenant, other, name)
        assert refused.value.status == 400
    management.enroll_with_ticket(world.tenant, other, "x")


async def test_bad_tickets(world):
    path, user_id = "/guardian/enrollments/ticket", world.ids["user_id"]
    assert (await world.bad("POST", path, {"user_id": "no"}))[::2] == (404, "User not found.")
    for body in (
        {},
        {"user_id": user_id, "factor": "oob"},
        {"user_id": user_id, "factor": "email"},
        {"user_id": user_id, "send_email": True},
        {"user_id": user_id, "send_mail": "no"},
    ):
        assert (await world.bad("POST", path, body))[:2] == (400, "invalid_body")
    wrong = (403, "insufficient_scope", "Insufficient scope.")
    assert await world.bad("POST", path, {}, scope="update:guardian_factors") == wrong


async def test_guardian_settings(world):
    factors = await world.good("GET", "/guardian/factors")
    push = {"name": "push-notification", "enabled": True, "trial_expired": False}
    assert push in factors
    assert len(factors) == 9
    off = {"enabled": False}
    assert await world.good("PUT", "/guardian/factors/push-notification", off) == off
    assert (await world.good("GET", "/guardian/factors"))[0]["enabled"] is False
    assert (await world.bad("PUT", "/guardian/factors/smoke", off))[0] == 404
    assert (await world.bad("PUT", "/guardian/factors/sms", {"enabled": 1}))[0] == 400
    path = "/guardian/factors/push-notification/selected-provider"
    assert await world.good("GET", path) == {"provider": "guardian"}
    assert await world.good("PUT", path, {"provider": "direct"}) == {"provider": "direct"}
    assert (await world.bad("PUT", path, {"provider": "pigeon"}))[0] == 400
    for policies in (["all-applications"], ["confidence-score"], []):
        assert await world.good("PUT", "/guardian/policies", policies) == policies
        assert await world.good("GET", "/guardian/policies") == policies
    for wrong in (["x"], {}, ["all-applications"] * 2, "x"):
        refused = await world.bad("PUT", "/guardian/policies", wrong)
        assert refused[:2] == (400, "invalid_body")
    assert (await world.bad("GET", "/guardian/policies", scope="read:guardian_factors"))[0] == 403


async def test_push_senders_keep_no_secret(world):
    base = "/guardian/factors/push-notification/providers"
    apns = {"sandbox": True, "bundle_id": "com.x", "p12": "c2VrcmV0"}
    assert await world.good("PUT", f"{base}/apns", apns) == {"sandbox": True, "bundle_id": "com.x"}
    got = await world.good("PATCH", f"{base}/apns", {"bundle_id": "com.y"})
    assert got == {"sandbox": True, "bundle_id": "com.y"}
    assert await world.good("GET", f"{base}/apns") == got
    fcm = {"server_credentials": '{"private_key": "x"}'}
    assert await world.good("PUT", f"{base}/fcmv1", fcm) == {}
    keys = {"aws_region": "eu-west-1", "aws_secret_access_key": "sekret"}
    assert await world.good("PUT", f"{base}/sns", keys) == {"aws_region": "eu-west-1"}
    assert (await world.bad("PUT", f"{base}/smoke", {}))[0] == 404


def fill(world, count):
    user = world.tenant.users[world.ids["user_id"]]
    for number in range(count):
        world.clock.at += 1
        kind = "ciba_start_succeeded" if number % 2 else "ciba_start_failed"
        world.tenant.events.add(kind, user=user, description=f"number {number}")


async def test_logs_by_page(world):
    fill(world, 5)
    newest = await world.good("GET", "/logs")
    assert [entry["description"][-1] for entry in newest] == list("43210")
    oldest = await world.good("GET", "/logs?sort=date:1&per_page=2&page=1")
    assert [entry["description"][-1] for entry in oldest] == list("23")
    totals = await world.good("GET", "/logs?include_totals=true&per_page=1&fields=type")
    assert totals == {
        "start": 0,
        "limit": 1,
        "length": 1,
        "total": 5,
        "logs": [{"type": "ciba_start_failed"}],
    }
    for name in ("q", "search"):
        found = await world.good("GET", f"/logs?{name}=type:ciba_start_succeeded")
        assert len(found) == 2
    assert (await world.bad("GET", "/logs?page=10&per_page=100"))[:2] == (
        400,
        "invalid_query_string",
    )
    one = newest[0]
    assert await world.good("GET", f"/logs/{one['log_id']}") == one
    assert (await world.bad("GET", "/logs/900"))[0] == 404
    assert len(await world.good("GET", ana_path(world, "/logs?per_page=2"))) == 2
    assert (await world.bad("GET", "/logs", scope="read:users"))[0] == 403


async def test_logs_by_checkpoint(world):
    fill(world, 5)
    seen, path = [], "/logs?take=2"
    for _ in range(4):
        got = await world.call("GET", path)
        seen += [entry["description"][-1] for entry in got.json()]
        link = got.headers["link"]
        assert link.endswith('>; rel="next"')
        url = link[1:].partition(">")[0]
        assert url.startswith(f"{ISSUER}api/v2/logs?")
        assert parse_qs(urlsplit(url).query)["take"] == ["2"]
        path = url.removeprefix(f"{ISSUER}api/v2")
    assert seen == list("01234")
    assert (await world.bad("GET", "/logs?from=nothing"))[:2] == (400, "invalid_query_string")
