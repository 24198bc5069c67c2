"""Login form, enrolment form and phone page in a real browser: ours work, others are refused."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from tests.real_sandbox import sandbox_process

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    with sandbox_process(tmp_path_factory.mktemp("sandbox")) as (_, line):
        yield line


@pytest.fixture
def elsewhere():
    """Another site on loopback: serves whatever HTML it is given; also stands in for the app."""
    pages: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = pages.get(urlsplit(self.path).path, "callback").encode()
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", pages
    server.shutdown()
    server.server_close()


def management(ready):
    form = {
        "grant_type": "client_credentials",
        "client_id": ready["management_client_id"],
        "client_secret": ready["management_client_secret"],
        "audience": f"{ready['issuer']}api/v2/",
    }
    answer = httpx.post(f"{ready['issuer']}oauth/token", data=form, trust_env=False)
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


def ticket(ready):
    headers = management(ready)
    body = {"user_id": ready["user_id"], "allow_multiple_enrollments": True}
    where = f"{ready['issuer']}api/v2/guardian/enrollments/ticket"
    return httpx.post(where, json=body, headers=headers, trust_env=False).json()["ticket_url"]


def devices(ready):
    where = f"{ready['issuer']}api/v2/users/{ready['user_id'].replace('|', '%7C')}/enrollments"
    return httpx.get(where, headers=management(ready), trust_env=False).json()


def login_url(ready, callback):
    query = {
        "response_type": "code",
        "client_id": ready["client_id"],
        "redirect_uri": f"{callback}/callback",
        "scope": "openid",
        "state": "mine",
    }
    return f"{ready['issuer']}authorize?{urlencode(query)}"


async def test_a_person_logs_in_and_comes_back_with_a_code(page, ready, elsewhere):
    callback, _ = elsewhere
    await page.goto(login_url(ready, callback))
    await page.get_by_label("E-mail").fill(ready["user_email"])
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Log in").click()
    await page.get_by_role("alert").wait_for()
    await page.get_by_label("Password").fill(ready["user_password"])
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(f"{callback}/callback?*")
    query = parse_qs(urlsplit(page.url).query)
    assert query["state"] == ["mine"]
    assert query["code"]
    assert await page.evaluate("document.referrer") == ""


async def test_a_person_enrols_a_phone_by_the_link(page, ready):
    before = len(devices(ready))
    await page.goto(ticket(ready))
    words = await page.get_by_text("What shall this phone be called?").bounding_box()
    field = await page.get_by_label("What shall this phone be called?").bounding_box()
    assert words["x"] == field["x"]
    await page.get_by_role("button", name="Enrol the stand-in phone").click()
    await page.get_by_role("status").wait_for()
    assert len(devices(ready)) == before + 1


async def test_a_form_on_another_site_enrols_nobody(page, ready, elsewhere):
    base, pages = elsewhere
    link = ticket(ready)
    before = len(devices(ready))
    pages["/"] = (
        f'<form method="post" action="{link}"><input name="name" value="thief">'
        '<button type="submit">go</button></form>'
    )
    for site in (base, base.replace("127.0.0.1", "localhost")):
        await page.goto(f"{site}/")
        async with page.expect_navigation() as told:
            await page.get_by_role("button").click()
        assert (await told.value).status == 403
    assert len(devices(ready)) == before


@pytest.mark.parametrize("what", ["login", "phone", "enrolment"])
async def test_no_page_is_shown_in_a_frame_of_another_site(page, ready, elsewhere, what):
    base, pages = elsewhere
    where = {
        "login": login_url(ready, base),
        "phone": f"{ready['phone']}/",
        "enrolment": ticket(ready),
    }[what]
    refused = []
    page.on("requestfailed", lambda request: refused.append(request.url))
    page.on("console", lambda message: refused.append(message.text))
    pages["/"] = f'<iframe id="f" src="{where}"></iframe>'
    await page.goto(f"{base}/")
    frame = page.frames[1]
    await frame.wait_for_load_state()
    assert "frame-ancestors" in " ".join(refused)
    assert await frame.locator("button").count() == 0


async def test_the_phone_page_runs_under_its_policy(page, ready):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text))
    await page.goto(f"{ready['phone']}/")
    await page.get_by_text("connected", exact=True).wait_for()
    assert await page.evaluate("getComputedStyle(document.body).display") == "grid"
    assert not errors


async def test_a_script_of_another_site_reaches_neither_phone_nor_tenant(page, ready, elsewhere):
    base, _ = elsewhere
    await page.goto(f"{base}/")
    script = """async url => {
        try { const a = await fetch(url, {method: 'POST', body: '{"decision": "approve"}',
              headers: {'content-type': 'application/json'}}); return a.status }
        catch (stopped) { return 'stopped' } }"""
    for url in (
        f"{ready['phone']}/notifications/x",
        f"{ready['issuer']}oauth/token",
        f"{ready['issuer']}api/v2/clients",
    ):
        assert await page.evaluate(script, url) == "stopped"
