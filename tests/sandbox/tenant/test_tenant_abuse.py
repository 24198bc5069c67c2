"""What callers without any right can make the tenant do, keep and remember: next to nothing."""

from __future__ import annotations

import asyncio
import json
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from baink_lab.sandbox.tenant.seed import CALLBACK
from tests.sandbox.tenant.test_tenant_hostile_tokens import everything


@pytest.fixture
def authorize(tenant_http, world):
    async def authorize(**changes):
        query = {
            "response_type": "code",
            "client_id": world.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": "mine",
        }
        return await tenant_http.get("authorize", params=query | changes)

    return authorize


@pytest.fixture
async def login(authorize):
    """The address of a login form; the cookie is in the client's jar."""
    return (await authorize()).headers["location"]


@pytest.fixture
def right(tenant):
    ids = tenant.credentials()
    return {"username": ids["user_email"], "password": ids["user_password"]}


WRONG = {"username": "ana@baink.example", "password": "wrong"}


async def test_a_login_ends_at_the_callback_with_a_code(tenant_http, login, right):
    answer = await tenant_http.post(login, data=right)
    assert answer.status_code == 302
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["state"] == ["mine"]
    assert query["code"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_wrong_passwords_side_by_side_are_counted(tenant, tenant_http, login, right):
    """Hundreds at once are no way round the ten tries, and no two of them trip each other."""
    answers = await asyncio.gather(*(tenant_http.post(login, data=WRONG) for _ in range(40)))
    said = [answer.text for answer in answers]
    assert {answer.status_code for answer in answers} == {400}
    assert sum("Wrong e-mail or password" in text for text in said) == 10
    assert sum("expired" in text for text in said) == 30
    late = await tenant_http.post(login, data=right)
    assert late.status_code == 400, "the right password comes too late"
    assert sum(entry["type"] == "fp" for entry in tenant.events.newest_first()) == 10


async def test_the_tenth_try_may_still_be_right(tenant_http, login, right):
    for _ in range(9):
        assert (await tenant_http.post(login, data=WRONG)).status_code == 400
    assert (await tenant_http.post(login, data=right)).status_code == 302


@pytest.mark.parametrize("cookie", [None, "", "x", "\\377", '"', "x" * 4000])
async def test_a_form_from_another_browser_is_refused(tenant, tenant_http, login, right, cookie):
    """Login CSRF: nobody can log a victim in as himself."""
    before = everything(tenant)
    tenant_http.cookies.clear()
    headers = {} if cookie is None else {"cookie": f"baink_login={cookie}"}
    answer = await tenant_http.post(login, data=right, headers=headers)
    assert answer.status_code == 400
    assert everything(tenant) == before


STRANGE_HOSTS = ["evil.example", "evil.example:7777", "127.0.0.1.evil.example", "", "[::1"]
STRANGE_ORIGINS = [
    "http://evil.example",
    "null",
    "http://127.0.0.1:1",
    "http://localhost:7777",
    "",
    "http://[",
]


@pytest.mark.parametrize("host", STRANGE_HOSTS)
async def test_pages_do_not_answer_under_a_rebound_name(
    tenant,
    tenant_http,
    login,
    right,
    authorize,
    ticket,
    host,
):
    link = await ticket()
    before = everything(tenant)
    headers = {"host": host}
    answers = [
        await tenant_http.get(login, headers=headers),
        await tenant_http.post(login, data=right, headers=headers),
        await tenant_http.get(link, headers=headers),
        await tenant_http.post(link, data={"name": "x"}, headers=headers),
        await tenant_http.get("authorize", headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [421] * 5
    assert everything(tenant) == before


@pytest.mark.parametrize("host", ["127.0.0.1:7777", "localhost:1", "[::1]:5", "tenant"])
async def test_pages_answer_under_names_that_nobody_owns(tenant_http, login, host):
    assert (await tenant_http.get(login, headers={"host": host})).status_code == 200


@pytest.mark.parametrize("origin", STRANGE_ORIGINS)
async def test_forms_of_other_sites_are_refused(
    tenant,
    tenant_http,
    login,
    right,
    ticket,
    origin,
):
    link = await ticket()
    before = everything(tenant)
    headers = {"origin": origin}
    for path, form in ((login, right), (link, {"name": "x"})):
        answer = await tenant_http.post(path, data=form, headers=headers)
        assert answer.status_code == 403, answer.text
    assert everything(tenant) == before
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert (await tenant_http.post(link, data={"name": "x"}, headers=headers)).status_code == 403
    headers = {"origin": "http://127.0.0.1:7777"}
    assert (await tenant_http.post(login, data=right, headers=headers)).status_code == 302


async def test_pages_keep_to_themselves(tenant_http, login, ticket):
    """Not framed, not cached, not sniffed; no script at all; their addresses go nowhere."""
    for path in (login, await ticket(), "authorize", "guardian/enroll?ticket=none"):
        answer = await tenant_http.get(path)
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "<script" not in answer.text


async def test_what_is_written_in_forms_comes_back_as_text(tenant_http, login, authorize):
    nasty = "\"><script>alert(1)</script>&'"
    page = await tenant_http.post(login, data={"username": nasty, "password": "x"})
    assert "<script" not in page.text
    assert re.search("&lt;script", page.text)
    assert "<script" not in (await authorize(client_id=nasty)).text


async def test_ten_thousand_logins_are_not_remembered(tenant, authorize, tenant_http):
    """Each may carry little, and the oldest are forgotten."""
    long = await authorize(state="x" * 60_000)
    assert long.status_code == 400
    first = (await authorize(state="y" * 4000)).headers["location"]
    for _ in range(1000):
        await authorize()
    assert (await tenant_http.get(first)).status_code == 400


async def test_no_scope_of_ten_thousand_is_granted(tenant, tenant_http, start, authorize):
    many = " ".join(f"s{number}" for number in range(10_000))
    started = await start(scope=f"openid {many} create:transfer")
    assert started.status_code == 200
    [waiting] = tenant.notifications()
    assert waiting["scope"] == "openid create:transfer"
    assert (await authorize(scope=many)).status_code == 400


async def test_the_log_cannot_be_filled_with_megabytes(tenant, tenant_http):
    """No key is needed to be logged as a failure: so an entry is small whatever was sent."""
    for name in ("audience", "login_hint", "scope", "binding_message", "client_id"):
        form = {"client_id": "nobody", name: "x" * 60_000}
        assert (await tenant_http.post("bc-authorize", data=form)).status_code in (400, 401)
    form = {"grant_type": "client_credentials", "client_id": "x" * 60_000}
    await tenant_http.post("oauth/token", data=form)
    await tenant_http.get(f"rich-consents/{'c' * 60_000}")
    ids = tenant.credentials()
    form = {
        "grant_type": "client_credentials",
        "client_id": ids["management_client_id"],
        "client_secret": ids["management_client_secret"],
        "audience": "a" * 60_000,
    }
    assert (await tenant_http.post("oauth/token", data=form)).status_code == 403
    entries = tenant.events.newest_first()
    assert len(entries) >= 8
    assert max(len(json.dumps(entry)) for entry in entries) < 10_000


async def test_queries_are_not_kept_by_the_interpreter(tenant, tenant_http, management):
    """Wildcards are matched without regular expressions, which Python caches for good."""
    import fnmatch

    kept = fnmatch._compile_pattern.cache_info().currsize
    for number in range(20):
        query = {"q": f"name:*{number}*"}
        answer = await tenant_http.get("api/v2/users", params=query, headers=management)
        assert answer.status_code == 200
    assert fnmatch._compile_pattern.cache_info().currsize == kept


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name:A*", 1),
        ("name:*z", 1),
        ("name:*a*a*", 1),
        ("name:Ana*Ana*Alvarez", 0),
        ("name:*Brandt*", 1),
        ("name:**", 2),
        ("name:B*n*B*t", 1),
        ("email:*@baink.example", 2),
        ("nickname:ana", 1),
        ("nickname:an", 0),
        ("nickname:a?a", 0),
        ("nickname:ana*ana", 0),
    ],
)
async def test_a_star_stands_for_anything(tenant_http, management, query, found):
    answer = await tenant_http.get("api/v2/users", params={"q": query}, headers=management)
    assert len(answer.json()) == found, answer.text


@pytest.mark.parametrize("path", ["oauth/token/", "userinfo/", "guardian/enroll/", "authorize/"])
async def test_a_slash_too_many_is_no_redirect(tenant_http, path):
    """A redirect would go to whatever name the caller sent as Host."""
    answer = await tenant_http.get(path, headers={"host": "evil.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7"])
async def test_json_is_utf8(tenant, tenant_http, management, encoding):
    """RFC 8259 section 8.1; Python's own reader takes others too."""
    before = everything(tenant)
    json_type = {"content-type": f"application/json; charset={encoding}"}
    body = json.dumps({"name": "+AGEAYg-é"}).encode(encoding)
    if encoding == "utf-7":
        body = b"+AHsAIg-"
    answer = await tenant_http.post("api/v2/clients", content=body, headers=management | json_type)
    assert answer.json()["errorCode"] == "invalid_body", answer.text
    answer = await tenant_http.post("oauth/token", content=body, headers=json_type)
    assert answer.json()["error"] == "invalid_request"
    assert everything(tenant) == before


async def test_a_parameter_sent_twice_is_refused_in_json_too(tenant, tenant_http, world):
    headers = {"content-type": "application/json"}
    body = b'{"grant_type": "client_credentials", "client_id": "a", "client_id": "b"}'
    answer = await tenant_http.post("oauth/token", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("value", [[], {}, 5, True, None, 1.5, {"a": []}])
@pytest.mark.parametrize("name", ["format", "iss", "sub"])
async def test_a_login_hint_with_odd_values_is_refused(tenant, start, name, value):
    hint = {"format": "iss_sub", "iss": tenant.issuer, "sub": "auth0|x"} | {name: value}
    answer = await start(login_hint=json.dumps(hint))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


BASIC = {
    "no base64": "Basic ***",
    "bad padding": "Basic YQ",
    "not UTF-8": "Basic //79/A==",
    "no colon": "Basic YWJj",
    "only a colon": "Basic Og==",
    "many colons": "Basic Ojo6Ojo6Og==",
    "bad escapes": "Basic JXp6OiU=",
    "a nul": "Basic AAAA",
    "nothing": "Basic",
    "two": "Basic YTpi Basic YTpi",
    "huge": "Basic " + "YWFh" * 10_000,
    "spaces": "Basic    ",
}


@pytest.mark.parametrize("name", BASIC)
@pytest.mark.parametrize("path", ["bc-authorize", "oauth/token", "oauth/revoke"])
async def test_bad_basic_credentials_are_refused(tenant, tenant_http, name, path):
    before = everything(tenant)
    form = {"grant_type": "client_credentials", "audience": "x", "token": "x"}
    headers = {"authorization": BASIC[name]}
    answer = await tenant_http.post(path, data=form, headers=headers)
    assert answer.status_code == 401, answer.text
    wanted = "invalid_client" if path == "bc-authorize" else "access_denied"
    assert answer.json()["error"] == wanted
    assert everything(tenant) == before


async def test_a_wrong_secret_costs_the_same_comparison_for_every_length(
    tenant, tenant_http, monkeypatch
):
    """Every secret that a caller sends is compared by hmac.compare_digest, and by nothing else."""
    import hmac

    compared = []
    real = hmac.compare_digest

    def recording(one, other):
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", recording)
    ids = tenant.credentials()
    for wrong in ("", "x", ids["client_secret"][:-1], ids["client_secret"] + "x"):
        compared.clear()
        form = {"client_id": ids["client_id"], "client_secret": wrong, "token": "x"}
        assert (await tenant_http.post("oauth/revoke", data=form)).status_code == 401
        assert compared == [(wrong.encode(), ids["client_secret"].encode())]
    compared.clear()
    [enrollment] = tenant.enrollments
    path = f"appliance-mfa/api/device-accounts/{enrollment}/pushes"
    answer = await tenant_http.get(path, headers={"authorization": "Bearer wrong"})
    assert answer.status_code == 401
    assert len(compared) == 1


async def test_the_phone_s_secret_is_compared_in_constant_time(phone_http, monkeypatch):
    import hmac

    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr(
        hmac, "compare_digest", lambda one, two: compared.append((one, two)) or real(one, two)
    )
    assert (await phone_http.get("http://phone/s3cre/notifications")).status_code == 404
    assert compared == [(b"s3cre", b"s3cret")]


async def test_unknown_hosts_may_still_use_the_endpoints(tenant):
    """Programs reach us under any name: only pages are for browsers."""
    from baink_lab.sandbox.tenant import create_app

    transport = httpx.ASGITransport(create_app(tenant))
    async with httpx.AsyncClient(transport=transport, base_url="http://t.example") as http:
        assert (await http.get("/.well-known/openid-configuration")).status_code == 200
