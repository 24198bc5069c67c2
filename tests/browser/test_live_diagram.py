"""The live diagram in a real JupyterLab: drawn as it happens, by keyboard alone, saved as SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from tests.browser.conftest import ARTIFACTS
from tests.browser.test_labs import run, type_into

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


async def test_messages_are_drawn_opened_by_keyboard_and_saved(jupyter, page):
    outputs, errors = await run(jupyter, page, "04_ciba_on_the_wire.ipynb")
    drawn = outputs.locator(".baink-diagram")
    await drawn.get_by_role("button", name="Download as SVG").wait_for()
    cell = page.locator(
        ".jp-CodeCell .cm-content", has_text='asked = await ask(http, world, "Move 25'
    )
    await type_into(page, cell, 'await lab.say("Move $25 from checking to savings")')
    rows = drawn.get_by_role("list").get_by_role("button")
    push = rows.filter(has=page.locator("xpath=self::*[@aria-label='Tenant to Phone: push']"))
    await push.wait_for(state="attached")

    await drawn.get_by_role("button", name="Download as SVG").focus()
    await page.keyboard.press("Tab")
    names = []
    for _ in range(20):
        name = await page.evaluate("document.activeElement.getAttribute('aria-label')")
        names.append(name)
        if name and name.startswith("Aiya to Tenant: POST /bc-authorize"):
            break
        await page.keyboard.press("ArrowDown")
    assert names[-1].startswith("Aiya to Tenant: POST /bc-authorize"), names
    await page.keyboard.press("Enter")
    details = drawn.get_by_role("region", name="Details of a message")
    await details.get_by_text(re.compile(r'"binding_message": "Move 25.00 USD')).wait_for()
    assert "•••" in await details.inner_text()
    await page.screenshot(path=ARTIFACTS / "live_diagram.png")

    async with page.expect_download() as saved:
        await drawn.get_by_role("button", name="Download as SVG").click()
    picture = ET.parse(await (await saved.value).path()).getroot()
    assert "Tenant to Phone: push" in picture.find("{*}desc").text
    assert not errors
