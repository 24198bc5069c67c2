"""The live diagram: who said what to whom, in order; no secret in its state or its picture."""

from __future__ import annotations

import asyncio
import itertools
import json
import string
import xml.etree.ElementTree as ET

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baink_lab.clock import VirtualClock
from baink_lab.lab import open_lab
from baink_lab.lab.opening import _opened
from baink_lab.lab.wire.live_diagram import live_diagram
from baink_lab.lab.wire.sequence import WIDEST, drawn
from baink_lab.lab.wire.traffic import KEPT, LANES, Traffic
from baink_lab.lab.wire.watched import SECRETS, exchange_of

SVG = "{http://www.w3.org/2000/svg}"
MOVE = "Move $25 from checking to savings"


@pytest.fixture
def traffic():
    return Traffic(VirtualClock())


def exchanged(path, body, status, received):
    """As it goes over the wire, secret and all; as JSON, which carries any character."""
    request = httpx.Request("POST", f"http://127.0.0.1{path}", content=json.dumps(body))
    return exchange_of(httpx.Response(status, json=received, request=request))


def poll(status, received, about="first"):
    body = {"grant_type": "urn:openid:params:grant-type:ciba", "auth_req_id": about}
    return exchanged("/oauth/token", body, status, received)


def pushed(traffic, message="Move 25.00 USD", about="first"):
    answer = {"auth_req_id": about, "expires_in": 300, "interval": 5}
    body = {"binding_message": message}
    traffic.exchanged(exchanged("/bc-authorize", body, 200, answer), "Aiya")


def words(traffic):
    return [one.words for one in traffic.messages]


def test_words_that_are_longer_than_their_arrow_are_whole_and_in_the_picture(traffic):
    pushed(traffic)
    picture = ET.fromstring(drawn(traffic.messages, "t"))
    width = float(picture.get("width"))
    labels = picture.findall(f".//{SVG}text[@class='what']")
    assert [one.text for one in labels] == [one.title for one in traffic.messages]
    assert any(len(one.text) > 30 for one in labels), "longer than the arrow between two lanes"
    for one in labels:
        half = len(one.text) * 3
        assert half < float(one.get("x")) < width - half


def test_a_push_and_the_button_that_an_answer_proves(traffic):
    pushed(traffic)
    traffic.exchanged(poll(200, {"access_token": "•••"}), "Aiya")
    assert words(traffic) == [
        "Aiya to Tenant: POST /bc-authorize",
        "Tenant to Aiya: 200, auth_req_id, interval 5, expires_in 300",
        "Tenant to Phone: push",
        "Phone to Tenant: approve",
        "Aiya to Tenant: resumer polls: POST /oauth/token",
        "Tenant to Aiya: 200, access_token",
    ]


def test_a_button_that_was_seen_is_drawn_once(traffic):
    pushed(traffic)
    traffic.decided("deny", "Move 25.00 USD")
    traffic.exchanged(poll(403, {"error": "access_denied"}), "Aiya")
    assert words(traffic).count("Phone to Tenant: deny") == 1


def test_nobody_pressed_anything_when_time_was_up(traffic):
    pushed(traffic)
    traffic._clock.advance(301)
    traffic.exchanged(poll(403, {"error": "access_denied"}), "Aiya")
    assert not any("Phone to Tenant" in one for one in words(traffic))


ENDS = {"approve": (200, {"access_token": "x"}), "deny": (403, {"error": "access_denied"})}


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_each_button_is_drawn_once_for_its_own_request(data):
    """However many wait at once, whichever is answered first, wherever the button was pressed."""
    traffic = Traffic(VirtualClock())
    messages = data.draw(st.lists(st.sampled_from("ABC"), min_size=2, max_size=4))
    decisions = [data.draw(st.sampled_from(["approve", "deny", "expire"])) for _ in messages]
    for number, message in enumerate(messages):
        pushed(traffic, message, about=str(number))
    pressed = []
    for number in data.draw(st.permutations(range(len(messages)))):
        if decisions[number] != "expire":
            pressed.append((decisions[number], messages[number]))
            if data.draw(st.booleans(), label="on a phone that is watched"):
                traffic.decided(*pressed[-1])
            traffic.exchanged(poll(*ENDS[decisions[number]], about=str(number)), "Aiya")
        else:
            traffic.exchanged(poll(400, {"error": "authorization_pending"}, str(number)), "Aiya")
        drawn = [(m.title, m.details) for m in traffic.messages if m.source == "Phone"]
        assert drawn == pressed
    traffic._clock.advance(301)
    for number, decision in enumerate(decisions):
        if decision == "expire":
            traffic.exchanged(poll(*ENDS["deny"], about=str(number)), "Aiya")
    assert [(m.title, m.details) for m in traffic.messages if m.source == "Phone"] == pressed


