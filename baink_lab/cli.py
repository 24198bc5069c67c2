"""The command `baink-lab`: sandbox, demo, doctor, reset."""

# Everything heavy is imported where it is used, so that `baink-lab --help` stays quick.

from __future__ import annotations

import asyncio
import enum
import json
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from baink_lab.errors import BainkError

app = typer.Typer(
    help="bAInk Lab: asynchronous authorization for AI agents.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Decision(enum.StrEnum):
    """What becomes of a push when nobody is there to decide."""

    approve = "approve"
    deny = "deny"
    ignore = "ignore"


@app.command()
def sandbox(
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="The tenant's port; another is chosen if taken."),
    ] = None,
    interval: Annotated[
        int, typer.Option(min=1, max=3600, help="Seconds between two polls of a CIBA request.")
    ] = 5,
    expires: Annotated[
        int, typer.Option(min=1, max=259_200, help="Seconds until a CIBA request lapses.")
    ] = 300,
    autopilot: Annotated[
        Decision | None, typer.Option(help="Decide each push after about a second.")
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Also write the ready line here.")
    ] = None,
    at_lab: Annotated[
        int | None, typer.Option(min=0, max=10, help="Begin where this lab begins.")
    ] = None,
    tls: Annotated[
        bool,
        typer.Option(
            "--tls",
            help="HTTPS, for SDKs that refuse plain HTTP. The ready line's `ca` names the "
            "authority to trust: set SSL_CERT_FILE to it in the programs that call.",
        ),
    ] = False,
    address: Annotated[
        str, typer.Option("--bind", help="The IP address to listen on; loopback by default.")
    ] = "127.0.0.1",
    expose: Annotated[
        bool, typer.Option("--expose", help="Let --bind name an address that others reach.")
    ] = False,
    relaxed: Annotated[bool, typer.Option("--relaxed", hidden=True)] = False,
    owner_pid: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the services on this machine; print one JSON line when they are ready."""
    import logging  # noqa: PLC0415

    from baink_lab.sandbox.ports import checked_address, exposed  # noqa: PLC0415
    from baink_lab.sandbox.server import SandboxOptions, run  # noqa: PLC0415
    from baink_lab.settings import load  # noqa: PLC0415

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    if at_lab is not None:
        from baink_lab.lab.at_lab import prepare  # noqa: PLC0415

        for told in asyncio.run(prepare(load(), at_lab)):
            typer.echo(told, err=True)
    options = SandboxOptions(
        settings=load(),
        port=port,
        interval=interval,
        expires=expires,
        relaxed=relaxed,
        autopilot=autopilot.value if autopilot else None,
        ready_file=ready_file,
        owner_pid=owner_pid,
        tls=tls,
        address=address,
        expose=expose,
    )
    for sentence in exposed(checked_address(address, expose=expose), secure=tls):
        typer.echo(sentence, err=True)
    run(options, _print_line)


@app.command()
def demo(
    decision: Annotated[
        Decision, typer.Option(help="What the customer does with the push.")
    ] = Decision.approve,
) -> None:
    """Show one transfer from question to money moved, unattended."""
    from baink_lab.demo import main as run_demo  # noqa: PLC0415

    raise typer.Exit(run_demo(decision.value))


@app.command()
def doctor(
    undo: Annotated[
        bool, typer.Option("--undo", help="List how to take back what was changed (live mode).")
    ] = False,
) -> None:
    """Say what is installed, what is reachable, and what to do about each ❌."""
    if undo:
        typer.echo(_undo())
        return
    from baink_lab.lab.doctor.report import main as examine  # noqa: PLC0415

    raise typer.Exit(examine())


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete everything that the lab remembers (BAINK_HOME), and stop its sandbox."""
    from baink_lab.sandbox.launch import stop  # noqa: PLC0415
    from baink_lab.settings import load  # noqa: PLC0415

    home = load().baink_home
    _refuse_precious(home)
    if not home.exists():
        typer.echo(f"Nothing to delete: {home} does not exist.")
        return
    if (home / "live" / "changes.jsonl").exists():  # the only record of it
        typer.echo(f"{_undo()}\n")
    if not yes:
        typer.confirm(f"Delete {home} with its ledger, approvals and progress?", abort=True)
    if asyncio.run(stop(home)):
        typer.echo("Stopped the sandbox that was running.")
    shutil.rmtree(home)
    typer.echo(f"Deleted {home}.")
    typer.echo("In each notebook that is open: Kernel > Restart Kernel…, then the first cell.")


def _undo() -> str:
    """How to take back what was changed at a real tenant, in this mode or an earlier one."""
    from baink_lab.lab.tenant.journal import Journal  # noqa: PLC0415
    from baink_lab.lab.tenant.undo import undo as listed  # noqa: PLC0415
    from baink_lab.sandbox.home import folder  # noqa: PLC0415
    from baink_lab.settings import load  # noqa: PLC0415

    settings = load()
    return listed(settings, Journal(folder(settings.baink_home, live=True), ""))


def main() -> None:
    """Run the command line; what a person can mend is one sentence on stderr and exit code 2."""
    try:
        app()
    except BainkError as wrong:
        typer.echo(f"baink-lab: {wrong.sentence}", err=True)
        sys.exit(2)


def _print_line(ready: dict[str, Any]) -> None:
    print(json.dumps(ready), flush=True)


# Every sandbox writes the first and then the second; live mode does so in the third.
_LIVED_IN = ("sandbox.lock", "addresses.json", "live")


def _refuse_precious(home: Path) -> None:
    """A BAINK_HOME that points at somebody's own folder is not ours to delete."""
    here, person = Path.cwd().resolve(), Path.home().resolve()
    kept = {here, *here.parents, person, *person.parents}
    marks = (".git", "pyproject.toml")
    strange = not any((home / name).exists() for name in _LIVED_IN)
    if (
        home in kept
        or any((home / mark).exists() for mark in marks)
        or (strange and home.is_dir() and any(home.iterdir()))
    ):
        raise BainkError(
            f"BAINK_HOME is {home}, which holds more than the lab's own files. "
            "Delete by hand what you do not need, or set BAINK_HOME to a folder of its own.",
            code="precious_home",
        )


if __name__ == "__main__":
    main()
