"""A tenant and its phone on real sockets, with one of everything in it, for test_openapi.py."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import threading
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import requests
from joserfc.jwk import RSAKey

from baink_lab.sandbox import phone
from baink_lab.sandbox.http import Server, new_loop
from baink_lab.sandbox.ports import listen
from baink_lab.sandbox.tenant import Tenant, access, create_app, models, tokens
from baink_lab.sandbox.tenant.guardian_transactions import enroll_device, pushes
from baink_lab.sandbox.tenant.values import iso
from tests.hostile import b64, signed

SECRET = "s3cret"
KEY = RSAKey.generate_key(2048)
CALLBACK = "http://127.0.0.1/callback"
MACHINE = "token of a machine"  # the one operation of the management client
CREDENTIAL = "cred_of_the_tests"
START_FIELDS = (
    "client_id",
    "client_secret",
    "login_hint",
    "scope",
    "audience",
    "binding_message",
)


class World:
    """A tenant and its phone on real sockets, and a value that is good wherever one is needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sockets = {name: listen(None) for name in ("tenant", "phone")}
        ports = {name: bound.getsockname()[1] for name, bound in self._sockets.items()}
        self.issuer = f"http://127.0.0.1:{ports['tenant']}/"
        self.phone = f"http://127.0.0.1:{ports['phone']}/{SECRET}"
        self._apps: dict = {}
        self.tenant: Tenant | None = None
        first = Tenant.open(folder / "first.db", issuer=self.issuer, relaxed=True)
        first.close()
        self._runner = threading.Thread(target=self._serve, daemon=True)
        self._up, self._stop = threading.Event(), None
        self._runner.start()
        assert self._up.wait(30)
        self.session = requests.Session()
        self.session.trust_env = False

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(self._run())

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        servers = {Server(self._app(name)): bound for name, bound in self._sockets.items()}
        running = [asyncio.create_task(server.run_on(bound)) for server, bound in servers.items()]
        for server in servers:
            await server.settled.wait()
        self._up.set()
        await self._stop.wait()
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*running)

    def _app(self, name):
        async def app(scope, receive, send):
            if scope["type"] == "http":
                await self._apps[name](scope, receive, send)

        return app

    def close(self) -> None:
        self.session.close()
        if self.tenant is not None:
            self.tenant.close()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._runner.join(20)
        for bound in self._sockets.values():
            bound.close()

    @contextmanager
    def fresh(self):
        """The tenant as at its first start, with one of everything in it."""
        path = self._folder / "now.db"
        for leftover in self._folder.glob("now.db*"):
            leftover.unlink()
        shutil.copy(self._folder / "first.db", path)
        self.tenant = Tenant.open(path, issuer=self.issuer, relaxed=True)
        try:
            self._apps = {
                "tenant": create_app(self.tenant),
                "phone": phone.create_app(self.tenant, SECRET),
            }
            self._furnish()
            yield self
        finally:
            self.tenant.close()
            self.tenant = None

    def _furnish(self) -> None:
        tenant, ids = self.tenant, self.tenant.credentials()
        self.management = self._token("client_credentials", management=True)
        client = tenant.clients[ids["client_id"]]
        granted = access.Access(None, ["openid", "profile", "email"])
        body = tokens.user_tokens(tenant, client, ids["user_id"], granted, models.CIBA_GRANT)
        self.user_token = body["access_token"]
        self.device = models.enroll(tenant, ids["user_id"], "phone")
        public = {"use": "sig", "alg": "RS256"} | {
            name: KEY.as_dict(private=False)[name] for name in ("kty", "n", "e")
        }
        self.public = public
        kept = {"identifier": "device-001"}
        self.device_token, _ = enroll_device(tenant, self.device["id"], kept, public)
        self.started = [self._start() for _ in range(2)]
        [self.push, approved] = pushes(tenant, tenant.enrollments[self.device["id"]])
        tenant.decide(approved["txlnkid"], "approve")
        tenant.credentials_of.put(CREDENTIAL, self._credential(ids["client_id"]))
        where = "api/v2/guardian/enrollments/ticket"
        ticket = {"user_id": ids["user_id"], "allow_multiple_enrollments": True}
        answer = self._post(where, json=ticket, headers=bearer(self.management))
        self.ticket = answer.json()["ticket_id"]
        page = self.session.get(f"{self.issuer}guardian/enroll?ticket={self.ticket}").text
        self.transaction = page.partition("enrollment_tx_id=")[2].partition("&")[0]
        query = {
            "response_type": "code",
            "client_id": ids["client_id"],
            "redirect_uri": CALLBACK,
        }
        begun = self.session.get(f"{self.issuer}authorize", params=query, allow_redirects=False)
        self.login = begun.headers["location"].partition("state=")[2]

    def _credential(self, client_id):
        moment = iso(self.tenant.now())
        return {
            "id": CREDENTIAL,
            "kid": KEY.thumbprint(),
            "credential_type": "public_key",
            "name": "",
            "alg": "RS256",
            "created_at": moment,
            "updated_at": moment,
            "_pem": KEY.as_pem(private=False).decode(),
            "_client_id": client_id,
        }

    def _post(self, path, **kwargs):
        answer = self.session.post(f"{self.issuer}{path}", **kwargs)
        assert answer.status_code == 200, answer.text
        return answer

    def _token(self, grant, *, management):
        ids = self.tenant.credentials()
        prefix = "management_" if management else ""
        form = {
            "grant_type": grant,
            "client_id": ids[f"{prefix}client_id"],
            "client_secret": ids[f"{prefix}client_secret"],
            "audience": self.tenant.management_audience,
        }
        return self._post("oauth/token", data=form).json()["access_token"]

    def _start(self):
        form = {name: self.good(name, "start") for name in START_FIELDS}
        return self._post("bc-authorize", data=form).json()["auth_req_id"]

    def good(self, name, operation):
        """A value that works in the place of `name`; None when any will do."""
        ids = self.tenant.credentials()
        machine = operation == MACHINE
        prefix = "management_" if machine else ""
        hint = {"format": "iss_sub", "iss": self.issuer, "sub": ids["user_id"]}
        simple = {
            "client_id": ids[f"{prefix}client_id"],
            "client_secret": ids[f"{prefix}client_secret"],
            "login_hint": json.dumps(hint),
            "scope": "openid create:transfer",
            "audience": self.tenant.management_audience if machine else ids["audience"],
            "binding_message": "Move 25.00 USD",
            "user_id": ids["user_id"],
            "username": ids["user_email"],
            "password": ids["user_password"],
            "email": ids["user_email"],
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "resource_server_identifier": ids["audience"],
            "permission_name": "create:transfer",
            "kid": self.tenant.keys.jwks()["keys"][0]["kid"],
            "pem": KEY.as_pem(private=False).decode(),
            "credential": CREDENTIAL,
        }
        return simple.get(name) or self._furnished(name, operation)

    def _furnished(self, name, operation):
        made = {
            "auth_req_id": lambda: self.started[-1],
            "ticket": lambda: self.ticket,
            "state": lambda: self.login,
            "public_key": lambda: self.public,
            "id": lambda: self.an_id(operation),
            "challenge_response": self.answer,
            "method": lambda: f"push-notification|{self.device['id']}",
        }
        return made[name]() if name in made else None

    def answer(self):
        """What the device signs to approve (contract section 6.4)."""
        now = int(time.time())
        claims = {
            "iat": now,
            "exp": now + 30,
            "aud": f"{self.issuer}appliance-mfa/api/resolve-transaction",
            "iss": "device-001",
            "sub": self.push["c"],
            "auth0_guardian_method": "push",
            "auth0_guardian_accepted": True,
        }
        return signed(KEY, claims)

    def proof(self):
        """What the device signs to see what is asked (contract section 6.3)."""
        digest = hashlib.sha256(self.push["txtkn"].encode()).digest()
        claims = {
            "htu": f"{self.issuer}rich-consents/{self.push['txlnkid']}",
            "htm": "GET",
            "ath": b64(digest),
            "jti": str(uuid.uuid4()),
            "iat": int(time.time()),
        }
        return signed(KEY, claims, {"typ": "dpop+jwt", "jwk": self.public})

    def an_id(self, operation):
        """What stands in the path of an operation: by a word of its name."""
        ids, log = self.tenant.credentials(), self.tenant.events.after(None, 1)
        device, consent = self.device["id"], self.push["txlnkid"]
        api = self.tenant.api(ids["audience"])
        words = {
            "client": ids["client_id"],
            "credential": ids["client_id"],
            "api": api["id"] if api else "gone",
            "grant": next(iter(self.tenant.grants), "gone"),
            "getenrollment": device,
            "deleteenrollment": device,
            "device": device,
            "pushes": device,
            "getlog": log[0]["log_id"],
            "consent": consent,
            "decide": consent,
        }
        found = (value for word, value in words.items() if word in operation.lower())
        return next(found, ids["user_id"])

    def authorization(self, operation):
        """The header that opens this operation, or None."""
        schemes = [name for one in operation.get("security", [{"management": []}]) for name in one]
        consent = operation["operationId"] == "consent"
        values = {
            "management": f"Bearer {self.management}",
            "user": f"Bearer {self.user_token}",
            "device": f"Bearer {self.device_token}",
            "transaction": f'Ticket id="{self.transaction}"',
            "push": f"{'MFA-DPoP' if consent else 'Bearer'} {self.push['txtkn']}",
        }
        return next((values[name] for name in schemes if name in values), None)


def bearer(token):
    return {"authorization": f"Bearer {token}"}
