"""What Python's own words mean in an exercise, and what to do about them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_Tips = tuple[tuple[str, str], ...]

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

#: Of one exercise; they come before those of all.
_OF_EXERCISE: Mapping[str, _Tips] = {
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
            r"'NoAnswer' object has no attribute",
            "NoAnswer has nothing in it: the tenant is away. Sleep `approval.interval`, ask again.",
        ),
        (
            r"between instances of 'NotYet'|NotYet' and '(?:int|float)'",
            "A NotYet is no number, it holds one: `case NotYet(seconds):`, and sleep `seconds`.",
        ),
        (
            r"name '(?:event|reason|tokens|seconds)' is not defined"
            r"|variable '(?:Ending|NotYet|NoAnswer)' where it is not associated",
            "A `case` takes an answer apart with brackets: `case Ending(event, reason, tokens):`, "
            "`case NotYet(seconds):`, `case NoAnswer():`. Without them `case Ending:` fits every "
            "answer, and makes `Ending` a new name for it.",
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
_OF_ALL: _Tips = (
    (
        r"exceptions must derive from BaseException",
        "A text cannot be raised, only an exception: raise RuntimeError(error).",
    ),
    (
        r"\.(?:post|request)\(\) takes \d positional arguments? but \d were given",
        "What comes after the address has a name: `data=form`.",
    ),
    (
        r"\.get\(\) got an unexpected keyword argument '(?:data|json|content)'",
        "A GET carries no form: write `http.post(…, data=form)`.",
    ),
    (
        r"Unexpected type for 'content'",
        "`content=` takes raw bytes. A form is sent by `data=form`.",
    ),
    (
        r"HTTPStatusError",
        "The tenant says all that is no yes with a status of 400 or more, the most harmless things "
        "too: take `raise_for_status()` away, and look at the answer's `error`.",
    ),
    (
        r"(?:UnsupportedProtocol|ConnectError)",
        "That is a client of your own. Use the argument `http`: it knows the tenant's address.",
    ),
    (
        r"'\w*Clock' object has no attribute '(?:time|monotonic|get_time)'",
        "`clock` has two things: clock.now() tells the time, await clock.sleep(seconds) waits.",
    ),
    (
        r"'Response' object (?:is not subscriptable|has no attribute '(?:get|error)')",
        "That is httpx's answer as a whole. What the tenant said is `.json()` of it: a dictionary.",
    ),
    (
        r"'coroutine' object (?:is not subscriptable|has no attribute '\w+')",
        "An answer that nobody waited for: write `await` in front of the call that made it.",
    ),
    (
        r"'dict' object has no attribute '(\w+)'",
        'What stands before `.{0}` is a dictionary: write `["{0}"]`.',
    ),
    (
        r"'NoneType' object has no attribute '(\w+)'",
        "What stands before `.{0}` is None there. When can that be, and what is to be done then?",
    ),
    (
        r"'[A-Z]\w+(?<!NoneType)' object is not subscriptable",
        'What stands before `[` is an object: write `.name`, not `["name"]`.',
    ),
    (
        r"object (?:function|method|builtin_function_or_method|partial|type) can't be used in",
        "A function has to be called before it is waited for: write (…) behind its name, with what "
        "it takes.",
    ),
    (
        r"can't be used in 'await' expression",
        "That function is a plain one, nothing waits for it: take `await` away.",
    ),
    (
        r"Object of type (?!coroutine)(\w+) is not JSON serializable",
        "What you return is kept as JSON, and {0} cannot be: return texts, numbers, lists and "
        "dictionaries.",
    ),
)


#: What Python says, read slowly: where to look, when nothing better is known.
_READ_SLOWLY: _Tips = (
    (
        r"NameError: name '(\w+)' is not defined",
        "Python knows no `{0}` there: a slip of the pen, or an import whose cell was not run?",
    ),
    (
        r"UnboundLocalError: .*variable '(\w+)'",
        "On the way that was taken here nobody had given `{0}` a value. Which branch should have?",
    ),
    (
        r"(\w+)\(\) missing \d+ required positional arguments?: (.+)",
        "`{0}` wants more than it was given: {1}.",
    ),
    (
        r"(\w+)\(\) takes .*positional arguments? but \d+",
        "`{0}` was given more than it takes. Which of them belongs elsewhere, or has a name?",
    ),
    (
        r"unexpected keyword argument '(\w+)'",
        "It has no parameter called `{0}`. Is it spelt as in the text above the exercise? What has "
        "no name there is told by its place alone.",
    ),
    (
        r"'(\w+)' object has no attribute '(\w+)'",
        "What stands before `.{1}` is of type {0}, and that has no `{1}`: a slip of the pen, or "
        "another object than you think?",
    ),
)


def read_slowly(said: str) -> str:
    """Where a message of Python's tells to look; empty for what tells by itself."""
    return _first_of(_READ_SLOWLY, said)


def _first_of(tips: _Tips, said: str) -> str:
    for pattern, words in tips:
        if found := re.search(pattern, said):
            return words.format(*found.groups())
    return ""


def tip(exercise: str, said: str) -> str:
    """What to do about a message of Python's that learners often meet; empty for the rest.

    Args:
        exercise: in which it was raised.
        said: the exception's type and message, like ``KeyError: 'name'``.
    """
    return _first_of((*_OF_EXERCISE.get(exercise, ()), *_OF_ALL), said)
