"""The sandbox as peers meet it: tenant over HTTPS, phone and bank over HTTP, on real sockets."""

from __future__ import annotations

import asyncio
import ssl
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import uvicorn

from baink_lab.auth0.tokens import TokenVerifier
from baink_lab.bank.api import create_app as create_bank
from baink_lab.bank.ledger import Ledger
from baink_lab.clock import SystemClock
from baink_lab.sandbox import phone
from baink_lab.sandbox.ports import listen
from baink_lab.sandbox.tenant import Tenant, create_app
from baink_lab.sandbox.tenant.tls import local_certificate

SECRET = "phone-of-the-interop-tests"


@contextmanager
def sandbox(folder: Path, *, interval: float = 1, relaxed: bool = True, port: int | None = None):
    """Yield the ready line, with `ca`: the certificate authority to trust.

    Args:
        folder: where its state is, and stays.
        interval: of CIBA requests, in seconds.
        relaxed: lift the limits a minute.
        port: of the tenant; a free one when left out.
    """
    tls = local_certificate(folder / "tls")
    wanted = {"tenant": port, "bank": None, "phone": None}
    sockets = {name: listen(one) for name, one in wanted.items()}
    ports = {name: bound.getsockname()[1] for name, bound in sockets.items()}
    issuer = f"https://127.0.0.1:{ports['tenant']}/"
    stop, ready = threading.Event(), threading.Event()
    line: dict = {"ca": str(tls.authority), "issuer": issuer, "tenant": issuer.rstrip("/")}
    line |= {"bank": f"http://127.0.0.1:{ports['bank']}"}
    line |= {"phone": f"http://127.0.0.1:{ports['phone']}/{SECRET}"}

    async def serve() -> None:
        path = folder / "tenant.db"
        opened = Tenant.open(path, issuer=issuer, interval=interval, relaxed=relaxed)
        trust = ssl.create_default_context(cafile=str(tls.authority))
        with closing(opened) as tenant, closing(Ledger.open(folder / "ledger.db")) as ledger:
            line.update(tenant.credentials())
            ben = tenant.user_by_email("ben@baink.example")
            ledger.seed(line["user_id"], ben["user_id"])
            async with httpx.AsyncClient(verify=trust, trust_env=False) as http:
                audience = line["audience"]
                audiences = [audience, audience.removesuffix("/transfers")]
                clock = SystemClock()
                verifier = TokenVerifier(issuer, audiences, http, clock)
                apps = {
                    "tenant": create_app(tenant),
                    "phone": phone.create_app(tenant, SECRET),
                    "bank": create_bank(ledger, verifier, transfers_audience=audience, clock=clock),
                }
                await _run(apps, sockets, tls, stop, ready)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    try:
        assert ready.wait(30), "the sandbox did not come up"
        yield line
    finally:
        stop.set()
        thread.join(20)
        for bound in sockets.values():
            bound.close()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self):
        yield


async def _run(apps, sockets, tls, stop, ready) -> None:
    servers = {}
    for name, app in apps.items():
        secure = {"ssl_certfile": tls.certificate, "ssl_keyfile": tls.key}
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
            **(secure if name == "tenant" else {}),
        )
        servers[name] = _Server(config)
    running = [
        asyncio.create_task(server.serve([sockets[name]])) for name, server in servers.items()
    ]
    while not all(server.started for server in servers.values()):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    ready.set()
    while not stop.is_set():  # noqa: ASYNC110 - a thread's event
        await asyncio.sleep(0.05)
    for server in servers.values():
        server.should_exit = True
    await asyncio.gather(*running)
