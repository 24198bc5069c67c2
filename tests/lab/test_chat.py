"""The chat widget on a real sandbox: busy, retry, and the way on for a customer without a phone."""

from __future__ import annotations

import asyncio
import dataclasses
import html
import re

import pytest

from baink_lab.auth0.machine_token import ManagementError
from baink_lab.lab import open_lab
from baink_lab.lab.chat import offer as chat_offer
from baink_lab.lab.chat.offer import Offer
from baink_lab.lab.chat.widget import _said
from baink_lab.lab.opening import _opened
from baink_lab.lab.tenant.enrolment import enroll_stand_in

pytestmark = pytest.mark.timeout(90)

MOVE = "Move $25 from checking to savings"


@pytest.fixture
async def lab(shared_home, capsys):
    lab = await open_lab(0)
    await lab.reset(sure=True)
    yield lab
    await lab.close()
    _opened.clear()


def parts(widget):
    """Every widget below, the deepest last."""
    found = [widget]
    for child in getattr(widget, "children", ()):
        found += parts(child)
    return found


def text_of(shown):
    return " ".join(str(getattr(one, "value", "")) for one in parts(shown.widget))


def button(shown, name):
    found = [one for one in parts(shown.widget) if getattr(one, "description", "") == name]
    return found[0] if found else None


def field(shown):
    return next(one for one in parts(shown.widget) if one.__class__.__name__ == "Entry")


