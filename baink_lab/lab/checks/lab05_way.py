"""Lab 05, the node that asks: what it does beside its one push, and where it leads."""

from __future__ import annotations

from langgraph.types import Command

from baink_lab.lab.checks.lab05_noted import ELSEWHERE, Notes, node_of
from baink_lab.lab.checks.result import Result, failed
from baink_lab.lab.scenes import Scene

NAME = "request_approval"
_WAY_ON = "return Command(goto=Send(gate.node, task_for(approval, late=False)))"


def judge_way(notes: Notes) -> Result | None:
    """A node whose one push has come well: what it did besides."""
    if notes.asks > 1:
        why = (
            f"One run of your node, and it called desk.ask {notes.asks} times. The phone got one "
            "push all the same: the desk remembers what it has asked."
        )
        step = "Ask once, and keep the answer: approval = await desk.ask(gate, arguments, call)"
        return failed(NAME, why, step, hints=(step,))
    if any(node_of(one) not in {"", ELSEWHERE} for one in notes.returned):
        written = next(node_of(one) for one in notes.returned)
        why = (
            f"You go on to “{written}”, whatever the gate is. This node asks for every tool behind "
            "the phone, and each gate names the node that acts for it: a yes to read a statement "
            "would run a transfer."
        )
        step = f"Take the name from the gate: {_WAY_ON}"
        return failed(NAME, why, step, hints=(step,))
    update = [one.update for one in notes.returned if isinstance(one, Command) and one.update]
    if update:
        names = ", ".join(update[0]) if isinstance(update[0], dict) else str(update[0])
        why = (
            f"Your Command also writes to the state ({names}), where the conversation is. Aiya's "
            "call is answered by the node that acts, and the record is at the desk: nothing is to "
            "be written here."
        )
        step = f"Leave `update` out: {_WAY_ON}"
        return failed(NAME, why, step, hints=(step,))
    return None


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
    return failed(NAME, why, step, hints=(step,))
