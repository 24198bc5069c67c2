"""Lab 05, the node that waits, and money: after the yes alone, once, and what was approved."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import Any

from baink_lab.lab.checks.exercises import Exercise, raised
from baink_lab.lab.checks.result import Result, failed, slip
from baink_lab.lab.checks.tips_of_exercises import LOOK
from baink_lab.lab.practice.agent import PracticeAgent
from baink_lab.lab.practice.meddling import edit_amount, kept_in_threads
from baink_lab.lab.practice.scenes import AMOUNT, Scene, play
from baink_lab.lab.widgets.show import counted

NAME = "transfer"
EDITED = "250.00"
#: What an edited thread leads to when it is told as something else than "failed".
_EDIT_TOLD = {
    "denied": "So Aiya tells a customer who said yes that they said no.",
    "approved": "So Aiya tells the customer that the money was moved, and it was not.",
    "expired": "So Aiya tells a customer who answered that nobody did.",
}


def yes(scene: Scene) -> Any:
    """The customer approves."""
    return scene.answer("approve")


async def one_key_each(agent: PracticeAgent, mine: Exercise) -> Result | None:
    """Two transfers of one conversation have two keys."""
    first = await play(agent, yes, Scene.ring)
    second = await play(agent, yes, Scene.ring, thread=first.thread)
    key = key_of_many([first, second])
    return one_key_for_many(key, "in one conversation", first) if key else None


def when_all_is_well(mine: Exercise, happy: Scene) -> Result | None:
    """After a yes that nobody tampered with, money moves once and Aiya has the receipt."""
    if happy.problem is not None:
        return raised_in(mine, happy, "The customer approved, and I woke your node.")
    if (wrong := _sent_as_approved(happy)) is not None:
        return wrong
    if happy.moved != [AMOUNT]:
        return _not_moved(happy)
    if happy.status != "approved":
        heard = f"“{happy.status}”" if happy.status else "nothing: your function returned None"
        why = f"The money moved, but Aiya heard {heard}."
        return failed(NAME, why, 'Return {"status": "approved", "result": receipt}.')
    return _sent_once_with_receipt(happy)


def _not_moved(happy: Scene) -> Result:
    if happy.status == "approved" and not happy.asked:
        why = (
            "The customer approved, and your node told Aiya “approved” without asking the bank: no "
            "money moved. Did the yes go the way of a no, which returns outcome.state?"
        )
        step = 'The state of a yes is "approved", to the letter: if outcome.state != "approved": …'
        return slip(NAME, why, step)
    why = f"The customer approved, I woke your node, and it {happy.did}."
    step = 'await bank.transfer(outcome.access_token, task["approval_id"], **task["arguments"])'
    if not happy.asked and not happy.status:
        why += " The outcome lay in the vault, and it was not found, or not used."
        step = f"After interrupt() look once more, with these three in this order: {LOOK}."
        return slip(NAME, why, step)
    if happy.status == "failed" and not happy.asked:
        why += " But nobody had changed anything: the two fingerprints should be equal."
        step = (
            'Is it `!=` that leads to "failed"? And the tool\'s name counts too: '
            'digest_of("transfer_funds", task["arguments"]).'
        )
    if happy.asked and happy.asked[-1].status == HTTPStatus.UNAUTHORIZED:
        why += " It takes what came first for the token, and that is none."
        step = f"First the token, then the key: {step}."
    return slip(NAME, why, step)


def _sent_as_approved(happy: Scene) -> Result | None:
    if any(one.code.startswith("idempotency_key") for one in happy.asked):
        said = happy.asked[-1].code
        return _c12(f"The bank wants to know which transfer this is, and said {said}.")
    if any(isinstance(one.order, dict) and _rounded(one.order) for one in happy.asked):
        why = (
            "The customer approved, and your node sent the amount to the bank as a number. Money "
            "is text here, on the phone, in the order and in its fingerprint: a float is not exact."
        )
        step = 'Hand the arguments on as they are: **task["arguments"].'
        return slip(NAME, why, step)
    for one in happy.asked:
        if isinstance(one.order, dict) and (wrong := _other_than_approved(one.order, happy)):
            return _c13("The customer approved, and nobody changed anything.", wrong, happy)
    return None


def _sent_once_with_receipt(happy: Scene) -> Result | None:
    if len(happy.asked) > 1:
        why = (
            f"One ring, and your node sent the transfer to the bank {len(happy.asked)} times. The "
            "money moved once, since the key was the same; the bank keeps a key for a time only."
        )
        step = "Call bank.transfer once. When its answer is lost, your node is run anew."
        return slip(NAME, why, step)
    receipt = happy.told[-1].get("result")
    if not (isinstance(receipt, dict) and receipt.get("id")):
        why = (
            "The money moved, and Aiya heard “approved” without the bank's receipt: she cannot "
            "tell the customer what was moved, nor which entry of the account it is."
        )
        step = 'Return what bank.transfer gave you: {"status": "approved", "result": receipt}.'
        return slip(NAME, why, step)
    return None


async def one_key(agent: PracticeAgent, mine: Exercise) -> Result | None:
    """A transfer whose answer was lost is sent again under the same key."""
    agent.bank.lose = 1
    scene = await play(agent, yes, Scene.ring, Scene.ring)
    agent.bank.lose = 0
    keys = [one.key for one in scene.asked]
    if len(set(keys)) > 1:
        said = scene.asked[-1].code or "yes, twice"
        return _c12(
            f"Your keys were {keys[0][:12]}… and {keys[-1][:12]}…, and the bank said {said}."
        )
    if scene.moved != [AMOUNT] or scene.status != "approved":
        why = f"The bank moved the money, its answer was lost, and Aiya heard “{scene.status}”."
        step = "Do not catch BankUnavailable: then the node is run again, with the same key."
        hint = (
            "You cannot know whether the money moved; only the bank can, by the key. So catch no "
            "error of the bank's."
        )
        return failed(NAME, why, step, hints=(hint,))
    return None


async def hears_a_refusal(agent: PracticeAgent, mine: Exercise) -> Result | None:
    """What the bank will not do ends the transfer, and Aiya hears why."""

    async def spend(scene: Scene) -> None:
        agent.bank.move_all(agent.checking, agent.savings)

    scene = await play(agent, spend, yes, Scene.ring)
    agent.bank.move_all(agent.savings, agent.checking)
    if scene.problem is not None:
        return raised_in(mine, scene, "The customer approved, and then the account was empty.")
    if scene.status == "failed":
        return None
    heard = f"“{scene.status}”" if scene.status else "nothing"
    said = scene.asked[-1].code if scene.asked else "nothing"
    why = (
        "I emptied the account while the push waited; the customer approved. The bank was asked "
        f"{counted(len(scene.asked), 'time')} and said {said}; Aiya heard {heard}, so "
        f"{'she tells the customer' if scene.status else 'she cannot tell the customer'} "
        f"{'something else' if scene.status else 'what became of it'}."
    )
    step = "Do not catch the bank's errors: the node around your function tells Aiya."
    return slip(NAME, why, step)


async def no_edit(agent: PracticeAgent, mine: Exercise) -> Result | None:
    """A thread that was edited after the push moves nothing but what was approved."""

    async def edit(scene: Scene) -> None:
        if scene.approval is not None:
            await edit_amount(agent, scene.approval, EDITED)

    scene = await play(agent, edit, yes, Scene.ring)
    if EDITED in scene.moved:
        what = f"the amount {EDITED}"
        return _c13("I changed the thread on disk between push and yes.", what, scene)
    if scene.problem is not None:
        return raised_in(mine, scene, "I changed the amount in the thread on disk.")
    if scene.status != "failed":
        why = (
            "I changed the amount in the thread on disk, and the customer approved what the phone "
            f"had shown. Your node {scene.did}. "
        )
        why += _EDIT_TOLD.get(scene.status, "The customer waits, and nothing will come.")
        step = 'When the fingerprints differ: return {"status": "failed", "message": "…"}.'
        return slip(NAME, why, step)
    return secret_kept(agent, scene, "Tell Aiya that it differs, in words of your own.")


def secret_kept(agent: PracticeAgent, scene: Scene, step: str) -> Result | None:
    """The result for a token that is in a checkpoint; None when it is in none."""
    if not scene.token or not kept_in_threads(agent, scene.token):
        return None
    where = "in what Aiya hears" if scene.token in str(scene.told) else "in the thread's state"
    why = (
        f"I opened threads.db and read the access token in it, {where}. Whoever has the file, a "
        "backup, or a trace of the run has the token too; and what Aiya hears is sent to the model."
    )
    return failed(NAME, why, step, "C11")


def _rounded(order: dict[str, Any]) -> bool:
    """Whether the amount has become a number, or the text of one."""
    amount = order.get("amount")
    return not isinstance(amount, str) or amount == str(float(AMOUNT))


def _other_than_approved(order: dict[str, Any], scene: Scene) -> str:
    approved = scene.approval.arguments if scene.approval else {}
    wrong = [name for name in order if order[name] != approved.get(name)]
    return ", ".join(f"the {name} {order[name]!r}" for name in wrong)


def _c12(seen: str) -> Result:
    why = (
        "The bank's answer can get lost after the money moved; then the node runs again, and the "
        f"Idempotency-Key tells the bank that it is the same transfer. {seen}"
    )
    step = 'Use task["approval_id"] as the key: one approval, one key, one transfer.'
    return failed(NAME, why, step, "C12")


def key_of_many(scenes: list[Scene]) -> str:
    """A key that more than one approval came under; empty when each had its own."""
    used: set[str] = set()
    for keys in ({one.key for one in scene.asked if one.key} for scene in scenes):
        if shared := used & keys:
            return shared.pop()
        used |= keys
    return ""


def one_key_for_many(key: str, where: str, scene: Scene) -> Result:
    """The result for a key that names more than one transfer."""
    seen = f"Two transfers {where} had one key, {key[:24]!r}"
    if key == scene.call_id:
        seen += " (call.id: the model chose it, and may choose it again in another conversation)"
    return _c12(f"{seen}. The bank took the second for the first, sent again: no money moved.")


def _c13(what: str, sent: str, scene: Scene) -> Result:
    shown = scene.approval.binding_message if scene.approval else ""
    why = (
        f"{what} The phone showed “{shown}”, and your node sent {sent} to the bank. The token "
        "does not know the amount, so the bank could not tell."
    )
    step = 'Compare digest_of("transfer_funds", task["arguments"]) with outcome.digest first.'
    return failed(NAME, why, step, "C13")


def raised_in(mine: Exercise, scene: Scene, what: str) -> Result:
    """The result for a node that raised, or never ended, after `what` was done to it."""
    problem = scene.problem
    assert problem is not None
    if isinstance(problem, TimeoutError):
        why = f"{what} Your node never came to an end: does it wait by itself?"
        return failed(NAME, why, "Wait with interrupt() only: then the graph sleeps on disk.")
    result = raised(NAME, problem, mine.written)
    return dataclasses.replace(result, why=f"{what} {result.why}")
