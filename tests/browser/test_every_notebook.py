"""Each notebook in a real JupyterLab, Run All, unattended: no error output and no page error."""

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
    assert not errors
