"""Lab 05, the node that waits: woken too early, lied to, changed, cut off, and looked into."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from baink_lab.lab.checks.exercises import Exercise, exercise_of, own_piece, raised
from baink_lab.lab.checks.lab05_noes import takes_every_no
from baink_lab.lab.checks.lab05_noted import Notes, noted_transfer, prints_noted
from baink_lab.lab.checks.result import Result, failed, passed, slip
from baink_lab.lab.meddling import edit_amount, kept_in_threads, token_for
from baink_lab.lab.pieces import Pieces
from baink_lab.lab.practice_agent import PracticeAgent
from baink_lab.lab.scenes import AMOUNT, Scene, Step, play, stage
from baink_lab.lab.show import counted

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

NAME = "transfer"
EDITED = "250.00"
LOOK = "desk.outcome(task['approval_id'], call.thread_id, call.id)"
#: What a learner may have thought that a node is woken with.
_WORDS: tuple[Any, ...] = (
    *("approved", "approve", True, "denied", "deny", "expired", False),
    *(
        {"status": word, "state": word, "decision": word, "approved": word == "approved"}
        for word in ("approved", "denied")
    ),
)


#: What an edited thread leads to when it is told as something else than "failed".
_EDIT_TOLD = {
    "denied": "So Aiya tells a customer who said yes that they said no.",
    "approved": "So Aiya tells the customer that the money was moved, and it was not.",
    "expired": "So Aiya tells a customer who answered that nobody did.",
}


async def transfer_node(lab: Lab) -> Result:
    """Money moves once, after the customer's yes to this very transfer, whatever else happens."""
    mine = exercise_of(lab, NAME)
    notes, piece = Notes(), own_piece(mine)
    if piece is not None:
        piece = noted_transfer(piece, notes)
    async with stage(Pieces(transfer=piece)) as agent:
        for judge in _JUDGES:
            with prints_noted(notes):
                wrong = await judge(agent, mine)
            wrong = _judge_notes(notes) if wrong is None else wrong
            if wrong is not None:
                return wrong
    why = (
        "I woke your node too early and with false words, changed the thread on disk, lost the "
        "bank's answer, and read the checkpoints. Money moved once: after the yes, and only what "
        "the phone had shown. What wakes a node decides nothing; what is in the vault decides."
    )
    return passed(NAME, why)


def _judge_notes(notes: Notes) -> Result | None:
    if notes.asks:
        why = (
            "Your node calls desk.ask. Asking and waiting are two nodes: this one runs again from "
            "its first line each time that it is woken, so it asks each time. (The phone got one "
            "push all the same: the desk remembers what it has asked. Another tenant's client "
            "may not.)"
        )
        step = "Take desk.ask out of transfer: request_approval has asked. Here only look: "
        return failed(NAME, why, f"{step}{LOOK}.", "C9")
    if notes.token_printed:
        why = (
            "Your node printed the access token. What is printed stays in the notebook, in logs "
            "and in a trace of the run, and whoever reads it can move money with it."
        )
        return failed(NAME, why, "Take that `print` out: the token goes to the bank alone.", "C11")
    return None


def _early(scene: Scene) -> Any:
    return scene.forge(scene.doorbell())


def _yes(scene: Scene) -> Any:
    return scene.answer("approve")


def _no(scene: Scene) -> Any:
    return scene.answer("deny")


def _ring(scene: Scene) -> Any:
    return scene.ring()


def _word(word: Any) -> Step:
    return lambda scene: scene.forge(word)


async def _sleeps(agent: PracticeAgent, mine: Exercise) -> Result | None:
    """After the push the node sleeps; woken without an answer, it sends no second push."""
    scene = await play(agent, _early)
    if scene.pushes > 1:
        why = (
            f"One transfer, and the phone got {counted(scene.pushes, 'notification')}. "
            "`request_approval` had sent the push already. A node that was interrupted runs again "
            "from its first line, so a push in front of `interrupt()` is sent each time that it "
            "is woken."
        )
        step = "Take the push out of transfer: it only waits, and request_approval asks."
        return failed(NAME, why, step, "C9")
    if not scene.asleep and scene.problem is not None:
        return _raised(mine, scene, "I asked for a transfer of 25.00.")
    if not scene.asleep:
        why = (
            "The push was sent, and no node sleeps. (A `try` with `except Exception` around "
            "interrupt() catches the signal with which LangGraph stops the node.)"
        )
        step = 'When the vault has no answer yet: interrupt({"approval_id": task["approval_id"]}).'
        hint = (
            "Is interrupt() reached the first time, when the vault is empty? Does it get through?"
        )
        return failed(NAME, why, step, hints=(hint,))
    if scene.approval is None or scene.approval.id not in scene.named:
        why = "Your node sleeps, but its interrupt names no approval: nobody knows whom to wake."
        hint = 'The resumer reads what you give to interrupt(): a dictionary with "approval_id".'
        step = 'interrupt({"approval_id": task["approval_id"]})'
        return failed(NAME, why, step, hints=(hint,))
    return None


