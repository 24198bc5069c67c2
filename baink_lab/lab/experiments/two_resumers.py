"""What was measured of two resumers, ours and an SDK's; `python -m bench.resuming` measures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from baink_lab.lab.widgets.show import Shown, table

FILE = Path(__file__).with_name("two_resumers.json")
_HEAD = (
    "Interval",
    "Customer thinks",
    "Graph runs",
    "Polls",
    "Too early",
    "Got the yes",
)


def measured() -> Shown:
    """The figures in the file, as tables with their date."""
    return tables_of(json.loads(FILE.read_text("utf-8")))


def tables_of(told: dict[str, Any]) -> Shown:
    """A table for each resumer: narrow enough for a small window. A row for each interval and wait.

    Args:
        told: what `bench.resuming` measured.
    """
    resumers = dict.fromkeys(one["resumer"] for one in told["rows"])
    shown = [_table_of(told, name) for name in resumers]
    return Shown("".join(one.html for one in shown), "\n\n".join(one.text for one in shown))


def _table_of(told: dict[str, Any], resumer: str) -> Shown:
    mine = [one for one in told["rows"] if one["resumer"] == resumer]
    rows = [
        [
            f"{one['interval']} s",
            f"{one['wait']} s",
            *(str(one[name]) for name in ("graph_runs", "polls", "slow_downs")),
            "yes" if one["collected"] else "no",
        ]
        for one in mine
    ]
    kept = "" if any(one["auth_req_id_in_checkpoint"] for one in mine) else "no "
    caption = (
        f"{resumer} {told['versions'][resumer]}, measured on {told['date']}: "
        f"{kept}auth_req_id in the checkpoint"
    )
    # Without a head these columns say nothing, so the text gets it as its first row.
    return Shown(table(caption, _HEAD, rows).html, table(caption, _HEAD, [_HEAD, *rows]).text)
