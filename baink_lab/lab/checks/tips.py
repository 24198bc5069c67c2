"""What Python's own words mean in an exercise, and what to do about them."""

from __future__ import annotations

import re

from baink_lab.lab.checks.tips_of_exercises import OF_EXERCISE, Tips

_OF_ALL: Tips = (
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
_READ_SLOWLY: Tips = (
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


def _first_of(tips: Tips, said: str) -> str:
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
    return _first_of((*OF_EXERCISE.get(exercise, ()), *_OF_ALL), said)
