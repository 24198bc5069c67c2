"""The doors agree: environment.yml, pyproject.toml, the locks, and what the code imports."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def name_of(requirement):
    return re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")


def locked(name):
    text = (ROOT / ".locks" / f"{name}.txt").read_text("utf-8")
    return {name_of(line) for line in text.splitlines() if re.match(r"[\w.-]+==", line)}


def test_the_conda_door_is_thin_and_leads_to_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    assert environment["name"] == PROJECT["name"]
    *conda, pip = environment["dependencies"]
    assert conda == [f"python{PROJECT['requires-python']}", "pip"]
    [editable] = pip["pip"]
    extra = re.fullmatch(r"-e \.\[(\w+)\]", editable)[1]
    assert extra in PROJECT["optional-dependencies"]


@pytest.mark.parametrize("lock", ["lab", "dev"])
def test_every_dependency_is_in_the_lock(lock):
    wanted = {name_of(one) for one in PROJECT["dependencies"]}
    extras = {"lab": ["lab"], "dev": ["lab", "test", "dev"]}[lock]
    for extra in extras:
        wanted |= {name_of(one) for one in PROJECT["optional-dependencies"][extra]}
    assert wanted - {PROJECT["name"]} <= locked(lock)


def test_every_dependency_has_a_lower_bound_and_a_tested_upper_major():
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    for requirement in (one for group in groups for one in group):
        if name_of(requirement) not in {PROJECT["name"], "cryptography"}:  # one major a release
            versions = requirement.partition(";")[0]
            assert re.search(r">=[\d.]+,<\d+$", versions), requirement


def test_the_users_packages_are_all_used():
    """The card names them; each must really serve (coverage row C2)."""
    code = "".join(p.read_text("utf-8") for p in (ROOT / "baink_lab").rglob("*.py"))
    for package in ("ipywidgets", "httpx", "langgraph", "openai"):
        assert re.search(rf"^\s*(?:import|from) {package}\b", code, re.M), package
    assert "jupyterlab" in (ROOT / "Makefile").read_text("utf-8")
    assert "--nbval-lax" in (ROOT / "tests/notebooks/unattended.py").read_text("utf-8")


def test_the_top_level_is_as_the_user_fixed_it():
    for name in ("notebooks", "baink_lab", "tests", "environment.yml", "README.md"):
        assert (ROOT / name).exists(), name


def test_nothing_of_one_machine_is_in_any_file():
    """No absolute path of a machine, and no name of a registry's host."""
    tracked = [
        path
        for folder in ("baink_lab", "bench", "docs", "notebooks", "tests", ".ci", ".locks")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in {".py", ".md", ".ipynb", ".toml", ".txt", ""}
    ]
    tracked += [ROOT / name for name in ("README.md", "Makefile", "pyproject.toml")]
    homes = re.compile(r"(?<![\w.{])/(?:home|Users|root|work)/\w+|pypi\.org/simple")
    for path in tracked:
        if path != Path(__file__):
            found = homes.search(path.read_text("utf-8", "ignore"))
            assert not found, f"{path}: {found}"
