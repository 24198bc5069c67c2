"""The tenant's log in words: what Auth0's event codes mean (contract section 5.9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from baink_lab.lab.widgets.show import Shown, paragraph, seconds_of_date, table, time_of_day

MEANINGS: Mapping[str, str] = {
    "ciba_start_succeeded": "a question to the phone was accepted (bc-authorize)",
    "ciba_start_failed": "a question to the phone was refused (bc-authorize)",
    "ciba_exchange_succeeded": "the tokens were handed out",
    "ciba_exchange_failed": "no tokens were handed out",
    "gd_start_enroll": "an enrolment began",
    "gd_enrollment_complete": "a phone was enrolled",
    "gd_unenroll": "a phone was taken away",
    "gd_update_device_account": "a phone told its new name or address",
    "gd_start_auth": "the phone was about to be asked",
    "gd_send_pn": "the push was sent",
    "gd_send_pn_failure": "the push could not be sent",
    "gd_auth_succeed": "the customer approved",
    "gd_auth_rejected": "the customer denied",
    "gd_auth_failed": "the phone's answer did not count",
    "rich_consents_access_error": "the phone could not read what it was asked",
    "s": "the customer logged in",
    "fp": "a login failed: wrong password",
    "seacft": "a login's code was exchanged for tokens",
    "feacft": "a login's code was not exchanged",
    "sertft": "a login was renewed",
    "fertft": "a login was not renewed",
    "seccft": "an application got a token of its own",
    "feccft": "an application got no token of its own",
    "sapi": "a call of the Management API",
    "api_limit": "too many requests: some were refused",
    "api_limit_warning": "nearly too many requests",
}


def meaning(entry: Mapping[str, Any]) -> str:
    """What an entry says: its code in words, and the tenant's own description, if it has one."""
    words = MEANINGS.get(str(entry["type"]), "")
    told = (words, str(entry.get("description") or ""))
    return ": ".join(one for one in told if one)


def in_words(entries: Sequence[Mapping[str, Any]]) -> Shown:
    """Entries of the tenant's log as a table: when, which code, what it means."""
    if not entries:
        return paragraph("The tenant's log has nothing of that kind since this lab began.")
    rows = [
        [time_of_day(seconds_of_date(one["date"])), str(one["type"]), meaning(one)]
        for one in entries
    ]
    return table("The tenant's log", ["At", "Code", "What it means"], rows)
