"""Solutions in an exercise's own shape, where the package's own function has another one."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

from langgraph.types import interrupt

from baink_lab.aiya import prompts
from baink_lab.aiya.tools import Book, TransferArguments
from baink_lab.approvals import Approval, Call, Desk, GatedTool, Tool, with_async_authorization
from baink_lab.approvals.approval import digest_of
from baink_lab.approvals.nodes import Task
from baink_lab.approvals.poll import Ending, NotYet, poll_once
from baink_lab.clock import Clock

Ring = Callable[[Approval], Awaitable[None]]


async def transfer(desk: Desk, bank: Any, task: Task, call: Call) -> dict[str, Any] | None:
    """Wait for the outcome, and transfer once if it is a yes to this very transfer."""
    key = task["approval_id"]
    outcome = await desk.outcome(key, call.thread_id, call.id)
    if outcome is None:
        interrupt({"approval_id": key})  # what it returns is thrown away
        outcome = await desk.outcome(key, call.thread_id, call.id)
    if outcome is None:
        return None
    if outcome.state != "approved":
        return {"status": outcome.state, "message": outcome.reason}
    if digest_of("transfer_funds", task["arguments"]) != outcome.digest:
        return {"status": "failed", "message": "This is not what was approved."}
    receipt = await bank.transfer(outcome.access_token, key, **task["arguments"])
    return {"status": "approved", "result": receipt}


def wrap_transfer(tool: Tool, audience: str, book: Book) -> GatedTool:
    """Return the tool behind the phone, with a description that fits."""

    async def line(arguments: TransferArguments, call: Call) -> str:
        known = await book(call)
        names = {one["id"]: one["name"] for one in known["accounts"] + known["payees"]}
        return f"Pay {arguments.amount} {arguments.currency} to {names[arguments.to_account]}"

    return with_async_authorization(
        dataclasses.replace(tool, description=prompts.TRANSFER_FUNDS),
        scopes=["create:transfer"],
        audience=audience,
        binding_message=line,
    )


async def look_after(approval: Approval, desk: Desk, ring: Ring, clock: Clock) -> None:
    """Poll until there is an end; seal it at the desk, and wake the graph."""
    await clock.sleep(approval.interval)
    while True:
        match await poll_once(desk, approval):
            case NotYet(seconds):
                await clock.sleep(seconds)
            case Ending(event, reason, tokens):
                await desk.settle(approval, event, reason, tokens=tokens)
                await ring(approval)
                return
            case _:  # NoAnswer, which says nothing about the customer
                await clock.sleep(approval.interval)
