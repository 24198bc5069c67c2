"""Lab 04 as a slow learner does it: the wrong button, an interrupted wait, a restart, a yes."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import shot
from tests.browser.test_lab06 import Learner
from tests.browser.test_labs import type_into

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

ANSWERED = re.compile(r"^await lab\.answered\(\)")
ASK = """import json

from baink_lab.approvals.binding import fit


@lab.exercise
async def ask(http, world, message):
    form = {
        "client_id": world.client_id,
        "client_secret": world.client_secret,
        "login_hint": json.dumps(
            {"format": "iss_sub", "iss": world.issuer, "sub": world.user_id}),
        "scope": "openid create:transfer",
        "audience": world.audience,
        "binding_message": fit(message),
    }
    return (await http.post("bc-authorize", data=form)).json()"""


async def test_a_learner_presses_the_wrong_button_restarts_and_says_yes(jupyter, page):
    learner = Learner(page)
    await jupyter.open(page, "04_ciba_on_the_wire.ipynb")
    await learner.run("open_lab", and_next=4)
    await learner.sees("Lab 04 is open")
    drawn = learner.outputs.locator(".baink-diagram")
    await drawn.get_by_text("this fills").wait_for()
    await learner.run(ANSWERED)
    await learner.sees("nothing was asked in this lab so far: run the cell above with await ask(…)")

    cell = page.locator(".jp-CodeCell .cm-content", has_text="async def ask")
    await type_into(page, cell, ASK)
    await learner.run('asked = await ask(http, world, "Move 25')
    whole = drawn.locator(".what", has_text="200, auth_req_id, interval 5, expires_in 300")
    await whole.first.wait_for()
    phones = page.locator(".jp-CodeCell .cm-content", has_text="lab.phone.widget()")
    await phones.first.click()
    await page.keyboard.press("Shift+Enter")
    await learner.run(ANSWERED)
    await learner.sees(re.compile(r"Waiting for the phone, 4:\d\d left"))
    heading = page.get_by_text("Run the next two cells, and press Approve")
    await shot(page, heading, "lab04_phone_beside")
    await learner.buttons("Deny").first.click()
    await learner.sees("Denied: “Move 25.00 USD from Checking to Savings”.")
    await learner.sees(
        "Here the lab goes on with a yes: run the cell above with await ask(…) again"
    )
    await learner.run("lab.decode(token)")
    await learner.sees("There is no token")

    await learner.run('asked = await ask(http, world, "Move 25')
    await learner.restarts_the_kernel()
    await learner.run("open_lab")
    await learner.run(ANSWERED)
    await learner.sees("This kernel has not asked, so it holds no auth_req_id")
    await learner.run("http = lab.http()")
    await cell.click()
    await page.keyboard.press("Shift+Enter")
    await learner.run('asked = await ask(http, world, "Move 25')
    await learner.run(ANSWERED)
    await learner.sees("Your auth_req_id is of the newest, which is on top")
    await learner.buttons("Deny", ANSWERED).last.click()
    await learner.buttons("Approve", ANSWERED).nth(1).wait_for(state="detached")
    await learner.press("Approve", under=ANSWERED)
    await learner.sees("Approved: “Move 25.00 USD from Checking to Savings”.")
    await shot(page, heading, "lab04_after_the_restart")
    assert not learner.errors


PAPER = "svg => getComputedStyle(svg.querySelector('.paper')).fill"
CUT = """svg => {
    const right = svg.closest(".jp-OutputArea-output").getBoundingClientRect().right;
    const words = [...svg.querySelectorAll("text")].filter(
        one => one.getBoundingClientRect().right > right + 1);
    return words.map(one => one.textContent);
}"""


async def test_the_diagrams_follow_the_theme_and_fit_a_narrow_window(jupyter, page):
    await page.set_viewport_size({"width": 900, "height": 1200})
    learner = Learner(page)
    await jupyter.open(page, "04_ciba_on_the_wire.ipynb")
    await learner.run("open_lab", and_next=4)
    await learner.sees("Lab 04 is open")
    await learner.outputs.locator(".baink-diagram").get_by_text("A check has a tenant").wait_for()
    cell = page.locator(".jp-CodeCell .cm-content", has_text="async def ask")
    await type_into(page, cell, ASK)
    await learner.run('asked = await ask(http, world, "Move 25', and_next=2)
    live = learner.outputs.locator(".baink-diagram .art svg")
    await live.locator(".what", has_text="authorization_pending").first.wait_for()
    await learner.run("lab.diagram()")
    still = learner.outputs.locator(".baink-drawn svg")
    await still.locator(".what", has_text="authorization_pending").first.wait_for()
    for one in (live, still):
        assert await one.evaluate(CUT) == []
    await shot(page, live, "lab04_live_narrow_light")
    light = await still.evaluate(PAPER)
    await page.get_by_role("menuitem", name="Settings", exact=True).click()
    for name in ("Theme", "JupyterLab Dark"):
        await page.locator(".lm-Menu-itemLabel").get_by_text(name, exact=True).click()
    await page.locator("body[data-jp-theme-light='false']").wait_for(state="attached")
    await page.wait_for_function(
        "light => getComputedStyle(document.querySelector('.baink-drawn .paper')).fill !== light",
        arg=light,
    )
    await shot(page, still, "lab04_diagram_dark")
    await shot(page, live, "lab04_live_narrow_dark")
    assert not learner.errors
