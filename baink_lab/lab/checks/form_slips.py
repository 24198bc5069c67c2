"""Slips of the pen in a form: a list in place of a text, a name in place of its value."""

from __future__ import annotations

import re

from baink_lab.lab.checks.result import Result, failed

_A_NAME = re.compile(r"^\{?(lab\.)?(world\.\w+|asked\[.*\]|CIBA|message)\}?$")


def judge_writing(name: str, form: dict[str, str], repeated: list[str]) -> Result | None:
    """What is wrong with how a form was written; None when nothing is.

    Args:
        name: of the exercise.
        form: as it was sent.
        repeated: the fields that stand in it more than once.
    """
    for field in repeated:
        why = (
            f"The form has the field {field} more than once: a list is sent as one field for each "
            "of its entries, and the tenant takes no form with a field twice."
        )
        step = f"Make {field} one text."
        if field == "scope":
            step = 'Make scope one text, its words separated by spaces: "openid create:transfer".'
        return failed(name, why, step, hints=(step,))
    for field, value in form.items():
        if _A_NAME.match(value):
            why = f"The field {field} is the text “{value}”, letter by letter."
            step = f'Without quotation marks it is the value: "{field}": {value.strip("{}")}.'
            return failed(name, why, step, hints=(step,))
    return None
