"""Two more things that Aiya could do at the bank, each with a scope of its own: see lab 06."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from baink_lab.aiya.tools import asked
from baink_lab.approvals import Call, Tool, ToolRefused
from baink_lab.bank.client import BankClient

READ_STATEMENT = (
    "Read the customer's statement of one year: for each account what was paid in and out. "
    "The user will receive a push notification to approve it. DO NOT REQUIRE CONFIRMATION."
)
OPEN_DISPUTE = (
    "Open a dispute ticket at the bank for one entry of the customer's accounts. "
    "The user will receive a push notification to approve it. DO NOT REQUIRE CONFIRMATION."
)
NOT_APPROVED = "This needs the customer's approval."
LATEST = 100  # entries of an account that are looked through: the most that the bank tells at once


class StatementArguments(BaseModel):
    """Which year."""

    model_config = ConfigDict(extra="forbid")

    year: int = Field(description="Four digits, such as 2026.", ge=1000, le=9000)


class DisputeArguments(BaseModel):
    """Which entry, and why."""

    model_config = ConfigDict(extra="forbid")

    transfer_id: str = Field(description="The id of an entry, from get_history.", max_length=64)
    reason: str = Field(description="One line, in the customer's words.", max_length=280)


def statement_tool(bank: BankClient) -> Tool:
    """`read_statement`, bare: it needs the token that an approval brings."""

    async def read_statement(arguments: StatementArguments, call: Call) -> dict[str, Any]:
        if not call.access_token:
            raise ToolRefused(NOT_APPROVED, code="not_approved")
        return await asked(bank.statement(call.access_token, arguments.year))

    return Tool("read_statement", READ_STATEMENT, StatementArguments, read_statement)


def dispute_tool(bank: BankClient) -> Tool:
    """`open_dispute`, bare: it needs the token that an approval brings."""

    async def open_dispute(arguments: DisputeArguments, call: Call) -> dict[str, Any]:
        if not call.access_token or not call.idempotency_key:
            raise ToolRefused(NOT_APPROVED, code="not_approved")
        said = arguments.model_dump()
        return await asked(bank.dispute(call.access_token, call.idempotency_key, **said))

    return Tool("open_dispute", OPEN_DISPUTE, DisputeArguments, open_dispute)


async def dispute_line(
    arguments: DisputeArguments, bank: BankClient, session: Callable[[], Awaitable[str]]
) -> str:
    """What the phone shows: the entry as the bank has it, then the reason, which may be cut.

    The model hands over an id, which says nothing to a customer.

    Args:
        arguments: of `open_dispute`.
        bank: where the entry is.
        session: gives the access token of the customer's login.

    Raises:
        ToolRefused: there is no such entry, so nobody should be asked.
    """
    token = await session()
    for account in (await asked(bank.accounts(token)))["accounts"]:
        told = await asked(bank.history(token, account["id"], limit=LATEST))
        for entry in told["entries"]:
            if entry["id"] == arguments.transfer_id:
                return f"Dispute {_named(entry)}: {arguments.reason}"
    raise ToolRefused(
        f"There is no entry {arguments.transfer_id} among the latest {LATEST} of your accounts; "
        "their history tells the id of each.",
        code="unknown_transfer",
    )


def _named(entry: dict[str, Any]) -> str:
    way = "to" if entry["amount"].startswith("-") else "from"
    return f"{entry['amount'].lstrip('-')} {entry['currency']} {way} {entry['counterparty']}"
