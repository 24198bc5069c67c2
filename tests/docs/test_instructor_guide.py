"""The instructor guide's commands, links and minutes are true."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from baink_lab.cli import app
from baink_lab.lab.session import Lab
from baink_lab.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "instructor-guide.md").read_text("utf-8")
PATHS = dict(re.findall(r"^### (.+?):.*?\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S))


def rows(table):
    """Minutes and notebook (None for a break) of each row of a path's table."""
    for minutes, rest in re.findall(r"^\| (\d+) \|(.*)$", table, re.M):
        named = re.search(r"\]\(\.\./notebooks/([\w.]+)\)", rest)
        yield int(minutes), named[1] if named else None


@pytest.mark.parametrize(("name", "minutes"), [("30 minutes", 30), ("2 hours", 120)])
def test_a_path_takes_the_time_that_it_says(name, minutes):
    assert sum(one for one, _ in rows(PATHS[name])) == minutes


def test_the_long_path_gives_each_lab_the_minutes_that_it_needs():
    """What a room does not do itself is named, with the minutes that it saves."""
    given = {name: minutes for minutes, name in rows(PATHS["2 hours"]) if name}
    assert sorted(given) == sorted(
        path.name for path in (ROOT / "notebooks").glob("*.ipynb") if path.name < "07"
    )
    reserve = {}
    for name, minutes in given.items():
        (row,) = (one for one in PATHS["2 hours"].splitlines() if f"/{name})" in one)
        saved = sum(int(one) for one in re.findall(r"\(saves (\d+) minutes", row))
        reserve[name[:2]] = minutes + saved - doing(name)
        assert reserve[name[:2]] >= 0, f"{name}: {doing(name)} minutes of doing in {row}"
    assert "Labs 00 to 03 have two minutes in reserve together, labs 04 to 06 none" in PAGE
    assert sum(reserve[lab] for lab in ("00", "01", "02", "03")) == 2
    assert not any(reserve[lab] for lab in ("04", "05", "06"))


def test_with_more_time_reading_and_doing_fit():
    """Three hours and three quarters, with the break and the last words of the long path."""
    more = sum(minutes for minutes, name in rows(PATHS["2 hours"]) if not name)
    assert "With three hours and three quarters nothing is skipped" in PAGE
    names = [path.name for path in (ROOT / "notebooks").glob("*.ipynb") if path.name < "07"]
    assert 210 < sum(reading(name) + doing(name) for name in names) + more <= 225


def reading(name):
    return minutes_of("Reading", name)


def doing(name):
    return minutes_of("Doing", name)


def minutes_of(what, name):
    first = nbformat.read(ROOT / "notebooks" / name, 4).cells[0].source
    return int(re.search(rf"{what}: (\d+) minutes?", first)[1])


def test_the_long_path_says_when_lab_06_begins():
    path = PATHS["2 hours"]
    before = path[: path.index("[06]")].rpartition("\n")[0]
    begins = sum(minutes for minutes, _ in rows(before))
    assert int(re.search(r"lab 06 begins \(minute (\d+)\)", path)[1]) == begins


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target


def test_everything_that_the_page_calls_exists():
    lab = Lab(0, Settings(), {"tenant": "", "issuer": "", "bank": "", "model": ""} | dict.fromkeys(
        ("client_id", "client_secret", "user_id", "audience", "phone"), ""
    ))  # fmt: skip
    called = set(re.findall(r"\blab((?:\.\w+)+)\(", PAGE))
    assert called
    for path in called:
        found = lab
        for name in path.strip(".").split("."):
            found = getattr(found, name)
        assert callable(found), path


def test_every_command_line_is_understood():
    commands = set(re.findall(r"`baink-lab ([^`]+)`", PAGE))
    assert {shlex.split(one)[0] for one in commands} >= {"reset", "sandbox", "doctor"}
    for command in commands:
        name, *options = shlex.split(command)
        help_text = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).stdout
        for option in options:
            assert not option.startswith("-") or option in help_text, command
    targets = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"`make (\w+)", PAGE):
        assert f"\n{target}:" in targets, target
