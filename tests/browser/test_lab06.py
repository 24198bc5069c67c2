"""Lab 06 as a learner does it: fill in, ask, press, restart the kernel in between, enrol again."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import ARTIFACTS, shot
from tests.browser.test_labs import run_cell, type_into

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
NAME = "06_resume_on_approval.ipynb"
PHONE = re.compile(r"^lab\.phone\.widget\(\)$")


class Learner:
    """A notebook, and the hands on it."""

    def __init__(self, page):
        self.page = page
        self.outputs = page.locator(".jp-OutputArea-output")
        self.errors = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    async def run(self, source, and_next=0):
        """Run a cell, and the cells that follow it (text cells count)."""
        await run_cell(self.page, source)
        for _ in range(and_next):
            await self.page.keyboard.press("Shift+Enter")

    async def sees(self, text):
        await self.outputs.get_by_text(text).last.wait_for()

    async def press(self, button, under=PHONE):
        """Press a button of the phone under a cell: one of an earlier kernel is dead."""
        await self.buttons(button, under).click()

    def buttons(self, button, under=PHONE):
        source = self.page.locator(".cm-content", has_text=under)
        cell = self.page.locator(".jp-CodeCell").filter(has=source)
        return cell.locator("button.jupyter-button", has_text=button)

    async def fills_in_registry(self, body):
        cell = self.page.locator(".jp-CodeCell .cm-content", has_text="def registry")
        await type_into(self.page, cell, f"@lab.exercise\ndef registry(tools, wrapped):\n{body}")
        await self.run('lab.check("registry")')

    async def restarts_the_kernel(self):
        await self.page.get_by_role("menuitem", name="Kernel", exact=True).click()
        # The item's name holds its shortcut too.
        restart = self.page.get_by_role("menuitem", name=re.compile("^Restart Kernel…"))
        await restart.click()
        await self.page.locator(".jp-Dialog").get_by_role("button", name="Confirm").click()
        await self.page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()

    async def enrols(self, link):
        """Open the enrolment page, and press its button."""
        async with self.page.context.expect_page() as tab:
            await link.click()
        enrolment = await tab.value
        await enrolment.get_by_role("button", name="Enrol the stand-in phone").click()
        await enrolment.get_by_text("now receives the requests").wait_for()
        await enrolment.close()

    async def shows(self, locator, name):
        await shot(self.page, locator, name)


@pytest.fixture
async def learner(jupyter, page):
    learner = Learner(page)
    await jupyter.open(page, NAME)
    await learner.run("open_lab")
    await learner.sees("Lab 06 is open")
    yield learner
    assert not learner.errors


async def test_a_learner_asks_approves_denies_and_restarts_the_kernel(learner):
    await puts_the_gate_in(learner)
    await says_yes(learner)
    await says_no(learner)
    await restarts_in_between(learner)
    await talks_in_the_chat(learner)


async def puts_the_gate_in(learner):
    await learner.fills_in_registry("    return tools")
    wrong = learner.outputs.get_by_text("❌ registry: wrong.")
    await learner.shows(wrong, "lab06_c15")
    await learner.fills_in_registry("    return [*tools[:-1], wrapped]")
    await learner.sees("✅ registry: passed.")
    await learner.run("lab.build(registry=registry)")


async def says_yes(learner):
    await learner.run(PHONE)
    await learner.run("lab.panel()")
    await learner.run('lab.say("Move $25', and_next=2)
    await learner.sees(re.compile(r"Waiting for the phone, \d:"))
    panel = learner.outputs.get_by_text("Counted since this panel")
    await learner.shows(panel, "lab06_waiting")
    await learner.press("Approve")
    await learner.sees("Aiya: Done: $25.00 moved")
    await learner.run('lab.check("moved")')
    await learner.sees("✅ moved: passed.")
    runs = learner.outputs.get_by_role("row", name=re.compile("Graph runs"))
    await runs.get_by_role("cell", name="2", exact=True).wait_for()


async def says_no(learner):
    ask = 'lab.say("Move $500'
    await learner.run(ask, and_next=1)
    await learner.buttons("Deny").wait_for()  # the first picture of the phone lives as well
    await learner.shows(learner.buttons("Deny", under=ask), "lab06_second_phone")
    await learner.press("Deny", under=ask)
    await learner.sees("Aiya: Nothing was moved. You denied")
    await learner.buttons("Deny").wait_for(state="detached")
    await learner.buttons("Deny", under=ask).wait_for(state="detached")
    await learner.run('lab.check("denied")')
    await learner.sees("✅ denied: passed.")


async def restarts_in_between(learner):
    await learner.run('lab.say("Move $35')
    await learner.sees("I sent a push to your phone: “Move 35.00 USD")
    await learner.restarts_the_kernel()
    await learner.run("open_lab")
    shown = "display(lab.phone.widget())"
    await learner.run(shown)
    await learner.press("Approve", under=shown)
    await learner.sees("Aiya: Done: $35.00 moved")
    done = learner.outputs.get_by_text("Aiya: Done: $35.00 moved")
    await learner.shows(done, "lab06_after_restart")
    await learner.run('lab.check("survived")')
    await learner.sees("✅ survived: passed.")


async def talks_in_the_chat(learner):
    await learner.run("lab.room()")
    box, log = learner.outputs.get_by_label("Say to Aiya"), learner.outputs.get_by_role("log")
    await box.fill("what is my balance?")
    await box.press("Enter")
    await log.get_by_text(re.compile(r"Here is what you have.*2,440\.00", re.S)).wait_for()
    await box.fill("Move $10 from checking to savings")
    await box.press("Enter")
    await log.get_by_text("I sent a push to your phone: “Move 10.00 USD").wait_for()
    await learner.shows(log, "lab06_room")
    await learner.press("Approve", under="lab.room()")
    await log.get_by_text("Done: $10.00 moved").wait_for()


async def test_a_lost_phone_is_enrolled_again_and_the_transfer_goes_on(learner):
    await learner.run("await lab.unenroll()")
    await learner.sees("is not the customer's phone any more")
    await learner.run('lab.say("Move $45')
    await learner.sees("No phone is enrolled")
    await learner.run(re.compile(r"^await lab\.enroll\(\)$"))
    link = learner.outputs.get_by_role("link", name="Open the enrolment page")
    await learner.shows(link, "lab06_enrol")
    await learner.enrols(link)
    go_on = 'lab.say("continue transfer")'
    await learner.run(go_on, and_next=1)
    await learner.press("Approve", under=go_on)
    await learner.sees("Aiya: Done: $45.00 moved")
    await learner.run('lab.check("went_on")')
    await learner.sees("✅ went_on: passed.")
    await learner.page.screenshot(path=ARTIFACTS / "lab06_went_on.png")


async def test_the_chat_offers_enrolment_and_continues_the_same_transfer(learner):
    await learner.run("await lab.unenroll()")
    await learner.sees("is not the customer's phone any more")
    await learner.run("lab.room()")
    box, log = learner.outputs.get_by_label("Say to Aiya"), learner.outputs.get_by_role("log")
    await box.fill("Move $45 from checking to savings")
    await box.press("Enter")
    go_on = learner.outputs.locator("button.jupyter-button", has_text="Continue transfer")
    await learner.shows(go_on, "lab06_chat_offer")
    await learner.enrols(learner.outputs.locator("a[href*='/guardian/enroll?ticket=']").first)
    await go_on.click()
    await learner.press("Approve", under="lab.room()")
    await log.get_by_text("Done: $45.00 moved").wait_for()


async def test_four_requests_scroll_and_the_counts_stay_where_they_are(learner):
    page = learner.page
    await learner.run("lab.room()")
    box, log = learner.outputs.get_by_label("Say to Aiya"), learner.outputs.get_by_role("log")
    counts = learner.outputs.get_by_text("Counted since this panel").last
    for number, asked in enumerate(("$11", "$12", "$13", "$14"), 1):
        await box.fill(f"Move {asked} from checking to savings")
        await box.press("Enter")
        pushes = log.get_by_text("I sent a push to your phone")
        await pushes.nth(number - 1).wait_for()
    cards = page.locator(".baink-card")
    await cards.nth(3).wait_for()
    await learner.outputs.get_by_text("Your phone: 4 requests wait").wait_for()
    lists = cards.first.locator("xpath=..")
    assert await lists.evaluate("list => list.scrollHeight > list.clientHeight + 50")
    phone, panel = lists.locator("xpath=.."), counts.locator("xpath=../../..")
    widths = [(await one.bounding_box())["width"] for one in (phone, panel)]
    assert widths[0] == pytest.approx(widths[1], abs=1)
    # The last one's buttons are reached without a mouse, and seen.
    await cards.first.locator("button").first.focus()
    for _ in range(7):
        await page.keyboard.press("Tab")
    button = cards.nth(3).get_by_role("button", name="Approve")
    assert await button.evaluate("button => button === document.activeElement")
    seen = """button => {
      const one = button.getBoundingClientRect();
      const list = button.closest(".baink-card").parentElement.getBoundingClientRect();
      return one.top >= list.top && one.bottom <= list.bottom + 1;
    }"""
    assert await button.evaluate(seen)
    await learner.shows(counts, "lab06_four_wait")
