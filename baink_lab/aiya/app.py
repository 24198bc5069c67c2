"""Aiya at work: the graph, its memory on disk, and the resumer, opened together and closed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import httpx
from filelock import FileLock, Timeout
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from baink_lab.aiya.graph import build_graph
from baink_lab.aiya.model import ChatModel, model_node, openai_model
from baink_lab.aiya.tools import gated_transfer, read_tools
from baink_lab.approvals import Approval, Desk, Resumer, Tool, ToolRefused, Vault, key_from_file
from baink_lab.approvals.desk import PUSHES_A_MINUTE
from baink_lab.approvals.memory import sqlite_store
from baink_lab.auth0 import Auth0Error, CibaClient
from baink_lab.auth0.login import SessionTokens, log_in_with_form
from baink_lab.auth0.management import ManagementClient
from baink_lab.auth0.wire import LOOPBACK_DIRECT, new_http
from baink_lab.bank.client import BankClient
from baink_lab.clock import Clock, SystemClock
from baink_lab.errors import BainkError, InOneSentence
from baink_lab.settings import DEFAULT_MODEL, World

THREAD = "main"
LOCK_SECONDS = 5.0

Listener = Callable[[str, dict[str, Any]], None]
#: Gets the three tools and returns what Aiya shall have.
ChooseTools: TypeAlias = Callable[[list[Tool]], list[Tool]]
#: Gets desk, bank and tools; returns what `build_graph` shall use in place of its own nodes, by the
#: names of its parameters: ``run_tool``, ``request_approval``, ``act``.
ChooseNodes: TypeAlias = Callable[[Desk, BankClient, Sequence[Tool]], Mapping[str, Any]]


class AiyaBusy(InOneSentence, BainkError):
    """Another process has this Aiya's memory open."""

    code = "aiya_busy"


class Aiya:
    """The assistant of one customer. Made by `open_aiya`.

    Attributes:
        graph: the compiled graph.
        resumer: wakes its threads.
        user_id: the customer.
        found: the approvals that waited in the folder when it was opened, oldest first.
        tools: her registry: what the model may choose from.
    """

    def __init__(
        self,
        graph: Any,
        resumer: Resumer,
        user_id: str,
        hub: _Hub,
        found: list[Approval],
        tools: Sequence[Tool],
    ) -> None:
        self.graph = graph
        self.resumer = resumer
        self.user_id = user_id
        self.found = found
        self.tools = list(tools)
        self._hub = hub

    async def say(self, text: str, *, thread: str = THREAD) -> str:
        """Say something to Aiya; returns once she has answered, or sleeps until the phone does.

        Returns:
            What she said in this turn; empty when she only sent a push.

        Raises:
            ModelUnavailable: the model gave no answer; what was said is kept.
        """
        said: list[str] = []
        self._hub.tell(thread, {"type": "asked", "text": text})
        with self.listen(lambda at, event: _note(said, thread, at, event)):
            entry = {"messages": [{"role": "user", "content": text}]}
            await self.resumer.enter(entry, thread, self.user_id)
        return "\n\n".join(said)

    @contextlib.contextmanager
    def listen(self, listener: Listener) -> Any:
        """Call `listener` with thread and event for all that happens, while the block runs."""
        self._hub.listeners.append(listener)
        try:
            yield
        finally:
            self._hub.listeners.remove(listener)

    async def messages(self, thread: str = THREAD) -> list[dict[str, Any]]:
        """What was said on a thread so far, as OpenAI chat messages."""
        config: Any = {"configurable": {"thread_id": thread}}
        state = await self.graph.aget_state(config)
        return list(state.values.get("messages", []))

    async def waiting(self, thread: str | None = None) -> list[Approval]:
        """The approvals that a thread, or all of them, wait for; oldest first."""
        found = await _oldest_first(self.resumer.desk)
        return [one for one in found if thread in {None, one.thread_id}]

    async def settled(self, thread: str | None = None) -> None:
        """Return once no approval waits any more and Aiya has spoken of each outcome."""
        while True:
            self._hub.delivered.clear()
            if not await self.waiting(thread):
                return
            await self._hub.delivered.wait()


