"""The same approvals, answered after the same time, by two resumers: ours and auth0-ai-langchain's.

`python -m bench.resuming` measures both on one sandbox and writes what lab 06 shows. The SDK's
`GraphResumer` runs the graph anew at each poll; ours polls the tenant.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import importlib.metadata
import json
import os
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from baink_lab.aiya import open_aiya
from baink_lab.lab.experiments.two_resumers import FILE, tables_of
from baink_lab.lab.phone.stand_in import Phone
from baink_lab.sandbox.tenant.ciba import CibaRequest
from baink_lab.settings import World
from tests.interop import install
from tests.interop.conftest import run_peer
from tests.interop.served import sandbox

#: Interval of the tenant, seconds that each customer thinks, seconds until we give up.
ROUNDS = ((1, (5, 20, 60), 30), (5, (5, 20), 40))
OURS, SDK = "baink-lab", "auth0-ai-langchain"


class Poll(NamedTuple):
    """A poll that reached a tenant of this process; `at` in seconds since the epoch."""

    message: str
    auth_req_id: str
    answer: str
    at: float


def main() -> None:
    """Measure, write the file, and print it."""
    rows = []
    for interval, waits, patience in ROUNDS:
        with tempfile.TemporaryDirectory() as folder:
            rows += measure(Path(folder), interval, waits, patience)
    versions = {SDK: _version_of_sdk(), OURS: importlib.metadata.version(OURS)}
    told = {"date": datetime.date.today().isoformat(), "versions": versions, "rows": rows}
    FILE.write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    print(tables_of(told).text)


def measure(
    folder: Path, interval: int, waits: Sequence[int], patience: int
) -> list[dict[str, Any]]:
    """Run both on one sandbox, one after the other; a row for each resumer and wait.

    Args:
        folder: empty.
        interval: of the tenant, in seconds.
        waits: seconds that each customer thinks; they are asked at the same time.
        patience: seconds after the yes until it is given up.
    """
    with sandbox(folder, interval=interval) as line, tenant_counts() as polls:
        world = World.from_ready({"model": "", **line})
        accounts = _accounts(folder / "ledger.db", world.user_id)
        rows = _rows(SDK, interval, _sdk(line, accounts, folder, waits, patience), polls)
        polls.clear()
        with _trusting(line["ca"]):
            ours = asyncio.run(_ours(world, accounts, folder / "aiya", waits))
        return rows + _rows(OURS, interval, ours, polls)


@contextlib.contextmanager
def tenant_counts() -> Iterator[list[Poll]]:
    """Every poll that reaches a tenant of this process from now on."""
    polls: list[Poll] = []
    poll = CibaRequest.poll

    def counted(request: CibaRequest, now: float) -> Any:
        answer = poll(request, now)
        polls.append(Poll(request.binding_message, request.auth_req_id, answer, time.time()))
        return answer

    CibaRequest.poll = counted  # type: ignore[method-assign]
    try:
        yield polls
    finally:
        CibaRequest.poll = poll  # type: ignore[method-assign]


def _rows(
    name: str, interval: int, results: Sequence[dict[str, Any]], polls: Sequence[Poll]
) -> list[dict[str, Any]]:
    rows = []
    for one in results:
        # Who was given up on is polled for until the others are done: that is not counted.
        mine = [
            poll for poll in polls if poll.message == one["message"] and poll.at <= one["until"]
        ]
        rows.append(
            {
                "resumer": name,
                "interval": interval,
                "wait": one["wait"],
                "graph_runs": one["runs"],
                "polls": len(mine),
                "slow_downs": sum(poll.answer == "slow_down" for poll in mine),
                "collected": one["collected"],
                "auth_req_id_in_checkpoint": any(
                    poll.auth_req_id in one["checkpoints"] for poll in mine
                ),
            }
        )
    return rows


def _sdk(
    line: dict[str, Any], accounts: Sequence[str], folder: Path, waits: Sequence[int], patience: int
) -> list[dict[str, Any]]:
    work = folder / "sdk"
    work.mkdir()
    order = dict(zip(("from_account", "to_account"), accounts, strict=True))
    command = [install.python_of("ai"), install.PEERS / "counted.py", json.dumps(list(waits))]
    told: list[dict[str, Any]] = run_peer([*command, str(patience), json.dumps(order)], line, work)
    return told


async def _ours(
    world: World, accounts: Sequence[str], folder: Path, waits: Sequence[int]
) -> list[dict[str, Any]]:
    phone = Phone(world.phone)
    async with open_aiya(world, folder, chat=_Caller(accounts)) as aiya:

        async def one(wait: int) -> dict[str, Any]:
            await aiya.say("1.00", thread=f"t{wait}")
            (approval,) = await aiya.waiting(f"t{wait}")
            await asyncio.sleep(wait)
            message = approval.binding_message
            (asked,) = [n for n in await phone.waiting() if n["binding_message"] == message]
            await phone.decide("approve", asked["id"])
            await aiya.settled(f"t{wait}")
            until = time.time()
            return {"wait": wait, "message": message, "collected": True, "until": until}

        results = await asyncio.gather(*map(one, waits))
        kept = _bytes_of(folder)
        runs = aiya.resumer.threads.runs
        more = [{"runs": runs[f"t{wait}"], "checkpoints": kept} for wait in waits]
        return [one | another for one, another in zip(results, more, strict=True)]


def _bytes_of(folder: Path) -> str:
    """Every byte of the threads' file and its journals."""
    files = folder.glob("threads.db*")
    return b"".join(path.read_bytes() for path in files).decode("latin-1")


class _Caller:
    """In place of a model: one transfer for each sentence, and a word once it has an answer."""

    def __init__(self, accounts: Sequence[str]) -> None:
        self._accounts = accounts

    async def __call__(self, messages: Any, tools: Any, say: Any) -> dict[str, Any]:
        last = messages[-1]
        if last["role"] != "user":
            return {"role": "assistant", "content": "Done."}
        source, target = self._accounts
        order = {"from_account": source, "to_account": target, "amount": last["content"]}
        function = {"name": "transfer_funds", "arguments": json.dumps(order | {"currency": "USD"})}
        call = {"id": f"call_{len(messages)}", "type": "function", "function": function}
        return {"role": "assistant", "content": "", "tool_calls": [call]}


@contextlib.contextmanager
def _trusting(authority: str) -> Iterator[None]:
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = authority
    try:
        yield
    finally:
        del os.environ["SSL_CERT_FILE"]
        if before is not None:
            os.environ["SSL_CERT_FILE"] = before


def _accounts(ledger: Path, user_id: str) -> list[str]:
    """The customer's accounts, from the bank's own file."""
    with contextlib.closing(sqlite3.connect(ledger)) as book:
        rows = book.execute("SELECT id FROM accounts WHERE owner = ? ORDER BY rowid", (user_id,))
        return [row[0] for row in rows]


def _version_of_sdk() -> str:
    code = f"import importlib.metadata as m; print(m.version({SDK!r}))"
    return subprocess.check_output([install.python_of("ai"), "-c", code], text=True).strip()


if __name__ == "__main__":
    main()
