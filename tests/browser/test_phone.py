"""The phone in a real browser: each request a card of its own, as a widget and as a page."""

from __future__ import annotations

import re

import pytest

from baink_lab.lab import open_lab
from baink_lab.lab.opening import _opened
from baink_lab.sandbox import launch
from baink_lab.settings import load
from tests.browser.conftest import ARTIFACTS, shot

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

FIRST, SECOND = "Move $25 from checking to savings", "Move $40 from savings to checking"
CELLS = [
    "from baink_lab.lab import open_lab\n\nlab = await open_lab(0)",
    "lab.phone.widget()",
    f'await lab.say("{FIRST}")\nawait lab.say("{SECOND}")',
]
HAS_FOCUS = "element => element === document.activeElement"
# Each state in which both are to be seen at once, from now on.
WATCH = """() => {
  window.both = [];
  const look = () => {
    const none = document.getElementById("none"), told = document.getElementById("told");
    if (!none.hidden && told.textContent.startsWith("New request")) both.push(told.textContent);
  };
  new MutationObserver(look).observe(document.body,
    { subtree: true, childList: true, attributes: true, characterData: true });
}"""


async def gap(cards):
    """Pixels between the first card and the second."""
    first, second = [await cards.nth(at).bounding_box() for at in (0, 1)]
    return second["y"] - first["y"] - first["height"]


async def held(button):
    """Whether it has the keyboard's focus, and its card is below a newer one."""
    assert await button.evaluate(HAS_FOCUS)
    card = "button => button.closest('article').previousElementSibling.ariaLabel"
    assert "Move 40.00 USD" in await button.evaluate(card)


async def rules(cards):
    """The widths of the cards' own borders."""
    width = "all => all.map(one => parseFloat(getComputedStyle(one).borderTopWidth))"
    return await cards.evaluate_all(width)


async def test_in_the_widget_two_requests_are_two_cards(jupyter, page):
    await jupyter.run_cells(page, "phone.ipynb", CELLS)
    outputs = page.locator(".jp-OutputArea-output")
    cards = outputs.get_by_role("article")
    await cards.nth(1).wait_for()
    new = outputs.get_by_text(re.compile("New request from .*: Move 40"))
    await new.wait_for()
    assert (await new.bounding_box())["height"] <= 1, "it is for ears: eyes see the card"
    assert await outputs.get_by_text("Nothing waits for you").count() == 0
    assert await gap(cards) >= 4
    assert min(await rules(cards)) >= 1
    await shot(page, cards.first, "phone_widget_two")
    for up in ("..", "../.."):  # the list of requests, and the phone around it
        scrolls = "box => box.scrollHeight > box.clientHeight && getComputedStyle(box).overflowY"
        assert await cards.first.locator(f"xpath={up}").evaluate(scrolls) in {False, "visible"}
    one = outputs.get_by_role("article", name=re.compile("asks for your approval: Move 40.00 USD"))
    await one.get_by_role("button", name="Approve").press("Enter")
    await outputs.get_by_text("Approved: Move 40.00 USD").wait_for()
    await cards.nth(1).wait_for(state="detached")
    box = outputs.locator(".baink-cards")
    assert await box.evaluate(HAS_FOCUS), "with its card gone, the focus stays on the phone"
    other = outputs.get_by_role("article", name=re.compile("Move 25.00 USD"))
    await page.keyboard.press("Tab")
    assert await other.get_by_role("button", name="Deny").evaluate(HAS_FOCUS)
    await page.keyboard.press("Enter")
    await outputs.get_by_text("Nothing waits for you").wait_for()
    await outputs.get_by_text("Denied: Move 25.00 USD").wait_for()
    assert await box.evaluate(HAS_FOCUS)


async def test_a_newer_card_comes_on_top_and_takes_no_focus_away(jupyter, page):
    ask = jupyter.folder / "ask"
    later = (
        "import asyncio, pathlib\n\nasync def later():\n"
        f"    while not pathlib.Path({str(ask)!r}).exists():\n        await asyncio.sleep(0.1)\n"
        f'    await lab.say("{SECOND}")\n\ntask = asyncio.create_task(later())'
    )
    await jupyter.run_cells(page, "newer.ipynb", [*CELLS[:2], f'await lab.say("{FIRST}")', later])
    outputs = page.locator(".jp-OutputArea-output")
    older = outputs.get_by_role("article", name=re.compile("Move 25.00 USD"))
    button = older.get_by_role("button", name="Deny")
    await button.focus()
    ask.touch()
    await outputs.get_by_text("Your phone: 2 requests wait").wait_for()
    await outputs.get_by_text(re.compile("New request from .*: Move 40")).wait_for()
    await held(button)
    newer = outputs.get_by_role("article", name=re.compile("Move 40.00 USD"))
    await newer.get_by_role("button", name="Deny").evaluate("button => button.click()")
    await newer.wait_for(state="detached")
    assert await button.evaluate(HAS_FOCUS)


async def test_on_the_page_too_and_what_ended_elsewhere_is_not_new(tmp_path, monkeypatch, browser):
    monkeypatch.setenv("BAINK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("BAINK_AUTOPILOT", raising=False)
    settings = load()
    await launch.ensure(settings.baink_home, settings=settings, relaxed=True)
    lab = await open_lab(0)
    try:
        page = await browser.new_page(viewport={"width": 390, "height": 900})
        await page.goto(lab.phone.url)
        nothing = page.get_by_text("Nothing waits for you")
        await nothing.wait_for()
        await page.evaluate(WATCH)
        await lab.say(FIRST)
        await page.get_by_text("New request: Move 25").wait_for()
        first = page.get_by_role("article", name=re.compile("Move 25.00 USD"))
        deny = first.get_by_role("button", name="Deny")
        await deny.focus()
        await lab.say(SECOND)
        cards = page.get_by_role("article")
        await cards.nth(1).wait_for()
        await held(deny)
        assert await gap(cards) >= 4
        assert min(await rules(cards)) >= 1
        await page.screenshot(path=ARTIFACTS / "phone_page_two.png")
        await deny.click()
        await page.get_by_text("Denied: Move 25.00 USD").wait_for()
        await lab.say("Move $5 from checking to savings")
        await page.get_by_text("New request: Move 5.00").wait_for()
        for one in await lab.phone.waiting():
            await lab.phone.approve(one["id"])
        await nothing.wait_for()
        await page.get_by_text("Waits no longer, as it was answered").wait_for()
        assert await page.evaluate("both") == []
    finally:
        await lab.close()
        _opened.clear()
        await launch.stop(settings.baink_home)
