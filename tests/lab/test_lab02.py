"""Lab 02: each mistake in the tenant fires its own hint and no other, and its fix turns green."""

from __future__ import annotations

import dataclasses
import re
import types
from pathlib import Path

import nbformat
import pytest

from baink_lab.auth0.ciba import iss_sub
from baink_lab.lab.checks import Kind
from baink_lab.lab.checks.mistakes import BY_MISTAKE
from baink_lab.lab.tenant.pieces import TRANSFERS_API, access, api_path, permission
from tests.lab.lab_world import all_green, mistakes, opened

pytestmark = pytest.mark.timeout(90)
CIBA = "urn:openid:params:grant-type:ciba"


@pytest.fixture
async def lab(shared_home):
    async with opened(2, ready=True) as lab:
        yield lab


@pytest.fixture
async def untouched(shared_home):
    async with opened(2) as lab:
        yield lab


async def grant_of(lab):
    return (await lab.tenant()).user_grant["id"]


async def client(lab, **changes):
    return await lab.api.patch(f"clients/{lab.world.client_id}", changes)


async def no_ciba(lab):
    await client(lab, grant_types=["authorization_code", "refresh_token"])
    return lambda: client(lab, grant_types=["authorization_code", "refresh_token", CIBA])


async def public_client(lab):
    await client(lab, grant_types=["authorization_code"], token_endpoint_auth_method="none")

    async def fix():
        grants = ["authorization_code", "refresh_token", CIBA]
        await client(lab, grant_types=grants, token_endpoint_auth_method="client_secret_post")

    return fix


async def only_email(lab):
    await client(lab, async_approval_notification_channels=["email"])
    return lambda: client(lab, async_approval_notification_channels=["guardian-push"])


async def make_api(lab, identifier, **changes):
    return await lab.api.post(
        "resource-servers", {**TRANSFERS_API, "identifier": identifier, **changes}
    )


async def right_api(lab):
    await make_api(lab, lab.world.audience, scopes=[permission()])
    await lab.api.post("client-grants", access(lab.world))


async def unrelated_api(lab):
    await lab.api.delete(api_path(lab.world))
    other = await make_api(lab, "https://bank.example/")

    async def fix():
        await lab.api.delete(f"resource-servers/{other['id']}")
        await right_api(lab)

    return fix


def near_api(change):
    async def mistake(lab):
        await lab.api.delete(api_path(lab.world))
        other = await make_api(lab, change(lab.world.audience), scopes=[permission()])

        async def fix():
            await lab.api.delete(f"resource-servers/{other['id']}")
            await right_api(lab)

        return fix

    return mistake


async def patch_api(lab, **changes):
    return await lab.api.patch(api_path(lab.world), changes)


async def auth0_dialect(lab):
    await patch_api(lab, token_dialect="access_token")
    return lambda: patch_api(lab, token_dialect="rfc9068_profile")


def scopes_are(*values):
    async def mistake(lab):
        await patch_api(lab, scopes=[{"value": value} for value in values])
        return lambda: patch_api(lab, scopes=[permission()])

    return mistake


async def grant_for_machines(lab):
    await lab.api.delete(f"client-grants/{await grant_of(lab)}")
    machine = await lab.api.post(
        "client-grants", access(lab.world) | {"subject_type": "client", "scope": []}
    )

    async def fix():
        await lab.api.delete(f"client-grants/{machine['id']}")
        await lab.api.post("client-grants", access(lab.world))

    return fix


async def nobody_may(lab):
    policies = TRANSFERS_API["subject_type_authorization"]
    shut = policies | {"user": {"policy": "deny_all"}}
    await patch_api(lab, subject_type_authorization=shut)
    return lambda: patch_api(lab, subject_type_authorization=policies)


async def grant_without_scope(lab):
    path = f"client-grants/{await grant_of(lab)}"
    await lab.api.patch(path, {"scope": []})
    return lambda: lab.api.patch(path, {"scope": ["create:transfer"]})


async def rbac(lab):
    await patch_api(lab, enforce_policies=True)
    return lambda: patch_api(lab, enforce_policies=False)


