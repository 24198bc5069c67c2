"""The doctor: content with a good sandbox, and one ❌ with its own fix for each broken thing."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from urllib.parse import quote

import httpx
import pytest

from baink_lab.auth0.management import ManagementClient
from baink_lab.auth0.tokens import TokenVerifier
from baink_lab.bank.api import create_app as create_bank
from baink_lab.bank.ledger import Ledger
from baink_lab.lab.doctor.findings import Finding
from baink_lab.lab.doctor.machine import look_at_machine, packages
from baink_lab.lab.doctor.report import as_html, as_text, examine
from baink_lab.lab.doctor.services import look_at_services
from baink_lab.lab.doctor.tenant import look_at_tenant
from baink_lab.lab.tenant.view import CIBA_GRANT
from baink_lab.sandbox import model, phone
from baink_lab.sandbox.tenant import create_app
from baink_lab.settings import Settings
from tests.conftest import ISSUER

PHONE = "http://phone/s3cret"
CUSTOM = "http://login.bank.example"  # another name of the same tenant


class Down(httpx.AsyncBaseTransport):
    """Nobody is there."""

    async def handle_async_request(self, request):
        raise httpx.ConnectError("refused", request=request)


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, baink_home=tmp_path / "home")


@pytest.fixture
def world(world):
    return dataclasses.replace(world, phone=PHONE)


@pytest.fixture
async def http(tenant, world, tmp_path, clock):
    """All four services in this process, each at its own address."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(tenant))) as keys:
        verifier = TokenVerifier(world.issuer, [world.audience], keys, clock)
        with closing(Ledger.open(tmp_path / "ledger.db")) as ledger:
            apps = {
                world.tenant: create_app(tenant),
                world.bank: create_bank(
                    ledger, verifier, transfers_audience=world.audience, clock=clock
                ),
                world.model.removesuffix("/v1"): model.create_app(),
                "http://phone": phone.create_app(tenant, "s3cret"),
                CUSTOM: create_app(tenant),
            }
            mounts = {url: httpx.ASGITransport(app) for url, app in apps.items()}
            async with httpx.AsyncClient(transport=Down(), mounts=mounts) as http:
                yield http


@pytest.fixture
def look(settings, world, http):
    async def look(**changes):
        seen = dataclasses.replace(world, **changes)
        return [
            *await look_at_services(settings, seen, http),
            *await look_at_tenant(seen, http),
        ]

    return look


def change_client(tenant, world, **changes):
    client = tenant.clients[world.client_id]
    tenant.clients.put(world.client_id, {**client, **changes})


def change_api(tenant, world, **changes):
    api = tenant.api(world.audience)
    tenant.apis.put(api["id"], {**api, **changes})


def wrong_in(findings):
    return {finding.name: finding for finding in findings if finding.ok is not True}


async def test_the_sandbox_is_well(look):
    findings = await look()
    assert wrong_in(findings) == {}
    assert len(findings) == 24
    found = {one.name: one.found for one in findings}
    assert found["customer's phone"].endswith(" has 1 phone enrolled")
    assert not any(finding.fix for finding in findings)


def no_client(tenant, world):
    tenant.clients.remove(world.client_id)


def by_private_key(tenant, world):
    change_client(tenant, world, token_endpoint_auth_method=None)


def no_ciba_grant(tenant, world):
    grants = tenant.clients[world.client_id]["grant_types"]
    change_client(tenant, world, grant_types=[each for each in grants if each != CIBA_GRANT])


def no_channel(tenant, world):
    change_client(tenant, world, async_approval_notification_channels=["email"])


def third_party(tenant, world):
    change_client(tenant, world, is_first_party=False)


def not_conformant(tenant, world):
    change_client(tenant, world, oidc_conformant=False)


def no_code_grant(tenant, world):
    change_client(tenant, world, grant_types=[CIBA_GRANT])


def consent_with_mfa(tenant, world):
    change_api(tenant, world, consent_policy="transactional-authorization-with-mfa")


def shared_secret(tenant, world):
    change_api(tenant, world, signing_alg="HS256")


def rbac_without_permission(tenant, world):
    change_api(tenant, world, enforce_policies=True)


def closed_to_all(tenant, world):
    policy = {"user": {"policy": "deny_all"}, "client": {"policy": "deny_all"}}
    change_api(tenant, world, subject_type_authorization=policy)


def accounts_api(tenant, world):
    return tenant.api(world.audience.removesuffix("/transfers"))


def no_accounts_api(tenant, world):
    tenant.apis.remove(accounts_api(tenant, world)["id"])


def accounts_unreadable(tenant, world):
    api = accounts_api(tenant, world)
    tenant.apis.put(api["id"], {**api, "scopes": [], "token_dialect": "access_token"})


def no_provider(tenant, world):
    tenant.guardian.put("provider", {"provider": "none"})


def blocked(tenant, world):
    tenant.users.put(world.user_id, {**tenant.users[world.user_id], "blocked": True})