async def _believes_no_ring(agent: PracticeAgent, mine: Exercise) -> Result | None:
    """Whatever word wakes the node, the vault decides."""
    stolen = await token_for(agent, "Move 1.00 USD from Checking to Savings")
    lie = {"status": "approved", "approved": True, "access_token": stolen}
    early = await play(agent, _early)
    for word in (*_WORDS, lie):
        scene = await play(agent, _word(word))
        if scene.asked or scene.status == "approved" or scene.reaction != early.reaction:
            nobody = "Nobody had answered on the phone."
            return _c10(f"{nobody} I woke your node with {_shown(word)}.", scene)
    return _too_early(mine, early)


async def _asks_the_vault(agent: PracticeAgent, mine: Exercise) -> Result | None:
    """Once the customer has answered, the answer decides, and still no word does."""
    well = await play(agent, _yes, _ring)
    elsewhere = await play(agent, _yes, _ring, call_id=well.call_id)
    others = {word: await play(agent, _yes, _word(word)) for word in ("approved", "denied", False)}
    if key := _key_of_many([well, elsewhere, *others.values()]):
        return _one_key_for_many(key, "in two conversations", well)
    for word, scene in others.items():
        if scene.reaction != well.reaction:
            why = (
                f"The customer approved. When the resumer woke your node, it {well.did}; when I "
                f"woke it with {_shown(word)}, it {scene.did}. So the word decided, not the "
                "vault."
            )
            return failed(NAME, why, f"Throw interrupt()'s value away; ask {LOOK}.", "C10")
    denied = await play(agent, _no, _word("approved"))
    if denied.asked or denied.status == "approved":
        return _c10("The customer had denied. I woke your node with “approved”.", denied)
    return _when_all_is_well(mine, well)


async def _one_key_each(agent: PracticeAgent, mine: Exercise) -> Result | None:
    """Two transfers of one conversation have two keys."""
    first = await play(agent, _yes, _ring)
    second = await play(agent, _yes, _ring, thread=first.thread)
    key = _key_of_many([first, second])
    return _one_key_for_many(key, "in one conversation", first) if key else None


def _too_early(mine: Exercise, early: Scene) -> Result | None:
    if early.problem is not None:
        return _raised(mine, early, "I woke your node before the customer had answered.")
    if early.status:
        why = (
            f"I woke your node before the customer had answered, and it told Aiya “{early.status}”."
        )
        return failed(NAME, why, "Look into the vault again. Still nothing there? Return None.")
    return None


def _when_all_is_well(mine: Exercise, happy: Scene) -> Result | None:
    if happy.problem is not None:
        return _raised(mine, happy, "The customer approved, and I woke your node.")
    if (wrong := _sent_as_approved(happy)) is not None:
        return wrong
    if happy.moved != [AMOUNT]:
        why = f"The customer approved, I woke your node, and it {happy.did}."
        step = 'await bank.transfer(outcome.access_token, task["approval_id"], **task["arguments"])'
        if not happy.asked and not happy.status:
            why += " The outcome lay in the vault, and it was not found, or not used."
            step = f"After interrupt() look once more, with these three in this order: {LOOK}."
            return slip(NAME, why, step)
        if happy.status == "failed" and not happy.asked:
            why += " But nobody had changed anything: the two fingerprints should be equal."
            step = 'The tool\'s name counts too: digest_of("transfer_funds", task["arguments"]).'
        if happy.asked and happy.asked[-1].status == HTTPStatus.UNAUTHORIZED:
            why += " It takes what came first for the token, and that is none."
            step = f"First the token, then the key: {step}."
        return slip(NAME, why, step)
    if happy.status != "approved":
        heard = f"“{happy.status}”" if happy.status else "nothing: your function returned None"
        why = f"The money moved, but Aiya heard {heard}."
        return failed(NAME, why, 'Return {"status": "approved", "result": receipt}.')
    return _sent_once_with_receipt(happy)


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


async def _keeps_no_secret(agent: PracticeAgent, mine: Exercise) -> Result | None:
    """What the yes brought is in no checkpoint."""
    scene = await play(agent, _yes, _ring)
    if not scene.token or not kept_in_threads(agent, scene.token):
        return None
    where = "in what Aiya hears" if scene.token in str(scene.told) else "in the thread's state"
    why = (
        f"I opened threads.db and read the access token in it, {where}. Whoever has the file, a "
        "backup, or a trace of the run has the token too; and what Aiya hears is sent to the model."
    )
    step = 'Return the status and the bank\'s receipt: {"status": "approved", "result": receipt}.'
    return failed(NAME, why, step, "C11")


