"""Solutions in an exercise's own shape, where the package's own function has another one."""

from __future__ import annotations

from typing import Any

from langgraph.types import interrupt

from baink_lab.approvals import Call, Desk
from baink_lab.approvals.approval import digest_of
from baink_lab.approvals.nodes import Task


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
