"""Lab 00: did an approved transfer really happen? The approvals and the ledger know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from baink_lab.approvals import Approval, State
from baink_lab.lab.checks.evidence import Story
from baink_lab.lab.checks.result import Result, failed, not_yet, passed
from baink_lab.lab.checks.shelf import Shelf

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

NAME = "first_transfer"
ASK = 'Run the cell with await lab.say("Move $25 …"), or write it in the chat.'
AGAIN = 'Say "try again" in the chat, or run that cell again.'
FIX = "Run await lab.doctor(), fix what it names, and ask again."
#: What is no mistake, though nothing moved: why, and the next step.
_ANSWERED = {
    State.DENIED: (
        "The transfer was denied on the phone, so nothing moved: just as it should be. An "
        "approved one is still to come.",
        f"{AGAIN} This time press Approve.",
    ),
    State.EXPIRED: ("Nobody answered the push in time, so nothing moved.", AGAIN),
}

_NOT_THE_BANK = {"changed_after_approval", "approval_lapsed"}
#: Where to look after a yes that moved nothing, by the bank's code.
_STEPS = {
    "insufficient_scope": (
        "Lab 02, steps 3 and 4: the token lacks create:transfer. The checks there say why."
    ),
    "invalid_token": (
        "Lab 02, step 2: identifier, token profile and signing algorithm of the API. The check "
        "there says which."
    ),
    "insufficient_funds": "Ask for less than the account holds: await lab.balances().",
    "approval_lapsed": AGAIN,
}


async def first_transfer(lab: Lab) -> Result:
    """The latest transfer that was approved on the phone is in the ledger, once."""
    story = await Story.of(lab)
    approvals = story.approvals
    done = [one for one in approvals if one.state is State.APPROVED and one.delivered]
    if done:
        return await _in_the_ledger(story, done)
    if not approvals:
        return not_yet(NAME, "Nothing was asked of the phone so far.", ASK)
    last = approvals[-1]
    if not last.delivered and last.state in {State.PENDING, State.APPROVED}:
        why = f"The push “{last.binding_message}” waits for an answer."
        return not_yet(NAME, why, "Press Approve on the phone above, then check again.")
    if last.state in _ANSWERED:
        return not_yet(NAME, *_ANSWERED[last.state])
    if last.state is State.UNENROLLED:
        return failed(NAME, "The customer has no phone enrolled.", FIX, "T5")
    return failed(NAME, last.reason, FIX)


async def _in_the_ledger(story: Story, done: list[Approval]) -> Result:
    """Each approval's own transfer is looked for, by the reference on the bank's receipt."""
    times = [await story.times_moved(one) for one in done]
    if not times[-1]:
        return _moved_nothing(story.outcome(done[-1]))
    moved = [one.arguments for one, often in zip(done, times, strict=True) if often]
    sums = " and ".join(f"{said['amount']} {said['currency']}" for said in moved)
    what = f"{sums} left the account, once"
    if len(moved) > 1:
        asked = len(story.approvals)
        what = f"{sums} were moved, each once: of {asked} requests you approved {len(done)}"
    why = (
        f"{what}. The agent asked, the "
        "phone decided, and the bank took only the token that the approval brought."
    )
    return passed(NAME, why)


def _moved_nothing(told: dict[str, Any]) -> Result:
    """The phone said yes, and nothing moved: what Aiya was told about it."""
    reason = str(told.get("reason") or "no reason is known")
    who = "Aiya did not act" if reason in _NOT_THE_BANK else "the bank refused"
    said = f": “{told['message']}”" if told.get("message") else "."
    why = f"The phone said yes, and then {who} ({reason}){said} Nothing moved."
    return failed(NAME, why, _STEPS.get(reason, FIX))


SHELF = Shelf(0, {NAME: first_transfer})
