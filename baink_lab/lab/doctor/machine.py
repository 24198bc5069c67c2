"""The doctor looks at this machine: Python, packages, settings, the lab's own folder."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Sequence
from importlib import metadata

from baink_lab.lab.doctor.findings import Finding
from baink_lab.settings import Settings

PYTHON = (3, 11)
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:.*?>=(?P<least>[0-9.]+))?")


def look_at_machine(settings: Settings) -> list[Finding]:
    """Everything that needs no network."""
    requirements = metadata.requires("baink-lab") or []
    core = [each for each in requirements if "extra ==" not in each]
    lab = [each for each in requirements if re.search(r"extra == ['\"]lab['\"]", each)]
    return [
        _python(),
        packages("packages", core, needed=True),
        packages("packages for notebooks", lab, needed=False),
        _mode(settings),
        *(Finding("setting", True, note) for note in settings.notes),
        _home(settings),
    ]


def packages(name: str, requirements: Sequence[str], *, needed: bool) -> Finding:
    """Whether each of `requirements` is installed, and new enough.

    Args:
        name: of the finding.
        requirements: as in pyproject.toml (PEP 508).
        needed: whether a missing one is a fault, or only something left out.
    """
    there, missing = [], []
    for requirement in requirements:
        match = _REQUIREMENT.match(requirement)
        assert match is not None
        version = _version(match["name"])
        if version is None:
            missing.append(f"{match['name']} (not installed)")
        elif _numbers(version) < _numbers(match["least"] or "0"):
            missing.append(f"{match['name']} {version} (needs {match['least']} or newer)")
        else:
            there.append(f"{match['name']} {version}")
    if missing:
        fix = "Run `make lab`, which installs what is locked."
        return Finding(name, False if needed else None, ", ".join(missing), fix)
    return Finding(name, True, ", ".join(there))


def _python() -> Finding:
    found = ".".join(str(part) for part in sys.version_info[:3])
    least = ".".join(str(part) for part in PYTHON)
    if sys.version_info[:2] >= PYTHON:
        return Finding("Python", True, found)
    return Finding("Python", False, found, f"Install Python {least} or newer.")


def _mode(settings: Settings) -> Finding:
    model = f"model {settings.openai_model}" if settings.model_is_live else "scripted model"
    if settings.mode == "live":
        return Finding("mode", True, f"live, tenant {settings.auth0_domain}, {model}")
    return Finding("mode", True, f"sandbox (AUTH0_DOMAIN is not set), {model}")


def _home(settings: Settings) -> Finding:
    home = settings.baink_home
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as failure:
        why = failure.strerror or type(failure).__name__
        return Finding(
            "BAINK_HOME", False, f"{home}: {why}", "Set BAINK_HOME to a folder you can write to."
        )
    return Finding("BAINK_HOME", True, f"{home} can be written to")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
