"""Contract section 1: what a tenant says of itself."""

from __future__ import annotations

import pytest

from tests.contract.shape import differences


@pytest.mark.parametrize("name", ["openid-configuration", "oauth-authorization-server"])
async def test_the_discovery_document(place, name):
    answer = await place.http.get(f".well-known/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    document = answer.json()
    assert differences(document, "discovery") == []
    assert document["issuer"] == place.world.issuer
    assert "S256" in document["code_challenge_methods_supported"]


async def test_the_keys(place):
    answer = await place.http.get(".well-known/jwks.json")
    assert answer.status_code == 200
    assert differences(answer.json(), "jwks") == []
    kids = [one["kid"] for one in answer.json()["keys"]]
    assert kids
    assert len(kids) == len(set(kids))
