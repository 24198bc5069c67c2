"""The order in which a question is recorded, asked and answered."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from langgraph.store.memory import InMemoryStore
from pydantic import BaseModel

from baink_lab.approvals import (
    Call,
    Desk,
    State,
    Tool,
    ToolRefused,
    Vault,
    with_async_authorization,
)
from baink_lab.approvals.approval import approval_id
from baink_lab.auth0 import CibaRequest, Tokens
from baink_lab.clock import VirtualClock

CALL = Call("auth0|ana", "thread", "call")


class Arguments(BaseModel):
    amount: str


async def pay(arguments, call):
    return {}


GATE = with_async_authorization(
    Tool("pay", "Pay.", Arguments, pay),
    scopes=["create:transfer"],
    audience="https://bank.example",
    binding_message=lambda arguments, call: f"Pay {arguments.amount}",
)


class Tenant:
    """Only `start` is needed here; what it finds in the store tells the order."""

    def __init__(self):
        self.pushes = 0
        self.seen = None

    async def start(self, **question):
        self.pushes += 1
        self.seen = await self.desk.get(approval_id("thread", "call"))
        if self.dies:
            raise KeyboardInterrupt  # as if the process ended here
        return CibaRequest("req", 300, 5, self.desk.clock.now())


@pytest.fixture
def desk():
    store, clock, tenant = InMemoryStore(), VirtualClock(), Tenant()
    desk = Desk(store, Vault(store, [Fernet.generate_key()], clock=clock), tenant, clock=clock)
    tenant.desk, tenant.dies = desk, False
    return desk


async def ask(desk, call=CALL):
    return await desk.ask(GATE, Arguments(amount="1.00"), call)


async def test_the_record_is_written_before_the_push_is_sent(desk):
    asked = await ask(desk)
    assert desk.ciba.seen.state is State.REQUESTING
    assert asked.state is State.PENDING
    assert (await desk.get(asked.id)) == asked


async def test_asking_again_for_the_same_call_sends_no_second_push(desk):
    first = await ask(desk)
    assert await ask(desk) == first
    assert desk.ciba.pushes == 1


async def test_a_process_that_died_at_the_push_ends_in_a_truthful_outcome(desk):
    desk.ciba.dies = True
    with pytest.raises(KeyboardInterrupt):
        await ask(desk)
    desk.ciba.dies = False
    again = await ask(desk)
    assert again.state is State.FAILED
    assert "never sent" in again.reason
    assert desk.ciba.pushes == 1


async def test_an_outcome_is_for_its_own_thread_and_call_alone(desk):
    asked = await ask(desk)
    await desk.settle(asked, "token arrived", tokens=Tokens("secret", 300))
    assert (await desk.outcome(asked.id, "thread", "call")).access_token == "secret"
    assert await desk.outcome(asked.id, "another", "call") is None
    assert await desk.outcome(asked.id, "thread", "another") is None
    assert await desk.outcome("apr_other", "thread", "call") is None


async def test_delivered_secrets_are_forgotten(desk):
    asked = await ask(desk)
    settled = await desk.settle(asked, "token arrived", tokens=Tokens("secret", 300))
    await desk.delivered(settled)
    assert await desk.outcome(asked.id, "thread", "call") is None
    assert await desk.request_of(asked) is None
    assert [one async for one in desk.undelivered()] == []


async def test_an_outcome_sealed_before_a_crash_is_taken_over_by_the_record(desk):
    asked = await ask(desk)
    await desk.settle(asked, "customer said no", "Denied.")
    await desk.save(asked)  # the batch was not atomic in this store: the record is behind
    mended = await desk.catch_up(asked)
    assert (mended.state, mended.reason) == (State.DENIED, "Denied.")


async def test_a_tenant_is_asked_no_more_often_than_it_takes(desk):
    few = Desk(desk.store, desk.vault, desk.ciba, clock=desk.clock, pushes_a_minute_in_all=2)
    for number in range(2):
        await ask(few, Call(f"user {number}", "thread", f"call {number}"))
    with pytest.raises(ToolRefused, match="Too many customers"):
        await ask(few, Call("user 3", "thread", "call 3"))
    assert desk.ciba.pushes == 2
    desk.clock.advance(60)
    await ask(few, Call("user 3", "thread", "call 3"))
