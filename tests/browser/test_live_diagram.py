"""The live diagram in a real JupyterLab: drawn as it happens, by keyboard alone, saved as SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from tests.browser.conftest import ARTIFACTS, shot
from tests.browser.test_lab06 import Learner
from tests.browser.test_labs import run, run_cell, type_into

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
        await page.keyboard.press("ArrowUp")  # from the newest, which is in sight
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


CELLS = [
    "from baink_lab.lab import open_lab\n\nlab = await open_lab(6)",
    "for n in range(1, 4):\n"
    '    await lab.say(f"Move ${n}5 from checking to savings")\n'
    "    await lab.phone.approve()\n"
    '    await lab.clock.advance("1 min")\n'
    "    await lab.settled()",
    "lab.live_diagram()",
    'await lab.say("hello")',
]
SCROLLED = """element => {
  const found = { x: [], y: [] };
  for (const one of [...element.querySelectorAll("*"), element]) note(one);
  for (let up = element; !up.classList.contains("jp-OutputArea"); ) note(up = up.parentElement);
  return found;
  function note(one) {
    const style = getComputedStyle(one), may = way => ["auto", "scroll"].includes(way);
    if (may(style.overflowX) && one.scrollWidth > one.clientWidth) found.x.push(one.className);
    if (may(style.overflowY) && one.scrollHeight > one.clientHeight) found.y.push(one.className);
  }
}"""


@pytest.fixture
async def wide(chromium):
    """A page whose scrollbars take room, as they do for a learner."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=flags, ignore_default_args=["--hide-scrollbars"]
        )
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(60_000)
        yield page
        await browser.close()


async def in_sight(scroll, words):
    """Which of the messages with these words can be seen, without scrolling."""
    rows = scroll.get_by_role("button", name=words)
    return await rows.evaluate_all("""rows => rows.filter(row => {
      const box = row.closest(".scroll").getBoundingClientRect(), at = row.getBoundingClientRect();
      return at.top >= box.top - 1 && at.bottom <= box.bottom + 1;
    }).map(row => row.ariaLabel)""")


async def test_the_newest_is_in_sight_until_the_reader_scrolls_up(jupyter, wide):
    page = wide
    await jupyter.run_cells(page, "diagram.ipynb", CELLS)
    diagram = page.locator(".baink-diagram")
    scroll, news = diagram.locator(".scroll"), diagram.get_by_role("status")
    hello = "Aiya to You: Hello, I am Aiya"
    await news.get_by_text(hello).wait_for(state="attached")
    await scroll.evaluate("element => element.scrollIntoView({block: 'center'})")
    await page.wait_for_function(
        "() => { const s = document.querySelector('.baink-diagram .scroll');"
        " return s.scrollTop > 0 && s.scrollTop + s.clientHeight >= s.scrollHeight - 1; }"
    )
    assert len(await in_sight(scroll, hello)) == 1
    assert not await in_sight(scroll, "You to Aiya: Move $15")
    names = diagram.locator(".lanes .who", has_text="Bank")
    assert (await names.bounding_box())["y"] >= (await scroll.bounding_box())["y"]
    assert await diagram.evaluate(SCROLLED) == {"x": [], "y": ["scroll"]}
    await page.screenshot(path=ARTIFACTS / "live_diagram_newest.png")

    # The reader goes up, and what is said meanwhile moves nothing under their eyes.
    await scroll.evaluate("element => { element.scrollTop = 40; }")
    await run_cell(page, 'await lab.say("hello")')
    rows = scroll.get_by_role("button", name=hello)
    await rows.nth(1).wait_for(state="attached")
    assert await scroll.evaluate("element => element.scrollTop") == 40

    # Back at the end it follows again, also when the oldest ones make room.
    await scroll.evaluate("element => { element.scrollTop = element.scrollHeight; }")
    cell = page.locator(".jp-CodeCell .cm-content", has_text='lab.say("hello")')
    await type_into(page, cell, 'for n in range(9):\n    await lab.say(f"hello {n}")')
    last = scroll.get_by_role("button", name="You to Aiya: hello 8")
    await last.wait_for(state="attached")
    await page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    assert len(await in_sight(scroll, "You to Aiya: hello 8")) == 1

    # And who reads something in the middle keeps it in sight, while older ones go.
    await scroll.evaluate("element => { element.scrollTop = element.scrollHeight * 0.7; }")
    labels = await scroll.get_by_role("button").evaluate_all("all => all.map(one => one.ariaLabel)")
    (name, *_) = await in_sight(scroll, re.compile("^You to Aiya: hello"))
    before = await below_the_top(scroll, name)
    await type_into(page, page.locator(".jp-CodeCell .cm-content").last, 'await lab.say("bye")')
    await news.get_by_text("Aiya to You: You are welcome").wait_for(state="attached")
    now = await scroll.get_by_role("button").evaluate_all("all => all.map(one => one.ariaLabel)")
    assert now[:-4] == labels[4:], "older ones did go"
    assert abs(await below_the_top(scroll, name) - before) < 3


async def below_the_top(scroll, name):
    """Where a message stands in what the reader sees, in pixels."""
    row = await scroll.get_by_role("button", name=name).bounding_box()
    return row["y"] - (await scroll.bounding_box())["y"]


async def restarts(learner):
    await learner.restarts_the_kernel()


async def dies(learner):
    cell = learner.page.locator(".jp-CodeCell .cm-content", has_text="asked = await ask(")
    await type_into(learner.page, cell, "import os\n\nos.kill(os.getpid(), 9)")
    await learner.page.locator(".jp-Dialog").get_by_role("button", name="Ok").click()


@pytest.mark.parametrize("end", [restarts, dies])
async def test_a_diagram_of_a_kernel_that_is_gone_says_so(jupyter, page, end):
    learner = Learner(page)
    await jupyter.open(page, "04_ciba_on_the_wire.ipynb")
    await learner.run("open_lab", and_next=4)
    diagram = learner.outputs.locator(".baink-diagram")
    await diagram.get_by_text("this fills").wait_for()
    gone = diagram.get_by_role("status").get_by_text(re.compile("kernel of this diagram is gone"))
    assert not await gone.count()
    await end(learner)
    await gone.wait_for()
    await shot(page, diagram, f"live_diagram_{end.__name__}")
    await learner.run("open_lab")
    await learner.sees("Lab 04 is open")
    await gone.wait_for()
    await learner.run("lab.live_diagram()")
    await diagram.get_by_text("this fills").wait_for()
    await gone.wait_for(state="detached")
    assert not learner.errors
