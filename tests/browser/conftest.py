"""A real JupyterLab and a real browser, for what a learner clicks."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import nbformat
import pytest

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "artifacts"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def chromium():
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("These tests need a browser: sudo apt-get install chromium")
    return found


@pytest.fixture
async def browser(chromium):
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        started = await playwright.chromium.launch(executable_path=chromium, args=flags)
        yield started
        await started.close()


@pytest.fixture
async def page(browser, request):
    ARTIFACTS.mkdir(exist_ok=True)
    context = await browser.new_context(viewport={"width": 1280, "height": 1600})
    page = await context.new_page()
    page.set_default_timeout(60_000)
    yield page
    await page.screenshot(path=ARTIFACTS / f"{request.node.name}.png")
    await context.close()


async def shot(page, locator, name: str) -> None:
    """A picture with this in its middle. An output may be drawn anew meanwhile: nothing is held."""
    await locator.first.evaluate("element => element.scrollIntoView({block: 'center'})")
    await page.wait_for_timeout(500)
    await page.screenshot(path=ARTIFACTS / f"{name}.png")


class Jupyter:
    """A JupyterLab of its own, on a copy of the notebooks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token = secrets.token_hex(16)
        self.home = folder / "home"
        shutil.copytree(
            ROOT / "notebooks",
            folder / "work" / "notebooks",
            ignore=shutil.ignore_patterns(".ipynb_checkpoints"),
        )

    @contextlib.contextmanager
    def running(self, *, autopilot: bool = False):
        names = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
        own = {f"JUPYTER_{name}": str(self.folder / name.lower()) for name in names}
        env = os.environ | own | {"IPYTHONDIR": str(self.folder / "ipython")}
        env |= {"BAINK_HOME": str(self.home)}
        env.pop("BAINK_AUTOPILOT", None)
        env |= {"BAINK_AUTOPILOT": "1"} if autopilot else {}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1"]
        command += [f"--ServerApp.token={self.token}", "--ServerApp.port=0"]
        command += [f"--ServerApp.root_dir={self.folder / 'work'}", "--LabApp.news_url="]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--allow-root")
        with (self.folder / "jupyter.log").open("wb") as log:
            process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        try:
            self.url = self._wait(process)
            yield self
        finally:
            process.terminate()
            process.wait(20)

    def _wait(self, process) -> str:
        deadline = time.monotonic() + 60
        runtime = self.folder / "runtime_dir"
        while time.monotonic() < deadline and process.poll() is None:
            for file in runtime.glob("jpserver-*.json"):
                with contextlib.suppress(ValueError, httpx.HTTPError):
                    url = json.loads(file.read_text())["url"]
                    if httpx.get(f"{url}api", timeout=2).status_code == 200:
                        return url
            time.sleep(0.1)
        log = (self.folder / "jupyter.log").read_text()[-3000:]
        raise AssertionError(f"JupyterLab did not start: {log}")

    async def open(self, page, name: str) -> None:
        """Open a notebook and wait until its kernel is connected."""
        await page.goto(f"{self.url}lab/tree/notebooks/{name}?token={self.token}&reset")
        await page.wait_for_selector(".jp-NotebookPanel .jp-Notebook .jp-Cell")
        # The notebook's own indicator says idle before there is a kernel; the status bar does not.
        await page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()

    async def run_cells(self, page, name: str, sources) -> None:
        """Write a notebook with these cells, open it, and run them all."""
        book = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in sources],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(book, self.folder / "work" / "notebooks" / name)
        await self.open(page, name)
        await self.run_all(page)

    async def run_all(self, page) -> None:
        """Menu Run, Run All Cells."""
        await page.get_by_role("menuitem", name="Run", exact=True).click()
        await page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


@pytest.fixture
def jupyter(tmp_path):
    with Jupyter(tmp_path).running() as lab:
        yield lab
