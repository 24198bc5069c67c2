"""The tenant's file and its mirror in memory never disagree, whatever write fails."""

from __future__ import annotations

import json
import sqlite3

import httpx
import pytest

from baink_lab.sandbox.tenant import Tenant, create_app
from baink_lab.sandbox.tenant.store import Collection, Store
from tests.conftest import ISSUER


class Broken(Exception):
    pass


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "some.db")
    yield store
    store.close()


@pytest.fixture
def fruits(store):
    fruits = Collection(store, "fruit")
    fruits.put("apple", 1)
    fruits.put("pear", 2)
    return fruits


def in_file(store):
    return store.load("fruit")


def refuse_commits(store, monkeypatch):
    """As a full disk does: every COMMIT fails."""

    class Refusing:
        def __init__(self, connection):
            self._connection = connection

        def __getattr__(self, name):
            return getattr(self._connection, name)

        def execute(self, sql, *rest):
            if sql == "COMMIT":
                raise sqlite3.OperationalError("database or disk is full")
            return self._connection.execute(sql, *rest)

    monkeypatch.setattr(store, "connection", Refusing(store.connection))


def test_a_rollback_undoes_every_kind_of_change(store, fruits):
    with pytest.raises(Broken), store.atomic():
        fruits.put("apple", 10)
        fruits.put("apple", 11)
        fruits.put("fig", 3)
        fruits.remove("fig")
        fruits.remove("pear")
        fruits.put("plum", 4)
        raise Broken
    assert dict(fruits) == in_file(store) == {"apple": 1, "pear": 2}


def test_a_write_that_fails_takes_the_others_with_it(store, fruits):
    with pytest.raises(TypeError), store.atomic():
        fruits.put("apple", 10)
        fruits.put("fig", object())  # not JSON: the file refuses it
    assert dict(fruits) == in_file(store) == {"apple": 1, "pear": 2}


def test_a_commit_that_fails_leaves_nothing(store, fruits, monkeypatch):
    with monkeypatch.context() as patched:
        refuse_commits(store, patched)
        with pytest.raises(sqlite3.OperationalError), store.atomic():
            fruits.put("apple", 10)
    assert dict(fruits) == in_file(store) == {"apple": 1, "pear": 2}
    with store.atomic():
        fruits.put("apple", 12)
    assert dict(fruits) == in_file(store) == {"apple": 12, "pear": 2}


def test_a_finished_transaction_is_not_undone_by_a_later_one(store, fruits):
    with store.atomic():
        fruits.put("apple", 10)
    with pytest.raises(Broken), store.atomic():
        fruits.put("pear", 20)
        raise Broken
    assert dict(fruits) == in_file(store) == {"apple": 10, "pear": 2}


def test_an_inner_use_joins_the_outer_one(store, fruits):
    with pytest.raises(Broken), store.atomic():
        with store.atomic():
            fruits.put("apple", 10)
        assert store.connection.in_transaction
        raise Broken
    assert dict(fruits) == in_file(store) == {"apple": 1, "pear": 2}


def test_a_key_rotation_that_fails_keeps_the_former_key(tenant):
    former = tenant.keys.jwks()
    with pytest.raises(Broken), tenant.store.atomic():
        tenant.rotate_key()
        raise Broken
    assert tenant.keys.jwks() == former
    token = tenant.keys.sign({"a": 1}, typ="JWT")
    assert tenant.keys.read(token) == {"a": 1}


async def started(tenant, http, **changes):
    ids = tenant.credentials()
    hint = {"format": "iss_sub", "iss": ISSUER, "sub": ids["user_id"]}
    form = {
        "client_id": ids["client_id"],
        "client_secret": ids["client_secret"],
        "login_hint": json.dumps(hint),
        "scope": "openid create:transfer",
        "audience": ids["audience"],
        "binding_message": "Move 25.00 USD",
    }
    return await http.post("bc-authorize", data=form | changes)


async def polled(tenant, http, key):
    ids = tenant.credentials()
    form = {
        "grant_type": "urn:openid:params:grant-type:ciba",
        "auth_req_id": key,
        "client_id": ids["client_id"],
        "client_secret": ids["client_secret"],
    }
    return await http.post("oauth/token", data=form)


@pytest.fixture
async def strict_http(tenant):
    """Like tenant_http, but a fault in the tenant is a 500 and not the test's exception."""
    transport = httpx.ASGITransport(create_app(tenant), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
        yield http


async def test_a_push_whose_record_cannot_be_written_was_never_sent(
    tenant, strict_http, monkeypatch, tmp_path, clock
):
    with monkeypatch.context() as patched:
        refuse_commits(tenant.store, patched)
        assert (await started(tenant, strict_http)).status_code == 500
    assert tenant.notifications() == []
    with Tenant_at(tmp_path, clock) as reopened:
        assert reopened.notifications() == []
    assert (await started(tenant, strict_http)).status_code == 200


async def test_tokens_that_cannot_be_recorded_are_not_given_out(
    tenant, strict_http, monkeypatch, clock
):
    key = (await started(tenant, strict_http)).json()["auth_req_id"]
    tenant.decide(tenant.notifications()[0]["id"], "approve")
    with monkeypatch.context() as patched:
        refuse_commits(tenant.store, patched)
        failed = await polled(tenant, strict_http, key)
        assert failed.status_code == 500
    clock.advance(5)
    assert (await polled(tenant, strict_http, key)).status_code == 200
    clock.advance(5)
    assert (await polled(tenant, strict_http, key)).json()["error"] == "invalid_grant"


def Tenant_at(tmp_path, clock):  # noqa: N802 - reads as the class that it opens
    from contextlib import closing

    return closing(Tenant.open(tmp_path / "tenant.db", issuer=ISSUER, now=clock.now))
