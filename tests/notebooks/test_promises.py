"""What the labs promise in prose and pictures."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import nbformat
import pytest
import segno

from baink_lab.lab import checks
from baink_lab.lab.checks.mistakes import BY_MISTAKE
from baink_lab.lab.learner.parsed import parsed

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
    drawn = draw.every_picture()
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


ON_THE_DASHBOARD = {
    "name": "Name: bAInk transfers",
    "identifier": "Identifier: https://localhost:3000/api/accounts/transfers",
    "signing_alg": "Signing Algorithm: RS256",
    "token_dialect": "JSON Web Token (JWT) Profile: RFC 9068",
    "token_lifetime": "**Maximum Access Token Lifetime (Seconds): 300**",
    "subject_type_authorization": "**User-Delegated Access** and **Client Access** say "
    "*Per-app authorization*",
}


def test_all_that_the_api_cell_sends_is_named_on_the_way_through_the_dashboard():
    cells = LABS["02"].cells
    at = next(i for i, cell in enumerate(cells) if 'post("resource-servers"' in cell.source)
    (sent,) = [
        node.value
        for node in parsed(cells[at].source.replace("await ", "")).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
    ]
    assert {key.value for key in sent.keys} == set(ON_THE_DASHBOARD)
    for told in ON_THE_DASHBOARD.values():
        assert told in cells[at - 1].source


def test_lab_03_compares_app_and_sdk_with_a_date():
    text = text_of("03")
    assert "| | Auth0 Guardian app | Guardian SDK in your own app |" in text
    for row in ("effort", "who sends the push", "binding message", "rich authorization"):
        assert re.search(rf"^\| {row}.*\|.*\|.*\|$", text, re.M), row
    assert "as of August 20, 2026" in text
    assert "This workshop uses the Guardian app." in text
    assert "Take the SDK when" in text


@pytest.mark.parametrize("store", ["app_store", "google_play"])
def test_lab_03_links_both_stores_and_has_their_codes(draw, store):
    code = next(one for one in draw.QR_CODES if one.name == store)
    text = text_of("03")
    assert f"[{code.what}]({code.url})" in text
    assert f"![{code.alt}](pictures/{store}.svg)" in text
    # The dark modules of the picture are those of the address, and nothing else.
    svg = (NOTEBOOKS / "pictures" / f"{store}.svg").read_text("utf-8")
    path = re.search(r'class="qrline"[^>]* d="([^"]+)"', svg)[1]
    matrix = segno.make(code.url, error="m", micro=False).matrix_iter(border=4)
    assert dark_modules(path) == {
        (x, y) for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark
    }


def test_both_codes_are_of_one_size(draw):
    drawn = draw.every_picture()
    roots = [ET.fromstring(drawn[f"{one.name}.svg"]) for one in draw.QR_CODES]
    assert len({(root.get("width"), root.get("height")) for root in roots}) == 1
    assert all(root.get("viewBox") for root in roots), "it would be cut, not made smaller"


def test_lab_03_text_and_picture_name_the_same_app(draw):
    picture = next(one for one in draw.PICTURES if one.name == "push_factor")
    label, app = picture.fields[-1]
    assert f"**{label}: {app}**" in text_of("03")


@pytest.mark.parametrize("lab", sorted(LABS))
def test_a_lab_says_before_the_first_kept_answer_that_it_is_kept(lab):
    cells = LABS[lab].cells
    first = next(at for at, cell in enumerate(cells) if cell.get("outputs"))
    told = "\n".join(cell.source for cell in cells[:first] if cell.cell_type == "markdown")
    assert "(Below each check you see how its answer looks when all is well, kept" in told


def dark_modules(path):
    """Where a QR code's path, made of moves and horizontal lines, is dark."""
    dark, x, y = set(), 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([^Mmh]*)", path):
        first, *second = (float(one) for one in re.findall(r"-?\d*\.?\d+", numbers))
        if command == "h":
            dark |= {(int(x) + n, int(y)) for n in range(int(first))}
            x += first
        else:
            x, y = (first, second[0]) if command == "M" else (x + first, y + second[0])
    return dark


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


def test_lab_06_says_that_a_real_bank_wants_a_finer_policy_and_who_decides_it():
    last = LABS["06"].cells[-1].source
    assert "a finer policy" in last
    assert all(f"]({link})" in last for link in ("https://docs.fga.dev/", "https://openfga.dev/"))


def test_every_mistake_has_hints():
    wanted = {f"T{n}" for n in range(1, 16)} | {f"C{n}" for n in range(1, 16)}
    assert set(BY_MISTAKE) == wanted
    assert all(len(steps) >= 2 for steps in BY_MISTAKE.values())


def test_lab_04_asks_the_phone_when_all_code_is_written_and_shows_it_beside_each_button():
    """A push lives for five minutes, and a loop takes longer to write."""
    cells = [cell for cell in LABS["04"].cells if cell.source]
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    last = max(at for at, one in enumerate(code) if "@lab.exercise" in one)
    pushes = [at for at, one in enumerate(code) if "await ask(http, world" in one]
    assert len(pushes) == 2
    assert min(pushes) > last
    for button in ("Approve", "Deny"):
        (at,) = (
            at for at, cell in enumerate(cells) if f"press *{button}* on the phone" in cell.source
        )
        assert cells[at + 1].source == "lab.phone.widget()"
        assert cells[at + 2].source.startswith("await lab.answered(")
