"""Lab 06: what became of each story, by approvals, conversation and ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from baink_lab.approvals import Approval, GatedTool, State
from baink_lab.lab.checks.evidence import ANEW, TRANSFER, Story
from baink_lab.lab.checks.result import Result, failed, not_yet, passed
from baink_lab.lab.checks.shelf import Check

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

MOVED, DENIED, EXPIRED = "moved", "denied", "expired"
TALKED_ON, SURVIVED, WENT_ON, GATED = "talked_on", "survived", "went_on", "gated"
STATEMENT, DISPUTE = "read_statement", "open_dispute"
GATED_SCOPES = {STATEMENT: "read:statements", DISPUTE: "create:dispute"}
TWICE = "One approval, and the ledger has it more than once: please report this."


async def moved(lab: Lab) -> Result:
    """A transfer was approved, and is in the ledger once."""
    story = await Story.of(lab)
    found = await _moved_once(story, lambda one: True)
    if isinstance(found, Approval):
        why = (
            f"{_quoted([found])}: approved on the phone, and in the ledger once. Nobody "
            "pressed “resume”; the resumer heard of the yes and woke the graph."
        )
        return passed(MOVED, why + _since(story, found))
    ask = "Move $25 from checking to savings"
    if found is not None:
        return found
    return await _not_ended(lab, story, MOVED, ask, "Press Approve on the phone.")


async def denied(lab: Lab) -> Result:
    """A transfer was denied; nothing moved, and Aiya was told."""
    return await _without_a_yes(
        lab,
        DENIED,
        State.DENIED,
        "Move $500 from savings to checking",
        "denied on the phone. A no is an answer like a yes: the graph was woken, ended its node "
        "with an error that the model can read, and Aiya said so. Nothing moved.",
        "Press Deny on the phone.",
    )


async def expired(lab: Lab) -> Result:
    """A push was left unanswered; nothing moved, and Aiya was told."""
    return await _without_a_yes(
        lab,
        EXPIRED,
        State.EXPIRED,
        "Move $40 from checking to savings",
        "nobody answered, and even that came to an end: the thread heard of it, Aiya said so, and "
        "nothing moved. On the wire it looked like a no; the clock told them apart.",
        'Leave the phone alone, and run await lab.clock.advance("6 min").',
    )


async def talked_on(lab: Lab) -> Result:
    """Something was said and answered while an approval waited, and the approval still came."""
    story = await Story.of(lab)
    found = await _moved_once(story, story.talked_on, TALKED_ON)
    if isinstance(found, Approval):
        why = (
            "You asked something else while the phone waited, and were answered. The transfer "
            "stepped aside and came back by itself: its call was answered “waiting”, and its "
            "outcome joined the conversation as an event."
        )
        return passed(TALKED_ON, why)
    if found is not None:
        return found
    why = "No transfer was approved after you had talked about something else meanwhile."
    step = "Ask for a transfer, ask for your balance, and only then press Approve."
    return not_yet(TALKED_ON, why, step)


async def survived(lab: Lab) -> Result:
    """One process asked and died, another one told."""
    story = await Story.of(lab)
    found = await _moved_once(story, lambda one: lab.outlived(one.id), SURVIVED)
    if isinstance(found, Approval):
        why = (
            f"{_quoted([found])} was asked for by one process and told by another one, and "
            "the ledger has it once. Between the two there was nothing but files."
        )
        return passed(SURVIVED, why)
    if found is not None:
        return found
    orphans = [o for o in story.approvals if not o.delivered and lab.asked_elsewhere(o.id)]
    if orphans:
        why = f"{_quoted(orphans)}: the process that asked is gone, and none has told of it yet."
        return not_yet(SURVIVED, why, "Press Approve, unless you have, and await lab.settled().")
    why = "No approval was asked for by a process that is gone, and told by a later one."
    if others := [one for one in story.approvals if lab.outlived(one.id)]:
        last, came = others[-1], "so nothing moved, just as it should be. Here a yes is to survive."
        if last.state is State.APPROVED:
            came = "but the ledger does not have it. Here a transfer is to move."
        why = (
            f"{_quoted([last])} was asked for by one process and told by another one. It was "
            f"{last.state}, {came}"
        )
    step = "Run the cell with lab.ask_and_kill, approve on the phone, then await lab.settled()."
    return not_yet(SURVIVED, why, step)


async def went_on(lab: Lab) -> Result:
    """A transfer that met no phone went on, the same one, once there was a phone."""
    story = await Story.of(lab)
    transfers = [one for one in story.approvals if one.tool == TRANSFER]
    alone = [one for one in transfers if one.state is State.UNENROLLED]
    if not alone:
        why = "No transfer has met a customer without a phone yet."
        step = "await lab.unenroll(), then ask Aiya for a transfer."
        return not_yet(WENT_ON, why, step)
    last = alone[-1]
    after = [one for one in transfers if one.created_at > last.created_at]
    found = await _moved_once(story, lambda one: one in after and one.digest == last.digest)
    if isinstance(found, Approval):
        why = (
            "The same transfer, to the last letter of its digest: asked for when nobody could be "
            "asked, approved once there was a phone, moved once."
        )
        return passed(WENT_ON, why + ANEW * story.asked_anew(last))
    if found is not None:
        return found
    if any(one.digest != last.digest for one in after):
        why = "Another transfer was asked for than the one that met no phone."
        step = (
            'await lab.say("continue transfer") asks for the same one. Or begin again: '
            "await lab.unenroll(), ask for a transfer, await lab.enroll()."
        )
        return failed(WENT_ON, why, step)
    why = "The transfer that met no phone has not gone on yet."
    step = 'Enrol a phone (Aiya\'s link), then await lab.say("continue transfer") and Approve.'
    return not_yet(WENT_ON, why, step)


async def gated(lab: Lab) -> Result:
    """A statement was read and a dispute opened, each after its own yes."""
    story = await Story.of(lab)
    for tool, wanted, ask in (
        (STATEMENT, "accounts", "Read my statement for 2026"),
        (DISPUTE, "opened_at", "Open a dispute for transfer …"),
    ):
        mine = [one for one in story.approvals if one.tool == tool]
        outcomes = [story.outcome(one) for one in mine]
        if any(wanted in (one.get("result") or {}) for one in outcomes):
            continue
        last = outcomes[-1] if outcomes else {}
        if last.get("reason") == "insufficient_scope":
            why = (
                f"{tool} was approved, and then the bank refused its token: it lacks the scope. "
                "What the API does not define, or the bAInk was not granted, the tenant leaves out."
            )
            step = "Run the cell that adds the two permissions, then ask again."
            return failed(GATED, why, step)
        scope, missing = GATED_SCOPES[tool], "is not among the API's permissions yet"
        if scope not in (await lab.tenant()).scopes:
            why = f"{scope} {missing}: a yes would bring a token that the bank refuses for {tool}."
            return not_yet(GATED, why, "Run the cell that adds the two permissions, then ask.")
        why = f"{tool} has not been run after a yes on the phone yet."
        step = f'Run its cells, say "{ask}" to Aiya, and press Approve.'
        return not_yet(GATED, why, step)
    done = [one for one in story.approvals if one.tool in {STATEMENT, DISPUTE}]
    why = (
        f"The same gate, two other tools, each with a question of its own: {_quoted(done)}. What "
        "differs is the scope, the message, and what is done after the yes."
    )
    return passed(GATED, why)


async def _moved_once(
    story: Story, which: Callable[[Approval], bool], name: str = MOVED
) -> Approval | Result | None:
    """The latest transfer of this kind that was approved and told; None when there is none."""
    for one in reversed(story.approvals):
        if one.tool == TRANSFER and one.state is State.APPROVED and one.delivered and which(one):
            times = await story.times_moved(one)
            if times == 1:
                return one
            if times > 1:
                return failed(name, TWICE, "Run await lab.balances().")
    return None


async def _without_a_yes(
    lab: Lab, name: str, state: State, ask: str, why: str, step: str
) -> Result:
    story = await Story.of(lab)
    for one in reversed(story.approvals):
        if one.state is state and one.delivered and one.tool == TRANSFER:
            if await story.times_moved(one):
                return failed(name, "It was moved all the same: please report this.", step)
            if story.outcome(one).get("status") == state:
                return passed(name, f"{_quoted([one])}: {why}{_since(story, one)}")
    return await _not_ended(lab, story, name, ask, step)


def _since(story: Story, seen: Approval) -> str:
    """That a later transfer ended otherwise than the one that a check looked at."""
    last = [one for one in story.approvals if one.tool == TRANSFER and one.delivered][-1]
    if last.state is seen.state:
        return ""
    return f" (That was not your latest: {_quoted([last])} was {last.state}.)"


async def _not_ended(lab: Lab, story: Story, name: str, ask: str, step: str) -> Result:
    gates = [one.name for one in (await lab.aiya()).tools if isinstance(one, GatedTool)]
    if TRANSFER not in gates:
        why = (
            f"Aiya's {TRANSFER} has no gate, so no push can come to the phone. She was built with "
            "another registry than one that passed its check."
        )
        mend = 'await lab.check("registry"), then await lab.build(registry=registry), and ask again'
        return not_yet(name, why, f"{mend}.")
    waiting = [one for one in story.approvals if not one.delivered]
    if waiting:
        why = f"“{waiting[-1].binding_message}” waits for an answer."
        return not_yet(name, why, f"{step} Then await lab.settled(), and check again.")
    ended = [one for one in story.approvals if one.tool == TRANSFER]
    why = "No transfer has ended that way yet."
    if ended:
        why += f" The latest, {_quoted(ended[-1:])}, was another one: {ended[-1].state}."
    return not_yet(name, why, f'await lab.say("{ask}"). {step} Then await lab.settled().')


def _quoted(approvals: list[Approval]) -> str:
    """The lines that the phone showed, without the code words, which are new each time."""
    lines = (one.binding_message.partition(" #")[0] for one in approvals)
    return " and ".join(f"“{line}”" for line in dict.fromkeys(lines))


CHECKS: Mapping[str, Check] = {
    MOVED: moved,
    DENIED: denied,
    EXPIRED: expired,
    TALKED_ON: talked_on,
    SURVIVED: survived,
    WENT_ON: went_on,
    GATED: gated,
}

HINTS: Mapping[str, tuple[str, ...]] = {
    MOVED: (
        "Three cells: say, press Approve on the phone, settled.",
        'Without widgets: await lab.say("Move $25 …"), await lab.phone.approve(), '
        "await lab.settled().",
    ),
    DENIED: ("Ask once more, and press Deny. Without widgets: await lab.phone.deny().",),
    EXPIRED: ('Ask, do not touch the phone, and await lab.clock.advance("6 min").',),
    TALKED_ON: (
        "Say two things before you touch the phone: the transfer, and a question.",
        'await lab.say("What is my balance?"), then Approve, then await lab.settled().',
    ),
    SURVIVED: (
        "The process that asked must be gone when the answer comes.",
        "lab.ask_and_kill, Approve, lab.settled: in this order. Or: ask, restart the kernel, run "
        "the first cell, Approve, await lab.settled().",
    ),
    WENT_ON: (
        "First there must be no phone, then one again: await lab.unenroll(), await lab.enroll().",
        'await lab.say("continue transfer"): the same transfer, not a new one.',
    ),
    GATED: (
        "Two permissions, two tools, two questions. Which of them is missing?",
        "After lab.build(more=[…]) Aiya has both. A kernel that was restarted has forgotten them.",
    ),
}