def test_all_buttons_may_be_pressed_before_anybody_asks():
    for ends in (["approve", "deny"], ["deny", "approve"]):
        traffic = Traffic(VirtualClock())
        for about in "12":
            pushed(traffic, "the same words", about=about)
        for decision in ("approve", "deny"):
            traffic.decided(decision, "the same words")
        for about, decision in zip("12", ends, strict=True):
            traffic.exchanged(poll(*ENDS[decision], about=about), "Aiya")
        assert [m.title for m in traffic.messages if m.source == "Phone"] == ["approve", "deny"]


def test_what_tells_requests_apart_does_not_give_their_secret(traffic):
    asked = poll(400, {"error": "slow_down"}, about="sEcReT-of-one-request")
    assert asked.about
    assert asked.about != poll(400, {"error": "slow_down"}, about="another").about
    assert "sEcReT" not in asked.about
    assert asked.about not in repr(asked)
    assert asked.about not in str(asked)


def test_a_poll_says_who_polls_beside_the_line_of_its_process(traffic):
    """The text says that the resumer polls; a learner's own loop is no resumer."""
    traffic.exchanged(poll(400, {"error": "slow_down"}))
    traffic.exchanged(exchanged("/oauth/token", {"grant_type": "refresh_token"}, 200, {}), "Aiya")
    assert words(traffic)[::2] == [
        "You to Tenant: POST /oauth/token",
        "Aiya to Tenant: POST /oauth/token",
    ]
    traffic.exchanged(poll(400, {"error": "slow_down"}), "Aiya")
    assert words(traffic)[-2] == "Aiya to Tenant: resumer polls: POST /oauth/token"


def test_polls_without_news_are_one_pair_and_a_number(traffic):
    for _ in range(5):
        traffic.exchanged(poll(400, {"error": "authorization_pending"}), "Aiya")
    assert words(traffic) == [
        "Aiya to Tenant: resumer polls: POST /oauth/token (5 times)",
        "Tenant to Aiya: 400, error authorization_pending (5 times)",
    ]


def test_only_the_newest_are_kept(traffic):
    for number in range(KEPT):
        traffic.heard("main", {"type": "asked", "text": f"question {number}"})
        traffic.heard("main", {"type": "said", "text": f"answer {number}"})
    assert len(traffic.messages) == KEPT
    assert traffic.messages[-1].title == f"answer {KEPT - 1}"


def test_the_picture_has_title_and_words_and_is_sound_xml(traffic):
    pushed(traffic, "<&>\x00\x1b\ud800 “Mia”")
    picture = ET.fromstring(drawn(traffic.messages, "Lab <04>"))
    assert picture.find(f"{SVG}title").text == "Lab <04>"
    assert "Tenant to Phone: push" in picture.find(f"{SVG}desc").text
    assert picture.get("role") == "img"
    named = {one.text for one in picture.iter(f"{SVG}text")}
    assert {"You", "Aiya", "Tenant", "Phone"} <= named
    assert not picture.findall(f".//{SVG}image")  # nothing from elsewhere
    assert "http" not in drawn(traffic.messages, "x").replace("http://www.w3.org/2000/svg", "")


def test_nothing_sent_is_drawn_too(traffic):
    """In words that are seen, and not in the description alone: an empty frame looks broken."""
    picture = ET.fromstring(drawn(traffic.messages, "Lab"))
    assert "Your cells have sent nothing yet." in picture.find(f"{SVG}desc").text
    seen = [one.text for one in picture.iter(f"{SVG}text")]
    assert "A check has a tenant of its own." in seen
    pushed(traffic)
    assert "this fills" not in drawn(traffic.messages, "Lab")


def labels(traffic):
    picture = ET.fromstring(drawn(traffic.messages, "Lab"))
    return [one.text for one in picture.iter(f"{SVG}text") if one.get("class") == "what"]


def test_where_there_is_room_no_label_is_cut(traffic):
    traffic.exchanged(exchanged("/bc-authorize", {}, 200, {"auth_req_id": "x", "interval": 5}))
    answer = {"access_token": "x", "scope": "openid create:transfer", "expires_in": 300}
    traffic.exchanged(exchanged("/oauth/token", {}, 200, answer))
    assert labels(traffic) == [one.title for one in traffic.messages]


