"""Our Management API client against the sandbox tenant's: two readings of one contract."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from baink_lab.auth0.errors import Unavailable
from baink_lab.auth0.machine_token import ManagementError
from baink_lab.auth0.management import ManagementClient
from baink_lab.clock import VirtualClock
from baink_lab.sandbox.tenant.limits import MANAGEMENT_BURST

CIBA = "urn:openid:params:grant-type:ciba"


class HastyClock(VirtualClock):
    """Sleeps in no time, and remembers for how long."""

    def __init__(self):
        super().__init__()
        self.slept = []

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.advance(seconds)


@pytest.fixture
def clock():
    return HastyClock()


@pytest.fixture
def management(world, tenant_http, clock):
    return ManagementClient(
        world.issuer,
        world.management_client_id,
        world.management_client_secret,
        http=tenant_http,
        clock=clock,
    )


@pytest.fixture
def asked(tenant_http):
    """Every request that the tenant got."""
    requests = []

    async def note(request):
        requests.append(f"{request.method} {request.url.path}")

    tenant_http.event_hooks["request"].append(note)
    return requests


@pytest.fixture
def scripted(clock):
    """A client whose API answers as scripted, one answer a call; tokens are `t1`, `t2`, …"""

    def scripted(*answers, tokens=None):
        queue, issued, seen = list(answers), [], []

        def handle(request):
            if request.url.path == "/oauth/token":
                issued.append(f"t{len(issued) + 1}")
                body = tokens or {"access_token": issued[-1], "expires_in": 86400}
                return httpx.Response(200, json=body)
            seen.append(request.headers["authorization"].removeprefix("Bearer "))
            answer = queue.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        http = httpx.AsyncClient(transport=httpx.MockTransport(handle))
        client = ManagementClient("https://t.example/", "id", "s3cret", http=http, clock=clock)
        return client, seen

    return scripted


# What the doctor and the labs look up


async def test_it_finds_what_is_there(management, world):
    client = await management.find_client(world.client_id)
    assert client["client_id"] == world.client_id
    assert CIBA in client["grant_types"]
    api = await management.find_resource_server(world.audience)
    assert api["identifier"] == world.audience, "an identifier with slashes is one path segment"
    user = await management.find_user(world.user_id)
    assert user["user_id"] == world.user_id, "and so is a user_id with a bar"


async def test_what_is_not_there_is_none(management):
    assert await management.find_client("nobody") is None
    assert await management.find_resource_server("https://nothing.example/a/b") is None
    assert await management.find_user("auth0|nobody") is None


async def test_an_id_cannot_lead_to_another_endpoint(management):
    for wily in ("../clients", "x?fields=a", "a/b", "%2e%2e", "#"):
        assert await management.find_client(wily) is None


async def test_client_grants_are_filtered(management, world):
    user = await management.client_grants(client_id=world.client_id, subject_type="user")
    assert {grant["audience"] for grant in user} >= {world.audience}
    (one,) = await management.client_grants(
        client_id=world.client_id, audience=world.audience, subject_type="user"
    )
    assert one["scope"] == ["create:transfer"]
    none = await management.client_grants(client_id=world.client_id, subject_type="client")
    assert none == []


async def test_the_push_factor_is_seen_and_switched(management):
    assert await management.push_factor_enabled() is True
    off = await management.put("guardian/factors/push-notification", {"enabled": False})
    assert off == {"enabled": False}
    assert await management.push_factor_enabled() is False


async def test_enrolments_come_and_go(management, world, tenant):
    (device,) = await management.push_enrollments(world.user_id)
    assert await management.delete(f"guardian/enrollments/{device['id']}") is None
    assert await management.push_enrollments(world.user_id) == []
    ticket = await management.enrollment_ticket(world.user_id)
    assert ticket.startswith("http")


async def test_a_client_is_made_changed_and_deleted(management):
    made = await management.post("clients", {"name": "mine", "app_type": "regular_web"})
    path = f"clients/{made['client_id']}"
    changed = await management.patch(path, {"grant_types": [CIBA]})
    assert changed["grant_types"] == [CIBA], "a list is replaced, not merged"
    assert await management.delete(path) is None
    assert await management.find_client(made["client_id"]) is None


# The token


async def test_one_token_serves_many_calls_at_once(management, world, asked):
    await asyncio.gather(*(management.find_client(world.client_id) for _ in range(5)))
    assert asked.count("POST /oauth/token") == 1


async def test_a_token_is_renewed_before_its_end(management, world, asked, clock):
    await management.find_client(world.client_id)
    clock.advance(86400 - 11)
    await management.find_client(world.client_id)
    assert asked.count("POST /oauth/token") == 1
    clock.advance(2)
    await management.find_client(world.client_id)
    assert asked.count("POST /oauth/token") == 2


async def test_a_token_that_is_not_taken_any_more_is_renewed_once(scripted):
    client, seen = scripted(httpx.Response(401, json={}), httpx.Response(200, json={"a": 1}))
    assert await client.get("clients") == {"a": 1}
    assert seen == ["t1", "t2"]


async def test_a_second_401_is_told(scripted):
    body = {"statusCode": 401, "error": "Unauthorized", "message": "Invalid token."}
    client, seen = scripted(*[httpx.Response(401, json=body)] * 2)
    with pytest.raises(ManagementError, match=r"Invalid token \(HTTP 401\)") as refused:
        await client.get("clients")
    assert refused.value.status == 401
    assert len(seen) == 2


async def test_a_wrong_secret_names_the_setting(world, tenant_http, clock):
    client = ManagementClient(
        world.issuer, world.management_client_id, "wrong-s3cret", http=tenant_http, clock=clock
    )
    with pytest.raises(ManagementError, match="AUTH0_MGMT_CLIENT_SECRET") as refused:
        await client.get("clients")
    assert "wrong-s3cret" not in str(refused.value)


async def test_a_client_without_access_is_told_where_to_give_it(world, tenant_http, clock):
    client = ManagementClient(
        world.issuer, world.client_id, world.client_secret, http=tenant_http, clock=clock
    )
    with pytest.raises(ManagementError) as refused:
        await client.get("clients")
    assert refused.value.status in {401, 403}
    assert "Management API" in refused.value.sentence


@pytest.mark.parametrize("tokens", [{"token": "x"}, {"access_token": "x", "expires_in": "soon"}])
async def test_a_token_answer_without_a_token_is_unavailable(scripted, tokens):
    client, _ = scripted(tokens=tokens)
    with pytest.raises(Unavailable):
        await client.get("clients")


# Refusals and failures


async def test_a_missing_scope_says_where_to_grant_it(management, world, tenant):
    grant = tenant.grant(world.management_client_id, tenant.management_audience, "client")
    tenant.grants.put(grant["id"], {**grant, "scope": ["read:users"]})
    with pytest.raises(ManagementError, match="Application Access") as refused:
        await management.find_client(world.client_id)
    assert (refused.value.status, refused.value.code) == (403, "insufficient_scope")
    assert "read:clients" in refused.value.sentence


async def test_a_refusal_keeps_code_status_and_message(management, world):
    with pytest.raises(ManagementError) as refused:
        await management.patch(f"clients/{world.client_id}", {"grant_types": "ciba"})
    assert (refused.value.status, refused.value.code) == (400, "invalid_body")
    assert f"PATCH /api/v2/clients/{world.client_id} was refused: " in refused.value.sentence


async def test_the_rate_limit_is_waited_out(management, world, clock):
    for _ in range(MANAGEMENT_BURST + 5):
        assert await management.find_client(world.client_id)
    assert clock.slept
    assert all(0 < pause <= 60 for pause in clock.slept)


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"retry-after": "7"}, 7),
        ({"x-ratelimit-reset": "1700000004"}, 4),
        ({"x-ratelimit-reset": "1"}, 0),
        ({"retry-after": "86400"}, 60),
        ({"retry-after": "soon", "x-ratelimit-reset": "\u00b2"}, 1),
        ({}, 1),
    ],
)
async def test_how_long_a_429_is_waited(scripted, clock, headers, pause):
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    client, seen = scripted(httpx.Response(429, headers=raw), httpx.Response(200, json=[]))
    assert await client.get("clients") == []
    assert clock.slept == [pause]
    assert len(seen) == 2


async def test_it_does_not_wait_for_ever(scripted, clock):
    body = {"statusCode": 429, "message": "Global limit has been reached"}
    client, seen = scripted(*[httpx.Response(429, json=body)] * 4)
    with pytest.raises(ManagementError, match="limit") as refused:
        await client.get("clients")
    assert refused.value.status == 429
    assert (len(seen), len(clock.slept)) == (4, 3)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("secret-url"),
        httpx.ReadTimeout("secret-url"),
        httpx.Response(503),
        httpx.Response(200, text="<html>Log in to the hotel's Wi-Fi"),
        httpx.Response(404, text="<html>"),
    ],
)
async def test_no_usable_answer_is_unavailable_and_shows_no_secret(scripted, answer):
    client, _ = scripted(answer)
    with pytest.raises(Unavailable) as failed:
        await client.get("clients")
    assert "secret" not in str(failed.value)
    assert failed.value.__cause__ is None


async def test_an_answer_without_a_ticket_is_unavailable(scripted):
    client, _ = scripted(httpx.Response(200, json={}))
    with pytest.raises(Unavailable, match="ticket"):
        await client.enrollment_ticket("auth0|ana")


async def test_a_list_that_is_none_is_empty(scripted):
    client, _ = scripted(httpx.Response(200, json={"error": "?"}))
    assert await client.client_grants() == []


async def test_a_client_given_from_outside_is_left_open(world, tenant_http, management):
    async with management:
        await management.find_client(world.client_id)
    assert not tenant_http.is_closed
    async with ManagementClient(world.issuer, "id", "secret") as own:
        pass
    assert own._http.is_closed
