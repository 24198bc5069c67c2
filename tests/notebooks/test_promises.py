"""What the labs promise in prose and pictures."""

from __future__ import annotations

import importlib.util
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import nbformat
import pytest

from baink_lab.lab import checks
from baink_lab.lab.checks.mistakes import BY_MISTAKE

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
LABS = {path.name[:2]: nbformat.read(path, 4) for path in NOTEBOOKS.glob("0*.ipynb")}
STEPS = {
    "02": ("ciba_grant", "ciba_channel", "create_api", "permission", "application_access"),
    "03": ("push_factor", "enrol_user"),
}


def text_of(lab):
    return "\n".join(cell.source for cell in LABS[lab].cells if cell.cell_type == "markdown")


@pytest.fixture(scope="module")
def draw():
    spec = importlib.util.spec_from_file_location("draw", NOTEBOOKS / "pictures" / "draw.py")
    module = sys.modules["draw"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pictures_are_what_the_script_draws(draw):
    drawn = {f"{one.name}.svg": draw.svg(one) for one in draw.PICTURES}
    kept = {path.name: path.read_text("utf-8") for path in (NOTEBOOKS / "pictures").glob("*.svg")}
    assert kept == drawn, "run notebooks/pictures/draw.py"
    for name, svg in drawn.items():
        tree = ET.fromstring(svg)
        assert tree.find("{*}title").text, name
        assert tree.find("{*}desc").text, name


@pytest.mark.parametrize(("lab", "name"), [(lab, name) for lab in STEPS for name in STEPS[lab]])
def test_each_dashboard_step_has_way_picture_cell_and_check(draw, lab, name):
    picture = next(one for one in draw.PICTURES if one.name == name)
    cells = LABS[lab].cells
    at = next(i for i, cell in enumerate(cells) if f"pictures/{name}.svg" in cell.source)
    assert f"![{picture.alt}](pictures/{name}.svg)" in cells[at].source
    assert f" {draw.ARROW} ".join(picture.path) in cells[at].source
    code = [cell.source for cell in cells[at:] if cell.cell_type == "code"]
    assert re.search(r"await http\.(post|put|patch)\(", code[0])
    assert any(one.startswith("await lab.check(") for one in code[1:3])


def test_lab_03_compares_app_and_sdk_with_a_date():
    text = text_of("03")
    assert "| | Auth0 Guardian app | Guardian SDK in your own app |" in text
    for row in ("effort", "who sends the push", "binding message", "rich authorization"):
        assert re.search(rf"^\| {row}.*\|.*\|.*\|$", text, re.M), row
    assert "as of August 20, 2026" in text
    assert "This workshop uses the Guardian app." in text
    assert "Take the SDK when" in text


def test_lab_03_links_both_stores():
    text = text_of("03")
    assert "https://apps.apple.com/us/app/auth0-guardian/id1093447833" in text
    assert "https://play.google.com/store/apps/details?id=com.auth0.guardian" in text


@pytest.mark.parametrize("lab", sorted(LABS))
def test_a_notebook_makes_every_check_of_its_lab_and_no_other(lab):
    source = "\n".join(cell.source for cell in LABS[lab].cells if cell.cell_type == "code")
    assert re.findall(r'await lab\.check\("(\w+)"\)', source) == checks.names_of(int(lab))
    shelf = checks.shelf_of(int(lab))
    exercises = re.findall(r"@lab\.exercise\n(?:async )?def (\w+)", source)
    assert exercises == list(shelf.references)
    assert f"open_lab({int(lab)})" in source


@pytest.mark.parametrize("lab", sorted(set(LABS) - {"00"}))
def test_a_lab_ends_with_key_points_and_what_can_go_wrong(lab):
    last = LABS[lab].cells[-1].source
    assert last.startswith("## Recap")
    assert last.count("\n- **") >= 3
    assert "What can still go wrong?" in last


def test_every_mistake_has_hints():
    wanted = {f"T{n}" for n in range(1, 16)} | {f"C{n}" for n in range(1, 16)}
    assert set(BY_MISTAKE) == wanted
    assert all(len(steps) >= 2 for steps in BY_MISTAKE.values())
