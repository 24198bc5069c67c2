"""Lab 01: Aiya before the phone came in. Her transfer uses the token of the customer's login."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from baink_lab.aiya.prompts import TRANSFER_FUNDS_CONFIRMED_IN_CHAT
from baink_lab.aiya.tools import TransferArguments, transfer_tool
from baink_lab.approvals import Call, GatedTool, Tool, ToolRefused
from baink_lab.bank.client import BankClient

if TYPE_CHECKING:
    from baink_lab.lab.opened import Opened


def ungated(lab: Opened) -> Callable[[list[Tool]], list[Tool]]:
    """Gives Aiya a transfer tool without its gate: what she tries, the bank refuses."""

    async def transfer(arguments: TransferArguments, call: Call) -> dict[str, Any]:
        token = await lab.session_token()
        tried = dataclasses.replace(call, access_token=token, idempotency_key=call.id)
        async with BankClient(lab.world.bank) as bank:
            bare = transfer_tool(bank)
            try:
                return dict(await bare.run(arguments, tried))
            except ToolRefused as refusal:
                lab.accounts.refusals.append(("Aiya", refusal.code))
                raise

    def change(tools: list[Tool]) -> list[Tool]:
        kept = [tool for tool in tools if not isinstance(tool, GatedTool)]
        description = TRANSFER_FUNDS_CONFIRMED_IN_CHAT
        return [*kept, Tool("transfer_funds", description, TransferArguments, transfer)]

    return change
