"""What lab 06 shows of two resumers is measured again: runs that grow with the wait, and two."""

from __future__ import annotations

import json

import pytest

from baink_lab.lab.experiments.two_resumers import FILE, measured
from bench.resuming import OURS, SDK, measure

pytestmark = pytest.mark.timeout(300)


def by_resumer(rows, name):
    return [one for one in rows if one["resumer"] == name]


def hold(rows):
    """The claim of lab 06, for any rows: measured now, or kept in the file."""
    for one in by_resumer(rows, OURS):
        assert one["graph_runs"] == 2
        assert one["slow_downs"] == 0
        assert one["collected"]
        assert not one["auth_req_id_in_checkpoint"]
    short, *_, long = sorted(by_resumer(rows, SDK), key=lambda one: one["wait"])
    assert long["graph_runs"] > short["graph_runs"] >= 2
    assert all(one["graph_runs"] >= one["polls"] for one in (short, long))
    assert all(one["auth_req_id_in_checkpoint"] for one in (short, long))


def test_the_sdk_runs_the_graph_at_each_poll_and_ours_runs_it_twice(tmp_path):
    hold(measure(tmp_path, 1, (1, 13), 30))


def test_at_an_interval_of_five_seconds_the_sdk_is_told_to_slow_down_and_does_not(tmp_path):
    rows = measure(tmp_path, 5, (2,), 20)
    (theirs,) = by_resumer(rows, SDK)
    assert theirs["slow_downs"] >= 2
    assert not theirs["collected"]
    (ours,) = by_resumer(rows, OURS)
    assert (ours["graph_runs"], ours["slow_downs"], ours["collected"]) == (2, 0, True)


def test_what_the_lab_shows_is_what_was_measured():
    told = json.loads(FILE.read_text())
    hold([one for one in told["rows"] if one["interval"] == 1])
    assert told["date"] in measured().text
    assert f"{SDK} {told['versions'][SDK]}" in measured().text
