"""Who may call, what it costs, and how refusals read."""

import httpx
import pytest

from tests.sandbox.tenant.mgmt_world import ISSUER, mgmt_app, mgmt_world


@pytest.fixture
async def world(tmp_path):
    async with mgmt_world(tmp_path / "t.db") as world:
        yield world


async def test_no_token(world):
    for headers in ({}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer "}):
        got = await world.http.get("/api/v2/clients", headers=headers)
        assert got.status_code == 401
        assert got.json() == {
            "statusCode": 401,
            "error": "Unauthorized",
            "message": "Missing authentication",
        }


async def test_expired_token_has_attributes_in_place_of_a_code(world):
    token = world.token(scope="read:clients")
    await world.good("GET", "/clients", token=token)
    world.clock.at += 86400
    got = await world.call("GET", "/clients", token=token)
    text = "Expired token received for JSON Web Token validation"
    assert got.json() == {
        "statusCode": 401,
        "error": "Unauthorized",
        "message": text,
        "attributes": {"error": text},
    }


async def test_bad_tokens(world):
    signature = "Invalid signature received for JSON Web Token validation."
    good = world.token(scope="read:clients")
    head, body, mark = good.split(".")
    for token, message in [
        ("nonsense", "Invalid token."),
        ("a.b.c", "Invalid token."),
        (f"{head}.{body}.{mark[:-4]}AAAA", signature),
        (f"{head}.{body}.", signature),
        (f"{head}.{body}.é".encode(), signature),
        (world.token(aud="https://other/", scope="read:clients"), "Invalid token."),
        (world.token(iss="https://other/", scope="read:clients"), "Invalid token."),
        (world.token(exp=None, scope="read:clients"), "Invalid token."),
    ]:
        raw = token if isinstance(token, bytes) else token.encode()
        got = await world.http.get("/api/v2/clients", headers={"authorization": b"Bearer " + raw})
        assert (got.status_code, got.json()["message"]) == (401, message), token


async def test_unsigned_and_hmac_tokens_are_refused(world):
    import base64
    import json

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    _, body, mark = world.token(scope="read:clients").split(".")
    for header in (
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "RS256", "kid": 7},
        {"alg": "RS256", "crit": ["x"]},
        {"alg": 3},
        {"alg": "RS256", "kid": "unknown"},
        {},
    ):
        for last in (mark, "", "AAAA"):
            got = await world.call("GET", "/clients", token=f"{part(header)}.{body}.{last}")
            assert got.status_code == 401, header


async def test_audience_may_be_a_list(world):
    token = world.token(aud=["https://x/", world.tenant.management_audience], scope="read:clients")
    await world.good("GET", "/clients", token=token)


async def test_guardian_endpoints_word_refusals_in_their_own_way(world):
    text = "Token has expired or signature is invalid."
    assert await world.bad("GET", "/guardian/factors", token="x.y.z") == (401, None, text)
    assert await world.bad("GET", "/guardian/factors", scope="read:mfa_policies") == (
        403,
        "insufficient_scope",
        "Insufficient scope.",
    )


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/client-grants", "create:client_grants"),
        ("GET", "/resource-servers", "read:resource_servers"),
        ("POST", "/users", "create:users"),
        ("DELETE", "/clients/x", "delete:clients"),
        ("GET", "/users/x/permissions", "read:users"),
    ],
)
async def test_scopes(world, method, path, scope):
    text = f"Insufficient scope, expected any of: {scope}"
    refusal = (403, "insufficient_scope", text)
    assert await world.bad(method, path, scope="read:nothing") == refusal
    assert (await world.call(method, path, scope=scope)).status_code != 403


async def test_rate_limit_headers_on_every_answer(world):
    for path, scope in (("/clients", None), ("/clients/no", None), ("/nothing", None)):
        headers = (await world.call("GET", path, scope=scope)).headers
        assert headers["x-ratelimit-limit"] == "50"
        assert headers["x-ratelimit-remaining"].isdigit()
        assert int(headers["x-ratelimit-reset"]) >= world.clock()
    refused = await world.http.get("/api/v2/clients")
    assert "x-ratelimit-limit" in refused.headers


async def test_the_bucket_empties_and_fills(tmp_path):
    async with mgmt_world(tmp_path / "strict.db", relaxed=False) as world:
        token = world.token(scope="read:clients")
        codes = [(await world.call("GET", "/clients", token=token)).status_code for _ in range(51)]
        assert codes == [200] * 50 + [429]
        got = await world.call("GET", "/clients", token=token)
        assert got.headers["retry-after"] == "1"
        assert got.json() == {
            "statusCode": 429,
            "error": "Too Many Requests",
            "message": "Global limit has been reached",
            "errorCode": "too_many_requests",
        }
        world.clock.at += 1
        assert (await world.call("GET", "/clients", token=token)).status_code == 200


async def test_unknown_paths_and_methods(world):
    assert (await world.bad("GET", "/nothing"))[0] == 404
    assert (await world.bad("GET", "/clients/"))[0] == 404
    assert (await world.bad("GET", "/clients/%ff"))[0] == 404
    got = await world.call("PUT", "/clients")
    assert (got.status_code, got.headers["allow"]) == (405, "GET, POST")


async def test_bad_json_and_oversized_bodies(world):
    for raw in (b"", b"{", b"\xff", b'{"a":NaN}', b'"\\ud800"', b"[" * 30_000, b"1" * 5000):
        status, code, _ = await world.bad("POST", "/clients", content=raw)
        assert (status, code) == (400, "invalid_body"), raw[:20]
    assert (await world.bad("POST", "/clients", content=b" " * 70_000))[0] == 413


async def test_bad_queries(world):
    for query in (
        "page=x",
        "page=-1",
        "per_page=101",
        "per_page=1e3",
        "take=0",
        "include_totals=perhaps",
        "foo=1",
        "page=1&page=2",
        "page=%ff",
        "page=" + "9" * 5000,
    ):
        status, code, message = await world.bad("GET", f"/clients?{query}")
        assert (status, code) == (400, "invalid_query_string"), query
        assert message.startswith("Query validation error: '")


async def test_writes_are_logged_without_secrets(world):
    body = {
        "connection": "Username-Password-Authentication",
        "email": "eve@baink.example",
        "password": "sekret-sekret",
    }
    agent = {"user-agent": "tests/1"}
    await world.good("POST", "/users", body, 201, headers=agent)
    entry = world.tenant.events.newest_first()[0]
    assert entry["type"] == "sapi"
    assert entry["description"] == "Create a user"
    assert entry["client_id"] == world.ids["management_client_id"]
    assert entry["user_agent"] == "tests/1"
    assert entry["details"]["request"]["method"] == "POST"
    assert entry["details"]["request"]["path"] == "/api/v2/users"
    assert entry["details"]["response"] == {"statusCode": 201}
    assert "sekret" not in str(entry)


async def test_reads_and_refusals_are_not_logged(world):
    await world.good("GET", "/clients")
    await world.bad("POST", "/clients", {})
    assert world.log_types() == []


async def test_served_below_a_prefix_and_with_needless_escapes(world):
    # uvicorn's --root-path: scope["raw_path"] begins with it
    transport = httpx.ASGITransport(mgmt_app(world.tenant), root_path="/prefix")
    headers = {"authorization": f"Bearer {world.token(scope='read:clients')}"}
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
        got = await http.get("/prefix/api/v2/cl%69ents", headers=headers)
        assert got.status_code == 200
        got = await http.get("/prefix/api%2Fv2/clients", headers=headers)
        assert got.status_code == 404
