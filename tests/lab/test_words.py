"""Everything that is shown is words too: in a terminal, on GitHub, and in what nbconvert makes."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from baink_lab.lab import open_lab
from baink_lab.lab.opening import _opened
from baink_lab.lab.widgets.show import counted, table

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
WORDS = {
    "phone": "run await lab.phone.approve()",
    "chat": 'run await lab.say("Move $25 from',
    "accounts": 'run await lab.accounts.move("25.00")',
    "diagram": "run lab.live_diagram() again",
}


@pytest.mark.parametrize(
    ("number", "things", "words"),
    [
        (1, ("phone",), "1 phone"),
        (0, ("phone",), "0 phones"),
        (2, ("push", "pushes"), "2 pushes"),
        (1, ("push", "pushes"), "1 push"),
    ],
)
def test_one_is_no_plural(number, things, words):
    assert counted(number, *things) == words


def test_a_table_breaks_long_words_only_and_stays_safe():
    shown = table("Ids", ["Name"], [["Ben & Co <b>"], [f"<i>{'x' * 20}</i> yes"]])
    assert "Ben &amp; Co &lt;b&gt;</td>" in shown.html
    long = f"&lt;i&gt;{'x' * 20}&lt;/i&gt;"
    assert f'<span style="overflow-wrap:anywhere">{long}</span> yes</td>' in shown.html
    assert shown.html.count("<span") == 1


@pytest.mark.timeout(90)
async def test_in_the_accounts_panel_columns_stand_apart(shared_home):
    """A widget has none of a notebook's styles for tables."""
    lab = await open_lab(0)
    try:
        shown = (await lab.accounts.panel()).widget.children[0].value
        cells = re.findall(r"<t[dh][^>]*>", shown)
        assert len(cells) > 4
        assert [one for one in cells if "padding" not in one] == []
    finally:
        await lab.close()
        _opened.clear()


@pytest.mark.timeout(90)
async def test_each_widget_has_words_in_its_bundle(shared_home, capsys):
    lab = await open_lab(0)
    try:
        shown = {
            "phone": lab.phone.widget(),
            "chat": await lab.chat(),
            "accounts": await lab.accounts.panel(),
            "diagram": lab.live_diagram(),
        }
        for name, one in shown.items():
            bundle = one._repr_mimebundle_()
            assert "application/vnd.jupyter.widget-view+json" in bundle, name
            assert WORDS[name] in bundle["text/plain"]
            assert WORDS[name] in repr(one)
        rest = [await lab.doctor(), lab.done(), lab.launch_pad(), await lab.balances()]
        rest += [await lab.check("first_transfer"), lab.diagram(), await lab.clock.advance(1)]
        for one in rest:
            assert re.search(r"\w{3}", one._repr_mimebundle_()["text/plain"]), one
    finally:
        await lab.close()
        _opened.clear()


@pytest.mark.timeout(150)
def test_nbconvert_shows_the_words_where_it_cannot_draw_the_widgets(tmp_path):
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--execute"]
    command += [str(NOTEBOOKS / "00_start_here.ipynb"), f"--output-dir={tmp_path}"]
    env = os.environ | {"BAINK_AUTOPILOT": "1", "BAINK_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    page = (tmp_path / "00_start_here.html").read_text("utf-8")
    seen = html.unescape(re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))
    for name in ("phone", "chat"):
        assert WORDS[name] in seen, name
    assert "first_transfer: passed" in seen
    assert "Everything that was checked is well" in seen
