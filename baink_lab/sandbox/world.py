"""What a sandbox serves: the state of one folder opened, and the apps that stand on it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from baink_lab.auth0.tokens import TokenVerifier
from baink_lab.auth0.wire import new_http
from baink_lab.bank.api import create_app as create_bank
from baink_lab.bank.ledger import Ledger
from baink_lab.bank.opening import OTHER_CUSTOMER
from baink_lab.clock import Clock, SystemClock
from baink_lab.sandbox import control, model, phone, tenant
from baink_lab.sandbox import home as files
from baink_lab.sandbox.lab_time import SandboxTime
from baink_lab.sandbox.loopback import loopback_http
from baink_lab.sandbox.outage import Outage
from baink_lab.settings import Settings

OTHER_EMAIL = "ben@baink.example"


@dataclasses.dataclass(frozen=True)
class TenantOptions:
    """How the sandbox's tenant behaves.

    Attributes:
        interval: polling interval of CIBA requests, in seconds.
        expires: default life of a CIBA request, in seconds.
        relaxed: lift the limits a minute, for tests.
    """

    interval: float = 5
    expires: int = 300
    relaxed: bool = False


def services(settings: Settings) -> list[str]:
    """What is served here; the first is the one whose port a person may choose."""
    shared = ["bank", "model"]
    return shared if settings.mode == "live" else ["tenant", *shared, "phone", "control"]


@contextlib.asynccontextmanager
async def open_world(
    folder: Path,
    settings: Settings,
    bases: Mapping[str, str],
    options: TenantOptions,
    ca: Path | None = None,
) -> AsyncIterator[tuple[dict[str, Any], dict[str, ASGIApp]]]:
    """Open the state, yield the ready line and the app of each service, close the state.

    Args:
        folder: where tenant.db and ledger.db live.
        settings: decide whether the tenant is ours or a real one.
        bases: the base URL, without trailing slash, of each of `services`.
        options: of our own tenant; a real one has its own.
        ca: the authority behind our own https addresses.
    """
    apps: dict[str, ASGIApp] = {}
    line: dict[str, Any] = {"mode": settings.mode, "pid": os.getpid()}
    line |= {"bank": bases["bank"], "model": f"{bases['model']}/v1"}
    line |= {"ca": str(ca)} if ca else {}
    other = OTHER_CUSTOMER
    clock: Clock = SystemClock()
    with contextlib.ExitStack() as opened:
        if settings.mode == "live":
            line |= _live(settings)
        else:
            line |= {"tenant": bases["tenant"], "issuer": f"{bases['tenant']}/"}
            time = SandboxTime(folder)
            clock = time.clock
            realm = opened.enter_context(_tenant(folder, line["issuer"], options, clock))
            line |= realm.credentials()
            for name in ("phone", "control"):
                line[name] = f"{bases[name]}/{_secret(folder, name)}"
            outage = Outage(tenant.create_app(realm), clock.now)
            apps |= {"tenant": outage, "phone": phone.create_app(realm, _secret(folder, "phone"))}
            apps["control"] = control.create_app(time, outage, realm, _secret(folder, "control"))
            other = (realm.user_by_email(OTHER_EMAIL) or {}).get("user_id", other)
        apps["model"] = model.create_app(clock)
        ledger = opened.enter_context(contextlib.closing(Ledger.open(folder / "ledger.db")))
        if line["user_id"]:  # in live mode the customer may be named later
            ledger.seed(line["user_id"], other)
        # To our own tenant no proxy; to a real one whatever the environment says.
        async with (
            new_http() if settings.mode == "live" else loopback_http(10.0, line.get("ca")) as http
        ):
            apps["bank"] = _bank(ledger, line, http, clock)
            yield line, apps


def accounts_audience(audience: str) -> str:
    """The identifier of the read-only accounts API beside the transfers API."""
    return audience.removesuffix("/transfers")


def _live(settings: Settings) -> dict[str, Any]:
    """The tenant's half of the ready line; secrets stay in the settings (see Settings.world)."""
    tenant_url = f"https://{settings.auth0_domain}"
    return {
        "tenant": tenant_url,
        "issuer": f"{tenant_url}/",
        "phone": None,
        "client_id": settings.auth0_client_id,
        "client_secret": "",
        "user_id": settings.auth0_user_id,
        "audience": settings.baink_audience,
    }


@contextlib.contextmanager
def _tenant(
    folder: Path, issuer: str, options: TenantOptions, clock: Clock
) -> Iterator[tenant.Tenant]:
    realm = tenant.Tenant.open(
        folder / "tenant.db", issuer=issuer, now=clock.now, **dataclasses.asdict(options)
    )
    with contextlib.closing(realm):
        yield realm


def _bank(
    ledger: Ledger, line: Mapping[str, Any], http: httpx.AsyncClient, clock: Clock
) -> ASGIApp:
    audience = str(line["audience"])
    verifier = TokenVerifier(
        str(line["issuer"]), [audience, accounts_audience(audience)], http, clock
    )
    return create_bank(ledger, verifier, transfers_audience=audience, clock=clock)


def _secret(folder: Path, name: str) -> str:
    """The path segment that guards a service; kept, so that an open phone page stays good."""
    remembered = files.read_json(folder / files.ADDRESSES)
    secret = remembered.get(f"{name}_secret")
    if not isinstance(secret, str) or len(secret) < 22:
        secret = secrets.token_urlsafe(16)
        files.write_json(folder / files.ADDRESSES, remembered | {f"{name}_secret": secret})
    return secret
