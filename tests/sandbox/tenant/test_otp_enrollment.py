"""The QR pictures of the enrolment page, and authenticator apps behind a first code (RFC 6238)."""

from __future__ import annotations

import base64
import json
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import segno

from baink_lab.sandbox.tenant import one_time_passwords as otp
from tests.conftest import ISSUER

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
# RFC 6238 appendix B, the last six of its eight digits.
VECTORS = {
    59: "287082",
    1_111_111_109: "081804",
    1_111_111_111: "050471",
    1_234_567_890: "005924",
    2_000_000_000: "279037",
    20_000_000_000: "353130",
}


@pytest.mark.parametrize(("moment", "code"), VECTORS.items())
def test_the_codes_are_those_of_the_rfc(moment, code):
    assert otp.code_at(RFC_SECRET, moment // 30) == code
    assert otp.matching_step(RFC_SECRET, code, moment) == moment // 30


@pytest.mark.parametrize(("later", "good"), [(-31, False), (-30, True), (0, True), (59, True),
                                             (60, False)])  # fmt: skip
def test_a_clock_may_be_off_by_one_step(later, good):
    code = otp.code_at(RFC_SECRET, 100)
    found = otp.matching_step(RFC_SECRET, code, 100 * 30 + later)
    assert found == (100 if good else None)


def test_a_code_is_good_once():
    code = otp.code_at(RFC_SECRET, 100)
    assert otp.matching_step(RFC_SECRET, code, 3000, after=99) == 100
    assert otp.matching_step(RFC_SECRET, code, 3000, after=100) is None
    assert otp.matching_step(RFC_SECRET, otp.code_at(RFC_SECRET, 99), 3000, after=100) is None


@pytest.mark.parametrize("code", ["", "28708", "2870820", "28708x", "٢٨٧٠٨٢", "-87082"])
def test_what_is_no_code_is_no_good(code):
    assert otp.matching_step(RFC_SECRET, code, 59) is None


# The page


@pytest.fixture
async def api(tenant, tenant_http):
    """Call the Management API with every scope."""
    ids = tenant.credentials()
    form = {
        "grant_type": "client_credentials",
        "client_id": ids["management_client_id"],
        "client_secret": ids["management_client_secret"],
        "audience": tenant.management_audience,
    }
    token = (await tenant_http.post("oauth/token", json=form)).json()["access_token"]

    async def api(method, path, json=None):
        headers = {"authorization": f"Bearer {token}"}
        return await tenant_http.request(method, f"api/v2/{path}", json=json, headers=headers)

    return api


@pytest.fixture
def ben(tenant):
    return tenant.user_by_email("ben@baink.example")["user_id"]


@pytest.fixture
async def link(api, ben):
    """A ticket's URL, with the factor switched on."""
    await api("PUT", "guardian/factors/otp", {"enabled": True})

    async def link(user_id=ben, **body):
        body = {"factor": "otp"} | body
        answer = await api("POST", "guardian/enrollments/ticket", {"user_id": user_id} | body)
        assert answer.status_code == 200, answer.text
        return answer.json()["ticket_url"]

    return link


def address(page):
    """The otpauth address that a page shows as text."""
    return unescape(re.search(r"<code[^>]*>(otpauth:[^<]+)</code>", page.text)[1])


def secret_of(page):
    return parse_qs(urlsplit(address(page)).query)["secret"][0]


def code_of(page, clock, step=0):
    return otp.code_at(secret_of(page), int(clock.now() // 30) + step)


def matrix(svg):
    """The dark modules of segno's picture, read from its path, without the border."""
    size = int(re.search(r'viewBox="0 0 (\d+) ', svg)[1])
    rows = [[0] * size for _ in range(size)]
    x = y = 0.0
    path = re.search(r'class="qrline"[^>]* d="([^"]+)"', svg)[1]
    for command, numbers in re.findall(r"([Mmh])([^Mmh]*)", path):
        values = [float(one) for one in re.findall(r"-?\d*\.?\d+", numbers)]
        if command == "h":
            for column in range(int(x), int(x + values[0])):
                rows[int(y)][column] = 1
            x += values[0]
        else:
            x, y = values if command == "M" else [x + values[0], y + values[1]]
    return tuple(bytes(row[4:-4]) for row in rows[4:-4])


async def enrolled(api, user_id):
    return (await api("GET", f"users/{user_id}/enrollments")).json()


@pytest.mark.parametrize("factor", ["push-notification", "otp"])
async def test_the_picture_says_what_the_text_says(link, tenant_http, factor):
    page = await tenant_http.get(await link(factor=factor))
    [svg] = re.findall(r"<svg .*?</svg>", page.text, re.DOTALL)
    assert 'role="img"' in svg
    assert re.search(r"<title>QR code [^<]+</title>", svg)
    assert 'fill="#fff"' in svg, "a camera wants a light ground, in dark mode too"
    wanted = segno.make(address(page), error="m", micro=False).matrix
    assert matrix(svg) == tuple(bytes(row) for row in wanted)


async def test_the_first_code_enrols_the_app(link, api, ben, tenant, tenant_http, clock):
    url = await link()
    page = await tenant_http.get(url)
    query = parse_qs(urlsplit(address(page)).query)
    assert len(base64.b32decode(query["secret"][0])) == 20
    assert (query["digits"], query["period"], query["algorithm"]) == (["6"], ["30"], ["SHA1"])
    assert secret_of(await tenant_http.get(url)) == query["secret"][0], "loaded again, the same"
    code = code_of(page, clock)
    done = await tenant_http.post(url, data={"code": f"{code[:3]} {code[3:]}"})
    assert done.status_code == 200, done.text

    [entry] = await enrolled(api, ben)
    assert (entry["auth_method"], entry["status"]) == ("authenticator", "confirmed")
    [method] = (await api("GET", f"users/{ben}/authentication-methods")).json()
    assert (method["type"], method["confirmed"]) == ("totp", True)
    assert method["id"] == f"totp|{entry['id']}"
    assert secret_of(page) not in json.dumps([entry, method])
    kinds = [entry["type"] for entry in tenant.events.newest_first()]
    assert kinds[:2] == ["gd_enrollment_complete", "gd_start_enroll"]
    details = tenant.events.newest_first()[0]["details"]
    assert details["authenticator"] == "otp"
    assert details["enrollment"] == {"_id": entry["id"], "tenant": tenant.name, "user_id": ben}
    again = await tenant_http.post(url, data={"code": code})
    assert again.status_code == 400
    assert "used before" in again.text


async def test_an_app_receives_no_push(link, api, ben, tenant, tenant_http, clock, world):
    url = await link()
    code = code_of(await tenant_http.get(url), clock)
    assert (await tenant_http.post(url, data={"code": code})).status_code == 200
    form = {
        "client_id": world.client_id,
        "client_secret": world.client_secret,
        "login_hint": json.dumps({"format": "iss_sub", "iss": ISSUER, "sub": ben}),
        "scope": "openid create:transfer",
        "audience": world.audience,
        "binding_message": "Move 25.00 USD",
    }
    refused = await tenant_http.post("bc-authorize", data=form)
    assert (refused.status_code, refused.json()) == (
        400,
        {
            "error": "invalid_request",
            "error_description": "User is not enrolled in push notifications",
        },
    )
    phone = await link(factor="push-notification", allow_multiple_enrollments=True)
    assert (await tenant_http.post(phone, data={"name": "Ben's"})).status_code == 200
    assert (await tenant_http.post("bc-authorize", data=form)).status_code == 200


@pytest.mark.parametrize("step", [-2, 2])
async def test_a_code_of_another_time_is_wrong(link, api, ben, tenant, tenant_http, clock, step):
    url = await link()
    page = await tenant_http.get(url)
    wrong = await tenant_http.post(url, data={"code": code_of(page, clock, step)})
    assert wrong.status_code == 400
    assert 'role="alert"' in wrong.text
    assert secret_of(wrong) == secret_of(page), "the picture that was scanned stays good"
    assert await enrolled(api, ben) == []
    failed = next(e for e in tenant.events.newest_first() if e["type"].startswith("gd_"))
    assert failed["type"] == "gd_auth_failed"
    assert (await tenant_http.post(url, data={"code": code_of(page, clock)})).status_code == 200


async def test_five_wrong_codes_end_the_secret(link, api, ben, tenant_http, clock):
    url = await link()
    page = await tenant_http.get(url)
    right = code_of(page, clock)
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    for _ in range(5):
        last = await tenant_http.post(url, data={"code": wrong})
    assert secret_of(last) != secret_of(page)
    late = await tenant_http.post(url, data={"code": right})
    assert late.status_code == 400
    assert await enrolled(api, ben) == []
    fresh = code_of(late, clock)
    assert (await tenant_http.post(url, data={"code": fresh})).status_code == 200


async def test_a_picture_is_good_for_five_minutes(link, tenant_http, clock):
    url = await link()
    page = await tenant_http.get(url)
    clock.advance(301)
    late = await tenant_http.post(url, data={"code": code_of(page, clock)})
    assert late.status_code == 400
    assert "scan this new one" in late.text


async def test_the_factor_must_be_on(link, api, ben, tenant_http, clock):
    url = await link()
    page = await tenant_http.get(url)
    await api("PUT", "guardian/factors/otp", {"enabled": False})
    for refused in (
        await tenant_http.get(url),
        await tenant_http.post(url, data={"code": code_of(page, clock)}),
    ):
        assert refused.status_code == 400
        assert "switched off" in refused.text
    assert await enrolled(api, ben) == []


async def test_a_ticket_is_for_its_factor_alone(link, api, ben, tenant_http):
    for factor, other in (("otp", "push-notification"), ("push-notification", "otp")):
        url = await link(factor=factor)
        page = await tenant_http.get(url)
        assert "instead" not in page.text
        for answer in (
            await tenant_http.get(f"{url}&factor={other}"),
            await tenant_http.post(f"{url}&factor={other}", data={"name": "x", "code": "123456"}),
        ):
            assert answer.status_code == 400
    assert await enrolled(api, ben) == []


async def test_a_ticket_without_factor_lets_the_person_choose(api, ben, link, tenant_http, clock):
    answer = await api("POST", "guardian/enrollments/ticket", {"user_id": ben})
    url = answer.json()["ticket_url"]
    page = await tenant_http.get(url)
    assert "Enrol your phone" in page.text
    other = unescape(re.search(r'href="(\?[^"]+factor=otp)"', page.text)[1])
    chosen = await tenant_http.get(f"guardian/enroll{other}")
    assert "Enrol an authenticator app" in chosen.text
    code = code_of(chosen, clock)
    done = await tenant_http.post(f"guardian/enroll{other}", data={"code": code})
    assert done.status_code == 200
    assert (await tenant_http.post(url, data={"name": "x"})).status_code == 400, "good once"


async def test_who_takes_both_ways_reads_what_is_so_and_no_oops(api, ben, tenant_http):
    async def ticket():
        body = {"user_id": ben, "factor": "push-notification"}
        answer = await api("POST", "guardian/enrollments/ticket", body)
        return answer.json()["ticket_url"]

    first, second = await ticket(), await ticket()
    done = await tenant_http.post(first, data={"name": "x"})
    assert "say: continue transfer." in done.text
    for url, heading in ((first, "This link is not good any more"), (second, "You have a phone")):
        for method in ("GET", "POST"):
            again = await tenant_http.request(method, url, data={"name": "x"})
            assert again.status_code == 400
            assert f"<h1>{heading}" in again.text
    assert "<h1>Oops" in (await tenant_http.get("guardian/enroll?ticket=none")).text


async def test_an_app_is_removed_by_the_api(link, api, ben, tenant, tenant_http, clock):
    url = await link()
    code = code_of(await tenant_http.get(url), clock)
    await tenant_http.post(url, data={"code": code})
    [method] = (await api("GET", f"users/{ben}/authentication-methods")).json()
    one = f"users/{ben}/authentication-methods/{method['id'].replace('|', '%7C')}"
    assert (await api("GET", one)).json() == method
    assert (await api("DELETE", one)).status_code == 204
    assert await enrolled(api, ben) == []
    unenrolled = next(e for e in tenant.events.newest_first() if e["type"] == "gd_unenroll")
    assert unenrolled["details"]["authenticator"] == "otp"
