"""Lab 05, the node that asks: what it does beside its one push, and where it leads."""

from __future__ import annotations

from langgraph.types import Command

from baink_lab.approvals.nodes import Task
from baink_lab.lab.checks.lab05_noted import ELSEWHERE, Notes, node_of, task_of
from baink_lab.lab.checks.result import Result, slip
from baink_lab.lab.checks.tips_of_exercises import WAY_ON
from baink_lab.lab.practice.scenes import Scene

NAME = "request_approval"


def judge_way(notes: Notes) -> Result | None:
    """A node whose one push has come well: what it did besides."""
    if notes.asks > 1:
        why = (
            f"One run of your node, and it called desk.ask {notes.asks} times. The phone got one "
            "push all the same: the desk remembers what it has asked."
        )
        step = "Ask once, and keep the answer: approval = await desk.ask(gate, arguments, call)"
        return slip(NAME, why, step)
    fixed = [at for one in notes.returned if (at := node_of(one)) not in {"", ELSEWHERE}]
    if fixed:
        why = (
            f"You go on to “{fixed[0]}”, whatever the gate is. This node asks for every tool "
            "behind the phone, and each gate names the node that acts for it: a yes to read a "
            "statement would run a transfer."
        )
        step = f"Take the name from the gate: {WAY_ON}"
        return slip(NAME, why, step)
    update = [one.update for one in notes.returned if isinstance(one, Command) and one.update]
    if update:
        names = ", ".join(update[0]) if isinstance(update[0], dict) else str(update[0])
        why = (
            f"Your Command also writes to the state ({names}), where the conversation is. Aiya's "
            "call is answered by the node that acts, and the record is at the desk: nothing is to "
            "be written here."
        )
        step = f"Leave `update` out: {WAY_ON}"
        return slip(NAME, why, step)
    return None


def judge_sent(scene: Scene, notes: Notes) -> Result | None:
    """A push, and then a node that is not there, or a task that the acting node cannot take."""
    # A task that cannot be taken ends the scene before its pushes are counted.
    for one in notes.returned if notes.asks == 1 and scene.pushes <= 1 else ():
        named = node_of(one)
        if isinstance(named, str) and named not in {"", ELSEWHERE} and not scene.asleep:
            why = (
                f"The push was sent, and you go on to “{named}”: Aiya's graph has no node of that "
                "name, so nobody waits for the answer. LangGraph says nothing of it."
            )
            if named == NAME:
                why = f"The push was sent, and you go on to “{NAME}”, which is this very node."
            step = f"The gate knows its node: {WAY_ON}"
            return slip(NAME, why, step)
        if told := _wrong_task(task_of(one)):
            step = f"Let task_for make it from the approval: {WAY_ON}"
            return slip(NAME, f"The push was sent, but {told}", step)
    return None


def _wrong_task(task: object) -> str:
    """What a task that was made by hand lacks; empty when it is none, or whole."""
    if not isinstance(task, dict):
        return ""
    missing = [name for name in Task.__annotations__ if name not in task]
    if missing:
        return f"the task that you sent on lacks {', '.join(missing)}: the next node reads them."
    if not isinstance(task["arguments"], dict):
        kind = type(task["arguments"]).__name__
        return (
            f"`arguments` in the task that you sent on is a {kind}: it comes back from the "
            "checkpoint, where an object cannot be kept, and the next node takes a dictionary."
        )
    return ""


def judge_refused(scene: Scene) -> Result | None:
    """The desk refuses to ask, since the customer was asked too often: Aiya has to hear why."""
    reason = scene.told[-1].get("reason") if scene.told else None
    if scene.status == "failed" and reason == "too_many_pushes":
        return None
    heard = f"“{scene.status}”" if scene.status else "nothing"
    why = (
        "The customer was asked too often within a minute, so the desk raised ToolRefused and sent "
        f"no push. Your node caught that, and Aiya heard {heard}. She cannot say why nothing came."
    )
    step = "Catch nothing here: the node around your function tells Aiya what the desk said."
    return slip(NAME, why, step)