def take_scope(tenant, world, *scopes):
    management = f"{world.issuer}api/v2/"
    grant = tenant.grant(world.management_client_id, management, "client")
    kept = [one for one in grant["scope"] if one not in scopes]
    tenant.grants.put(grant["id"], {**grant, "scope": kept})


def log_not_readable(tenant, world):
    take_scope(tenant, world, "read:logs")


def no_api(tenant, world):
    tenant.apis.remove(tenant.api(world.audience)["id"])


def no_permission(tenant, world):
    change_api(tenant, world, scopes=[])


def auth0_dialect(tenant, world):
    change_api(tenant, world, token_dialect="access_token")


def no_client_grant(tenant, world):
    tenant.grants.remove(tenant.grant(world.client_id, world.audience, "user")["id"])


def grant_without_scope(tenant, world):
    grant = tenant.grant(world.client_id, world.audience, "user")
    tenant.grants.put(grant["id"], {**grant, "scope": []})


def push_off(tenant, world):
    tenant.guardian.put("factor:push-notification", {"enabled": False})


def no_enrolment(tenant, world):
    for key in list(tenant.enrollments):
        tenant.enrollments.remove(key)


def no_user(tenant, world):
    tenant.users.remove(world.user_id)


@pytest.mark.parametrize(
    ("break_it", "name", "fix"),
    [
        (no_client, "client", "AUTH0_CLIENT_ID"),
        (by_private_key, "client", "Credentials"),
        (no_ciba_grant, "CIBA grant", "Grant Types"),
        (no_channel, "notification channel", "Guardian push"),
        (no_api, "API", "Create API"),
        (no_permission, "permission", "create:transfer"),
        (auth0_dialect, "token profile", "RFC 9068"),
        (no_client_grant, "application access", "User-Delegated Access"),
        (grant_without_scope, "application access", "User-Delegated Access"),
        (push_off, "Guardian push", "Multi-factor Auth"),
        (no_enrolment, "customer's phone", "Lab 03"),
        (no_user, "customer", "AUTH0_USER_ID"),
        (third_party, "first party", "cannot be converted"),
        (not_conformant, "OIDC conformant", "OAuth"),
        (no_code_grant, "login grant", "Authorization Code"),
        (consent_with_mfa, "consent policy", "Standard"),
        (shared_secret, "signature", "RS256"),
        (rbac_without_permission, "RBAC", "Assign Permissions"),
        (closed_to_all, "application access", "No apps allowed"),
        (no_accounts_api, "accounts API", "read:accounts"),
        (accounts_unreadable, "accounts API", "RFC 9068"),
        (no_provider, "push provider", "Push Notification App"),
        (blocked, "customer", "Unblock"),
        (log_not_readable, "management scopes", "read:logs"),
    ],
)
async def test_each_broken_thing_has_its_own_cross_and_fix(
    look, tenant, world, break_it, name, fix
):
    break_it(tenant, world)
    wrong = wrong_in(await look())
    assert wrong[name].ok is False
    assert fix in wrong[name].fix
    assert wrong[name].why.endswith(".")
    # With the API gone, the grant for it is gone too: that is said beside it, and nothing else.
    assert wrong.keys() <= ({name, "application access"} if break_it is no_api else {name})


async def test_scopes_that_labs_change_with_may_be_missing(look, tenant, world):
    take_scope(tenant, world, "update:clients", "create:client_grants")
    wrong = wrong_in(await look())
    assert wrong.keys() == {"management scopes"}
    assert wrong["management scopes"].ok is None
    assert "update:clients, create:client_grants" in wrong["management scopes"].fix
    assert "dashboard" in wrong["management scopes"].fix


async def test_rbac_with_the_permission_is_well(look, tenant, world):
    rbac_without_permission(tenant, world)
    held = {
        "resource_server_identifier": world.audience,
        "permission_name": "create:transfer",
    }
    transport = httpx.ASGITransport(create_app(tenant))
    async with httpx.AsyncClient(transport=transport) as own:
        credentials = (world.management_client_id, world.management_client_secret)
        api = ManagementClient(world.issuer, *credentials, http=own)
        await api.post(
            f"users/{quote(world.user_id, safe='')}/permissions", {"permissions": [held]}
        )
    assert wrong_in(await look()) == {}


async def test_an_api_open_to_all_needs_no_grant(look, tenant, world):
    no_client_grant(tenant, world)
    policy = {"user": {"policy": "allow_all"}, "client": {"policy": "deny_all"}}
    change_api(tenant, world, subject_type_authorization=policy)
    assert wrong_in(await look()) == {}


@pytest.mark.parametrize("name", ["bank", "model", "phone"])
async def test_a_service_that_is_down_is_named(look, name):
    wrong = wrong_in(await look(**{name: "http://127.0.0.1:9/s3cret"}))
    assert wrong.keys() == {name}
    assert "does not answer" in wrong[name].found
    assert "baink-lab sandbox" in wrong[name].fix


