"""A tool that a model may call, and the same tool behind a customer's approval."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from pydantic import BaseModel

from baink_lab.errors import BainkError

#: The identity of the caller comes from the session, never from the model.
Run: TypeAlias = Callable[[Any, "Call"], Awaitable[Any]]
#: Makes the phone's line from the checked arguments; may look names up, so it may be async.
BindingMessage: TypeAlias = Callable[[Any, "Call"], "str | Awaitable[str]"]
#: Makes RFC 9396 objects from the checked arguments.
Details: TypeAlias = Callable[[Any, "Call"], list[dict[str, Any]]]


class ToolRefused(BainkError):
    """The tool was told no for good; `code` says why, the sentence is for the customer."""

    code = "refused"


class ToolUnavailable(BainkError):
    """The tool gave no usable answer and may have acted: try again with the same key."""

    code = "unavailable"


@dataclasses.dataclass(frozen=True)
class Call:
    """Who calls a tool and with what authority.

    Attributes:
        user_id: the customer, from the session.
        thread_id: of the conversation.
        id: the tool call's own id.
        idempotency_key: the same for every try of this call; None for tools without a gate.
        access_token: what the approval brought; None for tools without a gate.
    """

    user_id: str
    thread_id: str
    id: str
    idempotency_key: str | None = None
    access_token: str | None = dataclasses.field(default=None, repr=False)


@dataclasses.dataclass(frozen=True)
class Tool:
    """A function with a name and a description for the model.

    Attributes:
        arguments: a pydantic model; its JSON Schema is what the model sees.
        run: an async function of the checked arguments and the `Call`; returns JSON values.
    """

    name: str
    description: str
    arguments: type[BaseModel]
    run: Run

    def schema(self) -> dict[str, Any]:
        """The tool in the words of OpenAI's chat completions."""
        parameters = self.arguments.model_json_schema()
        parameters.pop("title", None)
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": parameters,
            },
        }


@dataclasses.dataclass(frozen=True)
class GatedTool(Tool):
    """A tool that runs only after the customer approved this very call on the phone.

    Attributes:
        scopes: asked of the tenant, besides ``openid``.
        audience: the API's identifier.
        binding_message: makes the phone's line from the checked arguments and the `Call`.
        authorization_details: makes RFC 9396 objects from the same.
        requested_expiry: seconds that the customer has, up to 300 for a push.
        node: the graph's node that acts on the outcome; the tool's name unless given.
    """

    scopes: tuple[str, ...] = ()
    audience: str | None = None
    binding_message: BindingMessage = lambda arguments, call: "Confirm the request"
    authorization_details: Details | None = None
    requested_expiry: int | None = None
    node: str = ""


def with_async_authorization(
    tool: Tool,
    *,
    scopes: Sequence[str],
    audience: str | None,
    binding_message: BindingMessage,
    authorization_details: Details | None = None,
    requested_expiry: int | None = None,
    node: str | None = None,
) -> GatedTool:
    """Put a tool behind the customer's approval; the model sees the same name and schema.

    Args:
        tool: what to gate.
        scopes: asked of the tenant, like ``["create:transfer"]``.
        audience: the identifier of the API that the token is for.
        binding_message: a function, async or not, of the checked arguments and the `Call`. Any
            text will do: it is fitted to what a phone may show, see `binding.fit`. It may raise
            `ToolRefused`: then nobody is asked.
        authorization_details: a function of the same, for RFC 9396 objects.
        requested_expiry: seconds that the customer has to answer.
        node: the name of the graph's node that acts; the tool's own name when left out.

    Raises:
        TypeError: `binding_message` is no function, or `scopes` one text.
    """
    line: object = binding_message
    if not callable(line):
        kind = type(line).__name__
        if inspect.iscoroutine(line):
            line.close()  # it was called too early, and nobody will await it
            kind = "coroutine: hand over the function, do not call it"
        raise TypeError(f"binding_message must be a function (arguments, call), and is a {kind}.")
    if isinstance(scopes, str):
        raise TypeError(f'scopes must be a list, like ["{scopes}"], and is one text.')
    kept = {field.name: getattr(tool, field.name) for field in dataclasses.fields(Tool)}
    return GatedTool(
        **kept,
        scopes=tuple(scopes),
        audience=audience,
        binding_message=binding_message,
        authorization_details=authorization_details,
        requested_expiry=requested_expiry,
        node=node or tool.name,
    )


async def line_of(gate: GatedTool, arguments: BaseModel, call: Call) -> str:
    """The phone's line for one call, not yet fitted to what a phone may show.

    Raises:
        ToolRefused: nobody should be asked.
        TypeError: the tool's `binding_message` returned something else than a text.
    """
    line: object = gate.binding_message(arguments, call)
    if inspect.isawaitable(line):
        line = await line
    if not isinstance(line, str):
        raise TypeError(f"binding_message returned {type(line).__name__}, and not a text.")
    return line
