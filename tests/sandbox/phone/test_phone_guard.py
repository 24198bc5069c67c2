"""Who may reach the phone: no other name, no other site, nobody without the secret."""

from __future__ import annotations

import pytest

BODY = {"decision": "approve"}


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:5", "127.0.0.1", "localhost:8080", "[::1]:5", "phone", "a.localhost"],
)
async def test_loopback_names_are_answered(phone_http, host):
    answer = await phone_http.get("notifications", headers={"host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::1", "localhost.evil.io"],
)
async def test_a_name_that_was_rebound_is_refused(phone_http, host):
    answer = await phone_http.get("notifications", headers={"host": host})
    assert answer.status_code == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://phone:99", "http://127.0.0.1", "", "http://["]
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "notifications"), ("POST", "notifications/x")]
)
async def test_another_site_is_refused(phone_http, method, path, origin):
    headers = {"origin": origin}
    answer = await phone_http.request(method, path, json=BODY, headers=headers)
    assert answer.status_code == 403


async def test_our_own_page_is_let_through(phone_http):
    headers = {"origin": "http://phone"}
    answer = await phone_http.post("notifications/x", json=BODY, headers=headers)
    assert answer.status_code == 404, "let through: there just is no such notification"


@pytest.mark.parametrize(
    "path", ["/", "/wrong/", "/wrong/notifications", "/s3cre/", "/s3crett/", "/%ff/"]
)
async def test_without_the_secret_there_is_nothing(phone_http, path):
    answer = await phone_http.get(f"http://phone{path}")
    assert answer.status_code == 404
    assert "s3cret" not in answer.text
