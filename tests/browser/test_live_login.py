"""Live mode in a real browser: the login's link, the page at its end, and the paste field."""

from __future__ import annotations

import json
import socket

import pytest
from playwright.async_api import expect

from baink_lab.settings import load
from tests.browser.conftest import ARTIFACTS, Jupyter
from tests.interop.served import sandbox
from tests.lab.live_world import ANA, allow_callback, environment, set_environment

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
CELLS = ["from baink_lab.lab import open_lab\n\nlab = await open_lab(0)", "await lab.login()"]


def notebook() -> str:
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "source": source, "outputs": [],
         "execution_count": None}
        for i, source in enumerate(CELLS)
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}}
    return json.dumps(content | {"nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
async def live(tmp_path, monkeypatch):
    """A live tenant, its ready line, and a JupyterLab that has its settings."""
    with sandbox(tmp_path / "tenant") as line:
        set_environment(monkeypatch, environment(line, tmp_path / "home") | {"AUTH0_USER_ID": ""})
        await allow_callback()
        jupyter = Jupyter(tmp_path)
        (tmp_path / "work" / "notebooks" / "login.ipynb").write_text(notebook())
        yield line, jupyter


@pytest.fixture
async def page(browser, request):
    ARTIFACTS.mkdir(exist_ok=True)
    context = await browser.new_context(ignore_https_errors=True)
    page = await context.new_page()
    page.set_default_timeout(20_000)
    yield page
    await page.screenshot(path=ARTIFACTS / f"{request.node.name}.png")
    await context.close()


async def fill_in(popup, line) -> None:
    await popup.get_by_label("E-mail").fill(ANA)
    await popup.get_by_label("Password").fill(line["user_password"])
    await popup.get_by_role("button", name="Log in").click()


async def open_link(page):
    link = page.get_by_role("link", name="Log in as the customer")
    async with page.expect_popup() as opened:
        await link.click()
    return await opened.value


async def test_the_browser_comes_back_to_the_kernel(live, page):
    line, jupyter = live
    with jupyter.running():
        await jupyter.open(page, "login.ipynb")
        await jupyter.run_all(page)
        popup = await open_link(page)
        await fill_in(popup, line)
        await popup.get_by_role("heading", name="You are logged in").wait_for()
        assert await popup.get_by_role("status").inner_text() == (
            "Go back to the notebook, and close this page."
        )
        await page.get_by_text(f"Logged in as {line['user_id']}").wait_for()
        await page.get_by_text("This login is over.").first.wait_for()
        assert await page.get_by_role("link", name="Log in as the customer").count() == 0


async def test_where_nobody_listens_the_address_is_pasted(live, page):
    line, jupyter = live
    with socket.socket() as other:
        other.bind(("127.0.0.1", load().baink_login_port))  # bound, and nobody answers
        with jupyter.running():
            await jupyter.open(page, "login.ipynb")
            await jupyter.run_all(page)
            popup = await open_link(page)
            ended = []
            popup.on("request", lambda request: ended.append(request.url))
            await fill_in(popup, line)
            field = page.get_by_placeholder("http://127.0.0.1…/callback?code=…")
            button = page.get_by_role("button", name="Use this address")
            await field.fill("http://127.0.0.1/callback?code=other&state=other")
            await button.click()
            await page.get_by_text("is not the end of the login that waits here").wait_for()
            (address,) = {url for url in ended if url.startswith(load().login_callback)}
            await expect(field).to_have_value("")  # another field, for another try
            await field.fill(address)
            await button.click()
            await page.get_by_text(f"Logged in as {line['user_id']}").wait_for()
