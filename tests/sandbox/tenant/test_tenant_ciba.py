"""/bc-authorize and /oauth/token, held against auth0-contract.md sections 2 and 3."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet

from baink_lab.sandbox.tenant import Tenant, create_app, models
from tests.conftest import ISSUER

CIBA = "urn:openid:params:grant-type:ciba"


def hint(user_id, **changes):
    return json.dumps({"format": "iss_sub", "iss": ISSUER, "sub": user_id} | changes)


@pytest.fixture
def form(world):
    return {
        "client_id": world.client_id,
        "client_secret": world.client_secret,
        "login_hint": hint(world.user_id),
        "scope": "openid create:transfer",
        "audience": world.audience,
        "binding_message": "Move 25.00 USD",
    }


@pytest.fixture
def poll(tenant_http, world):
    async def poll(auth_req_id, **changes):
        fields = {
            "grant_type": CIBA,
            "auth_req_id": auth_req_id,
            "client_id": world.client_id,
            "client_secret": world.client_secret,
        }
        return await tenant_http.post("oauth/token", data=fields | changes)

    return poll


async def test_a_request_is_pending_then_approved_then_spent(
    form, poll, tenant_http, phone_http, tenant, clock, world
):
    started = (await tenant_http.post("bc-authorize", data=form)).json()
    assert started["expires_in"] == 300
    assert started["interval"] == 5
    key = started["auth_req_id"]
    assert (await poll(key)).json()["error"] == "authorization_pending"

    [waiting] = (await phone_http.get("notifications")).json()
    assert waiting["binding_message"] == "Move 25.00 USD"
    assert waiting["client_name"] == "the bAInk"
    assert waiting["scope"] == "openid create:transfer"
    assert waiting["audience"] == world.audience
    where = f"notifications/{waiting['id']}"
    assert (await phone_http.post(where, json={"decision": "approve"})).status_code == 204
    assert (await phone_http.post(where, json={"decision": "deny"})).status_code == 409

    clock.advance(5)
    answer = await poll(key)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["scope"] == "openid create:transfer"
    assert body["token_type"] == "Bearer"
    keys = KeySet.import_key_set((await tenant_http.get(".well-known/jwks.json")).json())
    token = jwt.decode(body["access_token"], keys)
    assert token.header["typ"] == "at+jwt"
    assert token.claims["iss"] == ISSUER
    assert token.claims["sub"] == world.user_id
    assert token.claims["aud"] == [world.audience, f"{ISSUER}userinfo"]
    assert token.claims["client_id"] == world.client_id
    assert token.claims["exp"] - token.claims["iat"] == body["expires_in"]
    assert len(token.claims["jti"]) == 22
    assert jwt.decode(body["id_token"], keys).claims["aud"] == world.client_id

    clock.advance(5)
    spent = await poll(key)
    assert (spent.status_code, spent.json()["error"]) == (400, "invalid_grant")
    kinds = [entry["type"] for entry in tenant.events.newest_first()]
    assert "ciba_start_succeeded" in kinds
    assert "ciba_exchange_succeeded" in kinds


async def test_a_hasty_poll_is_told_to_slow_down(form, poll, tenant_http, clock):
    key = (await tenant_http.post("bc-authorize", data=form)).json()["auth_req_id"]
    await poll(key)
    clock.advance(4)
    hasty = await poll(key)
    assert hasty.status_code == 400
    assert hasty.headers["retry-after"] == "10"
    assert hasty.json() == {
        "error": "slow_down",
        "error_description": "You are polling faster than allowed. Try again in 10 seconds.",
        "interval": 10,
    }
    clock.advance(10)
    assert (await poll(key)).json()["error"] == "authorization_pending"


async def test_a_poll_before_the_answer_touches_no_file(form, poll, tenant_http, tenant, clock):
    key = (await tenant_http.post("bc-authorize", data=form)).json()["auth_req_id"]
    statements = []
    tenant.store.connection.set_trace_callback(statements.append)
    for wanted in ("authorization_pending", "slow_down"):
        assert (await poll(key)).json()["error"] == wanted
    assert statements == []
    clock.advance(20)
    assert (await poll(key)).json()["error"] == "authorization_pending"
    assert statements == []


async def test_what_waits_is_counted_as_it_lapses(form, tenant_http, tenant, clock):
    for seconds in (60, 30, 300):
        asked = await tenant_http.post("bc-authorize", data=form | {"requested_expiry": seconds})
        assert asked.status_code == 200
    now = clock.now()
    for later, waiting in ((0, 3), (29.9, 3), (30, 2), (60, 1), (299.9, 1), (300, 0)):
        assert tenant.ciba.count_pending(now + later) == waiting
        assert len(tenant.ciba.pending(now + later)) == waiting


@pytest.mark.parametrize("ending", ["deny", "expire"])
async def test_denied_and_expired_look_the_same(form, poll, tenant_http, phone_http, clock, ending):
    key = (await tenant_http.post("bc-authorize", data=form)).json()["auth_req_id"]
    [waiting] = (await phone_http.get("notifications")).json()
    where = f"notifications/{waiting['id']}"
    if ending == "deny":
        await phone_http.post(where, json={"decision": "deny"})
    else:
        clock.advance(300)
        late = await phone_http.post(where, json={"decision": "approve"})
        assert late.status_code == 409
        assert (await phone_http.get("notifications")).json() == []
    answer = await poll(key)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "access_denied",
        "error_description": "The end-user denied the authorization request or it has been expired",
    }


REFUSALS = [
    ({"client_secret": "wrong"}, 401, "invalid_client"),
    ({"client_id": "nobody"}, 401, "invalid_client"),
    ({"client_id": ""}, 400, "invalid_request"),
    ({"scope": "create:transfer"}, 400, "invalid_request"),
    ({"scope": ""}, 400, "invalid_request"),
    ({"binding_message": ""}, 400, "invalid_request"),
    ({"binding_message": "x" * 65}, 400, "invalid_binding_message"),
    ({"binding_message": "Pay 5 €"}, 400, "invalid_binding_message"),
    ({"login_hint": ""}, 400, "invalid_request"),
    ({"login_hint": "ana"}, 400, "invalid_request"),
    ({"login_hint": hint("auth0|x", format="email")}, 400, "invalid_request"),
    ({"login_hint": hint("auth0|x", iss="https://other/")}, 400, "invalid_request"),
    ({"login_hint": hint("")}, 400, "invalid_request"),
    ({"login_hint": hint("auth0|nobody")}, 400, "unknown_user_id"),
    ({"requested_expiry": "0"}, 400, "invalid_request"),
    ({"requested_expiry": "soon"}, 400, "invalid_request"),
    ({"requested_expiry": "259201"}, 400, "invalid_request"),
    ({"requested_expiry": "301"}, 400, "invalid_request"),
    ({"audience": "https://elsewhere"}, 403, "access_denied"),
    ({"authorization_details": "{"}, 400, "invalid_authorization_details"),
    ({"authorization_details": '[{"type":"unknown"}]'}, 400, "invalid_authorization_details"),
]


@pytest.mark.parametrize(("changes", "status", "error"), REFUSALS)
async def test_a_wrong_request_is_refused_as_the_contract_says(
    form, tenant_http, phone_http, changes, status, error
):
    answer = await tenant_http.post("bc-authorize", data=form | changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert (await phone_http.get("notifications")).json() == []


async def test_a_client_without_the_grant_is_refused(form, tenant_http, tenant, world):
    client = tenant.clients[world.client_id]
    grants = [grant for grant in client["grant_types"] if grant != CIBA]
    tenant.clients.put(world.client_id, {**client, "grant_types": grants})
    answer = await tenant_http.post("bc-authorize", data=form)
    assert answer.status_code == 403
    assert answer.json()["error"] == "unauthorized_client"
    assert CIBA in answer.json()["error_description"]


async def test_a_user_without_a_phone_is_refused_and_with_email_gets_one(
    form, tenant_http, tenant, world
):
    for key in list(tenant.enrollments):
        tenant.enrollments.remove(key)
    answer = await tenant_http.post("bc-authorize", data=form)
    assert answer.json()["error"] == "invalid_request"
    assert "enrolled" in answer.json()["error_description"]
    client = tenant.clients[world.client_id]
    channels = {"async_approval_notification_channels": ["guardian-push", "email"]}
    tenant.clients.put(world.client_id, client | channels)
    assert (await tenant_http.post("bc-authorize", data=form)).status_code == 200
    assert tenant.events.newest_first()[0]["details"]["notification_channel"] == "email"


async def test_the_approved_details_are_in_token_and_answer(
    form, poll, tenant_http, phone_http, clock
):
    details = [
        {
            "type": "urn:auth0:schemas:authorization-details:v1:money-transfer",
            "instruction": "Please approve",
            "properties": {"amount": {"display": True, "name": "Amount:", "value": "25.00"}},
        }
    ]
    sent = form | {"authorization_details": json.dumps(details)}
    key = (await tenant_http.post("bc-authorize", data=sent)).json()["auth_req_id"]
    [waiting] = (await phone_http.get("notifications")).json()
    assert waiting["authorization_details"] == details
    await phone_http.post(f"notifications/{waiting['id']}", json={"decision": "approve"})
    body = (await poll(key)).json()
    assert body["authorization_details"] == details
    keys = KeySet.import_key_set((await tenant_http.get(".well-known/jwks.json")).json())
    assert jwt.decode(body["access_token"], keys).claims["authorization_details"] == details


async def test_another_client_cannot_collect_the_tokens(form, poll, tenant_http, tenant, world):
    other = models.new_client(tenant, {"name": "other", "grant_types": [CIBA]})
    tenant.clients.put(other["client_id"], other)
    key = (await tenant_http.post("bc-authorize", data=form)).json()["auth_req_id"]
    theirs = {"client_id": other["client_id"], "client_secret": other["client_secret"]}
    assert (await poll(key, **theirs)).json()["error"] == "invalid_grant"
    assert (await poll(key, client_secret="wrong")).json()["error"] == "access_denied"


async def test_the_sixth_request_in_a_minute_is_too_many(form, tenant_http, clock):
    answers = [(await tenant_http.post("bc-authorize", data=form)) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[-1].json()["error"] == "too_many_requests"
    assert int(answers[-1].headers["retry-after"]) == 60
    clock.advance(60)
    assert (await tenant_http.post("bc-authorize", data=form)).status_code == 200


async def test_a_request_survives_a_restart_of_the_tenant(
    form, poll, tenant_http, tenant, tmp_path, clock, world
):
    key = (await tenant_http.post("bc-authorize", data=form)).json()["auth_req_id"]
    tenant.close()
    again = Tenant.open(tmp_path / "tenant.db", issuer=ISSUER, now=clock.now)
    try:
        tenant_http._transport.app = create_app(again)
        again.decide(again.notifications()[0]["id"], "approve")
        assert (await poll(key)).status_code == 200
        assert again.credentials()["client_secret"] == world.client_secret
    finally:
        again.close()


@given(
    path=st.sampled_from(["bc-authorize", "oauth/token", "oauth/revoke"]),
    body=st.one_of(
        st.binary(max_size=200),
        st.dictionaries(
            st.sampled_from(
                [
                    "grant_type",
                    "auth_req_id",
                    "client_id",
                    "client_secret",
                    "client_assertion",
                    "login_hint",
                    "scope",
                    "client_assertion_type",
                    "audience",
                    "code",
                    "refresh_token",
                    "requested_expiry",
                    "token",
                ]
            ),
            st.one_of(st.text(max_size=20), st.sampled_from([CIBA, "client_credentials"])),
        ).map(lambda fields: json.dumps(fields).encode()),
    ),
    kind=st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "text/plain", ""]
    ),
    authorization=st.sampled_from(["", "Basic", "Basic ===", "Basic OjoK", "Bearer x"]),
)
@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
async def test_garbage_gets_an_oauth_error(tenant_http, path, body, kind, authorization):
    headers = {"content-type": kind, "authorization": authorization}
    answer = await tenant_http.post(path, content=body, headers=headers)
    assert 400 <= answer.status_code < 500
    assert set(answer.json()) >= {"error", "error_description"}


async def test_unknown_paths_and_methods_get_json(tenant_http):
    assert (await tenant_http.get("nothing")).json()["statusCode"] == 404
    assert (await tenant_http.get("bc-authorize")).json()["statusCode"] == 405
