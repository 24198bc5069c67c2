"""Lab 05, the node that asks: one push for one call, and on to the node that waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baink_lab.lab.checks.exercises import Exercise, exercise_of, own_piece, raised
from baink_lab.lab.checks.lab05_noted import Notes, is_late, noted_request
from baink_lab.lab.checks.lab05_way import judge_refused, judge_sent, judge_way
from baink_lab.lab.checks.result import Result, failed, passed, slip
from baink_lab.lab.checks.tips_of_exercises import TO_ACT, WAY_ON
from baink_lab.lab.learner.pieces import Pieces
from baink_lab.lab.practice import meddling
from baink_lab.lab.practice.agent import PracticeAgent
from baink_lab.lab.practice.scenes import AMOUNT, Scene, play, stage
from baink_lab.lab.widgets.show import counted

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

REQUEST = "request_approval"


async def asks_once(lab: Lab) -> Result:
    """One push for one call, from a node that is done before anybody waits."""
    mine = exercise_of(lab, REQUEST)
    notes, piece = Notes(), own_piece(mine)
    if piece is not None:
        piece = noted_request(piece, notes)
    async with stage(Pieces(request_approval=piece)) as agent:
        scene = await play(agent, lambda scene: scene.forge("anything"))
        if not scene.asleep and any(is_late(one) for one in notes.returned):
            return _sent_as_late()
        wrong = judge_sent(scene, notes)
        wrong = await _judge_request(agent, mine, scene) if wrong is None else wrong
        wrong = judge_way(notes) if wrong is None else wrong
        if wrong is not None:
            return wrong
        with meddling.no_more_pushes(agent):
            refused = await play(agent)
        if (hidden := judge_refused(refused)) is not None:
            return hidden
        done = await play(agent, lambda scene: scene.answer("approve"), Scene.ring)
    if done.moved != [AMOUNT]:
        why = f"The push was approved, and no money moved: Aiya heard {done.told[-1:]}."
        return failed(REQUEST, why, f"Go on with {TO_ACT}.")
    why = (
        "One push. The node was done before the next one went to sleep, so it is in the "
        "checkpoint and is never run again, however often the thread is woken."
    )
    return passed(REQUEST, why)


def _sent_as_late() -> Result:
    why = (
        "The push was sent, and nobody sleeps. `late=True` says that Aiya's call was answered "
        "before, with “waiting”, since the customer talked on. So the next node does not wait for "
        "an answer: it ended at once, and nobody would hear of the customer's yes."
    )
    step = "This call has no answer yet: task_for(approval, late=False)."
    return slip(REQUEST, why, step)


async def _judge_request(agent: PracticeAgent, mine: Exercise, scene: Scene) -> Result | None:
    if scene.pushes > 1 or REQUEST in scene.asleep:
        return _pushed_and_waited(scene)
    if isinstance(scene.problem, TimeoutError):
        why = "Your node never came to an end. It asks; it does not wait for the answer."
        return failed(REQUEST, why, "Return the Command; the next node waits.")
    if scene.pushes and scene.approval is None:
        why = (
            "A push was sent, but no record of it was kept: after a crash nobody would know of it, "
            "and nobody polls for the answer."
        )
        return failed(REQUEST, why, "approval = await desk.ask(gate, arguments, call)")
    request = await agent.desk.request_of(scene.approval) if scene.approval else None
    if request is not None and meddling.kept_in_threads(agent, request.auth_req_id):
        why = (
            "I opened threads.db and read the auth_req_id in it: with the client's secret it "
            "brings the token. A checkpoint is no place for secrets."
        )
        step = "Pass on task_for(approval, late=False): it holds no secret."
        return failed(REQUEST, why, step, "C11")
    return _judge_way_on(agent, mine, scene)


def _judge_way_on(agent: PracticeAgent, mine: Exercise, scene: Scene) -> Result | None:
    if scene.problem is not None:
        return raised(REQUEST, scene.problem, mine.written)
    if not scene.pushes:
        why = "I asked for a transfer, and the phone got no notification."
        return failed(REQUEST, why, "approval = await desk.ask(gate, arguments, call)")
    if not scene.asleep:
        why = (
            "The push was sent, but no node waits for its answer: what you returned leads nowhere."
        )
        return failed(REQUEST, why, WAY_ON)
    told = sum(event["type"] == "push_sent" for event in agent.events)
    if told > 1:
        why = f"The phone got one question, and the chat told of it {counted(told, 'time')}."
        return slip(REQUEST, why, "Call tell_push(approval) once, before you return.")
    if not told:
        why = "The phone got the question, but the chat heard nothing of it: the customer wonders."
        return failed(REQUEST, why, "tell_push(approval), before you return.")
    return None


def _pushed_and_waited(scene: Scene) -> Result:
    seen = f"One transfer, and the phone got {counted(scene.pushes, 'notification')}"
    if scene.pushes <= 1:
        seen = "Your node pushes, and it sleeps too (only the desk saved you from a second push)"
    why = (
        f"{seen}. A node that was interrupted runs again from its first line each time that it is "
        "woken, and sends its push again."
    )
    step = "No interrupt() in request_approval: return the Command, the next node waits."
    return failed(REQUEST, why, step, "C9")
