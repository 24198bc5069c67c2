"""A cell that waits for the phone without Aiya: what it shows, and what it says at its end."""

from __future__ import annotations

import re

import pytest

from tests.lab.test_waiting import WIDGET, Kernel

pytestmark = pytest.mark.timeout(120)

OPEN = "from baink_lab.lab import open_lab\nlab = await open_lab(4)"
MESSAGE = "Move 25.00 USD from Checking to Savings"
ASK = f'''
from baink_lab.auth0 import CibaClient
world = lab.world
names = dict(issuer=world.issuer, client_id=world.client_id, client_secret=world.client_secret)
async with CibaClient(**names, http=lab.http()) as ciba:
    await ciba.start(
        user_id=world.user_id, scope="openid create:transfer", audience=world.audience,
        binding_message="{MESSAGE}",
    )
'''
ANSWERED = "await lab.answered()"
FOR_A_NO = 'await lab.answered(autopilot="deny")'
AGAIN = "run the cell above with await ask(…) again"


@pytest.fixture
def kernel(shared_home, tmp_path):
    kernel = Kernel(tmp_path)
    assert kernel.run(OPEN).error is None
    # Back in real time, what had lapsed waits again.
    assert kernel.run("await lab.clock.reset()").error is None
    kernel.run("for one in await lab.phone.waiting(): await lab.phone.deny(one['id'])")
    assert kernel.run("await lab.reset(sure=True)").error is None
    yield kernel
    kernel.close()


def test_a_button_that_is_pressed_while_it_waits_is_named(kernel):
    for cell_source, wanted in ((ANSWERED, "approve"), (FOR_A_NO, "deny")):
        for pressed, verb in (("approve", "Approved"), ("deny", "Denied")):
            assert kernel.run(ASK).error is None
            later = "import asyncio\nasyncio.get_running_loop().call_later(1.5, "
            press = f"lambda: asyncio.ensure_future(lab.phone.{pressed}()))"
            cell = kernel.run(f"{later}{press}\n{cell_source}")
            assert cell.error is None
            assert f"{verb}: “{MESSAGE}”." in cell.printed
            assert "The phone was answered." in cell.shown
            assert (AGAIN in cell.printed) is (pressed != wanted), cell.printed
            if pressed != wanted:
                assert f"press {wanted.capitalize()}." in cell.printed


def test_a_button_that_was_pressed_before_is_named_after_a_restart_too(kernel, tmp_path):
    kernel.run(ASK)
    kernel.run("await lab.phone.deny()")
    other = Kernel(tmp_path)
    try:
        assert other.run(OPEN).error is None
        for one in (kernel, other):
            cell = one.run(ANSWERED)
            assert re.search(r"Denied: the request of \d\d:\d\d:\d\d\.", cell.printed)
            assert "under “For real”" in cell.printed
            assert "goes on" not in one.run(FOR_A_NO).printed
        assert AGAIN in kernel.run(ANSWERED).printed
        assert "This kernel has not asked, so it holds no auth_req_id" in cell.printed
        kernel.run(ASK)
        cell = other.run(ANSWERED)
        assert cell.printed.startswith("This kernel has not asked"), "nor does it wait"
        assert "What still waits on the phone you may deny" in cell.printed
    finally:
        other.close()


def test_time_that_is_up_is_no_answer(kernel):
    kernel.run(ASK)
    cell = kernel.run(f'await lab.clock.advance("4 min 58 s")\n{ANSWERED}')
    assert f"Time is up: nobody answered “{MESSAGE}”." in cell.printed
    assert "was answered" not in cell.shown
    assert AGAIN in cell.printed
    before = kernel.run(ANSWERED).printed
    assert "Time is up: nobody answered the request of" in before
    assert AGAIN in before


def test_where_nothing_was_asked_the_cell_that_asks_is_named(kernel):
    cell = kernel.run(ANSWERED)
    assert cell.shown.strip() == (
        "Nothing waits for the phone, and nothing was asked in this lab so far: "
        "run the cell above with await ask(…)."
    )


def test_it_shows_what_waits_and_ends_in_a_sentence_when_it_is_interrupted(kernel):
    kernel.run(ASK)
    cell = kernel.begin(ANSWERED).until("left: press Approve")
    assert any(WIDGET in one for one in cell.displays), "this kernel has shown no phone yet"
    assert any("in sight" in one.get("text/html", "") for one in cell.displays)
    kernel.manager.interrupt_kernel()
    cell.end()
    assert cell.error == (
        "Stopped waiting; the request still waits on the phone. "
        "To wait on, run await lab.answered()."
    )
    again = kernel.begin(ANSWERED).until("left: press Approve")
    assert not any(WIDGET in one for one in again.displays)
    kernel.manager.interrupt_kernel()
    again.end()
    kernel.run("await lab.phone.approve()")
    assert "Approved: the request of" in kernel.run(ANSWERED).printed


REFUSED = """
http, world = lab.http(), lab.world
hint = f'{{"format": "iss_sub", "iss": "{world.issuer}", "sub": "{world.user_id}"}}'
form = {"client_id": world.client_id, "client_secret": world.client_secret, "login_hint": hint,
        "scope": "openid create:transfer", "audience": world.audience, "binding_message": "Hi"}
for _ in range(6):
    asked = (await http.post("bc-authorize", data=form)).json()
"""


def test_a_question_that_was_refused_invites_nobody_to_press(kernel, tmp_path):
    strict = kernel.run(REFUSED.replace('"Hi"', '"€"').replace("range(6)", "range(1)"))
    assert strict.error is None
    cell = kernel.run(ANSWERED)
    assert (
        "The tenant refused your last question (invalid_binding_message), so do not press."
        in cell.shown
    )
    assert "under “For real”, run the cell with await ask(…)" in cell.shown
    for source in ('asked["auth_req_id"]', "f\"{asked['interval']}\""):
        told = kernel.run(source).error
        assert told.startswith("`asked` holds no auth_req_id: the tenant refused the question")
        assert "Traceback" not in told
    assert "KeyError" in kernel.run("{}['auth_req_id']").error


def test_a_token_that_has_lapsed_says_where_to_get_another(kernel):
    made = """
import base64, json
part = lambda one: base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode()
token = ".".join([part({"typ": "at+jwt"}), part({"exp": lab.clock.now() + AGE}), "x"])
print(lab.decode(token).text)
"""
    old = kernel.run(made.replace("AGE", "-1")).printed
    assert "its time was up at" in old
    assert "Go back to “For real”" in old
    assert "its time was up" not in kernel.run(made.replace("AGE", "60")).printed


def test_a_transfer_that_is_refused_for_its_token_says_where_to_get_another(kernel):
    cell = kernel.run('await lab.bank_http().post("api/accounts/transfers", json={})')
    assert "→ 401" in cell.printed
    assert "Nothing was moved" in cell.printed
    assert "Go back to “For real”" in cell.printed
