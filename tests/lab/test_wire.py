"""What a notebook prints of the wire holds no secret."""

from __future__ import annotations

import httpx

from baink_lab.lab.wire import MASK, exchange_of, masked


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
