"""Contract section 5: what the Management API shows. Nothing is written here."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from baink_lab.lab.doctor.management import READS
from baink_lab.lab.wire.tokens import claims_of
from tests.contract.shape import differences


@pytest.fixture
async def read(place):
    """GET below /api/v2/, with a token of the Management application."""
    world = place.world
    answer = await place.token(
        grant_type="client_credentials",
        client_id=world.management_client_id,
        client_secret=world.management_client_secret,
        audience=f"{world.issuer}api/v2/",
    )
    assert answer.status_code == 200, answer.json().get("error_description")
    assert differences(answer.json(), "management_token") == []
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def read(path, **query):
        return await place.http.get(f"api/v2/{path}", params=query, headers=bearer)

    read.token = answer.json()["access_token"]
    return read


async def test_the_token_names_who_may_do_what(place, read):
    claims = claims_of(read.token)
    assert claims["aud"] == f"{place.world.issuer}api/v2/"
    assert claims["sub"] == f"{place.world.management_client_id}@clients"
    assert claims["gty"] == "client-credentials"
    assert set(READS) <= set(claims["scope"].split())


async def shown(answer, name):
    assert answer.status_code == 200, answer.text
    found = answer.json()
    for one in found if isinstance(found, list) else [found]:
        assert differences(one, name) == []
    return found


async def test_the_application(place, read):
    client = await shown(await read(f"clients/{place.world.client_id}"), "client")
    assert client["client_id"] == place.world.client_id


async def test_the_api_by_its_identifier(place, read):
    path = f"resource-servers/{quote(place.world.audience, safe='')}"
    api = await shown(await read(path), "resource_server")
    assert api["identifier"] == place.world.audience
    by_id = await read(f"resource-servers/{api['id']}")
    assert by_id.json() == api


async def test_the_grants(place, read):
    query = {"client_id": place.world.client_id, "subject_type": "user"}
    grants = await shown(await read("client-grants", **query), "client_grant")
    assert all(one["client_id"] == place.world.client_id for one in grants)


async def test_the_factors(read):
    factors = await shown(await read("guardian/factors"), "factor")
    assert "push-notification" in [one["name"] for one in factors]
    path = "guardian/factors/push-notification/selected-provider"
    chosen = await shown(await read(path), "provider")
    assert chosen["provider"] in {"guardian", "sns", "direct"}


async def test_the_customer_and_their_phone(place, read):
    path = f"users/{quote(place.world.user_id, safe='')}"
    user = await shown(await read(path), "user")
    assert user["user_id"] == place.world.user_id
    devices = await shown(await read(f"{path}/enrollments"), "enrollment")
    assert any(one["auth_method"] == "guardian" for one in devices)


async def test_the_log(read):
    entries = await shown(await read("logs", per_page=5, sort="date:-1"), "log")
    assert entries
    assert [one["date"] for one in entries] == sorted(
        (one["date"] for one in entries), reverse=True
    )


async def test_pages_with_totals(read):
    answer = (await read("clients", include_totals="true", per_page=1)).json()
    assert {"start", "limit", "length", "total", "clients"} <= answer.keys() | {"length"}
    assert len(answer["clients"]) == 1


@pytest.mark.parametrize(
    "path", ["clients/nobody", "users/auth0%7Cnobody", "guardian/enrollments/dev_nobody"]
)
async def test_what_is_not_there(read, path):
    answer = await read(path)
    assert answer.status_code == 404
    assert differences(answer.json(), "management_error") == []
    assert answer.json()["statusCode"] == 404


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
async def test_a_token_that_is_none(place, token):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = await place.http.get("api/v2/clients", headers=headers)
    assert answer.status_code == 401
    assert differences(answer.json(), "management_error") == []
