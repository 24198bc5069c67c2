"""What Python's own words mean in one exercise, and what to do there."""

from __future__ import annotations

from collections.abc import Mapping

Tips = tuple[tuple[str, str], ...]

_BOTH = (
    "Your search found nothing for this id. The money may go to an account or to a payee, so "
    'search both: known["accounts"] + known["payees"].'
)
_FINGERPRINT = (
    'A fingerprint is of a tool and its arguments: digest_of("transfer_funds", task["arguments"]).'
)
#: The ends of two exercises, as their checks and the running graph spell them out.
TO_ACT = "Send(gate.node, task_for(approval, late=False))"
WAY_ON = f"return Command(goto={TO_ACT})"
LOOK = "desk.outcome(task['approval_id'], call.thread_id, call.id)"

#: By exercise: what Python says, as a pattern, and what to do; the first that fits counts.
OF_EXERCISE: Mapping[str, Tips] = {
    "why_refused": (
        (
            r"'Shown' object|name 'token' is not defined|KeyError: '(?:token|access_token)'",
            "`claims` is the token decoded already: compare `claims['iss']` as it is. (lab.decode "
            "shows a table to look at, and hands nothing on.)",
        ),
    ),
    "wrap_transfer": (
        (r"StopIteration", _BOTH),
        (
            r"UnboundLocalError",
            "Your search had found nothing when the line was made. Does `return` stand inside the "
            "`for`, so that it ends at the first entry that is another one? Or was one list alone "
            'searched? The money may go to either: known["accounts"] + known["payees"].',
        ),
        (
            r"NameError: name '(?:arguments|call)' is not defined"
            r"|(?<!book_of\.)<locals>\.\w+\(\) missing \d required positional",
            "Hand over the function itself, binding_message=line, without (…): it is called later, "
            "with (arguments, call).",
        ),
        (
            r"KeyError: '(id|name)'",
            'known["accounts"] and known["payees"] are lists. "{0}" is in each of their entries: '
            "go through them.",
        ),
        (
            r"with_async_authorization\(\) takes 1 positional",
            "Name what comes after `tool`: scopes=…, audience=…, binding_message=….",
        ),
        (
            r"replace\(\) takes 1 positional argument",
            "What is changed in the copy has a name: "
            "dataclasses.replace(tool, description=prompts.TRANSFER_FUNDS).",
        ),
        (
            r"takes \d positional arguments? but 2 were given",
            "The function that makes the line is called with two things: (arguments, call).",
        ),
        (
            r"'Call' object has no attribute '(?:amount|currency|to_account|from_account)'"
            r"|'\w+Arguments' object has no attribute '(?:user_id|thread_id|id)'",
            "The function that makes the line is called with (arguments, call), in this order: "
            "look at its `def`.",
        ),
        (
            r"FrozenInstanceError",
            "A tool cannot be changed, only copied with a change: "
            "dataclasses.replace(tool, description=prompts.TRANSFER_FUNDS) gives a new one.",
        ),
        (
            r"binding_message returned dict",
            "What `await book(call)` brings holds the names. Look up the one that is paid, and "
            "return a text: an inner `async def line(arguments, call)` can do both.",
        ),
        (
            r"book\(\) missing 1 required positional argument",
            "Tell it for whom: `await book(call)`, with the `call` that your line's function gets.",
        ),
        (
            r"binding_message returned NoneType",
            "Does every way through your line's function end with `return`? A search of the "
            'accounts alone finds no payee: known["accounts"] + known["payees"].',
        ),
    ),
    "request_approval": (
        (
            r"'dict' object has no attribute 'model_dump'",
            "desk.ask takes `arguments` as they came to your function, the object, and no "
            "dictionary of them: `await desk.ask(gate, arguments, call)`.",
        ),
        (
            r"UnboundLocalError: .*'approval'",
            "First ask, then tell: `approval` is what desk.ask returns.",
        ),
        (
            r"KeyError: 'approval_id'",
            f"The next node was started without its task. Write goto={TO_ACT}.",
        ),
        (
            r"'Approval' object is not subscriptable",
            f"An approval is an object: `approval.id`. And the next node gets a task: {TO_ACT}.",
        ),
        (
            r"'(?:\w+Arguments|GatedTool|Call)' object has no attribute "
            r"'(?:thread_id|model_dump|name|scopes|binding_message|user_id|id|node)'",
            "Three things in one order, which they tell by their place alone: "
            "`await desk.ask(gate, arguments, call)`.",
        ),
        (
            r"not msgpack serializable: Send",
            f"A Send takes a node's name and a task that was made: {TO_ACT}, with `gate.node` and "
            "not `gate`, and with the (…) behind task_for.",
        ),
    ),
    "transfer": (
        (
            r"AssertionError",
            "`assert` raises: the graph stops there, and Aiya hears nothing. Look with `if`, and "
            'return {{"status": "failed", "message": …}}.',
        ),
        (
            r"'(?:dict|str|bool)' object has no attribute '(state|reason|digest|access_token)'",
            "What stands before `.{0}` is what interrupt() returned: whatever somebody woke the "
            f"node with. Throw it away, and look into the vault again: outcome = await {LOOK}.",
        ),
        (
            r"expected string or bytes-like object, got 'NoneType'",
            "There is no access token: only a yes brings one. Before you ask the bank: unless "
            'outcome.state is "approved", return {{"status": outcome.state, …}}.',
        ),
        (
            r"expected string or bytes-like object, got 'Outcome'",
            "The bank wants the token itself: outcome.access_token.",
        ),
        (
            r"transfer\(\) takes 3 positional arguments but 4",
            'Two stars are missing: **task["arguments"].',
        ),
        (
            r"digest_of\(\) missing 1 required positional argument",
            _FINGERPRINT,
        ),
        (
            r"Object of type Call is not JSON serializable",
            f"{_FINGERPRINT} And what you return goes into the checkpoint, as JSON.",
        ),
        (
            r"KeyError: '(?!access_token|status|result|receipt)(\w+)'",
            'There is no "{0}" there. `task` has "approval_id" and "arguments", to the letter.',
        ),
        (
            r"'(?:str|State)' object is not callable",
            "That is a value and no function: take the `()` behind it away.",
        ),
        (
            r"without a `status`",
            'Aiya hears a dictionary with a `status`: {{"status": "approved", "result": receipt}}.',
        ),
    ),
    "registry": (
        (
            r"list indices must be integers or slices, not str|'list' object is not a mapping"
            r"|'list' object has no attribute '(values|items|keys|get|update)'",
            "`tools` is a list here, not a dictionary: go through it, and look at `tool.name`.",
        ),
        (
            r"list\.(?:remove|index)\(x\): x not in list|is not in list",
            "`wrapped` is another object than the bare tool; only their names are equal. Go "
            "through `tools`, and compare `tool.name` with `wrapped.name`.",
        ),
    ),
    "ask": (
        (
            r"NameError: name 'login_hint' is not defined",
            "This kernel has not seen exercise 1: run the cell of login_hint first.",
        ),
        (
            r"NameError: name 'fit' is not defined",
            "`fit` is imported in the first line of the exercise's cell: "
            "from baink_lab.approvals.binding import fit.",
        ),
    ),
    "wait_for_answer": (
        (
            r"KeyError: 'interval'",
            "Only slow_down's answer has an `interval`: take it there, and nowhere else.",
        ),
        (
            r"KeyError: 'error'",
            'A yes has no `error`: answer.get("error") is None then.',
        ),
        (
            r"NameError: name 'CIBA' is not defined",
            "`CIBA` is in the first line of the exercise's cell: keep that line.",
        ),
    ),
    "look_after": (
        (
            r"settle\(\) takes from 3 to 4 positional arguments but 5",
            "Name what comes last: `await desk.settle(approval, event, reason, tokens=tokens)`.",
        ),
        (
            r"'str' object has no attribute 'move'",
            "First the approval: `await desk.settle(approval, event, reason, tokens=tokens)`.",
        ),
        (
            r"ring\(\) missing 1 required positional argument"
            r"|'str' object has no attribute 'thread_id'",
            "Say whom to wake: `await ring(approval)`, the whole of it.",
        ),
        (
            r"is pending: '.*' cannot happen",
            "An event is what happened (“token arrived”, “customer said no”, “time was up”), and "
            "not the state that follows from it. Hand on the Ending's own, in its order: case "
            "Ending(event, reason, tokens).",
        ),
        (
            r"is (?:approved|denied|expired): '.*' cannot happen",
            "It was sealed already. Seal once, ring once, and `return`: then the loop is over.",
        ),
        (
            r"between instances of 'NotYet'|NotYet' and '(?:int|float)'",
            "A NotYet is no number, it holds one: `case NotYet(seconds):`, and sleep `seconds`.",
        ),
        (
            r"name '(?:event|reason|tokens|seconds)' is not defined"
            r"|'(?:NotYet|NoAnswer|Spent)' object has no attribute '(?:event|reason|tokens)'"
            r"|variable '(?:Ending|NotYet|NoAnswer)' where it is not associated",
            "A `case` takes an answer apart with brackets: `case Ending(event, reason, tokens):`, "
            "`case NotYet(seconds):`, `case NoAnswer():`. Without them `case Ending:` fits every "
            "answer, and makes `Ending` a new name for it.",
        ),
        (
            r"'NoAnswer' object has no attribute",
            "NoAnswer has nothing in it: the tenant is away. Sleep `approval.interval`, ask again. "
            "(A `case NotYet:` without brackets takes a NoAnswer too: `case NotYet(seconds):`.)",
        ),
        (
            r"'Desk' object has no attribute 'poll_once'",
            "poll_once is a function of its own, imported above: "
            "`await poll_once(desk, approval)`.",
        ),
        (
            r"'Approval' object has no attribute 'request_of'|poll_once\(\) missing 1 required",
            "It wants two things, the desk first: `await poll_once(desk, approval)`.",
        ),
    ),
}
