"""Live mode changes a tenant only when somebody said yes, and can say how to take it all back."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from urllib.parse import quote

import pytest
from jupyter_client.manager import start_new_kernel
from typer.testing import CliRunner

from baink_lab.cli import app
from baink_lab.lab.tenant.careful import NotSent
from baink_lab.lab.tenant.journal import Journal
from baink_lab.lab.tenant.pieces import PIECES
from baink_lab.lab.tenant.undo import way_back
from baink_lab.lab.tenant.view import look
from baink_lab.sandbox import launch
from baink_lab.settings import load
from tests.lab.live_world import (
    Anew,
    Learner,
    manager,
    opened,
    set_environment,
    visit,
)

pytestmark = pytest.mark.timeout(120)
FACTOR = "guardian/factors/push-notification"


@pytest.fixture(scope="module")
def tenant(tmp_path_factory):
    return Anew(tmp_path_factory.mktemp("tenant"))


@pytest.fixture
def line(tenant):
    """Each test has the tenant as it was at first: they change it."""
    with tenant.again() as line:
        yield line


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A home whose bank serves every test: it is not what they are about."""
    home = tmp_path_factory.mktemp("kept") / "home"
    yield home
    asyncio.run(launch.stop(home))


@pytest.fixture
def home(kept):
    """Without what an earlier test wrote down, said to Aiya, or passed."""
    for name in ("live/lab*", "live/changes.jsonl", "live/progress.json"):
        for left in kept.glob(name):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    return kept


@pytest.fixture
def person(monkeypatch):
    """Who sits at the keyboard; what was shown when they were asked is in `asked`."""

    class Person:
        answer = "y"
        asked: list[str] = []  # noqa: RUF012

        def __call__(self, question):
            self.asked.append(question)
            return self.answer

    person = Person()
    person.asked = []
    monkeypatch.setattr("builtins.input", person)
    return person


async def untouched(lab):
    """A tenant as it is before lab 02: nothing of the labs is in it."""
    async with manager() as api:
        for name in reversed(PIECES):
            view = await look(api, lab.world)
            if PIECES[name].mark(view) is not None:
                await PIECES[name].remove(api, lab.world, view)


async def state(lab):
    """What the labs could have changed."""
    async with manager() as api:
        view = await look(api, lab.world)
        user = quote(lab.world.user_id, safe="")
        held = await api.get(f"users/{user}/permissions")
        callbacks = view.client["callbacks"]
    ids = sorted(str(one["id"]) for one in [*view.apis, *view.grants, *view.devices])
    kept = {name: view.client[name] for name in ("grant_types",)}
    channels = view.client.get("async_approval_notification_channels")
    return ids, kept, channels, view.factor, held, callbacks


async def lab_02(lab, http):
    """What the notebook's cells do, and a permission for the customer beside it."""
    world = lab.world
    path = f"clients/{world.client_id}"
    client = (await http.get(path, params={"fields": "grant_types"})).json()
    grants = [*client["grant_types"], "urn:openid:params:grant-type:ciba"]
    changes = {
        "grant_types": list(dict.fromkeys(grants)),
        "async_approval_notification_channels": ["guardian-push"],
    }
    answers = [await http.patch(path, json=changes)]
    api = {"name": "bAInk transfers", "identifier": world.audience, "signing_alg": "RS256"}
    api |= {"token_dialect": "rfc9068_profile", "enforce_policies": True}
    answers.append(await http.post("resource-servers", json=api))
    scope = {"value": "create:transfer", "description": "Initiate an account transfer"}
    api_path = f"resource-servers/{lab.quoted(world.audience)}"
    answers.append(await http.patch(api_path, json={"scopes": [scope]}))
    access = {"client_id": world.client_id, "audience": world.audience}
    access |= {"subject_type": "user", "scope": ["create:transfer"]}
    answers.append(await http.post("client-grants", json=access))
    one = {"resource_server_identifier": world.audience, "permission_name": "create:transfer"}
    user = f"users/{lab.quoted(world.user_id)}/permissions"
    answers.append(await http.post(user, json={"permissions": [one]}))
    answers.append(await http.put(FACTOR, json={"enabled": True}))
    assert all(one.is_success for one in answers), answers


async def test_all_that_was_changed_can_be_taken_back_as_listed(live, person):
    async with opened(2) as lab:
        await untouched(lab)
        before = await state(lab)
        await lab_02(lab, await lab.management())
        assert len(person.asked) == 6
        assert await state(lab) != before

        text = CliRunner().invoke(app, ["doctor", "--undo"]).output
        calls = re.findall(r"   API: (\w+) (/api/v2/\S+)(?:\n        (\{.*\}))?", text)
        assert len(calls) == 6
        async with manager() as api:
            for method, path, body in calls:
                sent = {"json": json.loads(body)} if body else {}
                await api._call(method, path.removeprefix("/api/v2/"), **sent)
        assert await state(lab) == before


