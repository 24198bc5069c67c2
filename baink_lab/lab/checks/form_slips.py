"""Slips on the way to the tenant: the address, the method, the form, its fields' names, values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence

from baink_lab.lab.checks.result import Result, slip
from baink_lab.lab.practice.tenant import Practice, Sent

FORM = "application/x-www-form-urlencoded"
_A_NAME = re.compile(r"^\{?(lab\.)?(world\.\w+|asked\[.*\]|CIBA|message)\}?$")


def judge_way(name: str, practice: Practice, path: str, *, elsewhere: int) -> Result | None:
    """What is wrong with how the tenant was asked; None when nothing is.

    Args:
        name: of the exercise.
        practice: knows what was sent.
        path: where it should be sent.
        elsewhere: how many requests went through the lab's own clients meanwhile.
    """
    call = f'await http.post("{path[1:]}", data=form)'
    there = [one for one in practice.sent if one.path == path]
    if not there and not practice.sent:
        why = f"Nothing was sent to {path}."
        if elsewhere:
            why = (
                "Your request went through lab.http() to the lab's own tenant. I called you with "
                "another `http`, to a practice tenant."
            )
        return slip(name, why, f"Use the argument `http`: {call}.")
    lost = [one for one in practice.sent if one.status in {404, 405} and one.path != path]
    if lost or not there:
        return _elsewhere(name, (lost or practice.sent)[-1], path, call)
    for one in there:
        wrong = _judge_one(name, one, call)
        if wrong is not None:
            return wrong
    return None


def _elsewhere(name: str, one: Sent, path: str, call: str) -> Result:
    why = (
        f"You sent {one.method} {one.path}, and the tenant answered {one.status}. "
        f"Its address is {path}."
    )
    return slip(name, why, f"The address is “{path[1:]}”, letter by letter: {call}.")


def _judge_one(name: str, one: Sent, call: str) -> Result | None:
    if one.method != "POST":
        why = (
            f"You sent {one.method} {one.path}, and the tenant answered {one.status}: it wants a "
            "POST there, with the form in its body."
        )
        return slip(name, why, f"Write `{call}`: `post`, and `data=`.")
    if one.in_address:
        why = (
            f"Your POST {one.path} carries {_listed(one.in_address)} in its address (`params=`), "
            "where every log keeps them. The tenant reads a form, in the body."
        )
        return slip(name, why, f"Write `data=` in place of `params=`: {call}.")
    if not one.kind.startswith(FORM):
        why = (
            f"It was not sent as a form: its Content-Type is “{one.kind or 'empty'}”. {one.path} "
            "wants a form"
        )
        why += (
            ", so to the tenant your fields are not there."
            if one.status >= 400 and one.error != "authorization_pending"
            else ". The tenant lets JSON pass; the protocol knows forms only, and so do others."
        )
        return slip(name, why, f"{call}: `data=` sends a form, `json=` does not.")
    return judge_writing(name, one.form, one.repeated)


def judge_writing(name: str, form: Mapping[str, str], repeated: Sequence[str]) -> Result | None:
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
        return slip(name, why, step)
    for field, value in form.items():
        if _A_NAME.match(value):
            why = f"The field {field} is the text “{value}”, letter by letter."
            step = f'Without quotation marks it is the value: "{field}": {value.strip("{}")}.'
            return slip(name, why, step)
    return None


def judge_names(name: str, form: Collection[str], fields: Collection[str]) -> Result | None:
    """A field that goes by another name than the protocol's; None when there is none.

    Args:
        name: of the exercise.
        form: the names of the fields that were sent.
        fields: the names that the protocol has.
    """
    unknown = [one for one in form if one not in fields]
    for field in fields:
        if field in form:
            continue
        near = [one for one in unknown if one in field or field in one]
        near += difflib.get_close_matches(field, unknown)
        if near:
            why = f"The form has no {field}, but a field {near[0]}, which the tenant does not know."
            return slip(name, why, f"Call it {field}.")
    return None


def judge_values(
    name: str, form: Mapping[str, str], wanted: Mapping[str, tuple[str, str]]
) -> Result | None:
    """A field that is missing, or has another value than it should; None when all are right.

    Args:
        name: of the exercise.
        form: as it was sent.
        wanted: each field's value, and how one writes it.
    """
    for field, (value, written) in wanted.items():
        step = f'Put "{field}": {written} into the form.'
        if field not in form:
            return slip(name, f"The form has no {field}.", step)
        if form[field] == value:
            continue
        why = (
            f"The field {field} is not that of `world`. I called you with a practice tenant's "
            "`world`."
        )
        if field == "grant_type":
            why = f"The grant_type is “{form[field]}”, which the tenant does not know."
        return slip(name, why, step)
    return None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
