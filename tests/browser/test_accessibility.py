"""axe-core on everything that we draw: no serious or critical finding, in light and in dark."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from baink_lab.auth0.login import begin
from baink_lab.lab import open_lab
from baink_lab.lab.opening import _opened
from baink_lab.sandbox import launch
from baink_lab.settings import load
from tests.browser.conftest import ARTIFACTS
from tests.interop.install import node_modules

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

MOVE = "Move $25 from checking to savings"
WIDGETS = [
    "from baink_lab.lab import open_lab\n\nlab = await open_lab(0)",
    "await lab.doctor()",
    "lab.done()",
    "await lab.accounts.panel()",
    "lab.phone.widget()",
    f'await lab.say("{MOVE}")\nawait lab.say("Move $40 from savings to checking")',
    "await lab.chat()",
    "lab.live_diagram()",
    "lab.launch_pad()",
    "lab.phone.widget()",  # a second time: both live
    'await lab.phone.approve("cns_gone")',
]
GONE = "That request does not wait on the phone: it was answered, or has lapsed."
RUN = """async roots => {
  const found = await axe.run({ include: roots }, { resultTypes: ["violations"] });
  return found.violations
    .filter(one => ["serious", "critical"].includes(one.impact))
    .map(one => `${one.id}: ${one.help}\\n` + one.nodes.map(
      node => `   ${node.target} ${node.html.slice(0, 200)}\\n      ${node.failureSummary}`
    ).join("\\n"));
}"""
# JupyterLab sets cells to the right, which is for numbers; words are read from the left.
TO_THE_RIGHT = """cells => cells
  .filter(one => /[a-z]/i.test(one.textContent))
  .filter(one => !["left", "start"].includes(getComputedStyle(one).textAlign))
  .map(one => one.textContent)
"""


@pytest.fixture(scope="session")
def axe():
    return (node_modules(Path(__file__).parent / "axe") / "axe-core" / "axe.min.js").read_text()


async def test_it_would_be_seen(browser, axe):
    page = await browser.new_page()
    await page.set_content("<main><img src='x.png'><button></button></main>")
    told = "\n".join(await findings(page, axe, "html"))
    assert "image-alt" in told
    assert "button-name" in told


async def findings(page, axe, *roots):
    # Evaluated and not added as a script element: the pages' own policies forbid those.
    await page.evaluate(axe)
    return await page.evaluate(RUN, list(roots))


@pytest.fixture
async def lab(tmp_path, monkeypatch):
    monkeypatch.setenv("BAINK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("BAINK_AUTOPILOT", raising=False)
    settings = load()
    await launch.ensure(settings.baink_home, settings=settings, relaxed=True)
    lab = await open_lab(0)
    yield lab
    await lab.close()
    _opened.clear()
    await launch.stop(settings.baink_home)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_sandboxs_pages(lab, browser, axe, scheme):
    context = await browser.new_context(color_scheme=scheme, viewport={"width": 390, "height": 800})

    async def wrong(name, url, text):
        page = await context.new_page()
        await page.goto(url)
        await page.get_by_text(text).first.wait_for()
        await page.screenshot(path=ARTIFACTS / f"page_{name}_{scheme}.png")
        return await findings(page, axe, "html")

    await lab.say(MOVE)
    told = await wrong("phone", lab.phone.url, "asks for your approval")
    await lab.unenroll()  # who has a phone is offered no second one
    ticket = (await lab.enroll()).text.split(": ", 1)[1]
    told += await wrong("enrolment", ticket, "Enrol the stand-in phone")
    async with httpx.AsyncClient() as http:
        asked = await begin(
            lab.world.issuer, lab.world.client_id, http=http, audience=lab.world.audience
        )
    told += await wrong("login", asked.url, "Password")
    await context.close()
    assert not told, "\n".join(told)


async def test_widgets_in_jupyterlab(jupyter, page, axe):
    await jupyter.run_cells(page, "widgets.ipynb", WIDGETS)
    outputs = page.locator(".jp-OutputArea-output")
    await outputs.locator(".baink-diagram").wait_for()
    await outputs.locator("button.jupyter-button", has_text="Approve").nth(3).wait_for()
    await outputs.get_by_label("Say to Aiya").wait_for()
    diagram = outputs.locator(".baink-diagram")
    await diagram.get_by_role("list").get_by_role("button").first.press("Enter")
    slip = outputs.and_(page.locator("[data-mime-type='application/vnd.jupyter.stderr']"))
    await slip.first.wait_for()
    assert await slip.all_inner_texts() == [GONE]
    cells = outputs.locator("td, th")
    assert await cells.count() > 40
    assert await cells.evaluate_all(TO_THE_RIGHT) == []
    parts = {"doctor": 1, "accounts": 3, "phone": 4, "chat": 6, "diagram": 7}
    told = await in_both_themes(page, axe, parts)
    assert not told, "\n".join(told)


async def in_both_themes(page, axe, parts):
    """What axe finds in the outputs; each part's picture is kept for people to look at."""
    told = await looked_at(page, axe, parts, "light")
    await page.get_by_role("menuitem", name="Settings", exact=True).click()
    for name in ("Theme", "JupyterLab Dark"):
        await page.locator(".lm-Menu-itemLabel").get_by_text(name, exact=True).click()
    await page.locator("body[data-jp-theme-light='false']").wait_for(state="attached")
    return told + await looked_at(page, axe, parts, "dark")


async def looked_at(page, axe, parts, theme):
    for name, number in parts.items():
        cell = page.locator(".jp-CodeCell").nth(number)
        await cell.scroll_into_view_if_needed()
        await cell.screenshot(path=ARTIFACTS / f"widget_{name}_{theme}.png")
    return [f"{theme}: {one}" for one in await findings(page, axe, ".jp-OutputArea-output")]


async def test_the_chat_offers_enrolment_and_goes_on_by_keyboard_alone(jupyter, page, axe):
    """Coverage S7: link and code in the chat, the ticket's page, Continue transfer."""
    sources = [WIDGETS[0], "await lab.unenroll()", "lab.phone.widget()", "await lab.chat()"]
    await jupyter.run_cells(page, "chat.ipynb", sources)
    outputs = page.locator(".jp-OutputArea-output")
    box = outputs.get_by_label("Say to Aiya")
    await box.fill(MOVE)
    await page.keyboard.press("Enter")
    offer = outputs.get_by_role("group", name="Enrol a phone")
    code = outputs.get_by_role("img", name=re.compile("QR code"))
    await code.wait_for()
    await page.screenshot(path=ARTIFACTS / "chat_offer.png")
    below = await code.bounding_box()
    button = outputs.get_by_role("button", name="Continue transfer")
    assert (await button.bounding_box())["y"] < below["y"], "the code is large, and comes last"
    told = await in_both_themes(page, axe, {"offer": 3})
    assert not told, "\n".join(told)
    link = offer.get_by_role("link", name="Open the enrolment page")
    await link.focus()
    async with page.context.expect_page() as opened:
        await page.keyboard.press("Enter")
    enrolment = await opened.value
    await enrolment.get_by_role("button", name="Enrol the stand-in phone").press("Enter")
    await enrolment.get_by_text("now receives the requests").wait_for()
    await enrolment.close()
    go_on = outputs.get_by_role("button", name="Continue transfer")
    await go_on.focus()
    await page.keyboard.press("Enter")
    approve = outputs.locator("button.jupyter-button", has_text="Approve")
    await approve.wait_for()
    await approve.focus()
    await page.keyboard.press("Enter")
    await outputs.get_by_role("log").get_by_text("Done: ").wait_for()