async def test_a_change_is_shown_before_it_is_sent(live, person, capsys):
    async with opened(2) as lab:
        http = await lab.management()
        seen = []
        person.answer = "n"
        path = f"clients/{lab.world.client_id}"
        before = await state(lab)
        with pytest.raises(NotSent, match="nothing was sent"):
            await http.patch(path, json={"grant_types": ["refresh_token"]})
        seen = capsys.readouterr().out
        domain = load().auth0_domain
        assert person.asked == [f"Send it to {domain}? [y/N] "]
        assert f"PATCH /api/v2/{path}" in seen
        assert 'then: ["refresh_token"]' in seen
        assert "TAKES AWAY: [" in seen
        assert "authorization_code" in seen
        assert await state(lab) == before
        assert lab.journal.read() == []
        assert "→" not in seen  # no answer came, since nothing was sent


async def test_what_is_there_already_is_not_asked_about(live, person, capsys):
    async with opened(3) as lab:
        http = await lab.management()
        assert (await http.put(FACTOR, json={"enabled": True})).status_code == 200
        assert person.asked == []
        assert "has this already; nothing changes" in capsys.readouterr().out
        assert lab.journal.read() == []


@pytest.mark.parametrize("how", ["sure", "BAINK_YES"])
async def test_who_is_sure_is_not_asked(live, person, how):
    live(**({"BAINK_YES": "1"} if how == "BAINK_YES" else {}))
    async with opened(3) as lab:
        http = await lab.management(sure=how == "sure")
        await http.put(FACTOR, json={"enabled": False})
        assert person.asked == []
        (change,) = lab.journal.read()
        assert (change.before, change.sent) == ({"enabled": True}, {"enabled": False})


async def test_a_lab_that_is_closed_leaves_no_connection_open(live, person):
    async with opened(3) as lab:
        clients = [lab.http(), lab.bank_http(), await lab.management()]
        for http in clients:
            await http.get("/")
    assert [one.is_closed for one in clients] == [True] * 3


async def test_where_nobody_can_be_asked_nothing_is_sent(live):
    """Pytest's own stdin cannot be read, as nbconvert's cannot."""
    async with opened(3) as lab:
        http = await lab.management()
        with pytest.raises(NotSent, match=r"lab\.management\(sure=True\), or BAINK_YES=1"):
            await http.put(FACTOR, json={"enabled": False})
        assert (await lab.tenant()).factor
        assert (await http.get("guardian/factors")).is_success  # reading asks nobody


async def test_the_sandbox_asks_nobody(live, person):
    live(AUTH0_DOMAIN="", AUTH0_USER_ID="")
    async with opened(3) as lab:
        http = await lab.management()
        assert (await http.put(FACTOR, json={"enabled": True})).is_success
        assert person.asked == []
        assert not lab.journal.path.exists()


async def test_what_could_not_be_read_before_is_said(live, person, line, capsys):
    async with opened(2) as lab:
        async with manager() as api:
            (grant,) = await api.client_grants(client_id=line["management_client_id"])
            scope = [one for one in grant["scope"] if one != "read:client_grants"]
            (user,) = await api.client_grants(
                client_id=line["client_id"], audience=line["audience"], subject_type="user"
            )
            await api.patch(f"client-grants/{grant['id']}", {"scope": scope})
        http = await lab.management()
        await http.patch(f"client-grants/{user['id']}", json={"scope": []})
        assert "cannot be read: GET client-grants/" in capsys.readouterr().out
        (change,) = lab.journal.read()
        assert "403" in way_back(change)


async def test_what_the_tenant_refused_is_not_listed(live, person):
    async with opened(2) as lab:
        http = await lab.management()
        api = {"name": "twice", "identifier": lab.world.audience}
        assert (await http.post("resource-servers", json=api)).status_code == 409
        assert [one.happened for one in lab.journal.read()] == [False]
        said = CliRunner().invoke(app, ["doctor", "--undo"]).output
        assert "changed nothing" in said


async def test_aiya_writes_down_the_invitations_that_she_asks_for(live, person, capsys, line):
    async with opened(3) as lab:
        async with manager() as api:
            view = await look(api, lab.world)
            await PIECES["phone"].remove(api, lab.world, view)
        learner = Learner(capsys, line["user_password"])
        saying = asyncio.create_task(lab.say("Move $25 from checking to savings"))
        await visit(await learner.logs_in(await learner.link()))
        await saying
        assert "/guardian/enroll?ticket=" in learner.read()
        (change,) = lab.journal.read()
        assert (change.path, change.status) == ("guardian/enrollments/ticket", 200)
        assert "ends by itself" in way_back(change)
        assert person.asked == []


