"""The whole story in a terminal: ask, push, answer, transfer, balances before and after."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import httpx

from baink_lab.aiya import Aiya, open_aiya
from baink_lab.approvals import Approval
from baink_lab.auth0.login import log_in_with_form
from baink_lab.bank.client import BankClient
from baink_lab.clock import Clock
from baink_lab.sandbox import home, launch
from baink_lab.sandbox.lab_time import clock_of
from baink_lab.sandbox.loopback import loopback_http
from baink_lab.settings import Settings, World, load

Decision = Literal["approve", "deny", "ignore"]
Balances = dict[str, Decimal]

REQUEST = "Move $25 from my checking account to savings, please."
IGNORED_SECONDS = 10  # how long the push of DECISION=ignore can be answered
_OUTCOMES = {"approve": "approved", "deny": "denied", "ignore": "expired"}
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
    clock = clock_of(_folder(settings))
    _tell(f"Tenant {world.tenant} · bank {world.bank} · model {world.model}")
    async with _kept(settings):
        before = await _print_balances("Balances before", world, clock)
        async with _opened(settings, world, decision, clock) as aiya:
            approval = await _approval(aiya, world, decision, clock)
            if approval is None:
                _tell("Aiya asked for no approval, so nothing could be shown.")
                return 1
            receipt = receipt_id(await aiya.messages(approval.thread_id), approval.tool_call_id)
        after = await _print_balances("Balances after", world, clock)
        verdict = await _verdict(world, clock, approval, receipt, before, after)
    as_decided = verdict is not None and approval.state == _OUTCOMES[decision]
    word = "As it should be" if as_decided else "Not as decided"
    seconds = time.monotonic() - started
    _tell(f"{word}: {approval.state}, {verdict or 'the ledger says otherwise'} ({seconds:.0f} s).")
    return 0 if as_decided else 1


@contextlib.asynccontextmanager
async def _kept(settings: Settings) -> AsyncIterator[None]:
    """While the block runs, a sandbox that stops is started anew, and that is told."""

    async def start() -> dict[str, Any]:
        return await launch.ensure(settings.baink_home, settings=settings)

    keeper = asyncio.create_task(
        launch.keep(start, lambda text, _: _tell(text), folder=_folder(settings))
    )
    try:
        yield
    finally:
        keeper.cancel()


def _folder(settings: Settings) -> Path:
    return home.folder(settings.baink_home, live=settings.mode == "live")


@contextlib.asynccontextmanager
async def _opened(
    settings: Settings, world: World, decision: Decision, clock: Clock
) -> AsyncIterator[Aiya]:
    async with open_aiya(
        world,
        settings.baink_home / "demo",
        model=settings.openai_model,
        api_key=settings.openai_api_key.get_secret_value(),
        vault_keys=settings.vault_keys,
        requested_expiry=IGNORED_SECONDS if decision == "ignore" else None,
        clock=clock,
    ) as aiya:
        yield aiya


async def _approval(aiya: Aiya, world: World, decision: Decision, clock: Clock) -> Approval | None:
    """Ask, or take up what a killed demo has left; returns once Aiya has told the outcome."""
    told = _Told(clock)
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
        async with _phone(world, approval, decision), _countdown(approval, told):
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
async def _countdown(approval: Approval, told: _Told) -> AsyncIterator[None]:
    """While the block runs, the time left is told: on one line of a terminal, else now and then."""

    async def count() -> None:
        seconds = 0
        while not told.outcome and (left := approval.expires_at - told.clock.now()) > 0:
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
    """Puts the graph's events into lines.

    Args:
        clock: what tells the time.

    Attributes:
        outcome: the phone has been answered, or will not be.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.outcome = False

    def hear(self, thread: str, event: dict[str, Any]) -> None:
        """Print one event, if it is news for a person."""
        self.outcome = self.outcome or event["type"] in {"acting", *_OUTCOMES.values()}
        match event["type"]:
            case "tool":
                _tell(f"Aiya calls {event['tool']}.")
            case "push_sent":
                left = max(0, event["expires_at"] - self.clock.now())
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


async def _print_balances(title: str, world: World, clock: Clock) -> Balances:
    """Tell what the bank's ledger says that the customer owns; returns it by account id."""
    async with _bank(world, clock) as (bank, token):
        accounts = (await bank.accounts(token))["accounts"]
    _tell(f"{title}, from the ledger:")
    for one in accounts:
        name = f"{one['name']} ({one['currency']})"
        _tell(f"    {name:<16} {Decimal(one['balance']):>12,.2f}")
    return {one["id"]: Decimal(one["balance"]) for one in accounts}


async def _verdict(
    world: World,
    clock: Clock,
    approval: Approval,
    receipt: str | None,
    before: Balances,
    after: Balances,
) -> str | None:
    """What the ledger says of the approval, in words; None when that is not what was decided."""
    if approval.state != "approved":
        return "nothing moved" if before == after else None
    source = approval.arguments["from_account"]
    async with _bank(world, clock) as (bank, token):
        entries = (await bank.history(token, source))["entries"]
    amounts = [entry["amount"] for entry in entries if entry["id"] == receipt]
    moved = f"-{approval.arguments['amount']}"
    return f"{approval.arguments['amount']} moved, once" if amounts == [moved] else None


def receipt_id(messages: list[dict[str, Any]], tool_call_id: str) -> str | None:
    """The bank's reference in the answer, or the later event, that tells of a tool call."""
    event = f"Event: outcome of tool call {tool_call_id} "
    for message in reversed(messages):
        content = str(message.get("content") or "")
        if message.get("tool_call_id") == tool_call_id or content.startswith(event):
            answer = json.loads(content[content.index("{") :])
            if "result" in answer:
                return str(answer["result"]["id"])
    return None


@contextlib.asynccontextmanager
async def _bank(world: World, clock: Clock) -> AsyncIterator[tuple[BankClient, str]]:
    session = await log_in_with_form(world, clock=clock)
    async with BankClient(world.bank) as bank:
        yield bank, session.access_token


def _tell(text: str) -> None:
    start = "\r\x1b[K" if sys.stdout.isatty() else ""
    sys.stdout.write(f"{start}{text}\n")
    sys.stdout.flush()
