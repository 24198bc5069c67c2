"""The diagram of what was really sent: Mermaid for JupyterLab, lines of text for everybody else."""

from __future__ import annotations

from baink_lab.lab.diagram import Diagram
from baink_lab.lab.wire import MASK, Exchange

EXCHANGES = [
    Exchange("POST", "/bc-authorize", {}, 200, {"auth_req_id": MASK, "interval": 5}),
    Exchange("POST", "/oauth/token", {}, 400, {"error": "authorization_pending"}),
    Exchange("POST", "/api/accounts/transfers?x=1", {}, 201, "(2 characters)", "Bank"),
]


def test_each_message_is_an_arrow_there_and_back():
    source = Diagram(EXCHANGES, "Lab 04").source.splitlines()
    assert source[0] == "sequenceDiagram"
    assert "Y->>Tenant: POST /bc-authorize" in source
    assert "Tenant-->>Y: 200, auth_req_id, interval 5" in source
    assert "Tenant-->>Y: 400, error authorization_pending" in source
    assert "Y->>Bank: POST /api/accounts/transfers" in source


def test_text_says_the_same_and_nothing_breaks_the_language():
    odd = Exchange("GET", "/a;b#c<d>", None, 200, {"scope": "x\nY->>Z: boo"})
    shown = Diagram([*EXCHANGES, odd], "Lab")
    assert "You → Bank: POST /api/accounts/transfers → 201" in repr(shown)
    assert not any(one in shown.source for one in (";", "#", "<", "\nY->>Z"))
    bundle = shown._repr_mimebundle_()
    assert bundle["text/vnd.mermaid"] == shown.source
    assert bundle["text/plain"] == repr(shown)


def test_nothing_sent_is_told():
    assert Diagram([], "Lab")._repr_mimebundle_() == {"text/plain": "Nothing was sent yet."}