async def test_no_secret_is_written_down(live, person, line):
    async with opened(2) as lab:
        http = await lab.management()
        made = await http.post("clients", json={"name": "another", "app_type": "regular_web"})
        secret = made.json()["client_secret"]
        await http.delete(f"clients/{made.json()['client_id']}")
        text = lab.journal.path.read_text()
        assert (lab.journal.path.stat().st_mode & 0o777) == 0o600
        for one in (secret, line["client_secret"], line["management_client_secret"]):
            assert one not in text


def test_a_line_that_was_cut_off_harms_no_other(tmp_path):
    journal = Journal(tmp_path, "t.example")
    journal.begin("PATCH", "clients/a", {"name": "b"}, {"name": "a"})
    with journal.path.open("a") as file:
        file.write('{"id": "cut of')
    second = journal.begin("POST", "client-grants", {}, None)
    journal.end(second, 201, {"id": "cgr_1"})
    first, last = journal.read()
    assert (first.happened, last.happened) == (None, True)
    assert way_back(first) == ("PATCH /api/v2/clients/a", {"name": "a"})
    assert way_back(last) == ("DELETE /api/v2/client-grants/cgr_1", None)


def test_a_change_without_an_answer_may_have_happened(tmp_path, monkeypatch):
    set_environment(monkeypatch, {"BAINK_HOME": str(tmp_path)})
    monkeypatch.chdir(tmp_path)
    Journal(tmp_path / "live", "t.example").begin("POST", "resource-servers", {}, None)
    said = CliRunner().invoke(app, ["doctor", "--undo"]).output
    assert "it may have happened, look first" in said
    assert "Applications > APIs" in said
    assert "at another tenant than the settings': t.example" in said


def test_before_everything_is_deleted_the_way_back_is_shown(tmp_path, monkeypatch):
    home = tmp_path / "home"
    set_environment(monkeypatch, {"BAINK_HOME": str(home)})
    monkeypatch.chdir(tmp_path)
    Journal(home / "live", "t.example").begin("PUT", FACTOR, {"enabled": True}, {"enabled": False})
    answer = CliRunner().invoke(app, ["reset"], input="n\n")
    assert (
        'PUT /api/v2/guardian/factors/push-notification\n        {"enabled": false}'
        in answer.output
    )
    assert home.exists()


# What a lab says when it opens


async def test_a_lab_says_what_the_tenant_lacks_and_changes_nothing(live, capsys, person):
    async with opened(2) as lab:
        assert "lacks" not in capsys.readouterr().out
        await untouched(lab)
        before = await state(lab)
    async with opened(3):
        said = capsys.readouterr().out
        assert (
            "Lab 03 stands on earlier steps that your tenant lacks: the CIBA grant (lab 02)" in said
        )
        assert "lab 03)" not in said
    async with opened(4) as lab:
        said = capsys.readouterr().out
        assert "the Guardian push factor (lab 03), the customer's enrolled phone (lab 03)" in said
        assert "I changed nothing" in said
        assert "changes nothing at your tenant" in str(await lab.reset())
        await lab.reset(sure=True)
        assert await state(lab) == before
        assert lab.journal.read() == []
    async with opened(1):
        assert "lacks" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"AUTH0_MGMT_CLIENT_ID": ""}, "is not known: that needs AUTH0_MGMT_CLIENT_ID"),
        ({"AUTH0_MGMT_CLIENT_SECRET": "wrong"}, "is not known: No token for the Management API"),
    ],
)
async def test_a_lab_opens_all_the_same_when_it_cannot_look(live, capsys, changes, said):
    live(**changes)
    async with opened(4):
        assert said in capsys.readouterr().out


async def test_whose_phone_it_is_may_not_be_known_yet(live, capsys):
    live(AUTH0_USER_ID="")
    async with opened(4):
        assert "lacks" not in capsys.readouterr().out


# In a real kernel


@pytest.mark.parametrize(("answer", "sent"), [("y", True), ("", False)])
def test_a_notebook_asks_and_hears_the_answer(live, answer, sent, tmp_path):
    manager_, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    said, questions = [], []

    def hear(message):
        content = message["content"]
        said.append(content.get("text") or content.get("evalue") or "")

    def ask(message):
        questions.append(message["content"]["prompt"])
        client.input(answer)

    def run(code):
        client.execute_interactive(code, output_hook=hear, stdin_hook=ask, timeout=60)
        return "".join(said)

    try:
        run("from baink_lab.lab import open_lab\nlab = await open_lab(3)")
        shown = run(
            f"http = await lab.management()\nawait http.put({FACTOR!r}, json={{'enabled': False}})"
        )
    finally:
        client.stop_channels()
        manager_.shutdown_kernel(now=True)
    assert [one.startswith("Send it to ") for one in questions] == [True]
    assert ("→ 200 OK" in shown) is sent
    assert ("nothing was sent" in shown) is not sent
