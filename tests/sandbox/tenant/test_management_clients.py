"""Clients, their credentials, resource servers and client grants."""

from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.sandbox.tenant.mgmt_world import ACCOUNTS, CIBA, MONEY, TRANSFERS, mgmt_world


@pytest.fixture
async def world(tmp_path):
    async with mgmt_world(tmp_path / "t.db") as world:
        yield world


async def test_list_get_and_fields(world):
    clients = await world.good("GET", "/clients")
    assert {client["name"] for client in clients} == {"the bAInk", "bAInk Lab (Management)"}
    one = world.ids["client_id"]
    got = await world.good("GET", f"/clients/{one}?fields=name,client_id&include_fields=true")
    assert got == {"name": "the bAInk", "client_id": one}
    got = await world.good("GET", f"/clients/{one}?fields=name&include_fields=false")
    assert "name" not in got
    assert got["client_id"] == one
    totals = await world.good("GET", "/clients?include_totals=true&per_page=1&page=1&fields=name")
    assert (totals["start"], totals["limit"], totals["length"], totals["total"]) == (1, 1, 1, 2)
    assert len(totals["clients"]) == 1
    assert await world.good("GET", "/clients?app_type=spa") == []
    assert len(await world.good("GET", "/clients?is_global=false&is_first_party=true")) == 2


async def test_checkpoint_paging_reaches_everything_once(world):
    for number in range(5):
        await world.good("POST", "/clients", {"name": f"c{number}"}, 201)
    seen, query = [], "take=3"
    while True:
        page = await world.good("GET", f"/clients?{query}")
        seen += [client["client_id"] for client in page["clients"]]
        if "next" not in page:
            break
        query = f"take=3&from={page['next']}"
    assert len(seen) == len(set(seen)) == 7


async def test_the_secret_needs_a_scope(world):
    path = f"/clients/{world.ids['client_id']}"
    assert "client_secret" not in await world.good("GET", path, scope="read:clients")
    got = await world.good("GET", path, scope="read:clients read:client_keys")
    assert got["client_secret"] == world.ids["client_secret"]
    made = await world.good("POST", "/clients", {"name": "x"}, 201, scope="create:clients")
    assert "client_secret" not in made


async def test_life_of_a_client(world):
    body = {"name": "Payments agent", "grant_types": ["authorization_code", CIBA]}
    client = await world.good("POST", "/clients", body, 201)
    assert client["grant_types"] == body["grant_types"]
    assert client["client_secret"]
    path = f"/clients/{client['client_id']}"
    patch = {
        "grant_types": [CIBA],
        "async_approval_notification_channels": ["guardian-push", "email"],
        "client_metadata": {"a": "1", "b": "2"},
    }
    changed = await world.good("PATCH", path, patch)
    assert changed == {**client, **patch}
    changed = await world.good("PATCH", path, {"client_metadata": {"a": None, "c": "3"}})
    assert changed["client_metadata"] == {"b": "2", "c": "3"}
    changed = await world.good("PATCH", path, {"jwt_configuration": {"lifetime_in_seconds": 60}})
    assert changed["jwt_configuration"]["alg"] == "RS256"
    assert await world.good("GET", path) == changed
    grant = {"client_id": client["client_id"], "audience": TRANSFERS}
    await world.good("POST", "/client-grants", grant, 201)
    await world.good("DELETE", path, status=204)
    await world.good("DELETE", path, status=204)
    assert await world.bad("GET", path) == (404, "inexistent_client", "Client not found.")
    assert (await world.bad("PATCH", path, {"name": "y"}))[0] == 404
    filtered = f"/client-grants?client_id={client['client_id']}"
    assert await world.good("GET", filtered) == []


async def test_defaults_follow_the_app_type(world):
    spa = await world.good("POST", "/clients", {"name": "s", "app_type": "spa"}, 201)
    assert spa["token_endpoint_auth_method"] == "none"
    assert "client_secret" not in spa
    m2m = await world.good("POST", "/clients", {"name": "m", "app_type": "non_interactive"}, 201)
    assert m2m["grant_types"] == ["client_credentials"]
    third = await world.good("POST", "/clients", {"name": "t", "is_first_party": False}, 201)
    assert third["client_id"].startswith("tpc_")
    path = f"/clients/{third['client_id']}"
    assert (await world.bad("PATCH", path, {"is_first_party": True}))[1] == "invalid_body"


