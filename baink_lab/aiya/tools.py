"""What Aiya can do at the bank: read accounts and history, and transfer behind an approval."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from baink_lab.aiya import prompts
from baink_lab.approvals import (
    Call,
    GatedTool,
    Tool,
    ToolRefused,
    ToolUnavailable,
    with_async_authorization,
)
from baink_lab.bank.client import BankClient, BankError, BankUnavailable
from baink_lab.settings import TRANSFER_SCOPE

#: Gives an access token that reads this customer's accounts. The user id comes from the session.
SessionToken: TypeAlias = Callable[[str], Awaitable[str]]
#: The bank's answer to `accounts` for the customer of a call.
Book: TypeAlias = Callable[[Call], Awaitable[dict[str, Any]]]


def _exact(amount: str) -> str:
    value = Decimal(amount)
    if value <= 0:
        raise ValueError("an amount is more than 0.00")
    return f"{value:.2f}"


class _Arguments(BaseModel):
    """What a model may send: these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class NoArguments(_Arguments):
    """Nothing: who the customer is comes from the session."""


class HistoryArguments(_Arguments):
    """Which account to read."""

    account_id: str = Field(description="An id from get_accounts.", min_length=1, max_length=64)


class TransferArguments(_Arguments):
    """One transfer, in ids and exact decimal text: nothing that has to be guessed."""

    from_account: str = Field(
        description="Id of one of the customer's accounts, from get_accounts. Not its name.",
        min_length=1,
        max_length=64,
    )
    to_account: str = Field(
        description="Id of another of their accounts, or of a payee, from get_accounts.",
        min_length=1,
        max_length=64,
    )
    # Text, since a JSON number would be a float on the way: 0.1 + 0.2 is not money.
    amount: Annotated[str, AfterValidator(_exact)] = Field(
        description='How much, as decimal text with at most two decimals, such as "25.00".',
        pattern=r"^[0-9]{1,12}(\.[0-9]{1,2})?$",
    )
    currency: Literal["USD", "EUR"] = Field(description="ISO 4217 code of the account's currency.")
    memo: str = Field(default="", description="A word for the statement.", max_length=140)


def read_tools(bank: BankClient, session: SessionToken) -> list[Tool]:
    """The tools that need no approval: `get_accounts` and `get_history`."""

    async def get_accounts(arguments: NoArguments, call: Call) -> dict[str, Any]:
        return await asked(bank.accounts(await session(call.user_id)))

    async def get_history(arguments: HistoryArguments, call: Call) -> dict[str, Any]:
        return await asked(bank.history(await session(call.user_id), arguments.account_id))

    return [
        Tool("get_accounts", prompts.GET_ACCOUNTS, NoArguments, get_accounts),
        Tool("get_history", prompts.GET_HISTORY, HistoryArguments, get_history),
    ]


def transfer_tool(bank: BankClient, *, description: str = prompts.TRANSFER_FUNDS) -> Tool:
    """`transfer_funds` without its gate: it needs the token that an approval brings."""

    async def transfer_funds(arguments: TransferArguments, call: Call) -> dict[str, Any]:
        if not call.access_token or not call.idempotency_key:
            raise ToolRefused("A transfer needs the customer's approval.", code="not_approved")
        return await asked(
            bank.transfer(call.access_token, call.idempotency_key, **arguments.model_dump())
        )

    return Tool("transfer_funds", description, TransferArguments, transfer_funds)


def gated_transfer(
    bank: BankClient,
    session: SessionToken,
    *,
    audience: str,
    requested_expiry: int | None = None,
    description: str = prompts.TRANSFER_FUNDS,
) -> GatedTool:
    """`transfer_funds` behind the customer's phone.

    Args:
        bank: where the money is.
        session: reads the names that the phone shows.
        audience: the transfers API's identifier.
        requested_expiry: seconds that the customer has; the tenant's default when left out.
        description: what the model reads.
    """

    async def book(call: Call) -> dict[str, Any]:
        return await asked(bank.accounts(await session(call.user_id)))

    gate = behind_the_phone(transfer_tool(bank), audience, book, description=description)
    return dataclasses.replace(gate, requested_expiry=requested_expiry)


def behind_the_phone(
    tool: Tool, audience: str, book: Book, *, description: str = prompts.TRANSFER_FUNDS
) -> GatedTool:
    """A bare `transfer_funds` wrapped: what it asks the tenant for, and what the phone shows.

    Args:
        tool: the bare tool; its name and schema stay.
        audience: the transfers API's identifier.
        book: reads the names that the phone shows.
        description: what the model reads from now on.
    """

    async def binding_message(arguments: TransferArguments, call: Call) -> str:
        return transfer_line(arguments, await book(call))

    return with_async_authorization(
        dataclasses.replace(tool, description=description),
        scopes=[TRANSFER_SCOPE],
        audience=audience,
        binding_message=binding_message,
        node="transfer",
    )


def behind_its_gate(tools: Sequence[Tool], wrapped: GatedTool) -> list[Tool]:
    """The registry with a bare tool's place taken by the wrapped one of the same name.

    The model knows a tool by its name, so a name that is there twice would leave the choice to
    chance, and a bare one beside its gate would be a way round it.
    """
    return [wrapped if tool.name == wrapped.name else tool for tool in tools]


def transfer_line(arguments: TransferArguments, book: dict[str, Any]) -> str:
    """What the phone shows: amount first, then names as the bank has them, never the model's.

    Args:
        arguments: the transfer.
        book: the bank's answer to `accounts`.

    Raises:
        ToolRefused: it cannot be done, so nobody should be asked.
    """
    own = {account["id"]: account for account in book["accounts"]}
    payees = {payee["id"]: payee for payee in book["payees"]}
    source = own.get(arguments.from_account)
    target = own.get(arguments.to_account) or payees.get(arguments.to_account)
    if source is None or target is None:
        wrong = arguments.from_account if source is None else arguments.to_account
        kind = "account of yours" if source is None else "account or payee of yours"
        raise ToolRefused(f"There is no {kind} with the id {wrong}.", code="unknown_account")
    money = f"{arguments.amount} {arguments.currency}"
    if source is target:
        raise ToolRefused("The two accounts are one and the same.", code="same_account")
    if arguments.currency != source["currency"]:
        raise ToolRefused(f"{source['name']} holds {source['currency']}.", code="currency_mismatch")
    if Decimal(arguments.amount) > Decimal(source["balance"]):
        held = f"{source['balance']} {source['currency']}"
        raise ToolRefused(f"{source['name']} holds only {held}.", code="insufficient_funds")
    if arguments.to_account in own:
        return f"Move {money} from {source['name']} to {target['name']}"
    return f"Pay {money} to {target['name']}"


async def asked(answer: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """The bank's answer, its two ways of saying no put in the words of tools."""
    try:
        return await answer
    except BankUnavailable as failure:
        raise ToolUnavailable(failure.sentence) from failure
    except BankError as refusal:
        raise ToolRefused(refusal.sentence, code=refusal.code) from refusal
