"""Lab 05, the node that waits: each of the four noes ends it, and Aiya hears which one and why."""

from __future__ import annotations

from typing import Any

from baink_lab.approvals.approval import approval_id
from baink_lab.lab.checks.exercises import Exercise
from baink_lab.lab.checks.result import Result, failed
from baink_lab.lab.practice.agent import PracticeAgent
from baink_lab.lab.practice.meddling import no_grant, no_phone
from baink_lab.lab.practice.scenes import Scene, play

NAME = "transfer"
_TELL = 'return {"status": outcome.state, "message": outcome.reason}'
#: The four ways to a no, by the outcome's state.
_NOES = {
    "denied": "The customer denied",
    "expired": "Nobody answered in time",
    "unenrolled": "The customer has no phone that could be asked",
    "failed": "The tenant refused the question, and nobody was asked",
}


async def takes_every_no(agent: PracticeAgent, mine: Exercise) -> Result | None:
    """All four ways to a no end without money, and Aiya hears which one it was, and why."""
    denied = await play(agent, _deny, Scene.ring)
    expired = await play(agent, Scene.lapse, Scene.ring)
    with no_phone(agent):
        unenrolled = await play(agent)
    with no_grant(agent):
        refused = await play(agent)
    noes = {"denied": denied, "expired": expired, "unenrolled": unenrolled, "failed": refused}
    for state, scene in noes.items():
        if scene.asked or scene.problem is not None or scene.status in {"", "approved"}:
            return _not_every_no(state, scene)
    for state, scene in noes.items():
        if scene.status != state:
            return _another_no(state, scene)
    for state, scene in noes.items():
        record = await agent.desk.get(approval_id(scene.thread, scene.call_id))
        heard = str(scene.told[-1].get("message") or "")
        if record is not None and record.reason not in heard:
            return _without_reason(state, heard, record.reason)
    return None


def _not_every_no(state: str, scene: Scene) -> Result:
    sees = "and is told nothing: no money, no reason, no way on"
    if scene.status == "approved":
        sees = "and is told that the money was moved, which is not true"
    elif not scene.asked and scene.problem is None:
        sees = "and waits for an answer that will never come"
    why = (
        f"“denied” is one no of four. {_NOES[state]}, so outcome.state was “{state}”, and your "
        f"node {scene.did}. A no brings no token: the customer sees an assistant that was asked "
        f"for 25.00, {sees}."
    )
    step = (
        f'Ask for the yes, not for each no: `if outcome.state != "approved":`, and there `{_TELL}`.'
    )
    return failed(NAME, why, step, hints=("Which four words can outcome.state be for a no?", step))


def _another_no(state: str, scene: Scene) -> Result:
    why = (
        f"{_NOES[state]}, so outcome.state was “{state}”, and your node {scene.did}. Aiya "
        "explains what she hears, so the customer is told what did not happen."
    )
    return failed(NAME, why, _TELL)


def _without_reason(state: str, heard: str, reason: str) -> Result:
    said = f"“{heard}”" if heard else "no message"
    why = (
        f"{_NOES[state]}. Aiya heard “{state}” and {said}, so she cannot tell the customer what "
        f"happened. outcome.reason knows it: “{reason}”"
    )
    return failed(NAME, why, _TELL)


def _deny(scene: Scene) -> Any:
    return scene.answer("deny")