@pytest.mark.parametrize(
    "extra",
    [
        {"is_first_party": False},
        {"oidc_conformant": False},
        {"token_endpoint_auth_method": "none"},
        {"app_type": "spa"},
    ],
)
async def test_ciba_preconditions(world, extra):
    body = {"name": "x", "grant_types": [CIBA], **extra}
    status, code, message = await world.bad("POST", "/clients", body)
    assert (status, code) == (400, "invalid_body")
    assert "CIBA" in message


async def test_ciba_preconditions_hold_on_patch(world):
    path = f"/clients/{world.ids['client_id']}"
    before = await world.good("GET", path)
    for body in ({"oidc_conformant": False}, {"token_endpoint_auth_method": "none"}):
        assert (await world.bad("PATCH", path, body))[1] == "invalid_body"
    assert await world.good("GET", path) == before


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "Missing required property: name"),
        ({"name": 7}, "Expected type string but found type integer on property name"),
        ({"name": "x", "foo": 1}, "Additional properties not allowed: foo"),
        ({"name": "x" * 300}, "String is too long (300 chars), maximum 256 on property name"),
        ({"name": ""}, "String is too short (0 chars), minimum 1 on property name"),
        ({"name": "x", "app_type": "toaster"}, "No enum match for: toaster on property app_type"),
        (
            {"name": "x", "callbacks": "https://x/"},
            "Expected type array but found type string on property callbacks",
        ),
        (
            {"name": "x", "grant_types": ["nope"]},
            "No enum match for: nope on property grant_types.0",
        ),
        (
            {"name": "x", "is_first_party": 1},
            "Expected type boolean but found type integer on property is_first_party",
        ),
        ([], "Expected type object but found type array"),
        (None, None),
    ],
)
async def test_bodies_are_checked(world, body, reason):
    kwargs = {"content": b"null"} if body is None else {}
    reason = reason or "Expected type object but found type null"
    expected = (400, "invalid_body", f"Payload validation error: '{reason}'.")
    assert await world.bad("POST", "/clients", body, **kwargs) == expected


async def test_field_scopes(world):
    path = f"/clients/{world.ids['client_id']}"
    body = {"client_secret": "a-new-secret-of-some-length"}
    status, code, message = await world.bad("PATCH", path, body, scope="update:clients")
    assert (status, code) == (403, "insufficient_scope")
    assert message.startswith("Some fields cannot be updated with the permissions granted")
    changed = await world.good("PATCH", path, body)
    assert changed["client_secret"] == body["client_secret"]


def _pem(bits=2048):
    public = rsa.generate_private_key(65537, bits).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return public.public_bytes(serialization.Encoding.PEM, form).decode()


async def test_private_key_jwt(world):
    path = f"/clients/{world.ids['client_id']}"
    new = {"credential_type": "public_key", "pem": _pem(), "name": "k1", "alg": "PS256"}
    credential = await world.good("POST", f"{path}/credentials", new, 201)
    assert credential["id"].startswith("cred_")
    assert "pem" not in str(credential)
    assert await world.good("GET", f"{path}/credentials") == [credential]
    assert await world.good("GET", f"{path}/credentials/{credential['id']}") == credential
    methods = {"private_key_jwt": {"credentials": [{"id": credential["id"]}]}}
    alone = {"client_authentication_methods": methods}
    assert (await world.bad("PATCH", path, alone))[1] == "invalid_body"
    both = {**alone, "token_endpoint_auth_method": None}
    assert (await world.bad("PATCH", path, both, scope="update:clients"))[0] == 403
    assert (await world.good("PATCH", path, both))["client_authentication_methods"] == methods
    assert (await world.bad("DELETE", f"{path}/credentials/{credential['id']}"))[0] == 400
    back = {
        "client_authentication_methods": None,
        "token_endpoint_auth_method": "client_secret_basic",
    }
    await world.good("PATCH", path, back)
    await world.good("DELETE", f"{path}/credentials/{credential['id']}", status=204)
    assert (await world.bad("GET", f"{path}/credentials/{credential['id']}"))[0] == 404
    unknown = {**both, "client_authentication_methods": {"private_key_jwt": {"credentials": []}}}
    assert (await world.bad("PATCH", path, unknown))[0] == 400
    for pem in ("x", _pem(1024)):
        refused = await world.bad("POST", f"{path}/credentials", {**new, "pem": pem})
        assert refused[:2] == (400, "invalid_body")