async def wrong_secret(lab):
    right = lab.world
    lab.world = dataclasses.replace(right, client_secret="not the secret of the bAInk")

    async def fix():
        lab.world = right

    return fix


async def other_domain(lab):
    right = lab.world
    alias = right.issuer.replace("127.0.0.1", "localhost")
    lab.world = dataclasses.replace(right, issuer=alias)

    async def fix():
        lab.world = right

    return fix


MADE = {
    "T1": no_ciba,
    "T2": public_client,
    "T3": only_email,
    "T6": unrelated_api,
    "T7 scheme": near_api(lambda one: one.replace("https", "http")),
    "T7 port": near_api(lambda one: one.replace("3000", "8080")),
    "T7 slash": near_api(lambda one: f"{one}/"),
    "T8": auth0_dialect,
    "T9": scopes_are(),
    "T9 other": scopes_are("read:accounts"),
    "T10 plural": scopes_are("create:transfers"),
    "T10 hyphen": scopes_are("create-transfer"),
    "T11 machine": grant_for_machines,
    "T11 nobody": nobody_may,
    "T12": grant_without_scope,
    "T13": rbac,
    "T14": wrong_secret,
    "T15": other_domain,
}


@pytest.mark.parametrize("name", MADE)
async def test_a_mistake_fires_its_own_hint_and_its_fix_turns_green(lab, name):
    wanted = name.split()[0]
    if wanted == "T9":  # the learner has gone on without the permission
        grant = await grant_of(lab)
        await lab.api.patch(f"client-grants/{grant}", {"scope": []})
    fix = await MADE[name](lab)
    found, results = await mistakes(lab)
    assert found == {wanted}, results
    wrong = [one for one in results.values() if one.kind is Kind.WRONG]
    assert [one.mistake for one in wrong] == [wanted], results
    assert wrong[0].name in repr(wrong[0])
    first = (*wrong[0].hints, *BY_MISTAKE[wanted])[0]
    assert first in repr(lab.hint(wrong[0].name))
    await fix()
    if wanted == "T9":
        await lab.api.patch(f"client-grants/{grant}", {"scope": ["create:transfer"]})
    assert await all_green(lab)


async def test_untouched_is_not_attempted_and_names_no_mistake(untouched):
    found, results = await mistakes(untouched)
    assert found == set()
    assert results.pop("settings")
    assert {one.kind for one in results.values()} == {Kind.NOT_ATTEMPTED}
    assert "comes first" in results["permission"].why


NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "02_configure_the_tenant.ipynb"
STEPS = {1: "ciba", 2: "api", 3: "permission", 4: "access"}


async def run_step(lab, number, names, *, forgetful=False):
    """The notebook's own cell of a step; a forgetful learner leaves out its last `await`."""
    cells = nbformat.read(NOTEBOOK, 4).cells
    at = next(i for i, one in enumerate(cells) if one.source.startswith(f"## Step {number}:"))
    code = next(one.source for one in cells[at:] if one.cell_type == "code")
    *before, last = code.splitlines()
    if forgetful:
        assert "= await http." in last
        last = last.replace("await ", "")
    body = "\n".join(f"    {line}" for line in [*before, last, "return answer"])
    exec(f"async def cell():\n{body}", names)
    answer = await names["cell"]()
    if forgetful:
        answer.close()


async def test_a_step_whose_await_was_forgotten_is_told_to_have_sent_nothing(untouched):
    lab = untouched
    names = {"lab": lab, "world": lab.world, "http": await lab.management()}
    names["app"] = f"clients/{lab.world.client_id}"
    for number, name in STEPS.items():
        await run_step(lab, number, names, forgetful=True)
        told = await lab.check(name)
        assert told.kind is Kind.NOT_ATTEMPTED
        verb = "PATCH" if number in (1, 3) else "POST"
        assert f"step {number}. (You ran it? Without `await` the {verb}" in told.next_step
        await run_step(lab, number, names)
        assert await lab.check(name)


