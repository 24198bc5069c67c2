"""The two nodes of a gate: `request_approval` pushes and is done; the acting node waits.

LangGraph runs an interrupted node again from its first line. So the push has a node of its own,
checkpointed before the wait begins, and the acting node does nothing before its `interrupt()`
that must not happen twice.
"""

from __future__ import annotations

import dataclasses
import json
import operator
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, TypeAlias, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel, ValidationError

from baink_lab.approvals.approval import Approval, State, digest_of
from baink_lab.approvals.desk import Desk, Outcome, outcome_answer
from baink_lab.approvals.tool import Call, GatedTool, ToolRefused, ToolUnavailable

WAITING = "waiting"
JOIN = "join"
#: How a message begins that tells the outcome of a call which was answered with "waiting".
EVENT = "Event: outcome of tool call"
DENIED_REASON = "The customer has just denied this on the phone. Ask again only if they want it."
WAITING_REASON = "Waiting for approval on the phone."
CHANGED_REASON = "This is not what the customer approved, so it was not done."
LAPSED_REASON = "The approval's time was up before it could be used. Nothing was done."
UNSURE_REASON = "The approval lapsed before the answer came. Check the history before a new try."

Node: TypeAlias = Callable[..., Awaitable[Any]]
#: Asks one customer about one call, and says where the graph goes on: see `push_once`.
Push: TypeAlias = Callable[[Desk, GatedTool, BaseModel, Call], Awaitable[Command[Any]]]


class ApprovalState(TypedDict):
    """What a graph's state needs so that approvals can be delivered into it.

    `messages` are OpenAI chat messages (or LangChain's, with `add_messages`); `approvals` says
    how far each approval of the thread has come: ``waiting`` or an outcome.
    """

    messages: Annotated[list[Any], operator.add]
    approvals: Annotated[dict[str, str], operator.or_]


class Task(TypedDict):
    """What an acting node is sent: which call to act on. Holds no authority.

    `late` is true when the tool call was answered with "waiting" before, so that the outcome
    must join the conversation as an event.
    """

    approval_id: str
    tool_call_id: str
    arguments: dict[str, Any]
    late: bool


def session_of(config: RunnableConfig) -> tuple[str, str]:
    """Thread id and user id of a run; both come from the session, never from the model."""
    session = config.get("configurable", {})
    return str(session["thread_id"]), str(session["user_id"])


async def push_once(desk: Desk, gate: GatedTool, arguments: BaseModel, call: Call) -> Command[Any]:
    """Ask the phone, tell the chat, and go on to the node that waits. Here nothing waits.

    Raises:
        ToolRefused: nobody was asked, see `Desk.ask`.
    """
    approval = await desk.ask(gate, arguments, call)
    tell_push(approval)
    return Command(goto=Send(gate.node, task_for(approval, late=False)))


def request_node(desk: Desk, gates: Mapping[str, GatedTool], push: Push = push_once) -> Node:
    """The node `request_approval`: one push for one tool call, then on to the acting node.

    It is sent ``{"call": {"id", "name", "arguments"}, "denied": bool}``, the arguments as a dict;
    `denied` when a denial was the customer's last word, see `wiring.send_call`.

    Args:
        desk: asks and keeps the answers.
        gates: the tools that wait for the customer, by name.
        push: what is done once the arguments are known to be good.
    """

    async def request_approval(task: dict[str, Any], config: RunnableConfig) -> Command[Any]:
        call = task["call"]
        gate = gates[call["name"]]
        if task.get("denied"):
            answer = outcome_answer("failed", reason="denied_before", message=DENIED_REASON)
            return Command(goto=JOIN, update=_answered(call["id"], gate.name, answer))
        try:
            arguments = gate.arguments.model_validate(call["arguments"])
        except ValidationError as wrong:
            answer = outcome_answer("failed", reason="bad_arguments", message=_complaint(wrong))
            return Command(goto=JOIN, update=_answered(call["id"], gate.name, answer))
        thread_id, user_id = session_of(config)
        try:
            return await push(desk, gate, arguments, Call(user_id, thread_id, call["id"]))
        except ToolRefused as refusal:  # nobody was asked
            answer = outcome_answer("failed", reason=refusal.code, message=refusal.sentence)
            return Command(goto=JOIN, update=_answered(call["id"], gate.name, answer))

    return request_approval