async def test_resource_servers_by_id_and_by_identifier(world):
    listed = await world.good("GET", "/resource-servers?include_totals=true")
    assert listed["total"] == 3
    encoded = quote(TRANSFERS, safe="")
    assert "%2F" in encoded
    api = await world.good("GET", f"/resource-servers/{encoded}")
    assert api["identifier"] == TRANSFERS
    assert await world.good("GET", f"/resource-servers/{api['id']}") == api
    short = await world.good("GET", f"/resource-servers/{quote(ACCOUNTS, safe='')}")
    assert short["identifier"] == ACCOUNTS
    query = f"identifiers={encoded}&identifiers={quote(ACCOUNTS, safe='')}"
    assert len(await world.good("GET", f"/resource-servers?{query}")) == 2
    refusal = (404, "inexistent_resource_server", "Resource server not found.")
    assert await world.bad("GET", f"/resource-servers/{encoded}%2F") == refusal


API = {
    "name": "Bank transfers",
    "identifier": "https://bank.example/api",
    "signing_alg": "RS256",
    "token_dialect": "rfc9068_profile_authz",
    "enforce_policies": True,
    "token_lifetime": 300,
    "allow_offline_access": False,
    "scopes": [{"value": "create:transfer", "description": "Initiate a transfer"}],
    "authorization_details": [{"type": MONEY}],
    "subject_type_authorization": {
        "user": {"policy": "require_client_grant"},
        "client": {"policy": "deny_all"},
    },
}


async def test_life_of_a_resource_server(world):
    made = await world.good("POST", "/resource-servers", API, 201)
    assert {name: made[name] for name in API} == API
    assert made["token_lifetime_for_web"] == 300
    assert made["is_system"] is False
    text = "A resource server with the same identifier already exists."
    refusal = (409, "resource_server_conflict", text)
    assert await world.bad("POST", "/resource-servers", API) == refusal
    path = f"/resource-servers/{quote(API['identifier'], safe='')}"
    changed = await world.good("PATCH", path, {"scopes": [{"value": "a"}], "token_lifetime": 60})
    assert changed["scopes"] == [{"value": "a"}]
    assert changed["token_lifetime_for_web"] == 60
    part = {"subject_type_authorization": {"client": {"policy": "require_client_grant"}}}
    changed = await world.good("PATCH", path, part)
    assert changed["subject_type_authorization"] == {
        "user": {"policy": "require_client_grant"},
        "client": {"policy": "require_client_grant"},
    }
    grant = {
        "client_id": world.ids["client_id"],
        "audience": API["identifier"],
        "scope": ["a"],
    }
    await world.good("POST", "/client-grants", grant, 201)
    await world.good("DELETE", path, status=204)
    await world.good("DELETE", path, status=204)
    assert (await world.bad("GET", path))[0] == 404
    audience = quote(API["identifier"], safe="")
    assert await world.good("GET", f"/client-grants?audience={audience}") == []


async def test_consent_policy_and_hs256(world):
    path = f"/resource-servers/{quote(ACCOUNTS, safe='')}"
    mfa = {"consent_policy": "transactional-authorization-with-mfa"}
    assert (await world.good("PATCH", path, mfa))["consent_policy"] == mfa["consent_policy"]
    for reset in ("standard", None):
        got = await world.good("PATCH", path, {"consent_policy": reset})
        assert got["consent_policy"] is None
    symmetric = await world.good("PATCH", path, {"signing_alg": "HS256"})
    assert len(symmetric["signing_secret"]) >= 16
    asymmetric = await world.good("PATCH", path, {"signing_alg": "PS256"})
    assert "signing_secret" not in asymmetric


@pytest.mark.parametrize(
    "change",
    [
        {"identifier": None},
        {"identifier": ""},
        {"identifier": "with space"},
        {"token_dialect": "rfc"},
        {"signing_alg": "none"},
        {"token_lifetime": 0},
        {"token_lifetime": 10**30},
        {"token_lifetime": 300.5},
        {"token_lifetime": 60, "token_lifetime_for_web": 61},
        {"scopes": [{"description": "x"}]},
        {"scopes": [{"value": "x"}, {"value": "x"}]},
        {"scopes": ["x"]},
        {"authorization_details": [{"type": MONEY, "x": 1}]},
        {"subject_type_authorization": {"client": {"policy": "allow_all"}}},
        {"subject_type_authorization": {"user": None}},
        {"consent_policy": "other"},
        {"proof_of_possession": {"mechanism": "dpop", "required": True}},
        {"id": "x"},
    ],
)
async def test_resource_servers_are_checked(world, change):
    status, code, _ = await world.bad("POST", "/resource-servers", {**API, **change})
    assert (status, code) == (400, "invalid_body")


