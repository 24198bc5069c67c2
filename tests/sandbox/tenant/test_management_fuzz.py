"""Nothing that a caller sends makes a 500, and what was written outlives the process."""

import asyncio
import sqlite3
import tempfile
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baink_lab.sandbox.tenant.management import (
    apis,
    client_grants,
    clients,
    credentials,
    guardian,
    logs,
    permissions,
    tickets,
    users,
)
from baink_lab.sandbox.tenant.management import enrollments as enrollments_room
from tests.sandbox.tenant.mgmt_world import MONEY, TRANSFERS, Clock, full_token, mgmt_world

ROOMS = (
    apis,
    client_grants,
    clients,
    credentials,
    enrollments_room,
    guardian,
    logs,
    permissions,
    tickets,
    users,
)
OPERATIONS = [(e.method, e.path) for room in ROOMS for e in room.endpoints()]
NAMES = sorted(
    {
        name
        for room in ROOMS
        for thing in vars(room).values()
        for name in getattr(thing, "model_fields", {})
    }
)
TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "guardian-push",
            "user",
            "client",
            "spa",
            "none",
            "HS256",
            "allow_all",
            MONEY,
            "Username-Password-Authentication",
            "a@b",
            "https://bank.example/api",
            "urn:openid:params:grant-type:ciba",
            "push-notification",
        ]
    ),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXT
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=8)), inner, max_size=4),
    ),
    max_leaves=12,
)
BODIES = st.one_of(VALUES, st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8))
FUZZ = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@contextmanager
def running_world():
    """A world driven from a synchronous test."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        context = mgmt_world(Path(folder) / "t.db")
        world = runner.run(context.__aenter__())
        try:
            yield world, runner, full_token(world.tenant)
        finally:
            runner.run(context.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def running():
    with running_world() as world:
        yield world


def check(answer):
    assert answer.status_code < 500
    assert answer.headers["x-ratelimit-limit"] == "50"
    if answer.status_code >= 400:
        assert answer.json()["statusCode"] == answer.status_code


def known_ids(tenant):
    found = [tenant.apis, tenant.clients, tenant.grants, tenant.users, tenant.enrollments]
    return [
        *(key for collection in found for key in collection),
        *(api["identifier"] for api in tenant.apis.values()),
    ]


def fill(path, ids, data):
    """A path with something in place of its braces: an id that exists, or any text."""
    # What is drawn must not depend on what is in the tenant: the place in a list, not the id.
    # Starlette's own routing stops at a line feed: the app answers that 404, not we.
    letters = st.characters(codec="utf-8", exclude_characters="\n")
    some = st.one_of(st.integers(0, 30), st.text(letters, min_size=1))
    steps = []
    for step in path.split("/"):
        if step.startswith("{"):
            drawn = data.draw(some)
            found = ids[drawn % len(ids)] if isinstance(drawn, int) else drawn
            steps.append(quote(found, safe=""))
        else:
            steps.append(step)
    return "/".join(steps)


@FUZZ
@given(data=st.data(), body=BODIES, operation=st.sampled_from(OPERATIONS))
def test_any_body_anywhere(running, data, body, operation):
    world, runner, token = running
    method, path = operation
    url = fill(path, known_ids(world.tenant), data)
    check(runner.run(world.call(method, url, body, token=token)))


@FUZZ
@given(raw=st.binary(max_size=60), operation=st.sampled_from(OPERATIONS))
def test_any_bytes_as_a_body(running, raw, operation):
    world, runner, token = running
    method, path = operation
    path = path.replace("{", "").replace("}", "")
    check(runner.run(world.call(method, path, content=raw, token=token)))


GOOD = {
    "/clients": {
        "name": "x",
        "app_type": "regular_web",
        "is_first_party": True,
        "grant_types": ["urn:openid:params:grant-type:ciba"],
        "token_endpoint_auth_method": "client_secret_post",
        "client_authentication_methods": None,
        "client_metadata": {"a": "b"},
        "jwt_configuration": {"alg": "RS256"},
    },
    "/resource-servers": {
        "identifier": "https://fuzz.example/",
        "scopes": [{"value": "a", "description": "b"}],
        "authorization_details": [{"type": MONEY}],
        "token_lifetime": 60,
        "token_lifetime_for_web": 60,
        "consent_policy": None,
        "signing_alg": "HS256",
        "subject_type_authorization": {"user": {"policy": "allow_all"}},
    },
    "/client-grants": {
        "client_id": None,
        "audience": TRANSFERS,
        "scope": ["create:transfer"],
        "authorization_details_types": [MONEY],
        "subject_type": "user",
        "allow_all_scopes": False,
    },
    "/users": {
        "connection": "Username-Password-Authentication",
        "email": "fuzz@baink.example",
        "password": "a-long-password",
        "user_metadata": {"a": {"b": []}},
    },
    "/guardian/enrollments/ticket": {"user_id": None, "factor": "push-notification"},
}


@FUZZ
@given(data=st.data(), path=st.sampled_from(sorted(GOOD)), value=VALUES, drop=st.booleans())
def test_good_bodies_with_one_fault(running, data, path, value, drop):
    world, runner, token = running
    filled = {"client_id": world.ids["client_id"], "user_id": world.ids["user_id"]}
    body = {name: filled.get(name, value) for name, value in GOOD[path].items()}
    name = data.draw(st.sampled_from(sorted(body)))
    if drop:
        del body[name]
    else:
        body[name] = value
    check(runner.run(world.call("POST", path, body, token=token)))
    check(runner.run(world.call("GET", f"{path}?include_totals=true", token=token)))


QUERY_NAMES = ["page", "per_page", "from", "take", "q", "search", "sort", "fields", "email", "x"]
QUERY = st.dictionaries(
    st.one_of(st.sampled_from(QUERY_NAMES), st.sampled_from(NAMES)),
    st.one_of(
        st.text(st.characters(codec="utf-8"), max_size=30),
        st.integers(-2, 200).map(str),
        st.sampled_from(["true", "a:b AND c:d*", 'email:"x"', "date:-1", "NOT", "-", "OR", "*"]),
    ),
    max_size=4,
)


@FUZZ
@given(data=st.data(), query=QUERY)
def test_any_query(running, data, query):
    world, runner, token = running
    method, path = data.draw(st.sampled_from([item for item in OPERATIONS if item[0] == "GET"]))
    url = fill(path, known_ids(world.tenant), data)
    check(runner.run(world.call(method, url, token=token, params=query)))


@FUZZ
@given(path=st.text(st.characters(codec="ascii", exclude_characters="#?"), max_size=40))
def test_any_path_is_answered(running, path):
    world, runner, token = running
    raw = quote(path, safe="/%|:.")
    answer = runner.run(world.call("GET", f"/x{raw}", token=token))
    assert answer.status_code == 404


@FUZZ
@given(token=st.text(st.characters(codec="latin-1", min_codepoint=33), max_size=60))
def test_any_token_is_refused(running, token):
    world, runner, _ = running
    headers = {"authorization": f"Bearer {token}".encode("latin-1")}
    assert runner.run(world.http.get("/api/v2/clients", headers=headers)).status_code == 401


async def test_writes_outlive_the_process(tmp_path):
    path, clock = tmp_path / "t.db", Clock()
    async with mgmt_world(path, clock=clock) as world:
        client = await world.good("POST", "/clients", {"name": "kept"}, 201)
        api = {"identifier": "https://kept.example/", "scopes": [{"value": "a"}]}
        await world.good("POST", "/resource-servers", api, 201)
        grant = {"client_id": client["client_id"], "audience": api["identifier"], "scope": ["a"]}
        grant = await world.good("POST", "/client-grants", grant, 201)
        await world.good("PUT", "/guardian/policies", ["all-applications"])
        body = {"user_id": world.ids["user_id"], "allow_multiple_enrollments": True}
        ticket = await world.good("POST", "/guardian/enrollments/ticket", body)
        logged = await world.good("GET", "/logs")
    async with mgmt_world(path, clock=clock) as world:
        assert await world.good("GET", f"/clients/{client['client_id']}") == client
        assert await world.good("GET", f"/client-grants/{grant['id']}") == grant
        encoded = quote(api["identifier"], safe="")
        got = await world.good("GET", f"/resource-servers/{encoded}")
        assert got["scopes"] == api["scopes"]
        assert await world.good("GET", "/guardian/policies") == ["all-applications"]
        assert await world.good("GET", "/logs") == logged
        tickets.enroll_with_ticket(world.tenant, ticket["ticket_id"], "phone")
    async with mgmt_world(path, clock=clock) as world:
        with pytest.raises(Exception, match="used"):
            tickets.enroll_with_ticket(world.tenant, ticket["ticket_id"], "phone")


async def test_memory_and_file_agree(tmp_path):
    """What the tenant shows is what a fresh reader of the file would show."""
    async with mgmt_world(tmp_path / "t.db") as world:
        await world.good("POST", "/clients", {"name": "x"}, 201)
        await world.bad("POST", "/clients", {"name": "y", "is_first_party": 3})
        other = sqlite3.connect(tmp_path / "t.db")
        count = other.execute("SELECT count(*) FROM documents WHERE kind='clients'").fetchone()
        other.close()
        assert count == (len(world.tenant.clients),) == (3,)
