"""Lab 05, the tool behind the phone: its description, its line on the phone, its token."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from baink_lab.aiya.tools import TransferArguments
from baink_lab.approvals import Approval, Call, GatedTool, ToolRefused
from baink_lab.approvals.binding import ALPHABET, CURRENCIES, LONGEST, LONGEST_WORDS, fit, fold
from baink_lab.approvals.tool import line_of
from baink_lab.lab.checks.exercises import Exercise, exercise_of, own_piece, raised
from baink_lab.lab.checks.result import Result, failed, passed, slip
from baink_lab.lab.learner.cells import said_by
from baink_lab.lab.learner.pieces import TRANSFER as TRANSFER_FUNDS
from baink_lab.lab.learner.pieces import NotGated, Pieces
from baink_lab.lab.practice import meddling
from baink_lab.lab.practice.agent import PracticeAgent, practice_agent, scripted_model
from baink_lab.lab.practice.scenes import AMOUNT
from baink_lab.settings import TRANSFER_SCOPE

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

WRAP = "wrap_transfer"
WANTED = "Pay $25 from checking to Mia Moreau"
PAYEE = "Mia Moreau"
OTHER_AMOUNT = "1250.10"
NEW_NAME = "Rainy day"
_SIGNS = re.compile(f"[{''.join(CURRENCIES)}]")


async def wrapped(lab: Lab) -> Result:
    """Aiya pushes without asking in the chat, the phone says what for, the bank takes the token."""
    mine = exercise_of(lab, WRAP)
    async with practice_agent() as agent, scripted_model() as agent.model:
        try:
            async with agent.process(tools=Pieces(own_piece(mine)).tools, watch=False):
                return await _ask_aiya(agent, mine)
        except NotGated as failure:
            step = "Return what with_async_authorization(tool, …) gives you."
            return failed(WRAP, f"{failure}", step)
        except Exception as failure:
            return _raised_in_line(agent, mine, failure)


def _raised_in_line(agent: PracticeAgent, mine: Exercise, failure: Exception) -> Result:
    """What `wrap_transfer` raised; an id that was looked up in the wrong list is told as that."""
    result = raised(WRAP, failure, mine.written)
    payees = agent.bank.ledger.payees(agent.world.user_id)
    known = {one["id"]: f"the account of a payee, {one['name']}" for one in payees}
    known[agent.savings] = "an account of the customer's own, Savings"
    sought = failure.args[0] if isinstance(failure, KeyError) and failure.args else None
    if sought not in known:
        return result
    step = (
        "The money may go to an account or to a payee, so search both: "
        'known["accounts"] + known["payees"].'
    )
    why = f"{result.why} {sought} is {known[sought]}."
    return dataclasses.replace(result, why=why, next_step=step, hints=(step,))


async def _ask_aiya(agent: PracticeAgent, mine: Exercise) -> Result:
    gate = next((one for one in agent.tools if isinstance(one, GatedTool)), None)
    if gate is not None and gate.name != TRANSFER_FUNDS:
        why = f"Your tool is called {gate.name!r}: what knew it as {TRANSFER_FUNDS} is lost."
        return failed(WRAP, why, "Keep the tool's name and schema: wrap `tool`, make no new one.")
    said = await agent.say(WANTED)
    waiting = await agent.waiting()
    if not waiting and said:
        again = await agent.say("yes")
        if await agent.waiting():
            return _asked_twice(said)
        why = f"I said “{WANTED}”. Aiya answered “{said}”, then “{again}”, and no push was sent."
        return failed(WRAP, why, "Keep the tool's name and schema: wrap `tool`, make no new one.")
    assert gate is not None  # an approval waits, so there is a gate
    if not waiting:
        return failed(WRAP, "Nothing came of it: no push, no word.", "Wrap `tool` itself.")
    wrong = _judge_description(gate)
    wrong = await _judge_line(agent, gate, waiting[0]) if wrong is None else wrong
    wrong = await _judge_own(gate, agent, waiting[0]) if wrong is None else wrong
    return await _judge_token(agent, gate, waiting[0]) if wrong is None else wrong


def _asked_twice(said: str) -> Result:
    why = (
        f"I said “{WANTED}”. Aiya did not push, but asked in the chat: “{said}” I said yes, and "
        "then the phone asked as well. The customer confirms twice, and the first yes is worth "
        "nothing. The model does what the tool's description tells it: “Always confirm …”."
    )
    step = "dataclasses.replace(tool, description=prompts.TRANSFER_FUNDS), and wrap that."
    return failed(WRAP, why, step, "C14")


def _judge_description(gate: GatedTool) -> Result | None:
    """The practice model did not ask in the chat; another one may, unless it is told who asks."""
    if re.search(r"phone|push|device", gate.description, re.IGNORECASE):
        return None
    why = (
        f"Your tool's description is “{gate.description}”. It does not say that the phone asks. "
        "The practice model asked nothing in the chat, but a careful one asks “are you sure?” "
        "first, unless the description says otherwise: then the customer confirms twice."
    )
    step = "dataclasses.replace(tool, description=prompts.TRANSFER_FUNDS), and wrap that."
    return failed(WRAP, why, step, "C14")


async def _judge_line(agent: PracticeAgent, gate: GatedTool, asked: Approval) -> Result | None:
    if not agent.tenant.notifications():
        why = f"The tenant did not take the request: {asked.reason}"
        return failed(WRAP, why, "Pass audience=audience, and scopes of that API.")
    call = Call(agent.world.user_id, asked.thread_id, asked.tool_call_id)
    written = await line_of(gate, TransferArguments(**asked.arguments), call)
    shown = fit(written, LONGEST_WORDS).rpartition(" #")[0]  # the next code words may be long
    cut = shown != fold(written)
    parts = {
        "amount": r"\b25(\.00)?(?![\d.])" if cut else r"\b25(\.0+)?\b",  # "25.0.." was cut
        "currency": r"\bUSD\b",
        "payee": re.escape(PAYEE),
    }
    for what, pattern in parts.items():
        if re.search(pattern, shown, re.IGNORECASE):
            continue
        if what == "currency" and not re.search(pattern, fold(written)):
            continue  # missing, and not cut: told of another transfer, where it matters more
        if re.search(pattern, written):
            why = (
                f"Your line is “{written}”: {len(written)} characters. A phone shows {LONGEST}, "
                f"and the code words need up to {len(LONGEST_WORDS) + 2} of them, so it shows "
                f"“{shown}”, without the {what}."
            )
            return failed(WRAP, why, "Say it shorter: amount first, then the payee.", "C5")
        why = (
            f"The phone shows “{shown}”. The customer cannot tell from it what they approve: the "
            f"{what} is missing."
        )
        step = (
            'f"Pay {arguments.amount} {arguments.currency} to {name}", the name from '
            "`await book(call)`, by the id in arguments.to_account."
        )
        return failed(WRAP, why, step)
    return None


async def _judge_own(gate: GatedTool, agent: PracticeAgent, asked: Approval) -> Result | None:
    """The line for other transfers, between the customer's own accounts; it may raise."""
    call = Call(agent.world.user_id, asked.thread_id, "own")
    for currency in ("USD", "EUR"):
        other = {"to_account": agent.savings, "amount": OTHER_AMOUNT, "currency": currency}
        arguments = TransferArguments(**asked.arguments | other)
        try:
            written = await line_of(gate, arguments, call)
        except ToolRefused:  # an account in another currency: nobody need be asked
            continue
        what = f"{OTHER_AMOUNT} {currency} to the customer's own Savings"
        wrong = _judge_shown(what, written, currency)
        if wrong is not None:
            return wrong
        if (sign := _SIGNS.search(written)) is not None:
            return _sign_written(sign[0], written)
    new = {"to_account": agent.bank.open_account(NEW_NAME)}
    try:
        written = await line_of(gate, TransferArguments(**asked.arguments | new), call)
    except Exception as failure:
        return _keeps_names(f"for it your line raises {said_by(failure)}")
    if NEW_NAME.casefold() in fold(written).casefold():
        return None
    return _keeps_names(f"for it your line is “{written}”")


