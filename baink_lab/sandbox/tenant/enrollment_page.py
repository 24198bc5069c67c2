"""The page behind an enrolment ticket: one button makes the stand-in phone this user's device."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from baink_lab.sandbox.tenant import pages
from baink_lab.sandbox.tenant.errors import ManagementError, OAuthError
from baink_lab.sandbox.tenant.guardian_transactions import Transactions
from baink_lab.sandbox.tenant.management.tickets import enroll_with_ticket, usable_ticket
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.wire import form_of, query_of

STAND_IN = "Sandbox phone"
_TITLE = "Enrol your phone"


class EnrollmentPage:
    """`GET` and `POST {issuer}guardian/enroll?ticket=…`. The ticket is all the right it takes.

    Args:
        tenant: whose users enrol.
        transactions: gives the ids that devices with a Guardian SDK enrol under.
    """

    def __init__(self, tenant: Tenant, transactions: Transactions) -> None:
        self._tenant = tenant
        self._transactions = transactions

    def routes(self) -> list[Route]:
        """What to mount at the tenant's root."""
        return [
            Route("/guardian/enroll", self._show, methods=["GET"]),
            Route("/guardian/enroll", self._enroll, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        try:
            ticket_id = _ticket(request)
            ticket = usable_ticket(self._tenant, ticket_id)
        except (ManagementError, OAuthError) as refused:
            return pages.oops(_words(refused))
        user = self._tenant.users.get(ticket["user_id"])
        if user is None:
            return pages.oops("The user of this enrolment link is gone.")
        return self._form(ticket_id, user["email"])

    async def _enroll(self, request: Request) -> Response:
        try:
            ticket_id = _ticket(request)
            name = (await form_of(request)).get("name", STAND_IN)
            enrollment = enroll_with_ticket(self._tenant, ticket_id, name)
        except (ManagementError, OAuthError) as refused:
            return pages.oops(_words(refused))
        device = escape(enrollment["name"])
        return pages.page(
            "Your phone is enrolled",
            f'<p role="status"><strong>{device}</strong> now receives the requests of the bAInk.'
            " Go back to the chat and say: continue the transfer.</p>",
        )

    def _form(self, ticket_id: str, email: str) -> HTMLResponse:
        base = f"{self._tenant.issuer}appliance-mfa"
        query = {"enrollment_tx_id": self._transactions.open(ticket_id), "base_url": base}
        uri = f"otpauth://totp/{self._tenant.name}:{email}?{urlencode(query)}"
        return pages.page(
            _TITLE,
            f"<p>for {escape(email)}, on the sandbox tenant</p>"
            f'<form method="post"><label for="name">What shall this phone be called?</label>'
            f'<input id="name" name="name" maxlength="128" required value="{STAND_IN}">'
            '<button type="submit">Enrol the stand-in phone</button></form>'
            "<details><summary>I write an app with the Guardian SDK</summary>"
            "<p>A real tenant shows this as a QR code. It is good for five minutes.</p>"
            f'<p><code style="overflow-wrap:anywhere">{escape(uri)}</code></p></details>',
        )


def _ticket(request: Request) -> str:
    return query_of(request).get("ticket", "")


def _words(refused: ManagementError | OAuthError) -> str:
    sentences = {
        "enrollment_transaction_not_found": "There is no such enrolment link.",
        "invalid_token": "This enrolment link was used before, or has expired. Ask for a new one.",
        "already_enrolled": "You have a phone already. Ask for a link for one more device.",
    }
    return sentences.get(refused.code, str(refused))
