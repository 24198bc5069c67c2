"""Each notebook in a real JupyterLab, Run All, unattended: no error, and a narrow window is enough.

"Narrow" is 800 pixels with the file browser open, as on a laptop beside a second window.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from baink_lab.sandbox import launch
from baink_lab.settings import Settings
from tests.browser.conftest import ROOT, Jupyter

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
DONE = """() => {
    const prompts = [...document.querySelectorAll(
        '.jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell .jp-InputArea-prompt')];
    return prompts.length > 0 && prompts.every(one => /\\[\\d+\\]/.test(one.textContent));
}"""
#: What sticks out of its cell, and amounts on two lines. JupyterLab draws a cell once it is seen.
BADLY_SET = """async () => {
    const drawn = () => new Promise(then => requestAnimationFrame(() => setTimeout(then)));
    const found = [], book = '.jp-NotebookPanel:not(.lm-mod-hidden) ';
    for (const cell of document.querySelectorAll(book + '.jp-Cell')) {
        cell.scrollIntoView();
        await drawn();
        await drawn();
        const edge = cell.getBoundingClientRect().right + 1;
        for (const one of cell.querySelectorAll('.jp-RenderedHTMLCommon, table, pre')) {
            const wide = one.scrollWidth > one.clientWidth + 1 && one.tagName !== 'TABLE';
            if (one.offsetParent && (wide || one.getBoundingClientRect().right > edge))
                found.push('sticks out: ' + one.innerText.slice(0, 80));
        }
        const outputs = [...cell.querySelectorAll('.jp-OutputArea-output')];
        for (const output of outputs.filter(one => one.offsetParent)) {
            const texts = document.createTreeWalker(output, NodeFilter.SHOW_TEXT);
            while (texts.nextNode()) {
                const text = texts.currentNode;
                for (const amount of text.data.matchAll(/\\$?\\d[\\d,]*\\.\\d\\d\\b/g)) {
                    const range = document.createRange();
                    range.setStart(text, amount.index);
                    range.setEnd(text, amount.index + amount[0].length);
                    const lines = new Set([...range.getClientRects()].map(one => one.top));
                    if (lines.size > 1) found.push('on two lines: ' + amount[0]);
                }
            }
        }
    }
    return found;
}"""


@pytest.fixture(scope="module")
def unattended(tmp_path_factory):
    """One JupyterLab and one sandbox for all of them, as in a classroom."""
    folder: Path = tmp_path_factory.mktemp("unattended")
    jupyter = Jupyter(folder)
    settings = Settings(_env_file=None, baink_home=jupyter.home)
    asyncio.run(launch.ensure(jupyter.home, settings=settings, interval=1, relaxed=True))
    with jupyter.running(autopilot=True) as lab:
        yield lab
    asyncio.run(launch.stop(jupyter.home))


@pytest.mark.parametrize("name", NOTEBOOKS)
async def test_run_all_ends_without_an_error(unattended, page, name):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await unattended.open(page, name)
    await unattended.run_all(page)
    await page.wait_for_function(DONE)
    outputs = page.locator(".jp-NotebookPanel .jp-OutputArea-output")
    for sign in ("❌", "⬜"):
        assert await outputs.filter(has_text=sign).all_text_contents() == []
    failed = page.locator('[data-mime-type="application/vnd.jupyter.error"]')
    assert await failed.all_text_contents() == []
    await page.set_viewport_size({"width": 800, "height": 1600})
    assert await page.evaluate(BADLY_SET) == []
    assert not errors
