"""A cell that waits for the phone without Aiya, and says what was pressed: yes, no, or nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from baink_lab.errors import BainkError
from baink_lab.lab.chat.waiting import (
    ANSWERED,
    OVER,
    TIME_IS_UP,
    StoppedWaiting,
    WaitingLine,
)
from baink_lab.lab.phone.card import PRESSED
from baink_lab.lab.phone.card import Decision as Pressed
from baink_lab.lab.phone.push import Push, push_of
from baink_lab.lab.phone.screen import LOOK_SECONDS
from baink_lab.lab.phone.stand_in import Phone
from baink_lab.lab.widgets.show import seconds_of_date, time_of_day
from baink_lab.lab.wire.refused_question import go_back
from baink_lab.lab.wire.watched import Exchange

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab
    from baink_lab.lab.settling import Decision

LIVE = "Answer on your phone, then run the next cell."
#: Which cell of a lab asks the phone.
_ASKS = {4: "await ask(…)", 6: "await lab.ask_and_kill(…)"}
_TWO = (
    "{} requests wait on the phone. Your auth_req_id is of the newest, which is on top: deny the "
    "others first."
)
_SO_FAR = "nothing was asked in this lab so far"
#: Where lab 04 asks, by what is to be pressed then.
_UNDER = {"approve": "For real", "deny": "A no, and haste"}
_ENTRIES: dict[str, Pressed] = {"gd_auth_succeed": "approve", "gd_auth_rejected": "deny"}
_GOES_ON = {"approve": "a yes: {}, and press Approve.", "deny": "a no: {}, and press Deny."}


async def wait_for_phone(lab: Lab, meant: Decision) -> None:
    """Wait until nothing waits on the phone, and print how it was answered.

    Args:
        lab: whose phone it is.
        meant: what is to be pressed; an autopilot presses it.

    Raises:
        StoppedWaiting: the cell was interrupted.
        PhoneError: the phone does not answer.
    """
    if lab.world.phone is None:
        print(LIVE)  # noqa: T201 - a notebook's output
        return
    waiting = await _waiting(lab.phone)
    under = _UNDER.get(meant) if lab.number == 4 else None
    asked = [one for one in lab.exchanges if one.path == "/bc-authorize" and _for(lab, one)]
    if under and asked and asked[-1].status >= 400:
        lines = [_refused(asked[-1], under)]
    elif under and not asked:
        lines = await _asked_elsewhere(lab, waiting, under)
    else:
        if under and len(waiting) > 1:
            print(_TWO.format(len(waiting)))  # noqa: T201 - a notebook's output
        lines = await _to_the_end(lab, meant, waiting) if waiting else [await _before(lab, meant)]
    print("\n".join(lines))  # noqa: T201 - a notebook's output


def _refused(question: Exchange, under: str) -> str:
    """In place of an invitation to press: the latest question has no auth_req_id."""
    told = question.received
    error = told.get("error") if isinstance(told, dict) else question.status
    return (
        f"The tenant refused your last question ({error}), so do not press. {go_back(error)}: "
        f"under “{under}”, run the cell with await ask(…), and go on from there."
    )


async def _asked_elsewhere(lab: Lab, waiting: Sequence[Push], under: str) -> list[str]:
    """The same after a restart: lab 04 keeps the auth_req_id in a name, which is gone with it."""
    told = (
        "This kernel has not asked, so it holds no auth_req_id and can collect no answer. Go "
        f"back: under “{under}”, run the cell with await ask(…), and go on from there."
    )
    if waiting:
        return [told, "What still waits on the phone you may deny: its answer reaches nobody."]
    before = await _before(lab, "ignore")
    return [before] if _SO_FAR in before else [before, told]


def _for(lab: Lab, exchange: Exchange) -> bool:
    """Whether a question was for the lab's customer, and not for Ben, who has no phone."""
    sent = exchange.sent if isinstance(exchange.sent, dict) else {}
    return lab.world.user_id in str(sent.get("login_hint"))


async def _to_the_end(lab: Lab, meant: Decision, waiting: Sequence[Push]) -> list[str]:
    alone = lab.settings.baink_autopilot
    if not alone:
        lab.phone.show_once()
    seen: dict[str, Push] = {}
    async with WaitingLine(waiting, lab.clock, lab.phone.url) as countdown:
        try:
            while waiting:
                seen |= {one.id: one for one in waiting}
                if alone and meant != "ignore":
                    for one in waiting:
                        await lab.phone.decide(meant, one.id)
                await asyncio.sleep(LOOK_SECONDS)
                waiting = await _waiting(lab.phone)
                countdown.waiting = waiting
            pressed = await _pressed(lab)
        except asyncio.CancelledError:
            raise StoppedWaiting(len(waiting), "await lab.answered()") from None
        now = lab.clock.now()
        *_, newest = seen
        countdown.ended = ANSWERED if all(one in pressed for one in seen) else OVER
        if not any(one in pressed for one in seen):
            countdown.ended = TIME_IS_UP if now >= seen[newest].expires_at else OVER
    lines = [_line(one, pressed.get(one.id), now) for one in seen.values()]
    return lines + _way_on(lab, meant, pressed.get(newest))


async def _before(lab: Lab, meant: Decision) -> str:
    """What became of the newest request, when none waits any more: the tenant's log knows."""
    asks = _cell(lab)
    asked = []
    with contextlib.suppress(BainkError):  # the phone is well, and the tenant is down
        asked = await lab.log_of_lab("ciba_start_succeeded")
    if not asked:
        return f"Nothing waits for the phone, and {_SO_FAR}: run {asks}."
    pressed = (await _pressed(lab)).get(asked[-1]["details"]["transaction_linking_id"])
    at = time_of_day(seconds_of_date(asked[-1]["date"]))
    told = f"Time is up: nobody answered the request of {at}."
    if pressed:
        told = f"{PRESSED[pressed]}: the request of {at}."
    return " ".join(["Nothing waits for the phone.", told, *_way_on(lab, meant, pressed)])


async def _waiting(phone: Phone) -> list[Push]:
    return [push_of(one) for one in await phone.waiting()]


async def _pressed(lab: Lab) -> dict[str, Pressed]:
    """What the tenant's log says was pressed, by the phone's names of the requests.

    A button may be pressed in another notebook, or on the phone's page: only the tenant knows all.
    """
    entries = []
    with contextlib.suppress(BainkError):
        entries = await lab.log(*_ENTRIES)
    return {one["details"]["transaction_linking_id"]: _ENTRIES[one["type"]] for one in entries}


def _line(one: Push, pressed: Pressed | None, now: float) -> str:
    if pressed:
        return f"{PRESSED[pressed]}: “{one.message}”."
    if now >= one.expires_at:
        return f"Time is up: nobody answered “{one.message}”."
    return f"Nobody answered “{one.message}”, and it waits no longer."


def _way_on(lab: Lab, meant: Decision, pressed: Pressed | None) -> list[str]:
    """What to do when something else happened than the lab goes on with."""
    if meant in ("ignore", pressed):
        return []
    way_on = _GOES_ON[meant].format(f"run {_cell(lab)} again")
    return [f"Here the lab goes on with {way_on}{_where(lab, meant)}"]


def _where(lab: Lab, meant: Decision) -> str:
    """The heading to go back to, where the cell is not the one just above."""
    under = _UNDER.get(meant) if lab.number == 4 else None
    return f" (It stands under “{under}”.)" if under else ""


def _cell(lab: Lab) -> str:
    return f"the cell above with {_ASKS.get(lab.number, 'await lab.say(…)')}"
