"""The whole story in a terminal: ask, push, answer, transfer, balances before and after."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, Literal

import httpx

from baink_lab.aiya import Aiya, open_aiya
from baink_lab.approvals import Approval
from baink_lab.auth0.login import log_in_with_form
from baink_lab.bank.client import BankClient
from baink_lab.sandbox import home, launch
from baink_lab.sandbox.loopback import loopback_http
from baink_lab.settings import Settings, World, load

Decision = Literal["approve", "deny", "ignore"]
Balances = dict[str, Decimal]

REQUEST = "Move $25 from my checking account to savings, please."
IGNORED_SECONDS = 10  # how long the push of DECISION=ignore can be answered
THINK_SECONDS = 1.5  # what a customer needs to read the push
TELL_SECONDS = 5  # how often the time left is told where lines cannot be rewritten


def main(decision: Decision) -> int:
    """Run the demo; 0 when exactly what was decided has happened, else 1.

    A demo that was killed between push and answer is gone on with, not begun anew.

    Raises:
        BainkError: something that a person can mend.
    """
    return asyncio.run(_demo(load(), decision))


async def _demo(settings: Settings, decision: Decision) -> int:
    started = time.monotonic()
    _tell(f"Mode: {settings.mode}. Starting the services …")
    ready = await launch.ensure(settings.baink_home, settings=settings)
    world = settings.world(ready)
    _tell(f"Tenant {world.tenant} · bank {world.bank} · model {world.model}")
    async with _kept(settings), _opened(settings, world, decision) as aiya:
        before = await _balances(world)
        _print_balances("Balances before", before)
        approval = await _approval(aiya, world, decision)
        if approval is None:
            _tell("Aiya asked for no approval, so nothing could be shown.")
            return 1
        after = await _balances(world)
        _print_balances("Balances after", after)
    verdict, code = _judge(approval, decision, before, after)
    _tell(f"{verdict} ({time.monotonic() - started:.0f} s)")
    return code


@contextlib.asynccontextmanager
async def _kept(settings: Settings) -> AsyncIterator[None]:
    """While the block runs, a sandbox that stops is started anew, and that is told."""
    folder = home.folder(settings.baink_home, live=settings.mode == "live")

    async def start() -> dict[str, Any]:
        return await launch.ensure(settings.baink_home, settings=settings)

    keeper = asyncio.create_task(launch.keep(start, lambda text, _: _tell(text), folder=folder))
    try:
        yield
    finally:
        keeper.cancel()


@contextlib.asynccontextmanager
async def _opened(settings: Settings, world: World, decision: Decision) -> AsyncIterator[Aiya]:
    async with open_aiya(
        world,
        settings.baink_home / "demo",
        model=settings.openai_model,
        api_key=settings.openai_api_key.get_secret_value(),
        requested_expiry=IGNORED_SECONDS if decision == "ignore" else None,
    ) as aiya:
        yield aiya


async def _approval(aiya: Aiya, world: World, decision: Decision) -> Approval | None:
    """Ask, or take up what a killed demo has left; returns once Aiya has told the outcome."""
    told = _Told()
    with aiya.listen(told.hear):
        if aiya.found:
            _tell("A push of an earlier demo is still open: I go on with it.")
            waiting = aiya.found
        else:
            thread = f"demo-{time.time_ns()}"
            _tell(f"You: {REQUEST}")
            await aiya.say(REQUEST, thread=thread)
            waiting = await aiya.waiting(thread)
        if not waiting:
            return None
        approval = waiting[-1]
        async with _phone(world, approval, decision), _countdown(approval):
            await aiya.settled()
    return await aiya.resumer.desk.get(approval.id)


@contextlib.asynccontextmanager
async def _phone(world: World, approval: Approval, decision: Decision) -> AsyncIterator[None]:
    """While the block runs, somebody holds the phone."""
    if world.phone is None:
        _tell("Answer on your phone: the Guardian app shows the message above.")
    elif decision == "ignore":
        _tell(f"Nobody looks at the phone; the push can be answered for {IGNORED_SECONDS} s.")
    else:
        thumb = asyncio.create_task(_press(world.phone, approval.binding_message, decision))
        try:
            yield
        finally:
            thumb.cancel()
        return
    yield


async def _press(phone: str, message: str, decision: str) -> None:
    """Find the push on the phone, read it for a moment, and press a button."""
    async with loopback_http(5.0) as http:
        while True:
            with contextlib.suppress(httpx.HTTPError):  # the phone may be starting anew
                waiting = (await http.get(f"{phone}/notifications")).json()
                mine = [one["id"] for one in waiting if one["binding_message"] == message]
                if mine:
                    await asyncio.sleep(THINK_SECONDS)
                    where = f"{phone}/notifications/{mine[0]}"
                    answer = await http.post(where, json={"decision": decision})
                    if answer.status_code == 204:
                        verb = "approves" if decision == "approve" else "denies"
                        _tell(f"The customer {verb} the push on the phone.")
                    return
            await asyncio.sleep(0.5)


@contextlib.asynccontextmanager
async def _countdown(approval: Approval) -> AsyncIterator[None]:
    """While the block runs, the time left is told: on one line of a terminal, else now and then."""

    async def count() -> None:
        seconds = 0
        while (left := approval.expires_at - time.time()) > 0:
            line = f"waiting for the phone, {int(left // 60)}:{int(left % 60):02d} left"
            if sys.stdout.isatty():
                sys.stdout.write(f"\r  … {line} ")
                sys.stdout.flush()
            elif seconds % TELL_SECONDS == 0:
                _tell(f"… {line}")
            seconds += 1
            await asyncio.sleep(1)

    counter = asyncio.create_task(count())
    try:
        yield
    finally:
        counter.cancel()


class _Told:
    """Puts the graph's events into lines."""

    def hear(self, thread: str, event: dict[str, Any]) -> None:
        """Print one event, if it is news for a person."""
        match event["type"]:
            case "tool":
                _tell(f"Aiya calls {event['tool']}.")
            case "push_sent":
                left = max(0, event["expires_at"] - time.time())
                _tell(f"Push sent to the phone: “{event['binding_message']}” ({left:.0f} s left)")
                _tell("The graph sleeps on disk; the resumer asks the tenant every few seconds.")
            case "acting":
                _tell("Approved: the graph has resumed and moves the money …")
            case "retrying":
                _tell(f"{event['message']} The same transfer is tried again.")
            case "denied" | "expired" | "unenrolled" | "failed":
                _tell(f"Outcome: {event['type']}.")
            case "said":
                _tell(f"Aiya: {event['text']}")


