"""Live mode: the customer logs in by way of a browser, or does not; every case has words."""

from __future__ import annotations

import asyncio
import socket

import pytest

from baink_lab.auth0.browser import LoginError
from baink_lab.lab.customer import login as lab_login
from baink_lab.settings import load
from tests.lab.live_world import (
    BEN,
    Learner,
    allow_callback,
    manager,
    opened,
    visit,
)

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def learner(line, capsys):
    return Learner(capsys, line["user_password"])


async def begun(lab, learner):
    """A cell that waits for the login, and its link."""
    waiting = asyncio.create_task(lab.login())
    return waiting, await learner.link()


async def refused(waiting) -> LoginError:
    with pytest.raises(LoginError) as problem:
        await waiting
    assert "\n" not in problem.value.sentence
    return problem.value


async def test_the_browser_comes_back_and_the_bank_opens_accounts(live, learner, line):
    live(AUTH0_USER_ID="")
    async with opened(0) as lab:
        assert lab.world.user_id == ""
        waiting, link = await begun(lab, learner)
        page = await visit(await learner.logs_in(link))
        assert page.status_code == 200
        assert "Go back to the notebook" in page.text
        assert page.headers["cache-control"] == "no-store"
        said = str(await waiting)
        assert said.startswith(f"Logged in as {line['user_id']}")
        assert "renews itself" in said
        # Who the customer is came from the tenant; the bank, which knew nobody, serves them.
        assert lab.world.user_id == line["user_id"]
        assert "Checking" in str(await lab.balances())
        secrets = [line["client_secret"], line["user_password"], await lab.session_token()]
        assert not any(secret in learner.read() for secret in secrets)
        assert "Waiting for you to log in, " in learner.seen


async def test_what_needs_the_customer_asks_for_the_login(live, learner):
    async with opened(0) as lab:
        reading = asyncio.create_task(lab.balances())
        await visit(await learner.logs_in(await learner.link()))
        assert "Checking" in str(await reading)
        await lab.say("What is my balance?")  # no second login
        assert "2500.00" in learner.read().replace(",", "")


