"""What is installed, what answers, what is configured, and what to do about each ❌."""

from __future__ import annotations

import asyncio
import dataclasses
import html
import sys
from collections.abc import Sequence

from baink_lab.errors import BainkError
from baink_lab.lab.doctor.findings import Finding, mark
from baink_lab.lab.doctor.machine import look_at_machine
from baink_lab.lab.doctor.services import look_at_services
from baink_lab.lab.doctor.tenant import look_at_tenant
from baink_lab.lab.widgets.show import LEFT, flowing
from baink_lab.sandbox import launch
from baink_lab.sandbox.home import folder
from baink_lab.settings import Settings, load

__all__ = ["Finding", "as_html", "as_text", "examine", "main"]

HEAD = ("", "What", "Found", "Why it matters", "What to do")


async def examine(
    settings: Settings, ready: dict[str, object] | None, *, user_id: str = ""
) -> list[Finding]:
    """Look at everything that the labs stand on.

    Args:
        settings: what is set.
        ready: the sandbox's ready line; None when none runs: then only the machine is looked at.
        user_id: who is logged in, when that is known better than by the settings.
    """
    findings = look_at_machine(settings)
    if ready is None:
        missing = "Run `baink-lab sandbox`, or the first cell of a notebook."
        return [*findings, Finding("sandbox", None, "is not running", missing)]
    world = settings.world(ready)
    world = dataclasses.replace(world, user_id=user_id or world.user_id)
    callback = settings.login_callback if settings.mode == "live" else ""
    services, tenant = await asyncio.gather(
        look_at_services(settings, world), look_at_tenant(world, callback=callback)
    )
    return findings + services + tenant


def as_html(findings: Sequence[Finding]) -> str:
    """The findings as a table for a notebook, good for screen readers too."""
    head = "".join(f'<th scope="col" {LEFT}>{title}</th>' for title in HEAD[:3])
    rows = "".join(_row(finding) for finding in findings)
    caption = html.escape(summary(findings))
    return f"<table><caption>{caption}</caption><tr>{head}</tr>{rows}</table>"


def as_text(findings: Sequence[Finding]) -> str:
    """The findings as lines, each with its own words for good, wrong and not checked."""
    lines = []
    for finding in findings:
        lines.append(f"{mark(finding.ok).word}: {finding.name}: {finding.found}")
        lines += [f"    why it matters: {finding.why}"] if finding.why else []
        lines += [f"    to do: {finding.fix}"] if finding.fix else []
    return "\n".join([*lines, summary(findings)])


def summary(findings: Sequence[Finding]) -> str:
    """One sentence: how much is well."""
    wrong = sum(finding.ok is False for finding in findings)
    if not wrong:
        return "Everything that was checked is well."
    return f"{wrong} of {len(findings)} {'needs' if wrong == 1 else 'need'} your attention."


def main() -> int:
    """Examine this machine for the command line; 0 when nothing is wrong, else 1.

    Raises:
        SettingsError: the environment cannot be used.
    """
    findings = asyncio.run(_examine_all(load()))
    if sys.stdout.isatty():
        _print_table(findings)
    else:
        sys.stdout.write(as_text(findings) + "\n")
    return 1 if any(finding.ok is False for finding in findings) else 0


async def _examine_all(settings: Settings) -> list[Finding]:
    """Examine the sandbox that runs; when none does, one that is started and stopped again."""
    home = settings.baink_home
    state = folder(home, live=settings.mode == "live")
    ready = await launch.running(state)
    if ready is not None:
        return await examine(settings, ready)
    try:
        ready = await launch.ensure(home, settings=settings)
    except (BainkError, OSError) as failure:
        return [
            *look_at_machine(settings),
            Finding("sandbox", False, f"does not start: {failure}", "Fix what it says."),
        ]
    try:
        return await examine(settings, ready)
    finally:
        await launch.stop_own(state)  # one that somebody else started meanwhile is theirs


def _row(finding: Finding) -> str:
    """What to do stands below what was found: five columns are too many for a narrow window."""
    sign = mark(finding.ok)
    more = zip(HEAD[3:], (finding.why, finding.fix), strict=True)
    below = "".join(f"<p><em>{title}:</em> {flowing(text)}</p>" for title, text in more if text)
    return (
        f'<tr><td {LEFT}><span role="img" aria-label="{sign.word}">{sign.sign}</span></td>'
        f'<th scope="row" {LEFT}>{html.escape(finding.name)}</th>'
        f"<td {LEFT}>{flowing(finding.found)}{below}</td></tr>"
    )


def _print_table(findings: Sequence[Finding]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only people at a terminal need it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*HEAD, title="bAInk Lab doctor")
    for finding in findings:
        words = (finding.name, finding.found, finding.why, finding.fix)
        table.add_row(mark(finding.ok).sign, *(Text(word) for word in words))
    console = Console()
    console.print(table)
    console.print(summary(findings))