async def _balances(world: World) -> Balances:
    """What the bank's ledger says that the customer owns, by account id."""
    session = await log_in_with_form(world)
    async with BankClient(world.bank) as bank:
        answer = await bank.accounts(session.access_token)
    _names.update({one["id"]: f"{one['name']} ({one['currency']})" for one in answer["accounts"]})
    return {one["id"]: Decimal(one["balance"]) for one in answer["accounts"]}


_names: dict[str, str] = {}


def _print_balances(title: str, balances: Balances) -> None:
    _tell(f"{title}, from the ledger:")
    for account, balance in balances.items():
        _tell(f"    {_names[account]:<16} {balance:>12,.2f}")


def _judge(
    approval: Approval, decision: Decision, before: Balances, after: Balances
) -> tuple[str, int]:
    """Whether the ledger shows just what the customer decided."""
    source = approval.arguments["from_account"]
    moved = before[source] - after[source]
    wanted = Decimal(approval.arguments["amount"]) if approval.state == "approved" else Decimal(0)
    expected = {"approve": "approved", "deny": "denied", "ignore": "expired"}[decision]
    if approval.state == expected and moved == wanted:
        return f"As it should be: {approval.state}, {moved:.2f} moved.", 0
    return f"Not as decided: {approval.state}, {moved:.2f} moved.", 1


def _tell(text: str) -> None:
    start = "\r\x1b[K" if sys.stdout.isatty() else ""
    sys.stdout.write(f"{start}{text}\n")
    sys.stdout.flush()