def acting_node(desk: Desk, gate: GatedTool) -> Node:
    """The node that waits for an outcome and, when it is *approved*, runs the tool.

    The value that resumes it is a doorbell: whatever it says, the node looks in the vault.
    """

    async def act(task: Task, config: RunnableConfig) -> dict[str, Any]:
        thread_id, user_id = session_of(config)
        key = (task["approval_id"], thread_id, task["tool_call_id"])
        call = Call(user_id, thread_id, task["tool_call_id"], idempotency_key=key[0])
        tried = False
        while True:
            outcome = None if tried else await desk.outcome(*key)
            if outcome is not None:
                tried = True  # once a ring: the rings of earlier runs come back below
                if (answer := await _act(desk, gate, task, outcome, call)) is not None:
                    told = {"type": str(answer["status"]), "approval_id": key[0]}
                    # A link to enrol goes to who listens now, and is kept nowhere.
                    link = {name: answer[name] for name in ("enrollment_url",) if name in answer}
                    _say(told | {"tool": gate.name} | link)
                    return closing(task, gate.name, answer)
            if task["late"]:
                # The call has its answer, and an interrupt in a task that `Command(goto=Send)`
                # brought in does not show in the thread's state: end, and be sent again.
                return {}
            ring = interrupt({"approval_id": key[0], "tool": gate.name})
            if is_step_aside(ring) and (tried or await desk.outcome(*key) is None):
                answer = outcome_answer(WAITING, message=WAITING_REASON)
                return closing(task, gate.name, answer)
            _say({"type": WAITING, "approval_id": key[0], "tool": gate.name})

    return act


def task_for(approval: Approval, *, late: bool) -> Task:
    """What the acting node must know of an approval."""
    return Task(
        approval_id=approval.id,
        tool_call_id=approval.tool_call_id,
        arguments=approval.arguments,
        late=late,
    )


def step_aside() -> dict[str, bool]:
    """The ring that asks a waiting node to let others speak. It carries no authority."""
    return {"step_aside": True}


def is_step_aside(ring: object) -> bool:
    """Whether a resume value is `step_aside()`."""
    return isinstance(ring, dict) and ring.get("step_aside") is True


def lapsed(outcome: Outcome, now: float) -> Mapping[str, Any] | None:
    """What the model shall hear of a yes whose time is up; None for every other outcome."""
    if outcome.state is not State.APPROVED or outcome.token_expires_at > now:
        return None
    unsure = UNSURE_REASON if outcome.acting else LAPSED_REASON
    return outcome_answer("failed", reason="approval_lapsed", message=unsure)


async def _act(
    desk: Desk, gate: GatedTool, task: Task, outcome: Outcome, call: Call
) -> Mapping[str, Any] | None:
    """What the model shall hear of an outcome; None when the tool must be tried again."""
    if outcome.state is not State.APPROVED:
        return outcome_answer(
            outcome.state, message=outcome.reason, enrollment_url=outcome.enrollment_url
        )
    if digest_of(gate.name, task["arguments"]) != outcome.digest:
        return outcome_answer("failed", reason="changed_after_approval", message=CHANGED_REASON)
    if (too_late := lapsed(outcome, desk.clock.now())) is not None:
        return too_late
    arguments: BaseModel = gate.arguments.model_validate(task["arguments"])
    _say({"type": "acting", "approval_id": task["approval_id"], "tool": gate.name})
    await desk.begin_acting(task["approval_id"])
    try:
        result = await gate.run(
            arguments, dataclasses.replace(call, access_token=outcome.access_token)
        )
    except ToolRefused as refusal:
        return outcome_answer("failed", reason=refusal.code, message=refusal.sentence)
    except ToolUnavailable as failure:
        _say({"type": "retrying", "approval_id": task["approval_id"], "message": failure.sentence})
        return None
    return outcome_answer(State.APPROVED, result=result)


def closing(task: Task, tool: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """What an acting node returns: the call's answer, and how far its approval has come."""
    update = _answered(task["tool_call_id"], tool, answer, late=task["late"])
    return update | {"approvals": {task["approval_id"]: str(answer["status"])}}


def _answered(
    tool_call_id: str, tool: str, answer: Mapping[str, Any], *, late: bool = False
) -> dict[str, Any]:
    content = json.dumps(answer)
    if late:  # the call was answered with "waiting": a second answer would break OpenAI's order
        text = f"{EVENT} {tool_call_id} ({tool}): {content}"
        return {"messages": [{"role": "system", "content": text}]}
    message = {"role": "tool", "tool_call_id": tool_call_id, "content": content}
    return {"messages": [message]}


def _complaint(wrong: ValidationError) -> str:
    first = wrong.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "arguments"
    return f"{where}: {first['msg']}"


def tell_push(approval: Approval) -> None:
    """Stream to the chat that a push was sent; nothing when nobody could be asked."""
    if approval.state is State.PENDING:
        _say(
            {
                "type": "push_sent",
                "approval_id": approval.id,
                "tool": approval.tool,
                "binding_message": approval.binding_message,
                "expires_at": approval.expires_at,
            }
        )


def _say(event: dict[str, Any]) -> None:
    get_stream_writer()(event)