async def _takes_no(agent: PracticeAgent, mine: Exercise) -> Result | None:
    """A no is a no; and an answer that came while the customer talked on is still taken."""
    scene = await play(agent, _no, _ring)
    if scene.problem is not None:
        return _raised(mine, scene, "The customer denied, and I woke your node.")
    if scene.asked or scene.status in {"", "approved"}:
        why = f"The customer denied, I woke your node, and it {scene.did}."
        step = 'Unless outcome.state is "approved": return {"status": outcome.state, …}.'
        return failed(NAME, why, step)
    scene = await play(agent, lambda scene: agent.say("hello", scene.thread), _yes, _ring)
    if scene.moved != [AMOUNT]:
        why = (
            f"The customer said “hello” while the push waited, then approved; your node "
            f"{scene.did}. It did not sleep any more: it was started anew, with the answer in "
            "the vault."
        )
        hint = (
            "When the customer talks on, your node is ended; when the answer is there, it is "
            "started anew. What does it do first, and is that right when the answer is there?"
        )
        step = f"Look into the vault first, and sleep only then: {LOOK}."
        return failed(NAME, why, step, hints=(hint,))
    return None


async def _one_key(agent: PracticeAgent, mine: Exercise) -> Result | None:
    """A transfer whose answer was lost is sent again under the same key."""
    agent.bank.lose = 1
    scene = await play(agent, _yes, _ring, _ring)
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


async def _no_edit(agent: PracticeAgent, mine: Exercise) -> Result | None:
    """A thread that was edited after the push moves nothing but what was approved."""

    async def edit(scene: Scene) -> None:
        if scene.approval is not None:
            await edit_amount(agent, scene.approval, EDITED)

    scene = await play(agent, edit, _yes, _ring)
    if EDITED in scene.moved:
        what = f"the amount {EDITED}"
        return _c13("I changed the thread on disk between push and yes.", what, scene)
    if scene.problem is not None:
        return _raised(mine, scene, "I changed the amount in the thread on disk.")
    if scene.status != "failed":
        why = (
            "I changed the amount in the thread on disk, and the customer approved what the phone "
            f"had shown. Your node {scene.did}. "
        )
        why += _EDIT_TOLD.get(scene.status, "The customer waits, and nothing will come.")
        step = 'When the fingerprints differ: return {"status": "failed", "message": "…"}.'
        return slip(NAME, why, step)
    return None


#: In this order: what goes wrong first tells the cause.
_JUDGES = (
    *(_sleeps, _believes_no_ring, _asks_the_vault, _one_key_each),
    *(_keeps_no_secret, _takes_no, takes_every_no, _one_key, _no_edit),
)


def _rounded(order: dict[str, Any]) -> bool:
    """Whether the amount has become a number, or the text of one."""
    amount = order.get("amount")
    return not isinstance(amount, str) or amount == str(float(AMOUNT))


def _other_than_approved(order: dict[str, Any], scene: Scene) -> str:
    approved = scene.approval.arguments if scene.approval else {}
    wrong = [name for name in order if order[name] != approved.get(name)]
    return ", ".join(f"the {name} {order[name]!r}" for name in wrong)


def _c10(what: str, scene: Scene) -> Result:
    why = f"{what} Your node {scene.did}. Whoever can wake a thread could decide about money."
    step = f"Throw interrupt()'s value away; ask {LOOK}. Nothing there? Return None."
    return failed(NAME, why, step, "C10")


def _c12(seen: str) -> Result:
    why = (
        "The bank's answer can get lost after the money moved; then the node runs again, and the "
        f"Idempotency-Key tells the bank that it is the same transfer. {seen}"
    )
    step = 'Use task["approval_id"] as the key: one approval, one key, one transfer.'
    return failed(NAME, why, step, "C12")


def _key_of_many(scenes: list[Scene]) -> str:
    """A key that more than one approval came under; empty when each had its own."""
    used: set[str] = set()
    for keys in ({one.key for one in scene.asked if one.key} for scene in scenes):
        if shared := used & keys:
            return shared.pop()
        used |= keys
    return ""


def _one_key_for_many(key: str, where: str, scene: Scene) -> Result:
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


def _raised(mine: Exercise, scene: Scene, what: str) -> Result:
    problem = scene.problem
    assert problem is not None
    if isinstance(problem, TimeoutError):
        why = f"{what} Your node never came to an end: does it wait by itself?"
        return failed(NAME, why, "Wait with interrupt() only: then the graph sleeps on disk.")
    result = raised(NAME, problem, mine.written)
    return dataclasses.replace(result, why=f"{what} {result.why}")


def _shown(word: Any) -> str:
    if isinstance(word, dict) and "access_token" in word:
        return "a dictionary that says approved, and holds a token for another transfer"
    if isinstance(word, dict):
        return f"a dictionary that says {word['status']}"
    return f"“{word}”"
