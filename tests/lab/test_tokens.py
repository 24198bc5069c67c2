"""What is no token is told in a sentence, in place of a table that lacks its column."""

from __future__ import annotations

import httpx
import pytest

from tests.lab.lab_world import opened

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def lab(shared_home):
    async with opened(4, ready=True) as lab:
        yield lab


@pytest.mark.parametrize("nothing", [None, ""])
async def test_where_there_is_no_token_it_is_said_why(lab, nothing):
    told = lab.decode(nothing)
    assert "There is no token: the tenant gives one only after a yes on the phone" in told.text
    assert "<table" not in told.html
    assert lab.decode().text == told.text


async def test_what_holds_a_token_is_told_how_to_take_it(lab):
    async def wait_for_answer():
        return "token"

    forgotten = wait_for_answer()
    told = {
        'this is a dict: take its `["access_token"]`': {"access_token": "x"},
        'this is a Response: take `.json()["access_token"]` of it': httpx.Response(200),
        "write `await`": forgotten,
    }
    for words, value in told.items():
        assert words in lab.decode(value).text
    forgotten.close()


async def test_of_several_the_one_that_is_missing_is_named(lab):
    token = await lab.session_token()
    assert "<table" in lab.decode(portal=token).html
    assert lab.decode(portal=token, aiya=None).text.startswith("aiya: There is no token")
    assert "Your token" in lab.decode(token).html
