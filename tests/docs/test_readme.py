"""The README's program runs as it is printed, against a real sandbox."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import nbformat
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel

from baink_lab import approvals
from baink_lab.auth0 import CibaClient
from baink_lab.lab.phone.stand_in import Phone
from baink_lab.sandbox import launch
from baink_lab.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PROGRAM = re.search(r"```python\n(.*?)```", README, re.S)[1]


@pytest.mark.timeout(60)
async def test_the_program_pays_once_the_phone_said_yes(tmp_path):
    home = tmp_path / "home"
    ready = await launch.ensure(home, settings=Settings(baink_home=home), interval=1)
    paid, over = [], asyncio.Event()

    class Bank:
        async def pay(self, amount, token, key):
            paid.append((amount, bool(token), key[:4]))
            return {"id": "1"}

    async def model(state):
        if state["messages"][-1]["role"] != "user":
            over.set()
            return {"messages": [{"role": "assistant", "content": "Paid."}]}
        function = {"name": "pay", "arguments": json.dumps({"amount": "5.00"})}
        call = {"id": "call_1", "type": "function", "function": function}
        return {"messages": [{"role": "assistant", "content": "", "tool_calls": [call]}]}

    async def the_end():
        await Phone(ready["phone"]).approve()
        await over.wait()

    names = {name: getattr(approvals, name) for name in approvals.__all__} | {
        "json": json, "BaseModel": BaseModel, "CibaClient": CibaClient, "StateGraph": StateGraph,
        "START": START, "END": END, "InMemorySaver": InMemorySaver, "HERE": tmp_path,
        "ISSUER": ready["issuer"], "CLIENT_ID": ready["client_id"],
        "SECRET": ready["client_secret"], "AUDIENCE": ready["audience"], "bank": Bank(),
        "USER_ID": ready["user_id"], "model": model, "the_end_of_your_app": the_end,
        "HELLO": {"role": "user", "content": "pay the invoice"},
    }  # fmt: skip
    try:
        exec(compile(PROGRAM, "README.md", "exec"), names)
        await names["main"]()
    finally:
        await launch.stop(home)
    assert paid == [("5.00", True, "apr_")]


def test_the_program_is_short():
    assert len(PROGRAM.strip().splitlines()) < 30
    assert max(map(len, PROGRAM.splitlines())) <= 100


def test_each_lab_takes_the_minutes_of_reading_and_doing_that_it_says():
    told = re.findall(r"\]\(notebooks/([\w.]+)\) \|.*\| (\d+) \|$", README, re.M)
    assert len(told) == len(list((ROOT / "notebooks").glob("*.ipynb")))
    for name, minutes in told:
        first = nbformat.read(ROOT / "notebooks" / name, 4).cells[0].source
        reading, doing = re.search(r"Reading: (\d+) \w+\. Doing: (\d+) ", first).groups()
        assert int(minutes) == int(reading) + int(doing), name
