"""Lab 05: its three checks, their hints and their solutions."""

from __future__ import annotations

from baink_lab.aiya.tools import behind_the_phone
from baink_lab.approvals.nodes import acting_node, push_once
from baink_lab.lab.checks import lab05_paid, lab05_request, lab05_transfer, lab05_wrap
from baink_lab.lab.checks.exercises import Reference
from baink_lab.lab.checks.shelf import Shelf
from baink_lab.lab.checks.tips_of_exercises import LOOK, WAY_ON
from baink_lab.lab.learner import solutions

WRAP, REQUEST, TRANSFER = lab05_wrap.WRAP, lab05_request.REQUEST, lab05_paid.NAME

SHELF = Shelf(
    5,
    {
        WRAP: lab05_wrap.wrapped,
        REQUEST: lab05_request.asks_once,
        TRANSFER: lab05_transfer.transfer_node,
    },
    {
        WRAP: (
            "Three things: another description, the question to the tenant, the line on the phone.",
            "dataclasses.replace(tool, description=prompts.TRANSFER_FUNDS) makes the new tool.",
            "An inner `async def line(arguments, call)` reads `await book(call)` for the name.",
            "with_async_authorization(tool, scopes=[…], audience=audience, binding_message=line)",
        ),
        REQUEST: (
            "Three lines: ask, tell the chat, go on.",
            "approval = await desk.ask(gate, arguments, call); tell_push(approval)",
            WAY_ON,
        ),
        TRANSFER: (
            f"First look into the vault: outcome = await {LOOK}.",
            "None? Then interrupt(…), and look again. Still None: return None. No loop is needed.",
            "Not approved? Return the outcome's state. Another digest? Return that it failed.",
            'bank.transfer(outcome.access_token, task["approval_id"], **task["arguments"])',
        ),
    },
    {
        WRAP: Reference(
            solutions.wrap_transfer,
            behind_the_phone,
            in_a_cell=True,
            note=(
                "Aiya herself runs baink_lab.aiya.tools.behind_the_phone: the same wrapping. Its "
                "line says more, and refuses what cannot be done before anybody is asked."
            ),
        ),
        REQUEST: Reference(push_once, in_a_cell=True),
        TRANSFER: Reference(
            solutions.transfer,
            acting_node,
            in_a_cell=True,
            note=(
                "Aiya herself runs baink_lab.approvals.nodes.acting_node: the same steps, for any "
                "tool. It sleeps in a loop, since it also tells the chat what it does and tries "
                "again when the bank is away. Here the node around your function does that."
            ),
        ),
    },
)
