"""Lengths of time as a learner writes them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baink_lab.lab.durations import DurationError, in_words, seconds_of


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("6 min", 360),
        ("6min", 360),
        ("90 s", 90),
        ("1 minute", 60),
        ("1.5 hours", 5400),
        ("1 h 30 min", 5400),
        ("1 day, 2 h and 3 sec", 93_603),
        ("2 WEEKS", 1_209_600),
        (360, 360),
        (0.5, 0.5),
        (timedelta(minutes=6), 360),
    ],
)
def test_what_people_write(written, seconds):
    assert seconds_of(written) == seconds


@pytest.mark.parametrize(
    "written",
    ["", "   ", "six minutes", "6", "6 parsecs", "min 6", "6 min or so", "-", None, True, [6]],
)
def test_what_is_no_length_of_time_gets_one_sentence(written):
    with pytest.raises(DurationError, match="is no length of time") as told:
        seconds_of(written)
    assert "6 min" in told.value.sentence


@pytest.mark.parametrize(
    "written",
    [0, -1, "-6 min", "0 s", timedelta(0), float("inf"), float("nan"), 10**400, -(10**400)],
)
def test_time_does_not_go_back(written):
    with pytest.raises(DurationError, match="time does not go back"):
        seconds_of(written)


@given(st.integers(1, 10**8))
def test_words_are_read_as_they_are_written(seconds):
    assert seconds_of(in_words(seconds)) == seconds


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_one_sentence(text):
    try:
        assert seconds_of(text) > 0
    except DurationError as told:
        assert told.sentence