async def test_step_1_shows_what_it_changed_and_little_else(untouched, capsys):
    lab = untouched
    names = {"lab": lab, "world": lab.world, "http": await lab.management()}
    names["app"] = f"clients/{lab.world.client_id}"
    await run_step(lab, 1, names)
    told = capsys.readouterr().out
    assert len(told.splitlines()) < 45
    assert '"callbacks"' not in told
    get, patch = lab.exchanges[-2:]
    assert CIBA not in get.received["grant_types"]
    assert CIBA in patch.received["grant_types"]
    assert patch.received["callbacks"], "what is kept is whole"
    _, _, answer = told.rpartition("200 OK")
    assert CIBA in answer
    assert "more: answer.json() has them all" in answer


async def test_no_grant_is_wrong_only_after_the_tenant_has_refused_for_it(lab):
    await lab.api.delete(f"client-grants/{await grant_of(lab)}")
    form = {
        "client_id": lab.world.client_id,
        "client_secret": lab.world.client_secret,
        "login_hint": iss_sub(lab.world.issuer, lab.world.user_id),
        "scope": "openid create:transfer",
        "audience": lab.world.audience,
        "binding_message": "Move 1.00 USD",
    }
    assert (await lab.check("access")).kind is Kind.NOT_ATTEMPTED
    async with lab.http() as http:
        assert (await http.post("bc-authorize", data=form)).status_code == 403
    assert (await lab.check("access")).mistake == "T11"


async def test_a_login_that_a_shorter_list_took_away_is_told_and_mended_by_the_line_shown(lab):
    await client(lab, grant_types=[CIBA])
    red = await lab.check("ciba")
    assert red.kind is Kind.WRONG
    assert "has lost 2 grants: authorization_code and refresh_token" in red.why
    assert "no customer can log in" in red.why
    assert (await lab.check("token")).kind is Kind.NOT_ATTEMPTED
    await run_line(lab, red)
    assert await all_green(lab)


async def run_line(lab, red):
    """Do what the check says, as a learner who copies its code into a cell."""
    (code,) = re.findall(r"`await (.+?)`", red.next_step)
    async with await lab.management() as http:
        names = {"http": http, "lab": lab, "world": lab.world}
        answer = await eval(code, names | {"app": f"clients/{lab.world.client_id}"})
        assert answer.is_success, answer.text


@pytest.mark.parametrize("made", [auth0_dialect, grant_without_scope, rbac, nobody_may])
async def test_the_line_that_a_check_shows_is_the_cure(lab, made):
    await made(lab)
    _, results = await mistakes(lab)
    (red,) = [one for one in results.values() if one.kind is Kind.WRONG]
    await run_line(lab, red)
    assert await all_green(lab)


async def test_a_shared_secret_signs_nothing_for_the_bank(lab):
    await patch_api(lab, signing_alg="HS256")
    red = await lab.check("api")
    assert red.kind is Kind.WRONG
    assert "signed with HS256" in red.why
    await run_line(lab, red)
    assert await all_green(lab)


async def test_a_policy_that_shuts_everybody_out_is_told_as_that(lab):
    await nobody_may(lab)
    red = await lab.check("access")
    assert "deny_all" in red.why
    assert "require_client_grant" in red.next_step
    assert "by the API's own policy" in repr(lab.hint("access"))


async def test_what_is_in_backticks_is_code(lab):
    shown = (await lab.check("api"))._repr_mimebundle_()["text/html"]
    assert "<code>aud</code>" in shown
    assert "`" not in shown


async def test_every_application_may_ask_when_the_api_says_so(lab):
    await lab.api.delete(f"client-grants/{await grant_of(lab)}")
    policies = TRANSFERS_API["subject_type_authorization"] | {"user": {"policy": "allow_all"}}
    await patch_api(lab, subject_type_authorization=policies)
    told = await lab.check("api")
    assert told, "the bank does not mind"
    assert "lets every application of the tenant ask for users" in told.why
    told = (await lab.check("access")).why
    assert "every application" in told
    assert "wider than it needs to be" in told
    assert "Per-app authorization closes it" in told
    await lab.api.post("client-grants", access(lab.world))
    assert "every application" in (await lab.check("access")).why
    assert await lab.check("token")


