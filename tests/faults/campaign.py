"""kill -9 at a random step of an approval, then a second life: what is lost, doubled, or a lie?"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import json
import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from baink_lab.auth0.login import log_in_with_form
from baink_lab.bank.client import BankClient
from baink_lab.lab.phone.stand_in import Phone, PhoneError
from baink_lab.settings import World
from tests.faults import agent

AT_ONCE = 4
STEPS_CENTS = 123_456  # an amount that no seed has
INTERVAL = 0.1  # seconds between polls, so that a run takes a moment and not five
EXPIRY = 2  # seconds, of pushes that nobody answers
DECISIONS = ("approve", "approve", "approve", "deny", "ignore")
SANDBOX = """
import asyncio, json, sys
from pathlib import Path
from baink_lab.sandbox.server import SandboxOptions, serve
from baink_lab.settings import Settings
options = SandboxOptions(settings=Settings(baink_home=Path(sys.argv[1]), auth0_domain=None),
                         interval=float(sys.argv[2]), relaxed=True)
asyncio.run(serve(options, lambda ready: print(json.dumps(ready), flush=True)))
"""

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.faults.agent"])


@dataclasses.dataclass
class Result:
    """What one run showed; the last three must be empty."""

    seed: int
    decision: str
    killed: bool
    told: str
    moved: int
    pushes: int
    lost: str = ""
    doubled: str = ""
    lied: str = ""

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.lied)


class Campaign:
    """A sandbox, and one approval after the other, each killed somewhere."""

    def __init__(self, home: Path, place: dict) -> None:
        self.home = home
        self.place = place
        self.phone = Phone(place["phone"])
        self.steps = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, home: Path):
        """Start a sandbox that may be polled ten times a second, and log the customer in."""
        process = subprocess.Popen(  # noqa: ASYNC220 - at the start nothing else runs
            [sys.executable, "-c", SANDBOX, str(home), str(INTERVAL)],
            stdout=subprocess.PIPE,
            env={k: v for k, v in os.environ.items() if not k.startswith(("AUTH0_", "OPENAI_"))},
        )
        try:
            assert process.stdout is not None
            place = json.loads(process.stdout.readline())
            world = World.from_ready(place)
            session = await log_in_with_form(world)
            async with BankClient(world.bank) as bank:
                accounts = (await bank.accounts(session.access_token))["accounts"]
            place["session"] = {
                "access_token": session.access_token,
                "subject": session.subject,
                "expires_at": session.expires_at,
            }
            campaign = cls(home, place)
            campaign.source, campaign.target = accounts[1]["id"], accounts[0]["id"]
            campaign.steps = await campaign.count_steps()
            yield campaign
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
            if process.stdout:
                process.stdout.close()

    async def count_steps(self) -> int:
        """How many callbacks an undisturbed approved run takes."""
        report = self.home / "steps.json"
        await self._life(self.home / "steps", STEPS_CENTS, "approve", steps=0, report=report)
        return int(json.loads(report.read_text())["steps"])

    async def run(self, seed: int) -> Result:
        """One approval: a life that is cut off, a life that ends it, and a look at the truth."""
        dice = random.Random(seed)
        decision = dice.choice(DECISIONS)
        cents = seed + 1  # tells the runs apart in ledger and tenant
        folder, report = self.home / f"run{seed}", self.home / f"run{seed}.json"
        steps = dice.randint(1, self.steps)
        killed = await self._life(folder, cents, decision, steps=steps) == -signal.SIGKILL
        ended = await self._life(folder, cents, decision, steps=0, report=report)
        result = self._judge(seed, decision, killed, ended, report, cents)
        await self._clear(cents)
        return result

    async def run_all(self, seeds) -> list[Result]:
        """Several at a time: they share the sandbox and nothing else."""
        room = asyncio.Semaphore(AT_ONCE)

        async def one(seed: int) -> Result:
            async with room:
                return await self.run(seed)

        return list(await asyncio.gather(*map(one, seeds)))

    async def _life(self, folder, cents, decision, *, steps, report=None) -> int | None:
        order = {
            "from_account": self.source,
            "to_account": self.target,
            "amount": f"{cents // 100}.{cents % 100:02d}",
            "currency": "USD",
            "expiry": EXPIRY if decision == "ignore" else 60,
        }
        arguments = (str(folder), self.place, order, steps, str(report or ""))
        process = _forks.Process(target=agent.live, args=arguments)
        process.start()
        thumb = asyncio.create_task(self._press(decision, cents))
        try:
            await asyncio.to_thread(process.join, agent.SETTLE_SECONDS + 20)
        finally:
            thumb.cancel()
        if process.exitcode is None:
            process.kill()
            process.join()
        return process.exitcode

    async def _press(self, decision: str, cents: int) -> None:
        while decision != "ignore":
            for one in await self._waiting(cents):
                with contextlib.suppress(PhoneError):
                    await self.phone.decide(decision, one["id"])
            await asyncio.sleep(0.05)

    async def _clear(self, cents: int) -> None:
        """A push whose record was never saved is still on the phone: put it away."""
        for one in await self._waiting(cents):
            await self.phone.deny(one["id"])

    async def _waiting(self, cents: int) -> list[dict]:
        return [one for one in await self.phone.waiting() if is_about(one, cents)]

    def _judge(self, seed, decision, killed, ended, report, cents) -> Result:
        moved = self._in_ledger(cents)
        pushes = [push for push in self._pushes() if is_about(push, cents)]
        found = json.loads(report.read_text()) if report.exists() else {}
        told = outcomes(found.get("messages", []))
        last = told[-1] if told else "nothing asked"
        result = Result(seed, decision, killed, last, moved, len(pushes))
        # The report is the proof of a life that came to its end; a fork server loses an exit
        # status now and then (multiprocessing then says 255).
        if not found.get("at_rest") or "waiting" in told:
            result.lost = f"no outcome (exit {ended}, told {told})"
        if moved > 1 or len(pushes) > max(1, len(told)):
            result.doubled = f"{moved} transfers, {len(pushes)} pushes"
        if (last == "approved") != bool(moved) or (moved and decision != "approve"):
            result.lied = f"told {last}, moved {moved}, decided {decision}"
        if last == "denied" and decision != "deny":
            result.lied = f"told {last}, decided {decision}"
        return result

    def _in_ledger(self, cents: int) -> int:
        with contextlib.closing(sqlite3.connect(self.home / "ledger.db")) as book:
            query = "SELECT count(*) FROM entries WHERE account_id = ? AND amount = ?"
            return int(book.execute(query, (self.target, cents)).fetchone()[0])

    def _pushes(self) -> list[dict]:
        with contextlib.closing(sqlite3.connect(self.home / "tenant.db")) as state:
            rows = state.execute("SELECT body FROM documents WHERE kind = 'ciba'")
            return [json.loads(row[0]) for row in rows]


def is_about(push: dict, cents: int) -> bool:
    """Whether a push asks for the transfer of this amount."""
    return f" {cents // 100}.{cents % 100:02d} " in push["binding_message"]


def outcomes(messages: list[dict]) -> list[str]:
    """The last status told of each tool call, in the order of the calls."""
    told: dict[str, str] = {}
    for message in messages:
        content = str(message.get("content") or "")
        for call in message.get("tool_calls") or []:
            told[call["id"]] = "waiting"
        if message["role"] == "tool":
            told[message["tool_call_id"]] = json.loads(content)["status"]
        elif content.startswith("Event: outcome of tool call "):
            told[content.split()[5]] = json.loads(content[content.index("{") :])["status"]
    return list(told.values())


def table(results: list[Result]) -> str:
    """What a campaign found, as lines of a Markdown table."""
    by_end = collections.Counter((one.decision, one.told) for one in results)
    lines = ["| decided on the phone | told to the customer | runs |", "|---|---|---|"]
    lines += [f"| {d} | {told} | {n} |" for (d, told), n in sorted(by_end.items())]
    faults = {name: sum(bool(getattr(one, name)) for one in results) for name in FAULTS}
    total = ", ".join(f"{name} {count}" for name, count in faults.items())
    killed = sum(one.killed for one in results)
    return "\n".join([*lines, "", f"{len(results)} runs, {killed} killed: {total}"])


FAULTS = ("lost", "doubled", "lied")
