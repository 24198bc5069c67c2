"""Our client against the sandbox tenant: two readings of one contract must meet."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path

import pytest

import baink_lab
from baink_lab.auth0 import (
    AccessDenied,
    CibaClient,
    CibaError,
    Expired,
    Pending,
    RequestSpent,
    Unenrolled,
)
from baink_lab.auth0.browser import LoginError
from baink_lab.auth0.ciba import CIBA_GRANT
from baink_lab.auth0.login import SessionTokens, log_in_with_form
from baink_lab.lab.learner.parsed import parsed


@pytest.fixture
def ciba(world, tenant_http, clock):
    return CibaClient(
        world.issuer, world.client_id, world.client_secret, http=tenant_http, clock=clock
    )


@pytest.fixture
def ask(ciba, world):
    async def ask(**changes):
        fields = {
            "user_id": world.user_id,
            "scope": "create:transfer",
            "audience": world.audience,
            "binding_message": "Move 25.00 USD",
        }
        return await ciba.start(**fields | changes)

    return ask


def decide(tenant, decision):
    tenant.decide(tenant.notifications()[-1]["id"], decision)


async def drive(clock, task, seconds):
    """Let a task run for so long on the test's clock."""
    end = clock.now() + seconds
    while not task.done() and clock.now() < end:
        await asyncio.sleep(0.001)
        clock.advance(0.5)


async def test_wait_returns_the_tokens_of_an_approval(ciba, ask, tenant, clock, world):
    request = await ask()
    assert isinstance(await ciba.poll(request), Pending)
    waiting = asyncio.create_task(ciba.wait(request))
    await drive(clock, waiting, 20)
    assert not waiting.done()
    decide(tenant, "approve")
    await drive(clock, waiting, 20)
    tokens = waiting.result()
    assert tokens.scope == "openid create:transfer"
    assert tokens.access_token not in repr(tokens)
    clock.advance(5)
    with pytest.raises(RequestSpent):
        await ciba.poll(request)


async def test_wait_never_polls_too_early(ciba, ask, tenant, clock):
    request = await ask()
    waiting = asyncio.create_task(ciba.wait(request))
    await drive(clock, waiting, 100)
    assert tenant.ciba.pending(clock.now())[0].interval == 5, "the tenant said slow_down"
    waiting.cancel()


async def test_denied_and_expired_are_told_apart(ciba, ask, tenant, clock):
    denied = await ask()
    decide(tenant, "deny")
    with pytest.raises(AccessDenied):
        await ciba.poll(denied)
    late = await ask(requested_expiry=30)
    clock.advance(30)
    with pytest.raises(Expired):
        await ciba.poll(late)


async def test_a_customer_without_a_phone_is_unenrolled(ask, tenant):
    for key in list(tenant.enrollments):
        tenant.enrollments.remove(key)
    with pytest.raises(Unenrolled):
        await ask()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"binding_message": "Pay $5"}, "invalid_binding_message"),
        ({"binding_message": ""}, "invalid_binding_message"),
        ({"requested_expiry": 0}, "invalid_request"),
        ({"user_id": "auth0|nobody"}, "unknown_user_id"),
        ({"audience": "https://elsewhere"}, "access_denied"),
    ],
)
async def test_refusals_keep_their_code(ask, changes, code):
    with pytest.raises(CibaError) as refused:
        await ask(**changes)
    assert refused.value.code == code
    assert not isinstance(refused.value, Unenrolled)


async def test_the_customer_logs_in_with_the_form(world, tenant_http, clock, tenant):
    token = await log_in_with_form(world, http=tenant_http, clock=clock)
    assert token.subject == world.user_id
    assert "read:accounts" in token.scopes
    assert "create:transfer" not in token.scopes
    noted = tenant.events.newest_first()[0]
    assert (noted["type"], noted["user_name"]) == ("seacft", "ana@baink.example")


async def test_a_wrong_password_is_one_sentence(world, tenant_http, clock):
    import dataclasses

    wrong = dataclasses.replace(world, user_password="wrong")
    with pytest.raises(LoginError, match="did not let"):
        await log_in_with_form(wrong, http=tenant_http, clock=clock)


async def test_a_session_logs_in_again_before_its_end(world, tenant_http, clock):
    logins = []

    async def log_in():
        logins.append(clock.now())
        return await log_in_with_form(world, http=tenant_http, clock=clock)

    session = SessionTokens(log_in, clock=clock)
    first = await session.current()
    assert await session.current() is first
    clock.advance(3600 - 29)
    assert await session.current() is not first
    assert len(logins) == 2


def test_the_grant_type_is_written_once():
    """The sandbox has a reading of its own; who stands on our client takes the client's."""
    root = Path(baink_lab.__file__).parent
    found = [
        path.relative_to(root).as_posix()
        for path in sorted(root.rglob("*.py"))
        if "sandbox" not in path.parts
        for node in ast.walk(parsed(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value == CIBA_GRANT
    ]
    assert found == ["auth0/ciba.py"]