def _keeps_names(led_to: str) -> Result:
    why = (
        f"The customer opened one more account, {NEW_NAME}, and {led_to}. It keeps what it read "
        "for another call, so it would know one customer's names and not the next one's."
    )
    return slip(WRAP, why, "Read the names each time: `await book(call)` inside of your line.")


def _sign_written(sign: str, written: str) -> Result:
    why = (
        f"Your line is “{written}”. A phone has no “{sign}”: its alphabet is {ALPHABET}. "
        f"So it shows “{fold(written)}”, with a currency that the sign "
        "says and not the order, which may be in another one."
    )
    step = f"Take the “{sign}” away, and write {{arguments.currency}} beside the amount."
    return slip(WRAP, why, step)


def _judge_shown(what: str, written: str, currency: str) -> Result | None:
    shown = fold(written)
    if "savings" not in shown.casefold():
        why = f"For {what} the phone shows “{shown}”, not the account's name."
        step = 'Search both for the name: known["accounts"] + known["payees"].'
        return failed(WRAP, why, step)
    for part, wanted, step in (
        ("amount", OTHER_AMOUNT, "Write {arguments.amount} as it is: it is text, and exact."),
        ("currency", currency, "Write {arguments.currency} beside the amount."),
    ):
        if wanted not in shown.replace("1,", "1"):
            if part == "currency" and (sign := _SIGNS.search(written)) is not None:
                return _sign_written(sign[0], written)
            why = (
                f"For {what} the phone shows “{shown}”: the {part} is another one, or missing. The "
                "customer would approve something else than what happens."
            )
            return slip(WRAP, why, step)
    return None


async def _judge_token(agent: PracticeAgent, gate: GatedTool, asked: Approval) -> Result:
    agent.decide("approve")
    settled = await meddling.collect(agent, asked)
    await meddling.ring(agent, settled)
    code = agent.bank.asked[-1].code if agent.bank.asked else ""
    if gate.audience != agent.world.audience:
        why = (
            f"The phone said yes, and the bank said 401 {code}: the gate's audience is "
            f"{gate.audience!r}, so the token is for somebody else."
        )
        return failed(WRAP, why, "Pass on what you were given: audience=audience.", "C4")
    if code == "insufficient_scope":
        why = (
            f"The phone said yes, and the bank said 403 {code}: the gate asks for the scopes "
            f"{list(gate.scopes)}, and the bank wants {TRANSFER_SCOPE}."
        )
        return failed(WRAP, why, f'Pass scopes=["{TRANSFER_SCOPE}"].')
    if agent.bank.moved() != [AMOUNT]:
        told = (await agent.answers()).get(asked.tool_call_id, [])
        return failed(WRAP, f"The phone said yes; Aiya heard {told[-1:]}.", "Wrap `tool` itself.")
    why = (
        f"I said “{WANTED}”. Aiya asked nothing in the chat; the phone showed "
        f"“{asked.binding_message.rpartition(' #')[0]}”, and the token that the yes brought was "
        "good at the bank. To the model the tool's name and schema are as before."
    )
    return passed(WRAP, why)
