"""Contract section 3: what /oauth/token says while nobody has pressed anything."""

from __future__ import annotations

import pytest

from tests.contract.shape import differences


async def test_pending_then_slow_down(place):
    """One push is sent, and nobody needs to answer it."""
    asked = await place.ask()
    assert asked.status_code == 200, asked.text
    assert differences(asked.json(), "bc_authorize") == []
    assert asked.json()["interval"] == 5
    assert asked.json()["expires_in"] == 300
    key = asked.json()["auth_req_id"]

    first = await place.poll(key)
    assert first.status_code == 400
    assert differences(first.json(), "pending") == []

    early = await place.poll(key)
    assert early.status_code == 400
    assert differences(early.json(), "slow_down") == []
    wait = [early.headers.get("retry-after"), early.json().get("interval")]
    assert any(one is not None and int(one) >= 10 for one in wait), wait
    if wait != ["10", 10]:
        place.differs(f"slow_down: Retry-After and interval are {wait}, where we chose 10 and 10")

    wrong = await place.poll(key, client_secret="wrong")
    assert wrong.status_code == 401
    assert wrong.json()["error"] in {"access_denied", "invalid_client"}


CIBA = "urn:openid:params:grant-type:ciba"
REFUSED = {
    "an auth_req_id of nobody's": ({"grant_type": CIBA, "auth_req_id": "x" * 64}, 400,
                                   "invalid_grant"),
    "no auth_req_id": ({"grant_type": CIBA}, 400, "invalid_request"),
    "no grant type": ({}, 400, "invalid_request"),
    "a grant type that is none": ({"grant_type": "urn:x"}, 400, "unsupported_grant_type"),
    "a code of nobody's": ({"grant_type": "authorization_code", "code": "x", "code_verifier":
                            "y" * 43, "redirect_uri": "http://127.0.0.1/callback"}, 403,
                           "invalid_grant"),
    "no code": ({"grant_type": "authorization_code", "redirect_uri": "http://127.0.0.1/callback"},
                400, "invalid_request"),
    "a refresh token of nobody's": ({"grant_type": "refresh_token", "refresh_token": "x"}, 403,
                                    "invalid_grant"),
}  # fmt: skip


@pytest.mark.parametrize("condition", REFUSED)
async def test_a_refusal(place, condition):
    form, status, error = REFUSED[condition]
    answer = await place.token(**form)
    assert 400 <= answer.status_code < 500, answer.text
    assert differences(answer.json(), "oauth_error") == []
    said = (answer.status_code, answer.json()["error"])
    if said != (status, error):
        place.differs(f"{condition}: {said}, where we chose {(status, error)}")


@pytest.mark.parametrize("secret", ["wrong", ""])
async def test_t14_a_wrong_secret(place, secret):
    """Documented as invalid_client, seen as access_denied: clients take both."""
    answer = await place.token(
        grant_type="refresh_token", refresh_token="x", client_secret=secret or None
    )
    assert answer.status_code == 401
    assert differences(answer.json(), "oauth_error") == []
    assert answer.json()["error"] in {"access_denied", "invalid_client"}
