"""The enrolment page and the device API, held against auth0-contract.md section 6."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.conftest import ISSUER
from tests.sandbox.tenant.mgmt_world import MONEY

BASE = "appliance-mfa/api"
DETAILS = [{"type": MONEY, "instruction": "Approve", "properties": {"a": {"value": 25}}}]


class Device:
    """A phone with the Guardian SDK: a key of its own, and what the SDK sends."""

    key = RSAKey.generate_key(2048, private=True)
    stranger = RSAKey.generate_key(2048, private=True)

    def __init__(self, http, clock):
        self.http = http
        self.clock = clock
        self.account = {}

    async def enroll(self, transaction, **changes):
        public = {"use": "sig", "alg": "RS256"} | {
            name: self.key.as_dict(private=False)[name] for name in ("kty", "n", "e")
        }
        body = {
            "identifier": "device-001",
            "name": "Ana's phone",
            "push_credentials": {"service": "GCM", "token": "fcm"},
            "public_key": public,
        }
        headers = {"authorization": f'Ticket id="{transaction}"'}
        answer = await self.http.post(f"{BASE}/enroll", json=body | changes, headers=headers)
        if answer.status_code == 200:
            self.account = answer.json()
        return answer

    async def pushes(self):
        headers = {"authorization": f"Bearer {self.account['token']}"}
        path = f"{BASE}/device-accounts/{self.account['id']}/pushes"
        answer = await self.http.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def proof(self, push, *, key=None, typ="dpop+jwt", **changes):
        key = key or self.key
        public = {name: key.as_dict(private=False)[name] for name in ("kty", "n", "e")}
        digest = hashlib.sha256(push["txtkn"].encode()).digest()
        claims = {
            "htu": f"{ISSUER}rich-consents/{push['txlnkid']}",
            "htm": "GET",
            "ath": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "jti": str(uuid.uuid4()),
            "iat": int(self.clock.now()),
        }
        return jwt.encode({"alg": "RS256", "typ": typ, "jwk": public}, claims | changes, key)

    async def consent(self, push, proof=None, where=None):
        headers = {
            "authorization": f"MFA-DPoP {push['txtkn']}",
            "mfa-dpop": proof or self.proof(push),
        }
        return await self.http.get(f"rich-consents/{where or push['txlnkid']}", headers=headers)

    async def answer(self, push, accepted, *, key=None, **changes):
        now = int(self.clock.now())
        claims = {
            "iat": now,
            "exp": now + 30,
            "aud": f"{ISSUER}{BASE}/resolve-transaction",
            "iss": "device-001",
            "sub": push["c"],
            "auth0_guardian_method": "push",
            "auth0_guardian_accepted": accepted,
        }
        signed = jwt.encode({"alg": "RS256", "typ": "JWT"}, claims | changes, key or self.key)
        headers = {"authorization": f"Bearer {push['txtkn']}"}
        body = {"challenge_response": signed}
        return await self.http.post(f"{BASE}/resolve-transaction", json=body, headers=headers)


@pytest.fixture
async def management(tenant, tenant_http):
    ids = tenant.credentials()
    form = {
        "grant_type": "client_credentials",
        "client_id": ids["management_client_id"],
        "client_secret": ids["management_client_secret"],
        "audience": tenant.management_audience,
    }
    token = (await tenant_http.post("oauth/token", json=form)).json()["access_token"]
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def ticket(tenant, tenant_http, management):
    async def ticket(*, more=True, email="ana@baink.example"):
        body = {
            "user_id": tenant.user_by_email(email)["user_id"],
            "allow_multiple_enrollments": more,
        }
        where = "api/v2/guardian/enrollments/ticket"
        answer = await tenant_http.post(where, json=body, headers=management)
        return answer.json()["ticket_url"]

    return ticket


@pytest.fixture
def transaction(ticket, tenant_http):
    async def transaction(**kwargs):
        page = (await tenant_http.get(await ticket(**kwargs))).text
        uri = page.partition("<code")[2].partition(">")[2].partition("<")[0]
        query = parse_qs(urlsplit(uri.replace("&amp;", "&")).query)
        assert query["base_url"] == [f"{ISSUER}appliance-mfa"]
        return query["enrollment_tx_id"][0]

    return transaction


@pytest.fixture
async def device(tenant_http, clock, transaction):
    device = Device(tenant_http, clock)
    assert (await device.enroll(await transaction())).status_code == 200
    return device


@pytest.fixture
def start(tenant_http, world):
    async def start(user_id=world.user_id, **changes):
        hint = {"format": "iss_sub", "iss": ISSUER, "sub": user_id}
        form = {
            "client_id": world.client_id,
            "client_secret": world.client_secret,
            "login_hint": json.dumps(hint),
            "scope": "openid create:transfer",
            "audience": world.audience,
            "binding_message": "Move 25.00 USD",
            "authorization_details": json.dumps(DETAILS),
        }
        return await tenant_http.post("bc-authorize", data=form | changes)

    return start


@pytest.fixture
def poll(tenant_http, world):
    async def poll(started):
        form = {
            "grant_type": "urn:openid:params:grant-type:ciba",
            "auth_req_id": started.json()["auth_req_id"],
            "client_id": world.client_id,
            "client_secret": world.client_secret,
        }
        return (await tenant_http.post("oauth/token", data=form)).json()

    return poll


async def test_unenrolled_then_link_then_button_then_approved(
    tenant, tenant_http, start, poll, ticket
):
    """The whole way that Aiya sends a customer who has no phone yet."""
    ben = tenant.user_by_email("ben@baink.example")["user_id"]
    assert (await start(ben)).json()["error"] == "invalid_request"
    url = await ticket(email="ben@baink.example", more=False)
    page = await tenant_http.get(url)
    assert page.status_code == 200
    assert "ben@baink.example" in page.text
    done = await tenant_http.post(url, data={"name": "Ben's <phone>"})
    assert done.status_code == 200
    assert "Ben&#x27;s &lt;phone&gt;" in done.text
    started = await start(ben)
    assert started.status_code == 200, started.text
    tenant.decide(tenant.notifications()[0]["id"], "approve")
    assert (await poll(started))["scope"] == "openid create:transfer"
    for again in (await tenant_http.get(url), await tenant_http.post(url, data={"name": "x"})):
        assert again.status_code == 400
        assert "used before" in again.text


@pytest.mark.parametrize(
    "query", ["", "?ticket=", "?ticket=nope", "?ticket=%00", "?ticket=a&ticket=b"]
)
async def test_a_wrong_link_is_a_sentence(tenant_http, query):
    assert (await tenant_http.get(f"guardian/enroll{query}")).status_code == 400


async def test_a_device_sees_what_is_asked_and_approves(device, start, poll, tenant, clock):
    started = await start()
    [push] = await device.pushes()
    assert push["dai"] == device.account["id"]
    assert "Move" not in json.dumps(push), "the push carries no binding message"
    consent = await device.consent(push)
    assert consent.status_code == 200, consent.text
    body = consent.json()
    assert body["id"] == push["txlnkid"]
    assert body["requested_details"] == {
        "audience": tenant.credentials()["audience"],
        "scope": ["openid", "create:transfer"],
        "binding_message": "Move 25.00 USD",
        "authorization_details": DETAILS,
    }
    assert (await device.answer(push, True)).status_code == 204
    tokens = await poll(started)
    assert tokens["authorization_details"] == DETAILS
    assert tenant.enrollments[device.account["id"]]["last_auth"]
    again = await device.answer(push, False)
    assert (again.status_code, again.json()["errorCode"]) == (404, "login_transaction_not_found")
    assert await device.pushes() == []


async def test_a_denial_keeps_its_reason_in_the_log_only(device, start, poll, tenant):
    started = await start()
    [push] = await device.pushes()
    answer = await device.answer(push, False, auth0_guardian_reason="hacked")
    assert answer.status_code == 204
    assert "hacked" not in json.dumps(await poll(started))
    rejected = next(e for e in tenant.events.newest_first() if e["type"] == "gd_auth_rejected")
    assert rejected["details"]["reason"] == "hacked"
    assert rejected["details"]["device_id"] == device.account["id"]


@pytest.mark.parametrize(
    "changes",
    [
        {"key": Device.stranger},
        {"sub": "another challenge"},
        {"sub": None},
        {"iss": "dev_x"},
        {"aud": f"{ISSUER}elsewhere"},
        {"aud": [f"{ISSUER}{BASE}/resolve-transaction"]},
        {"aud": {}},
        {"auth0_guardian_method": "otp"},
        {"auth0_guardian_accepted": "true"},
        {"exp": 1},
        {"exp": "soon"},
        {"iat": True, "exp": 99_999_999_999},
    ],
)
async def test_a_forged_answer_decides_nothing(device, start, tenant, changes):
    await start()
    [push] = await device.pushes()
    refused = await device.answer(push, True, **changes)
    assert (refused.status_code, refused.json()["errorCode"]) == (401, "invalid_token")
    assert len(tenant.notifications()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"key": Device.stranger},
        {"typ": "JWT"},
        {"htu": f"{ISSUER}rich-consents/cns_another"},
        {"htu": [f"{ISSUER}rich-consents/cns_another"]},
        {"htm": "POST"},
        {"ath": "x"},
        {"iat": 0},
        {"jti": None},
    ],
)
async def test_a_bad_proof_shows_nothing(device, start, tenant, changes):
    await start()
    [push] = await device.pushes()
    refused = await device.consent(push, device.proof(push, **changes))
    assert (refused.status_code, refused.json()["errorCode"]) == (403, "invalid_dpop_assertion")
    assert tenant.events.newest_first()[0]["type"] == "rich_consents_access_error"


async def test_a_proof_is_good_once(device, start):
    await start()
    [push] = await device.pushes()
    proof = device.proof(push)
    assert (await device.consent(push, proof)).status_code == 200
    assert (await device.consent(push, proof)).status_code == 403


async def test_an_answer_after_expiry_comes_too_late(device, start, clock):
    await start()
    [push] = await device.pushes()
    clock.advance(300)
    assert (await device.consent(push)).status_code == 404
    assert (await device.answer(push, True)).status_code == 404


async def test_a_token_for_an_api_is_no_transaction_token(device, start, management):
    await start()
    [push] = await device.pushes()
    stolen = push | {"txtkn": management["authorization"].removeprefix("Bearer ")}
    assert (await device.answer(stolen, True)).status_code == 401


async def test_two_devices_one_answer(device, start, transaction, tenant_http, clock):
    second = Device(tenant_http, clock)
    assert (await second.enroll(await transaction())).status_code == 200
    await start()
    [one], [other] = await device.pushes(), await second.pushes()
    assert one["c"] != other["c"]
    swapped = one | {"c": other["c"]}
    assert (await device.answer(swapped, True)).status_code == 401
    assert (await second.answer(other, True)).status_code == 204
    assert (await device.answer(one, False)).status_code == 404


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("answers_first", [0, 1])
async def test_either_device_answers_and_the_other_copy_is_gone(
    device, start, poll, transaction, tenant_http, clock, answers_first, accepted
):
    second = Device(tenant_http, clock)
    assert (await second.enroll(await transaction(), name="Tablet")).status_code == 200
    started = await start()
    devices = [device, second]
    copies = [(await each.pushes())[0] for each in devices]
    assert copies[0]["txlnkid"] == copies[1]["txlnkid"], "two copies of one request"
    for each, copy in zip(devices, copies, strict=True):
        assert (await each.consent(copy)).status_code == 200
    assert (await devices[answers_first].answer(copies[answers_first], accepted)).status_code == 204
    other, copy = devices[1 - answers_first], copies[1 - answers_first]
    assert await other.pushes() == []
    assert (await other.consent(copy)).status_code == 404
    assert (await other.answer(copy, not accepted)).status_code == 404
    got = await poll(started)
    assert ("access_token" in got, got.get("error") == "access_denied") == (accepted, not accepted)


async def test_enrolment_is_single_use_and_quick(transaction, tenant_http, clock):
    device = Device(tenant_http, clock)
    used = await transaction()
    assert (await device.enroll(used)).status_code == 200
    assert (await device.enroll(used)).status_code == 401
    late = await transaction()
    clock.advance(301)
    refused = await device.enroll(late)
    assert refused.json()["errorCode"] == "enrollment_transaction_not_found"
    assert (await device.enroll("made up")).status_code == 401


async def test_one_device_when_the_ticket_says_so(transaction, ticket, tenant_http, clock):
    ben = {"more": False, "email": "ben@baink.example"}
    link, begun = await ticket(**ben), [await transaction(**ben) for _ in range(2)]
    first, second = Device(tenant_http, clock), Device(tenant_http, clock)
    assert (await first.enroll(begun[0])).status_code == 200
    refused = await second.enroll(begun[1])
    assert (refused.status_code, refused.json()["errorCode"]) == (409, "already_enrolled")
    page = await tenant_http.get(link)
    assert page.status_code == 400
    assert "one more" in page.text


@pytest.mark.parametrize(
    "changes",
    [
        {"public_key": {}},
        {"public_key": {"kty": "RSA", "n": "A" * 400, "e": "AQAB"}},
        {"public_key": {"kty": "RSA", "n": "_" * 200, "e": "AQAB"}},
        {"public_key": {"kty": "oct", "k": "AAAA"}},
        {"name": ""},
        {"name": " " * 5},
        {"identifier": 5},
        {"push_credentials": {"service": "SMS", "token": "x"}},
    ],
)
async def test_a_malformed_device_is_not_enrolled(transaction, tenant_http, clock, tenant, changes):
    before = dict(tenant.enrollments)
    refused = await Device(tenant_http, clock).enroll(await transaction(), **changes)
    assert (refused.status_code, refused.json()["errorCode"]) == (400, "invalid_body")
    assert dict(tenant.enrollments) == before


async def test_a_device_renames_and_removes_itself(device, tenant_http, tenant):
    where = f"{BASE}/device-accounts/{device.account['id']}"
    headers = {"authorization": f"Bearer {device.account['token']}"}
    renamed = await tenant_http.patch(where, json={"name": "New"}, headers=headers)
    assert renamed.json()["name"] == "New"
    wrong = {"authorization": "Bearer wrong"}
    assert (await tenant_http.delete(where, headers=wrong)).status_code == 401
    assert (await tenant_http.delete(where, headers=headers)).status_code == 204
    assert device.account["id"] not in tenant.enrollments
    assert (await tenant_http.delete(where, headers=headers)).status_code == 401
    seeded = next(iter(tenant.enrollments))
    assert (
        await tenant_http.delete(f"{BASE}/device-accounts/{seeded}", headers=wrong)
    ).status_code == 401


def device_pass(device, clock, *, key=None, **changes):
    """What newer Guardian SDKs sign for themselves in place of the device token."""
    now = int(clock.now())
    claims = {
        "iss": device.account["id"],
        "sub": device.account["user_id"],
        "aud": f"{ISSUER}{BASE}/device-accounts",
        "iat": now,
        "exp": now + 7200,
    }
    kept = {name: value for name, value in (claims | changes).items() if value is not ...}
    return jwt.encode({"alg": "RS256", "typ": "JWT"}, kept, key or device.key)


async def test_a_device_may_sign_for_itself(device, start, tenant_http, tenant, clock):
    path = f"{BASE}/device-accounts/{device.account['id']}"
    headers = {"authorization": f"Bearer {device_pass(device, clock)}"}
    changed = await tenant_http.patch(path, json={"name": "New"}, headers=headers)
    assert (changed.status_code, changed.json()["name"]) == (200, "New")
    told = tenant.events.newest_first()[0]
    assert told["type"] == "gd_update_device_account"
    assert told["details"]["enrollment"]["name"] == "New"
    await start()
    assert len((await tenant_http.get(f"{path}/pushes", headers=headers)).json()) == 1
    clock.advance(7200)
    headers = {"authorization": f"Bearer {device_pass(device, clock)}"}
    assert (await tenant_http.delete(path, headers=headers)).status_code == 204
    assert device.account["id"] not in tenant.enrollments
    assert (await tenant_http.delete(path, headers=headers)).status_code == 401, "it is gone"


@pytest.mark.parametrize(
    "changes",
    [
        {"key": Device.stranger},
        {"iss": "dev_another"},
        {"iss": ...},
        {"sub": "auth0|another"},
        {"sub": ...},
        {"aud": f"{ISSUER}{BASE}/resolve-transaction"},
        {"aud": "https://elsewhere.example/appliance-mfa/api/device-accounts"},
        {"aud": [f"{ISSUER}{BASE}/device-accounts"]},
        {"aud": ...},
        {"exp": 1},
        {"exp": ...},
        {"exp": 99_999_999_999},
        {"iat": ...},
        {"iat": True},
        {"iat": 99_999_999_999, "exp": 99_999_999_999},
    ],
)
async def test_a_wrong_pass_opens_nothing(device, tenant_http, tenant, clock, changes):
    headers = {"authorization": f"Bearer {device_pass(device, clock, **changes)}"}
    before = dict(tenant.enrollments)
    path = f"{BASE}/device-accounts/{device.account['id']}"
    for method, body in (("PATCH", {"name": "Mine"}), ("DELETE", None), ("GET", None)):
        where = f"{path}/pushes" if method == "GET" else path
        refused = await tenant_http.request(method, where, json=body, headers=headers)
        assert (refused.status_code, refused.json()["errorCode"]) == (401, "invalid_token")
    assert dict(tenant.enrollments) == before


async def test_a_pass_is_for_its_own_device(device, tenant_http, tenant, clock):
    seeded = next(iter(tenant.enrollments))
    assert "_public_key" not in tenant.enrollments[seeded], "the stand-in phone signs nothing"
    for other in (seeded, "dev_none"):
        for issuer in (device.account["id"], other):
            headers = {"authorization": f"Bearer {device_pass(device, clock, iss=issuer)}"}
            path = f"{BASE}/device-accounts/{other}"
            assert (await tenant_http.delete(path, headers=headers)).status_code == 401
    assert seeded in tenant.enrollments


async def test_a_pass_expires(device, tenant_http, clock):
    headers = {"authorization": f"Bearer {device_pass(device, clock)}"}
    path = f"{BASE}/device-accounts/{device.account['id']}/pushes"
    clock.advance(7200)
    assert (await tenant_http.get(path, headers=headers)).status_code == 200
    clock.advance(31)
    assert (await tenant_http.get(path, headers=headers)).status_code == 401


async def test_the_management_api_shows_no_secret_of_a_device(
    device, tenant_http, management, world
):
    user = world.user_id.replace("|", "%7C")
    answer = await tenant_http.get(f"api/v2/users/{user}/enrollments", headers=management)
    secret = (device.account["token"], device.account["totp"]["secret"], device.key["n"])
    assert device.account["id"] in answer.text
    assert not any(item in answer.text for item in secret)


# A push stays where it was sent


async def taken_away(tenant, tenant_http, management):
    for one in list(tenant.enrollments.values()):
        path = f"api/v2/guardian/enrollments/{one['id']}"
        assert (await tenant_http.delete(path, headers=management)).status_code == 204


async def test_a_phone_that_was_taken_away_shows_and_answers_nothing(
    start, tenant, tenant_http, phone_http, management
):
    await start()
    [push] = (await phone_http.get("notifications")).json()
    await taken_away(tenant, tenant_http, management)
    assert (await phone_http.get("notifications")).json() == []
    for decision in ("approve", "deny"):
        answer = await phone_http.post(f"notifications/{push['id']}", json={"decision": decision})
        assert answer.status_code == 404
        assert "not the customer's any more" in answer.json()["error"]
    assert len(tenant.ciba.pending(tenant.now())) == 1, "it lapses, and nobody has denied it"


async def test_a_phone_that_comes_later_was_sent_nothing(
    transaction, clock, start, tenant, tenant_http, phone_http, management
):
    await start()
    await taken_away(tenant, tenant_http, management)
    device = Device(tenant_http, clock)
    await device.enroll(await transaction())
    assert await device.pushes() == []
    assert (await phone_http.get("notifications")).json() == []
    await start()
    assert len(await device.pushes()) == 1
    assert len((await phone_http.get("notifications")).json()) == 1


async def test_who_has_two_phones_and_loses_one_answers_on_the_other(
    device, start, tenant, tenant_http, phone_http, management
):
    await start()
    [first, _] = tenant.enrollments.values()
    await tenant_http.delete(f"api/v2/guardian/enrollments/{first['id']}", headers=management)
    assert len((await phone_http.get("notifications")).json()) == 1
    [push] = await device.pushes()
    assert (await device.answer(push, True)).status_code == 204
