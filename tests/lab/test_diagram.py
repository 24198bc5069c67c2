"""The diagram of what was really sent: drawn in the theme's colours, lines of text elsewhere."""

from __future__ import annotations

import pytest

from baink_lab.clock import VirtualClock
from baink_lab.lab.wire.diagram import Diagram
from baink_lab.lab.wire.traffic import Traffic
from baink_lab.lab.wire.watched import MASK, Exchange

EXCHANGES = [
    Exchange("POST", "/bc-authorize", {}, 200, {"auth_req_id": MASK, "interval": 5}),
    Exchange("POST", "/oauth/token", {}, 400, {"error": "authorization_pending"}),
    Exchange("POST", "/api/accounts/transfers?x=1", {}, 201, "(2 characters)", "Bank"),
]


@pytest.fixture
def messages():
    traffic = Traffic(VirtualClock())
    for one in EXCHANGES:
        traffic.exchanged(one)
    return traffic.messages


def test_each_message_is_drawn_and_said(messages):
    shown = Diagram(messages, "Lab 04")
    bundle = shown._repr_mimebundle_()
    for words in ("POST /bc-authorize", "400, error authorization_pending"):
        assert words in bundle["text/html"]
        assert words in bundle["text/plain"]
    assert "You to Bank: POST /api/accounts/transfers" in repr(shown)


def test_it_follows_jupyterlabs_theme_and_not_the_systems(messages):
    """Mermaid draws in light colours whatever the theme; its words were lost in the dark one."""
    bundle = Diagram(messages, "Lab")._repr_mimebundle_()
    assert '[data-jp-theme-light="false"] .baink-seq' in bundle["text/html"]
    assert "text/vnd.mermaid" not in bundle


def test_nothing_sent_is_told():
    told = {"text/plain": "Your cells have sent nothing yet."}
    assert Diagram([], "Lab")._repr_mimebundle_() == told
