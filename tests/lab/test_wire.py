"""What a notebook prints of the wire holds no secret."""

from __future__ import annotations

import json

import httpx
import pytest

from baink_lab.bank.problems import Refusal, response_to
from baink_lab.lab.wire.not_asked import why_not_asked
from baink_lab.lab.wire.patient import Patient
from baink_lab.lab.wire.watched import MASK, exchange_of, laid_out, masked
from baink_lab.sandbox.tenant import create_app
from baink_lab.sandbox.tenant.limits import MANAGEMENT_BURST


class Turned:
    """A clock that whoever sleeps turns, for the tenant too."""

    def __init__(self, clock):
        self._clock = clock
        self.slept = []

    def now(self):
        return self._clock.now()

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self._clock.advance(seconds)


async def test_who_is_too_quick_for_the_management_api_waits_and_is_served(
    tenant, world, clock, capsys
):
    turned = Turned(clock)
    form = {
        "grant_type": "client_credentials",
        "client_id": world.management_client_id,
        "client_secret": world.management_client_secret,
        "audience": f"{world.issuer}api/v2/",
    }
    transport = httpx.ASGITransport(create_app(tenant))
    async with httpx.AsyncClient(transport=transport, base_url=world.issuer) as http:
        token = (await http.post("oauth/token", data=form)).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        hasty = [(await http.get("api/v2/logs")).status_code for _ in range(MANAGEMENT_BURST + 2)]
        http.auth = Patient(turned)
        served = [(await http.get("api/v2/logs")).status_code for _ in range(MANAGEMENT_BURST + 2)]
    assert 429 in hasty
    assert set(served) == {200}
    assert turned.slept
    assert "sent again in 1 s" in capsys.readouterr().out


def test_secrets_are_masked_at_any_depth():
    value = {"client_secret": "s", "list": [{"access_token": "t", "scope": "openid"}]}
    assert masked(value) == {
        "client_secret": MASK,
        "list": [{"access_token": MASK, "scope": "openid"}],
    }


def test_a_form_and_its_answer_are_told():
    form = {"client_id": "c", "client_secret": "hidden", "auth_req_id": "hidden"}
    request = httpx.Request("POST", "https://t/oauth/token?a=b%2Fc", data=form)
    answer = httpx.Response(200, json={"id_token": "hidden", "scope": "x"}, request=request)
    told = str(exchange_of(answer))
    assert "hidden" not in told
    assert told.startswith("POST /oauth/token?a=b%2Fc\n{")
    assert "→ 200 OK" in told


def test_pages_and_empty_answers_are_told_in_short():
    request = httpx.Request("GET", "https://t/")
    page = httpx.Response(200, html="<p>x</p>", request=request)
    assert "(8 characters of text/html)" in str(exchange_of(page))
    empty = httpx.Response(204, request=request)
    assert str(exchange_of(empty)) == "GET /\n→ 204 No Content"


def test_what_the_bank_calls_an_error_is_no_secret():
    refusal = response_to(Refusal("invalid_token", "The token is not for this API."))
    request = httpx.Request("POST", "https://b/api/accounts/transfers")
    answer = httpx.Response(
        refusal.status_code,
        content=refusal.body,
        headers={"content-type": refusal.media_type},
        request=request,
    )
    assert exchange_of(answer).received["code"] == "invalid_token"


@pytest.mark.parametrize(
    "body",
    [
        {"code": "abc"},
        {"code": "abc", "status": 400, "title": "x"},
        {"code": "abc", "type": "urn:baink:problem:another"},
        {"code": "aBc9-_x", "type": "urn:baink:problem:aBc9-_x"},
        {"code": ["abc"], "type": "urn:baink:problem:abc"},
    ],
)
def test_the_code_of_a_login_is_a_secret(body):
    assert masked(body)["code"] == MASK


def refused(status, error, path="/bc-authorize"):
    request = httpx.Request("POST", f"https://t{path}", data={"scope": "openid"})
    return exchange_of(httpx.Response(status, json={"error": error}, request=request))


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (429, "too_many_requests", "Wait a minute, and run the cell again."),
        (403, "unauthorized_client", "await lab.doctor()"),
        (401, "invalid_client", "must be those of `world`"),
        (403, "access_denied", "must be those of `world`"),
        (400, "invalid_request", "`error_description` says why."),
        (503, "something_new", "`error_description` says why."),
    ],
)
def test_a_question_that_was_refused_is_told_with_what_to_do(status, error, said):
    told = why_not_asked(refused(status, error))
    assert told.startswith("The phone was not asked, so there is no auth_req_id: ")
    assert told.endswith(said) or said in told


def test_of_other_exchanges_nothing_is_said():
    assert why_not_asked(refused(400, "authorization_pending", "/oauth/token")) == ""
    assert why_not_asked(refused(200, "none")) == ""


def test_small_things_are_on_one_line_and_all_of_it_is_json():
    value = {
        "scopes": [{"value": f"{verb}:statements", "description": "a" * 30} for verb in "abc"],
        "scope": ["create:transfer", "read:statements"],
        "empty": {},
        "name": "é",
    }
    told = laid_out(value)
    assert json.loads(told) == value
    assert told.count("\n") == 9
    assert '\n  "scope": ["create:transfer", "read:statements"],\n' in told
    assert laid_out({"a": 1, "b": 2}) == '{\n  "a": 1,\n  "b": 2\n}'