async def until(condition, shown=None):
    """Wait for it, for half a minute at most."""
    for _ in range(1500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(text_of(shown) if shown else "it did not come true")


def offered(shown):
    found = re.search(r'href="([^"]+)"[^>]*>Open the enrolment page', text_of(shown))
    return found and html.unescape(found[1])


async def send(shown, text):
    """What the browser sends for Enter, and for the button unless it is held."""
    field(shown)._handle_custom_msg({"said": text}, [])


async def test_a_customer_without_a_phone_enrols_in_the_chat_and_goes_on(lab):
    await lab.unenroll()
    shown = await lab.chat()
    assert button(shown, "Continue transfer") is None
    await send(shown, MOVE)
    await until(lambda: button(shown, "Continue transfer"), shown)
    offer = text_of(shown)
    assert "<title>QR code of the enrolment page" in offer
    assert 'role="img"' in offer
    first = offered(shown)
    await until(lambda: not button(shown, "Continue transfer").disabled, shown)

    # Too early: nobody can be asked yet, and another ticket is offered.
    button(shown, "Continue transfer").click()
    await until(lambda: offered(shown) != first, shown)
    ticket = offered(shown)
    assert "No phone is enrolled" in text_of(shown)
    assert "Your phone is enrolled" not in text_of(shown)
    await enroll_stand_in(ticket)
    # Who has enrolled is told so, and the way on; the link and its code have served.
    await until(lambda: "Your phone is enrolled" in text_of(shown), shown)
    assert "“continue transfer”" in text_of(shown)
    assert "QR code" not in text_of(shown)
    assert "nobody could be asked.</p>" not in text_of(shown)
    await until(lambda: not button(shown, "Continue transfer").disabled, shown)
    button(shown, "Continue transfer").click()
    await until(lambda: "I sent a push to your phone: “Move 25.00 USD" in text_of(shown), shown)
    await until(lambda: button(shown, "Continue transfer") is None, shown)
    await until(lambda: "Waiting for your phone: 4:" in text_of(shown), shown)
    await lab.phone.approve()
    await until(lambda: "Done: $25.00 moved" in text_of(shown), shown)


def offer_for(url, enrolled):
    offer = Offer(lambda: None, enrolled)
    offer.show(url)
    return offer


async def nobody():
    return False


@pytest.mark.parametrize("host", ["127.0.0.1:4000", "localhost:4000", "[::1]:4000", "127.9.9.9"])
async def test_a_link_to_this_computer_is_opened_on_this_computer(host):
    offer = offer_for(f"http://{host}/guardian/enroll?ticket=x", nobody)
    told = offer.state["text"]
    offer.close()
    assert "</a> on this computer: the sandbox can be reached from nowhere else." in told
    assert "On a real tenant you would scan" in told


@pytest.mark.parametrize("host", ["bank.eu.auth0.com", "localhost.example.com", "10.0.0.1"])
async def test_a_link_to_a_real_tenant_is_scanned_with_the_phone(host):
    offer = offer_for(f"https://{host}/guardian/enroll?ticket=x", nobody)
    told = offer.state["text"]
    offer.close()
    assert "</a>, or scan the code below with the phone." in told
    assert "computer" not in told


async def test_an_offer_stands_while_the_tenant_does_not_tell_and_asks_no_more_once_it_is_gone(
    monkeypatch,
):
    monkeypatch.setattr(chat_offer, "LOOK_SECONDS", 0)
    looks, enough = [], asyncio.Event()

    async def enrolled():
        looks.append(len(looks))
        if len(looks) > 2:
            enough.set()
        raise ManagementError("The tenant is away.")

    offer = offer_for("http://127.0.0.1/guardian/enroll?ticket=x", enrolled)
    (looking,) = [one for one in asyncio.all_tasks() if one.get_name() == "chat offer"]
    await asyncio.wait_for(enough.wait(), 20)
    assert "No phone is enrolled" in offer.state["text"]
    offer.hide()
    await asyncio.wait([looking], timeout=20)
    assert looking.cancelled()
    assert not offer.state["open"]


async def test_the_same_in_words(lab, capsys):
    await lab.unenroll()
    await lab.say(MOVE)
    told = capsys.readouterr().out
    assert 'run await lab.say("continue transfer")' in told
    assert re.search(r"http://127\.0\.0\.1:\d+/", told), "the link itself"


async def test_the_link_to_enrol_is_in_no_checkpoint_longer_than_the_conversation(lab):
    """The event with the link goes to who listens, and to nobody later."""
    await lab.unenroll()
    heard = []
    aiya = await lab.aiya()
    with aiya.listen(lambda thread, event: heard.append(event)):
        await aiya.say(MOVE, thread=lab.thread)
    (told,) = [one for one in heard if one["type"] == "unenrolled"]
    assert told["enrollment_url"].startswith(lab.world.tenant)
    assert set(told) == {"type", "approval_id", "tool", "enrollment_url"}


async def test_of_two_endings_the_words_take_up_the_one_that_is_meant(lab):
    await lab.unenroll()
    await lab.say("Move $11 from checking to savings")
    await enroll_stand_in(await lab.manager().enrollment_ticket(lab.world.user_id))
    await lab.say("Move $22 from checking to savings")
    await lab.phone.deny()
    await lab.settled()

    async def asked(said):
        await lab.say(said)
        (one,) = await lab.phone.waiting()
        await lab.phone.deny()
        await lab.settled()
        return one["binding_message"].partition(" USD")[0]

    assert await asked("continue transfer") == "Move 11.00"
    assert await asked("ok, once more") == "Move 11.00", "it was spoken of last"
    await lab.clock.advance("1 min")
    assert await asked("Move $22 from checking to savings") == "Move 22.00"
    assert await asked("try again") == "Move 22.00"
    assert await asked("continue transfer") == "Move 22.00", "it was told a moment ago"
    await lab.say("what is my balance?")
    await lab.say("continue transfer")
    assert not await lab.phone.waiting(), "none is held up, and the denial is over"


async def test_while_aiya_thinks_the_chat_says_so_and_the_next_line_takes_its_turn(lab):
    shown = await lab.chat()
    await send(shown, "what is my balance?")
    await until(lambda: field(shown).busy, shown)
    assert "Aiya is thinking" in text_of(shown)
    await send(shown, "hello")
    await until(lambda: "</strong> hello" in text_of(shown), shown)
    await until(lambda: not field(shown).busy, shown)
    assert "Aiya is thinking" not in text_of(shown)
    assert "2," in text_of(shown)


async def test_a_model_that_is_away_can_be_tried_again(lab):
    right = lab.world
    lab.world = dataclasses.replace(right, model="http://127.0.0.1:1/v1")
    shown = await lab.chat()
    again = button(shown, "Try again")
    assert again.layout.display == "none"
    await send(shown, MOVE)
    await until(lambda: "What you said is kept." in text_of(shown), shown)
    await until(lambda: again.layout.display == "", shown)
    again.click()
    # In the log, where it stays, and once more for screen readers.
    await until(lambda: text_of(shown).count("What you said is kept.") == 3, shown)

    await lab.sleep()
    lab.world = right
    shown = await lab.chat()
    assert MOVE in text_of(shown)
    await send(shown, "try again")
    await until(lambda: "I sent a push to your phone" in text_of(shown), shown)


async def test_aiya_built_anew_while_she_speaks_loses_nothing(lab):
    shown = await lab.chat()
    await send(shown, MOVE)
    await until(lambda: "Aiya is thinking" in text_of(shown), shown)
    await lab.sleep()

    anew = await lab.chat()
    assert MOVE in text_of(anew)
    await lab.phone.approve()
    await lab.settled()
    assert "$25.00 moved from Checking" in text_of(anew)

    # The chat of before is a picture by now, and says so to who types into it.
    await send(shown, "hello?")
    await until(lambda: "run the cell that shows the chat again" in text_of(shown), shown)


async def test_the_log_is_quiet_and_whole_lines_are_told(lab):
    shown = await lab.chat()
    await send(shown, "hello")
    await until(lambda: 'role="status"' in text_of(shown), shown)
    assert 'role="log" aria-live="off"' in text_of(shown)


async def test_the_countdown_tells_what_went_to_a_phone_that_is_gone(lab):
    shown = await lab.chat()
    for dollars in (20, 20, 30):
        await send(shown, f"Move ${dollars} from checking to savings")
    await until(lambda: text_of(shown).count("</strong> I sent a push to your phone") == 3, shown)
    await until(lambda: "Waiting for your phone: 4:" in text_of(shown), shown)
    await lab.unenroll()
    await until(
        lambda: "3 requests went to a phone that is gone, and lapse in 4:" in text_of(shown)
    )
    assert "Waiting for your phone" not in text_of(shown)
    await enroll_stand_in(await lab.manager().enrollment_ticket(lab.world.user_id))
    await send(shown, "Move $20 from checking to savings")
    await until(lambda: "Waiting for your phone: 4:" in text_of(shown), shown)
    assert "3 requests went to a phone that is gone" in text_of(shown)
    await lab.phone.approve()
    await until(lambda: "Waiting for your phone" not in text_of(shown), shown)
    assert "3 requests went to a phone that is gone" in text_of(shown)


async def test_an_approval_is_never_told_as_lost(lab):
    """Between the button and the poll that brings the token, the phone shows it no more."""
    shown = await lab.chat()
    seen = []
    for one in parts(shown.widget):
        one.observe(lambda _: seen.append(text_of(shown)))
    await send(shown, MOVE)
    await until(lambda: "Waiting for your phone: 4:" in text_of(shown), shown)
    await lab.phone.approve()
    await until(lambda: "Done: $25.00 moved" in text_of(shown), shown)
    assert [one for one in seen if "phone that is gone" in one] == []


async def test_an_address_that_aiya_says_is_a_link_and_nothing_else_is(lab):
    await lab.unenroll()
    shown = await lab.chat()
    await send(shown, "<b>hello</b> https://evil.example/?a=1&b=<i>")
    await until(lambda: "evil.example" in text_of(shown), shown)
    assert 'href="https://evil' not in text_of(shown)
    assert "&lt;b&gt;hello&lt;/b&gt;" in text_of(shown)
    await send(shown, MOVE)
    linked = r'Enrol it here: <a href="(http://[^"]+)" target="_blank" rel="noreferrer"[^>]*>\1</a>'
    await until(lambda: re.search(linked, text_of(shown)), shown)
    assert html.unescape(re.search(linked, text_of(shown))[1]) == offered(shown)


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("See https://a.example/x?y=1&z=2. Then", ["https://a.example/x?y=1&amp;z=2"]),
        ("(https://a.example/x), “http://b.example”", ["https://a.example/x", "http://b.example"]),
        ("javascript:alert(1) ftp://a.example data:text/html,x", []),
        ('https://a.example/"onmouseover="x', ["https://a.example/"]),
        ("https://a.example/<script>", ["https://a.example/"]),
        ("https://", []),
    ],
)
def test_links_are_addresses_and_never_markup(text, links):
    shown = _said("Aiya", text)
    assert re.findall(r'<a href="([^"]*)" target="_blank" rel="noreferrer"', shown) == links
    assert html.unescape(re.sub(r"</?a\b[^>]*>", "", shown)) == text
    assert "<a" not in _said("You", text)
    assert "<script" not in shown