class _Hub:
    """Passes on what graph and desk tell to whoever listens at the moment."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self.delivered = asyncio.Event()

    def tell(self, thread: str, event: dict[str, Any]) -> None:
        for listener in list(self.listeners):
            listener(thread, event)

    def on_delivered(self, approval: Approval) -> None:
        self.delivered.set()
        self.tell(approval.thread_id, {"type": "delivered", "approval_id": approval.id})


@contextlib.asynccontextmanager
async def open_aiya(
    world: World,
    folder: Path,
    *,
    model: str = DEFAULT_MODEL,
    api_key: str = "",
    chat: ChatModel | None = None,
    tools: ChooseTools | None = None,
    nodes: ChooseNodes | None = None,
    session: SessionTokens | None = None,
    enroll: Callable[[str], Awaitable[str]] | None = None,
    requested_expiry: int | None = None,
    pushes_a_minute: int = PUSHES_A_MINUTE,
    vault_keys: Sequence[str] = (),
    clock: Clock | None = None,
    tenant_http: httpx.AsyncClient | None = None,
    bank_http: httpx.AsyncClient | None = None,
    model_hook: Callable[[Any], Awaitable[None]] | None = None,
    watch: bool = True,
) -> AsyncIterator[Aiya]:
    """Open Aiya with the memory in `folder`; approvals that waited there are taken up at once.

    Args:
        world: where tenant, bank and model are.
        folder: holds threads, approvals and the vault's key; one process at a time.
        model: the model's name.
        api_key: of the model's server; the sandbox takes any.
        chat: in place of the model behind `world.model`.
        tools: changes what Aiya has, see `ChooseTools`.
        nodes: puts other nodes into her graph, see `ChooseNodes`.
        session: the customer's login; the sandbox's demo customer when left out.
        enroll: gives the address where a customer enrolls a phone; an enrolment ticket of the
            Management API when left out.
        requested_expiry: seconds that the customer has to answer a push.
        pushes_a_minute: how often the customer is asked within a minute.
        vault_keys: Fernet keys, the first seals; one in a file of its own when left out.
        clock: what tells the time.
        tenant_http: in place of a client of our own; whoever made it closes it.
        bank_http: the same for the bank.
        model_hook: gets each response of the model's server as its first bytes come.
        watch: whether the resumer runs here; not where another one looks after the same store.

    Raises:
        AiyaBusy: another process has the folder open.
    """
    clock = clock or SystemClock()
    hub = _Hub()
    async with contextlib.AsyncExitStack() as opened:
        opened.enter_context(_alone(folder))
        saver = await opened.enter_async_context(
            AsyncSqliteSaver.from_conn_string(str(folder / "threads.db"))
        )
        store = await opened.enter_async_context(sqlite_store(folder / "approvals.db"))
        own = await opened.enter_async_context(new_http())
        bank = await opened.enter_async_context(BankClient(world.bank, http=bank_http))
        ciba = await opened.enter_async_context(
            CibaClient(
                world.issuer, world.client_id, world.client_secret, http=tenant_http, clock=clock
            )
        )
        tokens = session or SessionTokens(
            lambda: log_in_with_form(world, http=tenant_http, clock=clock), clock=clock
        )
        ours = [
            *read_tools(bank, lambda user_id: _token(tokens, user_id)),
            gated_transfer(
                bank,
                lambda user_id: _token(tokens, user_id),
                audience=world.audience,
                requested_expiry=requested_expiry,
            ),
        ]
        chosen = tools(ours) if tools else ours
        if chat is None:
            client = AsyncOpenAI(
                base_url=world.model,
                api_key=api_key or "sandbox",
                http_client=DefaultAsyncHttpxClient(
                    mounts=LOOPBACK_DIRECT,
                    event_hooks={"response": [model_hook] if model_hook else []},
                ),
            )
            opened.push_async_callback(client.close)
            chat = openai_model(client, model)
        vault = Vault(store, vault_keys or [key_from_file(folder / "vault.key")], clock=clock)
        desk = Desk(
            store,
            vault,
            ciba,
            enroll=enroll or (lambda user_id: _ticket(world, tenant_http or own, user_id, clock)),
            clock=clock,
            pushes_a_minute=pushes_a_minute,
        )
        desk.on_delivered(hub.on_delivered)
        graph = build_graph(
            model=model_node(chat, chosen),
            tools=chosen,
            desk=desk,
            checkpointer=saver,
            **(nodes(desk, bank, chosen) if nodes else {}),
        )
        found = await _oldest_first(desk)
        resumer = Resumer(graph, desk=desk, clock=clock, on_event=hub.tell)
        if watch:
            await opened.enter_async_context(resumer)
        opened.push_async_callback(resumer.threads.aclose)
        yield Aiya(graph, resumer, world.user_id, hub, found, chosen)


async def _oldest_first(desk: Desk) -> list[Approval]:
    found = [one async for one in desk.undelivered()]
    return sorted(found, key=lambda one: one.created_at)


@contextlib.contextmanager
def _alone(folder: Path) -> Any:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(folder / "aiya.lock", timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout:
        raise AiyaBusy(
            f"Another program has {folder} open: shut down its kernel (Kernel menu), or end it."
        ) from None
    try:
        yield
    finally:
        lock.release()


async def _token(tokens: SessionTokens, user_id: str) -> str:
    """A token of this very customer's session."""
    try:
        token = await tokens.current()
    except Auth0Error as failure:
        raise ToolRefused(failure.sentence, code="not_logged_in") from failure
    if token.subject != user_id:
        raise ToolRefused("The session is another customer's. Log in again.", code="wrong_session")
    return token.access_token


async def _ticket(world: World, http: httpx.AsyncClient, user_id: str, clock: Clock) -> str:
    credentials = (world.management_client_id, world.management_client_secret)
    management = ManagementClient(world.issuer, *credentials, http=http, clock=clock)
    return await management.enrollment_ticket(user_id)


def _note(said: list[str], thread: str, at: str, event: dict[str, Any]) -> None:
    if at == thread and event["type"] == "said":
        said.append(event["text"])
