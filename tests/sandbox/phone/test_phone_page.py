"""The phone's page and answers: nobody frames, keeps or sniffs them, and no script is let in."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from baink_lab.sandbox.phone.page import HTML


async def test_the_page_runs_its_own_script_and_no_other(phone_http):
    answer = await phone_http.get("")
    policy = dict(
        part.strip().partition(" ")[::2]
        for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    for name, tag in (("script-src", "script"), ("style-src", "style")):
        [text] = re.findall(f"<{tag}>(.*?)</{tag}>", HTML, re.S)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert policy[name] == f"'sha256-{digest}'"
    assert not re.search(r"\son\w+=|\sstyle=", HTML), "nothing inline that the policy would stop"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "", 200),
        ("GET", "notifications", 200),
        ("POST", "notifications/x", 415),
        ("GET", "nothing", 404),
        ("GET", "http://phone/wrong/", 404),
        ("GET", "notifications/", 404),
    ],
)
async def test_no_answer_is_kept_or_tells_where_it_came_from(phone_http, method, path, status):
    answer = await phone_http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_link_elsewhere_may_lead_here_but_no_page_may_ask(phone_http):
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert (await phone_http.get("", headers=link)).status_code == 200
    script = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert (await phone_http.get("notifications", headers=script)).status_code == 403
    script = {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}
    assert (await phone_http.get("notifications", headers=script)).status_code == 403
