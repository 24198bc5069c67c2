"""A line typed key by key arrives whole, also while a cell waits for the phone."""

from __future__ import annotations

import json

import pytest

from tests.browser.conftest import shot

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
CELLS = [
    "from baink_lab.lab import open_lab\n\nlab = await open_lab(0)",
    "await lab.chat()",
    'await lab.say("Move $25 from checking to savings")\nawait lab.settled()',
]


def notebook() -> str:
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "source": source, "outputs": [],
         "execution_count": None}
        for i, source in enumerate(CELLS)
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}}
    return json.dumps(content | {"nbformat": 4, "nbformat_minor": 5})


async def test_typed_by_hand_and_sent_by_the_button_while_a_cell_waits(jupyter, page):
    (jupyter.folder / "work" / "notebooks" / "entry.ipynb").write_text(notebook())
    await jupyter.open(page, "entry.ipynb")
    await jupyter.run_all(page)
    outputs = page.locator(".jp-OutputArea-output")
    log = outputs.get_by_role("log")
    await outputs.get_by_text("Waiting for the phone").wait_for()
    for said in ("What is my balance?", "And what is my balance now?"):
        await outputs.get_by_label("Say to Aiya").click()
        await page.keyboard.type(said, delay=15)
        await outputs.get_by_role("button", name="Send").click()
        await log.get_by_text(f"You: {said}", exact=True).wait_for(timeout=15_000)
    assert await outputs.get_by_label("Say to Aiya").input_value() == ""
    await shot(page, log, "entry_chat")
