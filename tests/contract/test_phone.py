"""Contract sections 3 and 4 with somebody at the phone: `-m live_phone -s` asks you to press."""

from __future__ import annotations

import asyncio

import pytest

from baink_lab.auth0.tokens import TokenVerifier
from baink_lab.clock import SystemClock
from baink_lab.lab.wire.tokens import claims_of
from tests.contract.shape import differences

pytestmark = pytest.mark.timeout(330)


async def answered(place, decision, message):
    """Ask the phone, have it answered, and return the first poll that is no waiting."""
    asked = (await place.ask(binding_message=message)).json()
    if place.phone is not None:
        await place.phone(decision, message)
    else:
        print(f"\nOn the phone, please {decision} “{message}” …", flush=True)
    interval = asked["interval"]
    while True:
        answer = await place.poll(asked["auth_req_id"])
        error = answer.json().get("error")
        if error not in {"authorization_pending", "slow_down"}:
            return asked["auth_req_id"], answer
        interval += 5 if error == "slow_down" else 0
        await asyncio.sleep(interval)


async def test_approve(place_with_phone):
    place, world = place_with_phone, place_with_phone.world
    key, answer = await answered(place, "approve", "Contract test: please approve")
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    assert differences(tokens, "tokens") == []
    assert set(tokens["scope"].split()) == {"openid", "create:transfer"}

    claims = claims_of(tokens["access_token"])
    assert claims.pop("typ") == "at+jwt"
    assert differences(claims, "access_token") == []
    assert claims["aud"] == [world.audience, f"{world.issuer}userinfo"]
    assert (claims["sub"], claims["client_id"]) == (world.user_id, world.client_id)
    assert claims["exp"] - claims["iat"] == tokens["expires_in"]
    assert differences(claims_of(tokens["id_token"]), "id_token") == []
    # And the bank's own verifier takes it, with the tenant's keys.
    verifier = TokenVerifier(world.issuer, [world.audience], place.http, SystemClock())
    assert (await verifier.verify(tokens["access_token"])).subject == world.user_id

    again = await place.poll(key)
    assert differences(again.json(), "oauth_error") == []
    said = (again.status_code, again.json()["error"])
    if said != (400, "invalid_grant"):
        place.differs(f"a second exchange: {said}, where we chose (400, 'invalid_grant')")


async def test_deny(place_with_phone):
    _, answer = await answered(place_with_phone, "deny", "Contract test: please deny")
    assert answer.status_code == 400
    assert differences(answer.json(), "denied") == []