async def test_a_tenant_that_is_down_is_told_everywhere_without_an_exception(look):
    wrong = wrong_in(await look(tenant="http://127.0.0.1:9", issuer="http://127.0.0.1:9/"))
    assert wrong.keys() >= {"tenant", "client", "API", "Guardian push", "customer"}
    assert all(finding.fix for finding in wrong.values())


async def test_a_management_secret_that_is_wrong_names_the_setting(look):
    wrong = wrong_in(await look(management_client_secret="wrong"))
    assert "AUTH0_MGMT_CLIENT_SECRET" in wrong["client"].found


async def test_t15_a_custom_domain_is_recognised(look):
    wrong = wrong_in(await look(tenant=CUSTOM, issuer=f"{CUSTOM}/"))
    assert wrong["issuer"].found == ISSUER
    assert "127.0.0.1:7777" in wrong["issuer"].fix
    assert "looks like a custom domain" in wrong["management scopes"].fix


async def test_a_tenant_that_names_no_ciba_endpoint_gets_a_hint(settings, world, http):
    class WithoutCiba(httpx.AsyncBaseTransport):
        """Passes on what the tenant says, but for one line."""

        async def handle_async_request(self, request):
            said = (await http.get(str(request.url))).json()
            said.pop("backchannel_authentication_endpoint", None)
            return httpx.Response(200, json=said)

    mounts = {world.tenant: WithoutCiba()}
    async with httpx.AsyncClient(transport=Down(), mounts=mounts) as other:
        found = wrong_in(await look_at_services(settings, world, other))
    assert found["CIBA in the plan"].ok is None
    assert "Enterprise plan or an add-on" in found["CIBA in the plan"].fix


async def test_a_model_that_is_not_there_is_told_with_those_that_are(world, http, tmp_path):
    settings = Settings(
        _env_file=None, baink_home=tmp_path, openai_api_key="k", openai_model="gpt-none"
    )
    wrong = wrong_in(await look_at_services(settings, world, http))
    assert "has no model gpt-none" in wrong["model"].found
    assert "OPENAI_MODEL" in wrong["model"].fix


async def test_a_key_that_is_refused_names_the_setting(world, http, tmp_path):
    """The Management API stands in for a model server: it answers a key of nobody with 401."""
    settings = Settings(_env_file=None, baink_home=tmp_path, openai_api_key="k")
    seen = dataclasses.replace(world, model=f"{world.tenant}/api/v2/clients")
    wrong = wrong_in(await look_at_services(settings, seen, http))
    assert wrong["model"].fix == "Check OPENAI_API_KEY."


async def test_without_management_credentials_the_settings_are_not_checked(look):
    wrong = wrong_in(await look(management_client_id=""))
    assert wrong.keys() == {"tenant's settings"}
    assert wrong["tenant's settings"].ok is None
    assert "AUTH0_MGMT_CLIENT_ID" in wrong["tenant's settings"].fix


async def test_no_customer_is_told(look):
    wrong = wrong_in(await look(user_id=""))
    assert wrong.keys() == {"customer"}


async def test_no_secret_is_shown(look, world):
    for findings in (await look(), await look(phone="http://127.0.0.1:9/s3cret")):
        text = as_text(findings) + as_html(findings) + repr(findings)
        for secret in (world.client_secret, world.management_client_secret, "s3cret"):
            assert secret not in text


# The machine, and how it is shown


def test_this_machine_is_well(settings):
    findings = {finding.name: finding for finding in look_at_machine(settings)}
    assert all(finding.ok for finding in findings.values())
    assert "sandbox" in findings["mode"].found


def test_a_package_that_is_missing_or_old_is_named():
    found = packages("packages", ["no-such-thing>=1,<2", "httpx>=999"], needed=True)
    assert found.ok is False
    assert "no-such-thing (not installed)" in found.found
    assert "(needs 999 or newer)" in found.found
    assert "make lab" in found.fix
    assert packages("extras", ["no-such-thing"], needed=False).ok is None


async def test_without_a_sandbox_only_the_machine_is_looked_at(settings):
    findings = await examine(settings, None)
    assert findings[-1].name == "sandbox"
    assert findings[-1].ok is None


def test_text_and_table_say_the_same_in_words():
    findings = [
        Finding("one", True, "well"),
        Finding("two", False, "<b>ill</b>", "rest", "it hurts"),
        Finding("three", None, "who knows"),
    ]
    assert as_text(findings).splitlines() == [
        "good: one: well",
        "wrong: two: <b>ill</b>",
        "    why it matters: it hurts",
        "    to do: rest",
        "not checked: three: who knows",
        "1 of 3 needs your attention.",
    ]
    table = as_html(findings)
    assert "<b>" not in table
    assert 'role="img" aria-label="wrong"' in table
    below = "<p><em>Why it matters:</em> it hurts</p><p><em>What to do:</em> rest</p></td>"
    assert f"&gt;{below}" in table
    assert table.count("<em>") == 2, "nothing to do about the others"
    assert "1 of 3 needs your attention." in table
