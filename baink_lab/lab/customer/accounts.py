"""The customer's accounts, as the bank's web portal shows them: balances, and a transfer form."""

from __future__ import annotations

import html
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from baink_lab.bank.client import BankClient, BankError
from baink_lab.errors import BainkError
from baink_lab.lab.widgets.entry import entry
from baink_lab.lab.widgets.from_widgets import Runner
from baink_lab.lab.widgets.show import Shown, WidgetShown, table
from baink_lab.settings import World


class Accounts:
    """What the customer can do with the token of their login, and what the bank says to it.

    Args:
        world: where the bank is.
        token: gives the access token of the customer's login.

    Attributes:
        refusals: who tried a transfer and which code the bank refused it with, oldest first.
    """

    def __init__(self, world: World, token: Callable[[], Awaitable[str]]) -> None:
        self._world = world
        self._token = token
        self.refusals: list[tuple[str, str]] = []

    async def read(self) -> list[dict[str, Any]]:
        """The accounts, from the bank's API."""
        token = await self._token()
        async with BankClient(self._world.bank) as bank:
            return list((await bank.accounts(token))["accounts"])

    async def shown(self) -> Shown:
        """The accounts as a table."""
        rows = [
            [one["name"], one["balance"], one["currency"], one["id"]] for one in await self.read()
        ]
        return table("Accounts", ["Account", "Balance", "Currency", "Id"], rows)

    async def move(self, amount: str, source: str = "Checking", target: str = "Savings") -> Shown:
        """Try a transfer with the token of the login, and show the bank's answer.

        Args:
            amount: decimal text, such as `25.00`.
            source: name of the account that pays.
            target: name of the account that gets it.
        """
        accounts = {one["name"]: one for one in await self.read()}
        token = await self._token()
        async with BankClient(self._world.bank) as bank:
            try:
                receipt = await bank.transfer(
                    token,
                    str(uuid.uuid4()),
                    from_account=accounts[source]["id"],
                    to_account=accounts[target]["id"],
                    amount=amount,
                    currency=accounts[source]["currency"],
                )
            except BankError as refusal:
                self.refusals.append(("customer", refusal.code))
                answer = [f"{refusal.status} {refusal.code}", refusal.sentence]
            else:
                answer = ["201", f"Moved. Receipt {receipt['id']}."]
        return table("The bank's answer", ["Status", "In words"], [answer])

    async def panel(self) -> WidgetShown:
        """Accounts and a form to move money, as a widget."""
        panel = _Panel(self)
        await panel.draw()
        words = 'The accounts panel. Without widgets: run await lab.accounts.move("25.00")'
        return WidgetShown(panel.box, words)


class _Panel:
    def __init__(self, accounts: Accounts) -> None:
        import ipywidgets as w  # noqa: PLC0415 - the lab works without widgets too

        self._accounts = accounts
        self._runner = Runner()
        self._table, self._told = w.HTML(), w.HTML()
        self._entry = entry(
            "Amount",
            "Move to Savings",
            lambda amount: self._runner.start(lambda: self._move(amount)),
            hint="From Checking",
            text="25.00",
            keeps=True,
        )
        layout = w.Layout(width="42em", max_width="100%")
        self.box = w.VBox([self._table, self._entry, self._told], layout=layout)

    async def draw(self) -> None:
        self._table.value = (await self._accounts.shown()).html

    async def _move(self, amount: str) -> None:
        if self._entry.busy:  # Enter, pressed twice
            return
        self._entry.busy = True
        try:
            said = (await self._accounts.move(amount)).html
            await self.draw()
        except BainkError as problem:
            said = html.escape(problem.sentence)
        finally:
            self._entry.busy = False
        self._told.value = f'<div role="status" aria-live="polite">{said}</div>'
