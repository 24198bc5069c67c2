"""Lab 05 in a real JupyterLab: the experiments show, a mistake is named where it was typed."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from tests.browser.conftest import ARTIFACTS, shot
from tests.browser.test_labs import run, type_into

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PUSHES_AND_WAITS = """@lab.exercise
async def request_approval(desk, gate, arguments, call):
    approval = await desk.ask(gate, arguments, call)
    tell_push(approval)
    interrupt({"approval_id": approval.id})
    return Command(goto=Send(gate.node, task_for(approval, late=False)))"""


AMOUNTS = "You moved $25 to Mia, and then $20 to Ben."
SHOWN = [
    "from baink_lab.lab.checks.result import failed\n"
    "from baink_lab.lab.experiments.rehearsal import Rehearsal\n"
    "from baink_lab.lab.widgets.show import paragraph, table",
    # That MathJax is there, and has nothing against this notebook.
    "from IPython.display import HTML\nHTML('<p>A formula: $x$ and $y$.</p>')",
    f"failed('wrap_transfer', '{AMOUNTS}', '{AMOUNTS}', 'C14')",
    f"paragraph('{AMOUNTS}')",
    f"table('{AMOUNTS}', ['{AMOUNTS}'], [['{AMOUNTS}']])",
    f"Rehearsal('{AMOUNTS}', [('says', '{AMOUNTS}')], {{}})",
]


async def test_two_amounts_in_dollars_are_no_formula(jupyter, page):
    await jupyter.run_cells(page, "dollars.ipynb", SHOWN)
    outputs = page.locator(".jp-OutputArea-output")
    formulas = page.locator("mjx-container")
    await formulas.nth(1).wait_for()
    await outputs.get_by_text("Aiya says").wait_for()
    await shot(page, outputs.get_by_text("wrap_transfer: wrong"), "lab05_dollars")
    # Outputs are typeset one by one, in order: an output below these that is set means all were.
    cell = page.locator(".jp-CodeCell .cm-content").last
    await type_into(page, cell, "HTML('<p>The last formula: $z$.</p>')")
    await formulas.nth(2).wait_for()
    assert await formulas.count() == 3
    words = " ".join(await outputs.all_inner_texts())
    assert words.count(AMOUNTS) == 6


async def test_arrows_are_seen_in_both_themes(jupyter, page):
    source = "graph TD; model -.-> join;"
    cell = f"from baink_lab.lab.widgets.show import Drawn\nDrawn({source!r}, 'model → join')"
    await jupyter.run_cells(page, "drawn.ipynb", [cell])
    picture = page.locator(".jp-RenderedMermaid img")
    await picture.wait_for()
    drawn = unquote(await picture.get_attribute("src"))
    assert re.search(r"\.flowchart-link\s*\{\s*stroke:\s*#888888", drawn)


async def test_lab_05_experiments_and_a_mistake_by_its_name(jupyter, page):
    outputs, errors = await run(jupyter, page, "05_build_aiya.ipynb")
    await outputs.get_by_text("service_one {}").wait_for()
    await outputs.get_by_text("service_two {}").wait_for()
    await outputs.get_by_text("Shall I move $25.00 from Checking to Savings?").wait_for()
    await shot(page, outputs.get_by_text("Shall I move $25.00"), "lab05_descriptions")
    await outputs.get_by_text("⬜ request_approval: not attempted.").wait_for()
    # Run All ends at the first use of an empty exercise, in one sentence.
    await outputs.get_by_text("wrap_transfer has no body yet").first.wait_for()

    cell = page.locator(".jp-CodeCell .cm-content", has_text="async def request_approval")
    code = f"from langgraph.types import interrupt\n\n{PUSHES_AND_WAITS}"
    await type_into(page, cell, code)
    await page.keyboard.press("Shift+Enter")
    wrong = outputs.get_by_text("❌ request_approval: wrong.")
    await wrong.wait_for()
    await outputs.get_by_text("the next node waits.").first.wait_for()
    await shot(page, wrong, "lab05_wrong")
    assert (ARTIFACTS / "lab05_wrong.png").stat().st_size > 10_000
    assert not errors