async def test_a_long_life_of_tokens_is_told_with_the_line_that_mends_it(lab):
    assert "But" not in (await lab.check("api")).why
    await patch_api(lab, token_lifetime=86400)
    told = await lab.check("api")
    assert told
    assert "good for 86400 seconds, and not for 300" in told.why
    assert "json={'token_lifetime': 300}" in told.why
    await patch_api(lab, token_lifetime=300)


async def refused(lab, method, path, body):
    http = await lab.management()
    answer = await http.request(method, path, json=body)
    assert answer.status_code >= 400
    return answer.json()["message"]


async def test_a_refused_request_is_quoted_and_await_is_not_spoken_of(untouched):
    lab = untouched
    app = f"clients/{lab.world.client_id}"
    asked = [
        ("ciba", "PATCH", app, {"grant_types": ["authorization_code", "ciba"]}),
        ("api", "POST", "resource-servers", TRANSFERS_API | {"identifier": ""}),
    ]
    for name, method, path, body in asked:
        said = await refused(lab, method, path, body)
        told = await lab.check(name)
        assert told.kind is Kind.WRONG
        assert (
            f"Your last {method} was sent, and the tenant refused it with 400: {said}" in told.why
        )
        assert "Without `await`" not in told.next_step
        assert "what the tenant names" in repr(lab.hint(name))
    await make_api(lab, lab.world.audience)
    await refused(lab, "PATCH", f"resource-servers/{lab.world.audience}", {"scopes": []})
    told = await lab.check("permission")
    assert "refused it with 404" in told.why
    assert "lab.quoted(…)" in told.next_step


async def test_what_is_there_already_is_changed_and_a_wrong_end_of_an_address_is_named(untouched):
    lab = untouched
    await make_api(lab, lab.world.audience, token_dialect="access_token")
    await refused(
        lab, "POST", "resource-servers", TRANSFERS_API | {"identifier": lab.world.audience}
    )
    told = await lab.check("api")
    assert "refused it with 409" in told.why
    assert not told.next_step.startswith("Mend what the tenant names")
    assert "What is there already is not made again" in told.next_step
    assert "names" not in repr(lab.hint("api"))
    await refused(lab, "PATCH", "clients/nobody", {"grant_types": [CIBA]})
    told = await lab.check("ciba")
    assert "refused it with 404" in told.why
    assert "Nothing at the tenant is called “nobody”" in told.next_step


async def test_a_forgotten_await_is_told_and_not_an_older_refusal(untouched, monkeypatch):
    lab = untouched
    app = f"clients/{lab.world.client_id}"
    await refused(lab, "PATCH", app, {"grant_types": ["ciba"]})
    answer = (await lab.management()).patch(app, json={"grant_types": [CIBA]})
    notebook = types.SimpleNamespace(user_ns={"answer": answer})
    monkeypatch.setattr("baink_lab.lab.learner.unawaited.shell", lambda: notebook)
    told = await lab.check("ciba")
    answer.close()
    assert "refused it" not in told.why
    assert "Write `await` in front of `http.patch(…)`" in told.next_step
    assert "refused it with 400" in (await lab.check("ciba")).why, "it was awaited, or thrown away"


async def test_of_two_wrong_apis_and_scopes_the_newest_is_named(untouched):
    lab = untouched
    wanted = lab.world.audience
    http = await lab.management()
    for wrong in (f"{wanted}/", wanted.replace("accounts", "account")):
        await http.post("resource-servers", json=TRANSFERS_API | {"identifier": wrong})
        assert f"There is an API {wrong}\n" in (await lab.check("api")).why
    await make_api(lab, wanted)
    for wrong in ("create:transfers", "Create:Transfer"):
        scopes = [*(await lab.tenant()).api.get("scopes", []), {"value": wrong}]
        await http.patch(api_path(lab.world), json={"scopes": scopes})
        assert f'The API defines "{wrong}"' in (await lab.check("permission")).why
