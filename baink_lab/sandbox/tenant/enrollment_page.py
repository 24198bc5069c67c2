"""The page behind an enrolment ticket: a phone for pushes, or an app for one-time passwords."""

from __future__ import annotations

import textwrap
from html import escape
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from baink_lab.sandbox.tenant import pages, qr
from baink_lab.sandbox.tenant.errors import ManagementError, OAuthError
from baink_lab.sandbox.tenant.guardian_transactions import Transactions
from baink_lab.sandbox.tenant.management.tickets import (
    OTP,
    PUSH,
    enroll_with_ticket,
    factors_of,
    redeemable,
    usable_ticket,
)
from baink_lab.sandbox.tenant.one_time_passwords import DIGITS, PERIOD
from baink_lab.sandbox.tenant.otp_enrollment import OtpEnrollments
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.wire import form_of, query_of

STAND_IN = "Sandbox phone"
_BACK = "Go back to the chat and say: continue transfer."


class EnrollmentPage:
    """`GET` and `POST {issuer}guardian/enroll?ticket=…[&factor=otp]`.

    The ticket is all the right it takes.

    Args:
        tenant: whose users enrol.
        transactions: gives the ids that devices with a Guardian SDK enrol under.
    """

    def __init__(self, tenant: Tenant, transactions: Transactions) -> None:
        self._tenant = tenant
        self._transactions = transactions
        self._otp = OtpEnrollments(tenant)

    def routes(self) -> list[Route]:
        """What to mount at the tenant's root."""
        return [
            Route("/guardian/enroll", self._show, methods=["GET"]),
            Route("/guardian/enroll", self._enroll, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        try:
            ticket_id, factor = self._asked(request)
            return self._form(ticket_id, factor)
        except (ManagementError, OAuthError) as refused:
            return _told(refused)

    async def _enroll(self, request: Request) -> Response:
        try:
            ticket_id, factor = self._asked(request)
            fields = await form_of(request)
            if factor == OTP:
                return self._confirm(ticket_id, fields.get("code", ""))
            enrollment = enroll_with_ticket(self._tenant, ticket_id, fields.get("name", STAND_IN))
        except (ManagementError, OAuthError) as refused:
            return _told(refused)
        device = escape(enrollment["name"])
        return pages.page(
            "Your phone is enrolled",
            f'<p role="status"><strong>{device}</strong> now receives the requests of the bAInk.'
            f" {_BACK}</p>",
        )

    def _asked(self, request: Request) -> tuple[str, str]:
        """The ticket and the factor: the one asked for, else the first that the ticket is for."""
        query = query_of(request)
        ticket_id = query.get("ticket", "")
        factors = factors_of(self._tenant, usable_ticket(self._tenant, ticket_id))
        factor = query.get("factor") or next(iter(factors), OTP)
        return ticket_id, factor

    def _confirm(self, ticket_id: str, code: str) -> Response:
        try:
            self._otp.confirm(ticket_id, code)
        except ManagementError as refused:
            if refused.code not in _TRY_AGAIN:
                raise
            return self._form(ticket_id, OTP, _TRY_AGAIN[refused.code])
        return pages.page(
            "Your authenticator app is enrolled",
            '<p role="status">It shows one-time passwords for this account from now on. It cannot '
            "receive the requests of the bAInk: those need a phone that is enrolled for push.</p>",
        )

    def _form(self, ticket_id: str, factor: str, problem: str = "") -> HTMLResponse:
        ticket, user = redeemable(self._tenant, ticket_id, factor)
        form = self._otp_form if factor == OTP else self._push_form
        others = [other for other in factors_of(self._tenant, ticket) if other != factor]
        links = "".join(
            f'<p><a href="?{escape(urlencode({"ticket": ticket_id, "factor": other}))}">'
            f"{_OTHERWISE[other]}</a></p>"
            for other in others
        )
        told = f'<p role="alert">{escape(problem)}</p>' if problem else ""
        heading = f"<p>for {escape(user['email'])}, on the sandbox tenant</p>{told}"
        return pages.page(
            _TITLES[factor],
            heading + form(ticket_id, user["email"]) + links,
            400 if problem else 200,
        )

    def _push_form(self, ticket_id: str, email: str) -> str:
        base = f"{self._tenant.issuer}appliance-mfa"
        query = {"enrollment_tx_id": self._transactions.open(ticket_id), "base_url": base}
        uri = f"otpauth://totp/{self._label(email)}?{urlencode(query)}"
        return (
            f'<form method="post"><label for="name">What shall this phone be called?</label>'
            f'<input id="name" name="name" maxlength="128" required value="{STAND_IN}">'
            '<button type="submit">Enrol the stand-in phone</button></form>'
            "<details><summary>I have an app with the Guardian SDK</summary>"
            "<p>Scan this within five minutes:</p>"
            + qr.picture(uri, "QR code of the enrolment address; the address itself follows")
            + f"<p><code>{escape(uri)}</code></p></details>"
        )

    def _otp_form(self, ticket_id: str, email: str) -> str:
        secret = self._otp.begin(ticket_id)
        query = {
            "secret": secret,
            "issuer": self._tenant.name,
            "algorithm": "SHA1",
            "digits": DIGITS,
            "period": PERIOD,
        }
        uri = f"otpauth://totp/{self._label(email)}?{urlencode(query)}"
        return (
            "<p>Scan this with your authenticator app, within five minutes:</p>"
            + qr.picture(uri, "QR code for the authenticator app; the key to type in follows")
            + f"<p>Or type this key in: <code>{' '.join(textwrap.wrap(secret, 4))}</code></p>"
            f'<details><summary>The whole address</summary><p><code class="uri">{escape(uri)}'
            '</code></p></details><form method="post">'
            f'<label for="code">The {DIGITS} digits that the app shows</label>'
            '<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" '
            'pattern="[0-9 ]*" maxlength="12" required>'
            '<button type="submit">Enrol the app</button></form>'
        )

    def _label(self, email: str) -> str:
        return f"{quote(self._tenant.name)}:{quote(email)}"


_TITLES = {PUSH: "Enrol your phone", OTP: "Enrol an authenticator app"}
_OTHERWISE = {
    PUSH: "Enrol a phone for push notifications instead",
    OTP: "Enrol an app for one-time passwords instead",
}
_TRY_AGAIN = {
    "invalid_otp": "This code is wrong, or too old. Type the one that the app shows now.",
    "enrollment_transaction_not_found": "That key is not good any more: scan this new one.",
}


#: Who did both of two ways, or clicked twice, has done nothing wrong: the heading says what is so.
_HEADINGS = {
    "already_enrolled": "You have a phone or an app already",
    "invalid_token": "This link is not good any more",
}


def _told(refused: ManagementError | OAuthError) -> HTMLResponse:
    return pages.oops(_words(refused), title=_HEADINGS.get(refused.code, pages.OOPS))


def _words(refused: ManagementError | OAuthError) -> str:
    sentences = {
        "enrollment_transaction_not_found": "There is no such enrolment link.",
        "invalid_token": "This enrolment link was used before, or has expired. Ask for a new one.",
        "already_enrolled": "This link is for the first one only. Go back to the chat; or ask for "
        "a link for one more.",
        "enrollment_method_disabled": "This link is not for that, or the tenant has it switched "
        "off (Security, Multi-factor Auth). Ask for another link.",
        "inexistent_user": "The user of this enrolment link is gone.",
    }
    return sentences.get(refused.code, str(refused))
