"""Enrolling the sandbox's stand-in phone: the form behind an enrolment ticket, filled in by us."""

from __future__ import annotations

import httpx

from baink_lab.auth0.wire import new_http
from baink_lab.errors import BainkError, InOneSentence


class EnrolmentRefused(InOneSentence, BainkError):
    """The tenant's enrolment page did not take it: the ticket was used before, or is too old."""

    code = "enrolment_refused"


async def enroll_stand_in(
    ticket_url: str, *, name: str = "Sandbox phone", http: httpx.AsyncClient | None = None
) -> None:
    """Press the button of the sandbox tenant's enrolment page.

    Args:
        ticket_url: from an enrolment ticket, good once.
        name: what the phone is called.
        http: an httpx client to use, left open at the end; one of our own when left out.

    Raises:
        EnrolmentRefused: the page refused.
    """
    if http is None:
        async with new_http() as own:
            return await enroll_stand_in(ticket_url, name=name, http=own)
    answer = await http.post(ticket_url, data={"name": name})
    if answer.status_code != 200:
        raise EnrolmentRefused(
            "The enrolment page refused: its link was used before, or has expired. "
            "Ask for a new ticket."
        )
    return None
