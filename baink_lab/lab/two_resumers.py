"""What was measured of two resumers, ours and an SDK's; `python -m bench.resuming` measures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from baink_lab.lab.show import Shown, table

FILE = Path(__file__).with_name("two_resumers.json")
_HEAD = (
    "Resumer",
    "Interval",
    "Customer thinks",
    "Graph runs",
    "Polls",
    "Told to slow down",
    "Got the yes",
    "auth_req_id in the checkpoint",
)


def measured() -> Shown:
    """The figures in the file, as a table with their date."""
    return table_of(json.loads(FILE.read_text("utf-8")))


def table_of(told: dict[str, Any]) -> Shown:
    """A table: one row for each resumer, interval and wait.

    Args:
        told: what `bench.resuming` measured.
    """
    rows = [
        [
            f"{one['resumer']} {told['versions'][one['resumer']]}",
            f"{one['interval']} s",
            f"{one['wait']} s",
            *(str(one[name]) for name in ("graph_runs", "polls", "slow_downs")),
            *(_word(one[name]) for name in ("collected", "auth_req_id_in_checkpoint")),
        ]
        for one in told["rows"]
    ]
    caption = f"Measured on {told['date']}"
    # Without a head these columns say nothing, so the text gets it as its first row.
    return Shown(table(caption, _HEAD, rows).html, table(caption, _HEAD, [_HEAD, *rows]).text)


def _word(value: bool) -> str:
    return "yes" if value else "no"
