"""Labs 01 to 04 in a real JupyterLab: run all cells, press what a learner presses, no error."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import ARTIFACTS, shot

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


async def run(jupyter, page, name):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await jupyter.open(page, name)
    await jupyter.run_all(page)
    return page.locator(".jp-OutputArea-output"), errors


async def type_into(page, cell, text):
    """Replace a cell's source, as by hand, and run it."""
    await cell.click()
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.insert_text(text)
    await page.keyboard.press("Shift+Enter")


async def run_cell(page, source):
    """Click into the cell with this source, and run it."""
    await page.locator(".jp-CodeCell .cm-content", has_text=source).click()
    await page.keyboard.press("Shift+Enter")


async def test_lab_01_the_customer_is_refused_in_the_panel(jupyter, page):
    outputs, errors = await run(jupyter, page, "01_the_failing_transfer.ipynb")
    await outputs.get_by_text("✅ refused: passed.").wait_for()
    await outputs.get_by_text("⬜ why_refused: not attempted.").wait_for()
    await outputs.get_by_text("Hint 1 of 4").wait_for()
    press = outputs.locator("button.jupyter-button", has_text="Move to Savings")
    await press.click()
    # The check's answer is a status too, and names the error.
    refused = outputs.get_by_role("status").filter(has_text="The bank's answer")
    await refused.get_by_text("401 invalid_token").first.wait_for()
    await shot(page, press, "lab01_panel")

    cell = page.locator(".jp-CodeCell .cm-content", has_text="def why_refused")
    body = 'return None if wanted["aud"] in claims["aud"] else "aud"'
    code = f"@lab.exercise\ndef why_refused(claims, wanted):\n    {body}"
    await type_into(page, cell, code)
    await page.keyboard.press("Shift+Enter")
    wrong = outputs.get_by_text("❌ why_refused: wrong.")
    await wrong.wait_for()
    await shot(page, outputs.get_by_role("columnheader", name="The bank wants"), "lab01_token")
    assert not errors


async def test_lab_02_every_step_turns_green(jupyter, page):
    outputs, errors = await run(jupyter, page, "02_configure_the_tenant.ipynb")
    for name in ("settings", "ciba", "api", "permission", "access", "token"):
        await outputs.get_by_text(f"✅ {name}: passed.").wait_for()
    pictures = page.locator(".jp-MarkdownOutput img[src*='pictures'], .jp-MarkdownOutput img")
    for number in range(await pictures.count()):
        width = await pictures.nth(number).evaluate("image => image.naturalWidth")
        assert width > 0, "a picture does not show"
        assert len(await pictures.nth(number).get_attribute("alt") or "") > 10
    await shot(page, page.locator("img[alt*='RFC 9068']"), "lab02_create_api")
    assert not errors


async def test_lab_03_a_phone_is_enrolled_on_the_page(jupyter, page):
    outputs, errors = await run(jupyter, page, "03_enroll_guardian.ipynb")
    await outputs.get_by_text("✅ push_factor: passed.").wait_for()
    link = outputs.get_by_role("link", name="Open the enrolment page")
    await shot(page, link, "lab03_ticket")
    async with page.context.expect_page() as opened:
        await link.click()
    enrolment = await opened.value
    await enrolment.get_by_role("button", name="Enrol the stand-in phone").click()
    await enrolment.get_by_text("now receives the requests").wait_for()
    await enrolment.screenshot(path=ARTIFACTS / "lab03_enrolled.png")
    await enrolment.close()
    await run_cell(page, 'lab.check("enrolled")')
    await outputs.get_by_text("✅ enrolled: passed.").wait_for()
    await run_cell(page, 'lab.say("continue transfer")')
    approve = outputs.locator("button.jupyter-button", has_text="Approve")
    await approve.click()
    await outputs.get_by_text(re.compile("Approved: Move 25.00 USD")).wait_for()
    assert not errors


async def test_lab_04_a_named_mistake_and_the_drawn_messages(jupyter, page):
    outputs, errors = await run(jupyter, page, "04_ciba_on_the_wire.ipynb")
    await outputs.get_by_text("⬜ login_hint: not attempted.").wait_for()
    # Run All ends at the first use of an empty exercise, in one sentence.
    await outputs.get_by_text("ask has no body yet").first.wait_for()
    cell = page.locator(".jp-CodeCell .cm-content", has_text="def login_hint")
    code = "@lab.exercise\ndef login_hint(issuer, user_id):\n    return user_id"
    await type_into(page, cell, code)
    await page.keyboard.press("Shift+Enter")
    await outputs.get_by_text("❌ login_hint: wrong.").wait_for()
    await shot(page, page.get_by_role("heading", name="Exercise 1: who is asked?"), "lab04_wrong")

    source = 'asked = await ask(http, world, "Move 25'
    cell = page.locator(".jp-CodeCell .cm-content", has_text=source)
    await type_into(
        page, cell, 'answer = await http.post("bc-authorize", data={"scope": "openid"})'
    )
    await run_cell(page, "lab.diagram()")
    drawn = page.locator(".jp-OutputArea-output .baink-drawn svg")
    await drawn.locator(".what", has_text="POST /bc-authorize").first.wait_for()
    await shot(page, drawn, "lab04_diagram")
    assert not errors