def test_where_there_is_none_the_drawing_grows_no_wider(traffic):
    for source, target in itertools.permutations(LANES, 2):
        traffic._add(source, target, f"from {source} to {target} and on and on and on")
    picture = ET.fromstring(drawn(traffic.messages, "Lab"))
    assert int(picture.get("width")) <= WIDEST


# Secrets

SECRET = st.text(string.ascii_letters + string.digits + "-_", min_size=12, max_size=40).map(
    lambda text: f"sEcReT{text}"
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@st.composite
def bodies(draw, secret):
    """A body with the secret under a name of secrets, or a token anywhere, at any depth."""
    held = draw(
        st.sampled_from([secret, [secret], {"inner": secret}, [{"deep": [secret]}], [[secret]]])
    )
    name = draw(st.sampled_from(sorted(SECRETS)))
    body = {draw(st.sampled_from([name, name.upper()])): held}
    if draw(st.booleans()):
        body = {"note": f"see eyJhbGciOiJub25lIn0.{secret}.x for it"}
    for _ in range(draw(st.integers(0, 3))):
        body = draw(st.sampled_from([{"more": body}, {"list": [body]}, body]))
        body |= draw(st.dictionaries(st.text("abc", min_size=1, max_size=3), VALUES, max_size=2))
    return body


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_secret_reaches_the_widget_or_the_picture(data):
    secret = data.draw(SECRET)
    sent, received = data.draw(bodies(secret)), data.draw(bodies(secret))
    name = data.draw(st.sampled_from(sorted(SECRETS)))
    as_form = data.draw(st.booleans())
    content = {"data": {name: secret, "x": "y"}} if as_form else {"json": sent}
    request = httpx.Request(
        "POST",
        "http://127.0.0.1/oauth/token",
        params={name: secret, "q": f"eyJhbGciOiJub25lIn0.{secret}.x"},
        headers={"authorization": f"Bearer {secret}"},
        **content,
    )
    answer = httpx.Response(
        200, json=received, headers={"location": f"/?code={secret}"}, request=request
    )
    exchange = exchange_of(answer)
    assert secret not in str(exchange)

    async def state():
        traffic = Traffic(VirtualClock())
        traffic.exchanged(exchange, "Aiya")
        await traffic.model_answered(answer)
        widget = live_diagram(traffic, "Lab")
        try:
            return json.dumps(widget.get_state(), default=str)
        finally:
            widget.close()

    told = asyncio.run(state())
    assert "POST /oauth/token" in told
    assert secret not in told


# The real thing


@pytest.mark.timeout(90)
async def test_the_whole_story_is_drawn_as_it_happens(shared_home, capsys):
    lab = await open_lab(4)
    try:
        shown = lab.live_diagram()
        assert "run lab.live_diagram() again" in shown._repr_mimebundle_()["text/plain"]
        await lab.say(MOVE)
        await asyncio.sleep(0)
        assert "Tenant to Phone: push" in shown.widget.messages[-1]["words"]
        (one,) = await lab.phone.waiting()
        await lab.phone.approve(one["id"])
        await lab.settled()
        await asyncio.sleep(0)
        told = [one["words"] for one in shown.widget.messages]
        story = [
            *("You to Aiya: Move $25", "Aiya to Model: POST", "Aiya to Bank: GET /api/accounts"),
            *("Aiya to Tenant: POST /bc-authorize", "Tenant to Phone: push"),
            *("Phone to Tenant: approve", "Tenant to Aiya: 200, access_token"),
            *("Aiya to Bank: POST /api/accounts/transfers", "Bank to Aiya: 201"),
            "Aiya to You: Done: $25.00 moved",
        ]
        at = 0
        for part in story:
            at = next(n for n in range(at, len(told)) if told[n].startswith(part)) + 1
        assert "Phone to Tenant: approve" in shown.widget.svg or "approve" in shown.widget.svg
        # The learner's own requests too.
        async with lab.http() as http:
            await http.post("oauth/token", data={"grant_type": "x", "client_secret": "sEcReT"})
        await asyncio.sleep(0)
        assert shown.widget.messages[-2]["words"] == "You to Tenant: POST /oauth/token"
        secrets = [lab.ready["client_secret"], await lab.session_token(), "sEcReT"]
        assert not any(one in json.dumps(shown.widget.messages) for one in secrets)
        assert "Aiya to You: Done" in repr(lab.live_diagram())
    finally:
        await lab.close()
        _opened.clear()
