"""Lab 00 as a learner does it: run the cells, press Approve on the phone, then deny in the chat."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import ARTIFACTS, shot
from tests.browser.test_lab06 import Learner

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


async def test_a_learner_approves_on_the_phone_widget_and_denies_from_the_chat(jupyter, page):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await jupyter.open(page, "00_start_here.ipynb")
    await jupyter.run_all(page)
    outputs = page.locator(".jp-OutputArea-output")

    approve = outputs.locator("button.jupyter-button", has_text="Approve")
    await approve.wait_for()
    waiting = outputs.get_by_text(re.compile("Waiting for the phone, 4:"))
    await waiting.wait_for()
    in_vain = outputs.get_by_text("No working phone in sight?")
    assert await in_vain.count() == 1
    await in_vain.wait_for()  # a page that is reloaded may have lost the phone above
    await page.screenshot(path=ARTIFACTS / "lab00_waiting.png")
    await approve.click()

    await outputs.get_by_text("✅ first_transfer: passed.").wait_for()
    await outputs.get_by_role("cell", name="2475.00").wait_for()
    log = outputs.get_by_role("log")
    await log.get_by_text("Done: ").wait_for()

    box = outputs.get_by_label("Say to Aiya")
    await box.fill("send 10 dollars to Mia")
    await box.press("Enter")
    await log.get_by_text(re.compile("which account", re.I)).wait_for()
    await box.fill("from checking")
    await box.press("Enter")
    await log.get_by_text("I sent a push to your phone: “Pay 10.00 USD to Mia Moreau").wait_for()
    await shot(page, log, "lab00_chat")
    await outputs.locator("button.jupyter-button", has_text="Deny").click()
    await log.get_by_text("Nothing was moved").wait_for()

    await box.fill("what is my balance?")
    await outputs.locator("button.jupyter-button", has_text="Send").click()
    await log.get_by_text(re.compile(r"10,025\.00")).wait_for()
    assert not errors


async def test_the_phone_page_shows_and_answers_a_push(jupyter, page, browser):
    await jupyter.open(page, "00_start_here.ipynb")
    await jupyter.run_all(page)
    outputs = page.locator(".jp-OutputArea-output")
    address = await outputs.locator("a", has_text=re.compile(r"/[\w-]{22}/$")).get_attribute("href")
    context = await browser.new_context(viewport={"width": 390, "height": 700})
    phone = await context.new_page()
    await phone.goto(address)
    await phone.get_by_text("Move 25.00 USD from Checking to Savings").first.wait_for()
    await phone.get_by_text(re.compile(r"4:\d\d left")).wait_for()
    await phone.screenshot(path=ARTIFACTS / "phone_page.png")
    await phone.get_by_role("button", name="Approve").focus()
    await phone.keyboard.press("Enter")
    await phone.get_by_text(re.compile("^Approved: Move 25.00 USD")).wait_for()
    await outputs.get_by_text("✅ first_transfer: passed.").wait_for()
    await context.close()


async def test_a_push_that_outlived_the_kernel_is_answered_on_a_phone_that_lives(jupyter, page):
    """The phone above belongs to the dead kernel: the waiting cell shows one of this kernel."""
    await jupyter.open(page, "00_start_here.ipynb")
    learner = Learner(page)
    await learner.run("open_lab")
    await learner.sees("Lab 00 is open")
    await learner.run("lab.phone.widget()")
    await learner.run('lab.say("Move $25')
    await learner.sees("I sent a push to your phone: “Move 25.00 USD")
    await learner.restarts_the_kernel()
    await learner.run("open_lab")
    await learner.run("lab.settled()")
    await learner.press("Approve", under="lab.settled()")
    await learner.sees("The phone was answered.")
    await learner.sees("Aiya: Done: $25.00 moved")
    assert not learner.errors