async def test_an_address_that_cannot_be_reached_is_pasted(live, learner, line, monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ana/")
    async with opened(0) as lab:
        with pytest.raises(LoginError, match="another machine") as paste:
            await lab.login()
        assert "await lab.login(" in paste.value.sentence
        address = await learner.logs_in(await learner.link())
        assert str(await lab.login(f"  {address}\n")).startswith("Logged in as")
        again = await refused(lab.login(address))
        assert again.code == "login_over"


async def test_a_taken_port_is_told_and_pasting_works(live, learner):
    with socket.socket() as other:
        other.bind(("127.0.0.1", load().baink_login_port))
        other.listen()
        async with opened(0) as lab:
            problem = await refused(lab.login())
            assert f"Port {load().baink_login_port}" in problem.sentence
            assert "BAINK_LOGIN_PORT" in problem.sentence
            await lab.login(await learner.logs_in(await learner.link()))
            assert "Savings" in str(await lab.balances())


async def test_another_login_s_address_changes_nothing(live, learner):
    async with opened(0) as lab:
        waiting, link = await begun(lab, learner)
        address = await learner.logs_in(link)
        for forged in (address.replace("state=", "state=x"), address.partition("?")[0]):
            page = await visit(forged)
            assert page.status_code == 400
            assert "not the end of the login that waits" in page.text
        assert not waiting.done()
        assert (await refused(lab.login("no address"))).code == "state_mismatch"
        assert (await visit(address)).status_code == 200
        await waiting


async def test_nothing_is_pasted_before_a_login_began(live, learner):
    async with opened(0) as lab:
        assert (await refused(lab.login("http://127.0.0.1/callback?code=x&state=y"))).code == "none"


async def test_a_newer_login_takes_the_place_of_the_older(live, learner):
    async with opened(0) as lab:
        waiting, link = await begun(lab, learner)
        old = await learner.logs_in(link)
        waiting.cancel()
        await asyncio.wait([waiting])
        waiting, link = await begun(lab, learner)
        assert (await visit(old)).status_code == 400
        await visit(await learner.logs_in(link))
        await waiting


async def test_denied(live, learner):
    async with opened(0) as lab:
        waiting, link = await begun(lab, learner)
        state = link.partition("state=")[2].partition("&")[0]
        said = "error=access_denied&error_description=User+did+not+authorize+the+request"
        page = await visit(f"{load().login_callback}?{said}&state={state}")
        assert page.status_code == 400
        problem = await refused(waiting)
        assert problem.code == "access_denied"
        assert "User did not authorize the request" in problem.sentence
        assert "Log in again and allow it" in problem.sentence
        assert "User did not authorize" in page.text


async def test_another_user_than_the_settings_name(live, learner, line):
    async with opened(0) as lab:
        waiting, link = await begun(lab, learner)
        page = await visit(await learner.logs_in(link, BEN))
        problem = await refused(waiting)
        assert problem.code == "wrong_user"
        assert line["user_id"] in problem.sentence
        assert "AUTH0_USER_ID" in page.text
        assert lab.world.user_id == line["user_id"]
        # With single sign-on the tenant would let the same user in again without a word.
        waiting, link = await begun(lab, learner)
        assert "prompt=login" in link
        await visit(await learner.logs_in(link))
        assert "Logged in" in str(await waiting)


async def test_a_callback_that_is_not_registered_is_told_before(live, learner):
    await allow_callback("http://127.0.0.1/callback")
    async with opened(0) as lab:
        problem = await refused(lab.login())
        assert problem.code == "callback_not_registered"
        assert load().login_callback in problem.sentence
        assert "Allowed Callback URLs" in problem.sentence


async def test_a_wrong_client_secret(live, learner):
    live(AUTH0_CLIENT_SECRET="wrong")
    async with opened(0) as lab:
        waiting, link = await begun(lab, learner)
        page = await visit(await learner.logs_in(link))
        problem = await refused(waiting)
        assert "AUTH0_CLIENT_SECRET" in problem.sentence
        assert "AUTH0_CLIENT_SECRET" in page.text


async def test_nobody_logs_in(live, learner, monkeypatch):
    monkeypatch.setattr(lab_login.Login.log_in, "__kwdefaults__", {"seconds": 0.2})
    async with opened(0) as lab:
        problem = await refused(lab.login())
        assert problem.code == "timeout"
        assert load().login_callback in problem.sentence
        # The address can be pasted all the same: the login at the tenant went on.
        address = await learner.logs_in(await learner.link())
        assert "Logged in" in str(await lab.login(address))


async def test_a_session_is_renewed_without_the_customer(live, learner):
    async with opened(0) as lab:
        waiting, link = await begun(lab, learner)
        await visit(await learner.logs_in(link))
        await waiting
        first = await lab._session.current()
        lab._session.adopt(_aged(first))
        second = await lab._session.current()
        assert second.access_token != first.access_token
        assert second.subject == first.subject
        assert "Savings" in str(await lab.balances())


async def test_a_session_that_cannot_be_renewed_says_what_to_run(live, learner):
    async with opened(0) as lab:
        waiting, link = await begun(lab, learner)
        await visit(await learner.logs_in(link))
        await waiting
        lab._session.adopt(_aged(await lab._session.current(), refresh_token="spent"))
        with pytest.raises(LoginError, match=r"await lab\.login\(\)"):
            await lab._session.current()


async def test_in_the_sandbox_one_may_log_in_too(live, learner):
    live(AUTH0_DOMAIN="", AUTH0_USER_ID="", AUTH0_CLIENT_ID="", AUTH0_CLIENT_SECRET="")
    async with opened(0) as lab:
        password = lab.world.user_password
        waiting, link = await begun(lab, Learner(learner._capsys, password))
        await visit(await Learner(learner._capsys, password).logs_in(link))
        assert str(await waiting).startswith(f"Logged in as {lab.world.user_id}")
        assert "Checking" in str(await lab.balances())
        assert password not in learner.read()


async def test_unattended_the_autopilot_logs_in(live, learner):
    live(AUTH0_DOMAIN="", AUTH0_USER_ID="", BAINK_AUTOPILOT="1")
    async with opened(0) as lab:
        assert str(await lab.login()).startswith(f"Logged in as {lab.world.user_id}")


async def test_two_modes_share_no_memory(live, learner, line):
    """What waits at one tenant is nothing to another."""
    async with opened(0) as lab:
        assert lab._memory.parent.name == "live"


async def test_the_log_names_the_login(live, learner):
    async with opened(0) as lab:
        waiting, link = await begun(lab, learner)
        await visit(await learner.logs_in(link))
        await waiting
    async with manager() as api:
        kinds = [one["type"] for one in await api.get("logs", per_page=20, sort="date:-1")]
    assert "seacft" in kinds


def _aged(token, **changes):
    import dataclasses

    return dataclasses.replace(token, expires_at=0.0, **changes)
