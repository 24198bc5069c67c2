"""Lab 00: did an approved transfer really happen? The approvals and the ledger know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baink_lab.approvals import Approval, State
from baink_lab.lab.checks.result import Result, failed, not_yet, passed
from baink_lab.lab.checks.shelf import Shelf

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

NAME = "first_transfer"
ASK = 'Run the cell with await lab.say("Move $25 …"), or write it in the chat.'
AGAIN = 'Say "continue transfer" in the chat, or run that cell again.'
FIX = "Run await lab.doctor(), fix what it names, and ask again."
_ENDS = {
    State.DENIED: (
        "The transfer was denied on the phone, so nothing moved: just as it should be.",
        f"{AGAIN} This time press Approve.",
        "",
    ),
    State.EXPIRED: ("Nobody answered the push in time, so nothing moved.", AGAIN, ""),
    State.UNENROLLED: ("The customer has no phone enrolled.", FIX, "T5"),
}


async def first_transfer(lab: Lab) -> Result:
    """One transfer of this lab was approved on the phone and is in the ledger, once."""
    approvals = await lab.approvals()
    done = [one for one in approvals if one.state is State.APPROVED and one.delivered]
    if done:
        return await _in_the_ledger(lab, done[-1])
    if not approvals:
        return not_yet(NAME, "Nothing was asked of the phone so far.", ASK)
    last = approvals[-1]
    if not last.delivered and last.state in {State.PENDING, State.APPROVED}:
        why = f"The push “{last.binding_message}” waits for an answer."
        return not_yet(NAME, why, "Press Approve on the phone above, then check again.")
    why, next_step, mistake = _ENDS.get(last.state, (last.reason, FIX, ""))
    return failed(NAME, why, next_step, mistake)


async def _in_the_ledger(lab: Lab, approval: Approval) -> Result:
    said = approval.arguments
    entries = await lab.history(said["from_account"])
    amount = f"-{said['amount']}"
    if any(entry["amount"] == amount for entry in entries):
        why = (
            f"{said['amount']} {said['currency']} left the account, once. The agent asked, the "
            "phone decided, and the bank took only the token that the approval brought."
        )
        return passed(NAME, why)
    why = f"The push was approved, but the ledger shows no entry of {amount}."
    return failed(NAME, why, "Ask Aiya what became of the transfer.")


SHELF = Shelf(0, {NAME: first_transfer})
