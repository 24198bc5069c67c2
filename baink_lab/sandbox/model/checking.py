"""Check the body of a chat-completions request; what passes can be read without more care."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

BODY_BYTES = 2 * 1024 * 1024
_UNANSWERED = (
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
    "'tool_call_id'. The following tool_call_ids did not have response messages: {}"
)
_UNASKED = (
    "Invalid parameter: messages with role 'tool' must be a response to a preceding message "
    "with 'tool_calls'."
)


class BadRequest(Exception):
    """A request that OpenAI's API would refuse; becomes an error of its shape."""

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.message, self.param, self.code, self.status = message, param, code, status


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


class _Function(_Part):
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]{1,128}$")]
    description: str | None = None
    parameters: dict[str, Any] | None = None


class _Tool(_Part):
    type: Literal["function"]
    function: _Function


class _Named(_Part):
    name: str


class _Choice(_Part):
    type: Literal["function"]
    function: _Named


class _CalledFunction(_Part):
    name: str
    arguments: str


class _Call(_Part):
    id: str
    type: Literal["function"] = "function"
    function: _CalledFunction


class _Text(_Part):
    type: Literal["text"]
    text: str


class _Refusal(_Part):
    type: Literal["refusal"]
    refusal: str


class _Said(_Part):
    role: Literal["system", "developer", "user"]
    content: str | list[_Text]


class _Answered(_Part):
    role: Literal["tool"]
    content: str | list[_Text]
    tool_call_id: str


class _Assistant(_Part):
    role: Literal["assistant"]
    content: str | list[_Text | _Refusal] | None = None
    tool_calls: list[_Call] | None = None


class _StreamOptions(_Part):
    include_usage: bool | None = None


class _Body(_Part):
    model: Annotated[str, Field(min_length=1, max_length=256)]
    messages: Annotated[
        list[Annotated[_Said | _Answered | _Assistant, Field(discriminator="role")]],
        Field(min_length=1),
    ]
    tools: list[_Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | _Choice | None = None
    parallel_tool_calls: bool | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=1)] | None = None


def read_request(body: bytes) -> dict[str, Any]:
    """Parse and check a body.

    Raises:
        BadRequest: it is not JSON, not of the right shape, or leaves a tool call unanswered.
    """
    try:
        request = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        message = "We could not parse the JSON body of your request. Send one JSON object in UTF-8."
        raise BadRequest(message) from None
    if not isinstance(request, dict):
        raise BadRequest("The body of your request must be one JSON object.")
    try:
        _Body.model_validate(request)
    except (ValidationError, RecursionError) as wrong:
        raise _refusal(wrong) from None
    _check_choice(request)
    _check_order(request["messages"])
    return request


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _refusal(wrong: ValidationError | RecursionError) -> BadRequest:
    if isinstance(wrong, RecursionError):
        return BadRequest("The request is nested too deeply.")
    first = wrong.errors(include_url=False, include_input=False, include_context=False)[0]
    param = ""
    for step in first["loc"]:
        if isinstance(step, int):
            param += f"[{step}]"
        elif step.isidentifier() and step not in {"system", "user", "tool", "assistant"}:
            param += f".{step}" if param else step
    missing = first["type"] == "missing"
    message = f"Missing required parameter: '{param}'." if missing else first["msg"]
    code = "missing_required_parameter" if missing else "invalid_value"
    return BadRequest(f"{message} (at '{param}')", param=param or None, code=code)


def _check_choice(request: Mapping[str, Any]) -> None:
    names = {tool["function"]["name"] for tool in request.get("tools") or []}
    choice = request.get("tool_choice")
    if isinstance(choice, dict) and choice["function"]["name"] not in names:
        raise BadRequest(
            f"Tool choice '{choice['function']['name']}' is not in 'tools'.", param="tool_choice"
        )
    if choice == "required" and not names:
        raise BadRequest("'tool_choice' is only allowed with 'tools'.", param="tool_choice")
    if request.get("stream_options") is not None and not request.get("stream"):
        message = "'stream_options' is only allowed when 'stream' is enabled."
        raise BadRequest(message, param="stream_options")


def _check_order(messages: list[dict[str, Any]]) -> None:
    """Each tool call is answered, once, before anything else is said."""
    waiting: list[str] = []
    for at, message in enumerate([*messages, {"role": "end"}]):
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                raise BadRequest(_UNASKED, param=f"messages[{at}].role")
            waiting.remove(message["tool_call_id"])
            continue
        if waiting:
            param = f"messages[{at}].role" if message["role"] != "end" else "messages"
            raise BadRequest(_UNANSWERED.format(", ".join(waiting)), param=param)
        waiting = [call["id"] for call in message.get("tool_calls") or []]
        if len(waiting) != len(set(waiting)):
            raise BadRequest("Two tool calls have the same id.", param=f"messages[{at}].tool_calls")