async def test_identifier_is_required_reserved_and_immutable(world):
    text = "Payload validation error: 'Missing required property: identifier'."
    assert (await world.bad("POST", "/resource-servers", {"name": "x"}))[2] == text
    for taken in (world.tenant.management_audience, world.tenant.userinfo_url):
        body = {"identifier": taken.replace("http://", "https://")}
        got = await world.bad("POST", "/resource-servers", body)
        assert got[0] == 400
        assert got[2] == "The selected identifier is reserved."
    path = f"/resource-servers/{quote(ACCOUNTS, safe='')}"
    text = "Payload validation error: 'Additional properties not allowed: identifier'."
    assert (await world.bad("PATCH", path, {"identifier": "x"}))[2] == text


async def test_the_system_api_stays(world):
    path = f"/resource-servers/{quote(world.tenant.management_audience, safe='')}"
    refused = await world.bad("DELETE", path)
    assert refused[::2] == (400, "System resource servers cannot be deleted.")
    assert (await world.bad("PATCH", path, {"scopes": []}))[0] == 400
    assert (await world.good("PATCH", path, {"token_lifetime": 60}))["token_lifetime"] == 60


async def test_life_of_a_grant(world):
    client_id = (await world.good("POST", "/clients", {"name": "x"}, 201))["client_id"]
    body = {
        "client_id": client_id,
        "audience": TRANSFERS,
        "scope": ["create:transfer"],
        "authorization_details_types": [MONEY],
        "subject_type": "user",
    }
    grant = await world.good("POST", "/client-grants", body, 201)
    assert grant == {"id": grant["id"], **body}
    assert grant["id"].startswith("cgr_")
    text = "A resource grant for this client and audience already exists"
    assert await world.bad("POST", "/client-grants", body) == (409, "client_grant_conflict", text)
    plain = {"client_id": client_id, "audience": TRANSFERS, "scope": []}
    machine = await world.good("POST", "/client-grants", plain, 201)
    assert machine["subject_type"] == "client"
    mine = f"/client-grants?client_id={client_id}"
    assert len(await world.good("GET", mine)) == 2
    assert await world.good("GET", f"{mine}&subject_type=user") == [grant]
    assert await world.good("GET", f"{mine}&allow_any_organization=true") == []
    assert await world.good("GET", f"{mine}&default_for=third_party_clients") == []
    path = f"/client-grants/{grant['id']}"
    assert await world.good("GET", path) == grant
    changed = await world.good("PATCH", path, {"allow_all_scopes": True})
    assert (changed["scope"], changed["allow_all_scopes"]) == ([], True)
    for name in ("client_id", "audience", "subject_type"):
        assert (await world.bad("PATCH", path, {name: body[name]}))[0] == 400
    await world.good("DELETE", path, status=204)
    assert (await world.bad("GET", path))[0] == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"client_id": "nobody"}, 404),
        ({"audience": "https://nothing/"}, 404),
        ({"scope": ["undefined"]}, 400),
        ({"scope": "create:transfer"}, 400),
        ({"allow_all_scopes": True}, 400),
        ({"authorization_details_types": ["urn:other"], "subject_type": "user"}, 400),
        ({"authorization_details_types": [MONEY]}, 400),
        ({"subject_type": "robot"}, 400),
    ],
)
async def test_grants_are_checked(world, change, status):
    client_id = world.ids["management_client_id"]
    body = {"client_id": client_id, "audience": TRANSFERS, "scope": ["create:transfer"], **change}
    assert (await world.bad("POST", "/client-grants", body))[0] == status


async def test_missing_properties_of_a_grant(world):
    for name in ("client_id", "audience"):
        body = {"client_id": "x", "audience": "y"}
        del body[name]
        text = f"Payload validation error: 'Missing required property: {name}'."
        assert (await world.bad("POST", "/client-grants", body))[2] == text
