"""Two more things that Aiya could do at the bank, each with a scope of its own: see lab 06."""

from __future__ import annotations

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
