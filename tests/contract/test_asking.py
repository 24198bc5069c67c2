"""Contract section 2: what /bc-authorize refuses, and how. None of these reaches a phone."""

from __future__ import annotations

import json

import pytest

from tests.contract.shape import differences

RECORDED, CHOSEN = "recorded", "our choice"
_ANY_ISS = object()


def hint(sub, *, kind="iss_sub", iss=_ANY_ISS):
    """A login_hint that is made once the tenant is known."""

    def made(world):
        issuer = world.issuer if iss is _ANY_ISS else iss
        return json.dumps({"format": kind, "iss": issuer, "sub": sub or world.user_id})

    return made


def no_sub(world):
    return json.dumps({"format": "iss_sub", "iss": world.issuer, "sub": ""})


def no_slash(world):
    return json.dumps({"format": "iss_sub", "iss": world.issuer.rstrip("/"), "sub": world.user_id})


#: condition → what is changed, status, error, what the contract's source is
REFUSED = {
    "no openid in scope": ({"scope": "create:transfer"}, 400, "invalid_request", RECORDED),
    "a user whom nobody knows": ({"login_hint": hint("auth0|nobody")}, 400, "unknown_user_id",
                                 RECORDED),
    "no user in the hint": ({"login_hint": no_sub}, 400, "invalid_request", RECORDED),
    "no binding message": ({"binding_message": None}, 400, "invalid_request", RECORDED),
    "no hint": ({"login_hint": None}, 400, "invalid_request", CHOSEN),
    "no scope": ({"scope": None}, 400, "invalid_request", CHOSEN),
    "no client": ({"client_id": None}, 400, "invalid_request", CHOSEN),
    "a message of 65": ({"binding_message": "x" * 65}, 400, "invalid_binding_message", CHOSEN),
    "a message with a sign": ({"binding_message": "Pay $5"}, 400, "invalid_binding_message",
                              CHOSEN),
    "C1 a hint that is no JSON": ({"login_hint": "ana"}, 400, "invalid_request", CHOSEN),
    "a hint of another format": ({"login_hint": hint("", kind="email")}, 400, "invalid_request",
                                 CHOSEN),
    "a hint of another issuer": ({"login_hint": hint("", iss="https://other.example/")}, 400,
                                 "invalid_request", CHOSEN),
    "C2 an issuer without its slash": ({"login_hint": no_slash}, 400, "invalid_request", CHOSEN),
    "an expiry of 0": ({"requested_expiry": "0"}, 400, "invalid_request", CHOSEN),
    "an expiry over 72 h": ({"requested_expiry": "259201"}, 400, "invalid_request", CHOSEN),
    "an expiry that is no number": ({"requested_expiry": "soon"}, 400, "invalid_request", CHOSEN),
    "T6 an API that is not there": ({"audience": "https://nowhere.example/"}, 403,
                                    "access_denied", CHOSEN),
    "T14 a wrong secret": ({"client_secret": "wrong"}, 401, "invalid_client", CHOSEN),
    "a client that is not there": ({"client_id": "nobody"}, 401, "invalid_client", CHOSEN),
    "T1 a client without the grant": (
        {"client_id": lambda world: world.management_client_id,
         "client_secret": lambda world: world.management_client_secret},
        403, "unauthorized_client", CHOSEN),
    "details that are no JSON": ({"authorization_details": "{"}, 400,
                                 "invalid_authorization_details", CHOSEN),
    "details of a type that is not registered": ({"authorization_details": '[{"type":"x"}]'}, 400,
                                                 "invalid_authorization_details", CHOSEN),
}  # fmt: skip


@pytest.mark.parametrize("condition", REFUSED)
async def test_a_refusal(place, condition):
    changes, status, error, source = REFUSED[condition]
    made = {k: value(place.world) if callable(value) else value for k, value in changes.items()}
    answer = await place.ask(**made)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    assert differences(answer.json(), "oauth_error") == []
    said = (answer.status_code, answer.json()["error"])
    if source == RECORDED:
        assert said == (status, error)
    elif said != (status, error):
        place.differs(f"{condition}: {said}, where we chose {(status, error)}")


async def test_the_recorded_texts(place):
    scope = (await place.ask(scope="create:transfer")).json()
    assert scope["error_description"] == "openid scope must be requested"
    user = (await place.ask(login_hint=hint("auth0|nobody")(place.world))).json()
    assert user["error_description"] == "User ID is malformed or unknown"
