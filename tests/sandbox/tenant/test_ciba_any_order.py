"""CIBA requests in any order of events, against a small model of the contract's last section."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import shutil
import tempfile
from pathlib import Path

import httpx
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from joserfc import jwt
from joserfc.jwk import KeySet

from baink_lab.clock import VirtualClock
from baink_lab.sandbox import phone
from baink_lab.sandbox.tenant import Tenant, create_app, models
from tests.conftest import ISSUER

CIBA = models.CIBA_GRANT
DAY = 24 * 3600
GAPS = (0, 0, 0.5, 4, 1000)  # seconds before the next poll is due
DENIED = "The end-user denied the authorization request or it has been expired"
EXAMPLES = int(os.environ.get("BAINK_FUZZ_EXAMPLES", "5"))


@dataclasses.dataclass
class Asked:
    """One request as the contract's state machine has it."""

    key: str
    message: str
    expires_at: float
    interval: int = 5
    state: str = "PENDING"
    last_poll: float | None = None
    saved_interval: int = 5  # our choice: a restart forgets penalties since the last write
    notification: str = ""

    def poll(self, now: float) -> tuple[int, str]:
        """Status and error of the answer ("" with tokens)."""
        if self.state == "CONSUMED":
            return 400, "invalid_grant"
        last, self.last_poll = self.last_poll, now
        if last is not None and now - last < self.interval:
            self.interval += 5
            return 400, "slow_down"
        if self.state == "DENIED" or now >= self.expires_at:
            return 400, "access_denied"
        if self.state == "PENDING":
            return 400, "authorization_pending"
        self.state, self.saved_interval = "CONSUMED", self.interval
        return 200, ""

    def decide(self, approve: bool, now: float) -> int:
        """Status of the phone's answer."""
        if self.state != "PENDING" or now >= self.expires_at:
            return 409
        self.state = "APPROVED" if approve else "DENIED"
        self.saved_interval = self.interval
        return 204

    def restart(self) -> None:
        self.last_poll, self.interval = None, self.saved_interval


class AnyOrder(RuleBasedStateMachine):
    """The real app over ASGI, its file on disk, and the model beside it."""

    first: Path  # a new tenant's file
    requests = Bundle("requests")

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "tenant.db"
        shutil.copy(self.first, self.path)
        self.clock = VirtualClock()
        self.runner = asyncio.Runner()
        self.asked: list[Asked] = []
        self.sent: list[float] = []
        self.collected: set[str] = set()
        self.open()
        other = models.new_client(self.tenant, {"name": "other", "grant_types": [CIBA]})
        self.tenant.clients.put(other["client_id"], other)
        self.other = other["client_id"], other["client_secret"]
        ids = self.tenant.credentials()
        self.ours = ids["client_id"], ids["client_secret"]
        self.user_id, self.audience = ids["user_id"], ids["audience"]

    def open(self):
        self.tenant = Tenant.open(self.path, issuer=ISSUER, now=self.clock.now)
        apps = create_app(self.tenant), phone.create_app(self.tenant, "s")
        self.http, self.phone = (
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base)
            for app, base in zip(apps, (ISSUER, "http://phone/s/"), strict=True)
        )

    def teardown(self):
        if hasattr(self, "tenant"):
            self.tenant.close()
            self.runner.close()
            self.folder.cleanup()

    def post(self, path, **form):
        return self.runner.run(self.http.post(path, data=form))

    def token(self, key, client):
        client_id, secret = client
        return self.post(
            "oauth/token",
            grant_type=CIBA,
            auth_req_id=key,
            client_id=client_id,
            client_secret=secret,
        )

    def waiting(self):
        return self.runner.run(self.phone.get("notifications")).json()

    # -- what may happen ---------------------------------------------------------------------------

    @rule(target=requests, expiry=st.sampled_from([None, 7, 60, 300]))
    def start(self, expiry):
        self.clock.advance(0.125)  # no two at the same moment: the phone lists them by age
        now, number = self.clock.now(), len(self.asked)
        form = {
            "client_id": self.ours[0],
            "client_secret": self.ours[1],
            "login_hint": json.dumps({"format": "iss_sub", "iss": ISSUER, "sub": self.user_id}),
            "scope": "openid create:transfer",
            "audience": self.audience,
            "binding_message": f"Move {number}.00 USD",
        }
        if expiry is not None:
            form["requested_expiry"] = str(expiry)
        answer = self.post("bc-authorize", **form)
        self.sent = [moment for moment in self.sent if now - moment < 60]
        if len(self.sent) >= 5:
            assert answer.status_code == 429, answer.text
            assert int(answer.headers["retry-after"]) >= 1
            return multiple()
        self.sent.append(now)
        body = answer.json()
        assert (body["expires_in"], body["interval"]) == (expiry or 300, 5)
        asked = Asked(body["auth_req_id"], form["binding_message"], now + body["expires_in"])
        [asked.notification] = [
            item["id"] for item in self.waiting() if item["binding_message"] == asked.message
        ]
        self.asked.append(asked)
        return asked

    @rule(asked=requests)
    def poll(self, asked):
        now = self.clock.now()
        old = now >= asked.expires_at + DAY and asked.state != "CONSUMED"
        wanted = asked.poll(now)
        answer = self.token(asked.key, self.ours)
        body = answer.json()
        if old and body.get("error") == "invalid_grant":
            return  # purged: the contract allows both
        assert (answer.status_code, body.get("error", "")) == wanted, (wanted, body)
        if body.get("error") == "slow_down":
            assert body["interval"] == int(answer.headers["retry-after"]) == asked.interval
        if body.get("error") == "access_denied":
            assert body["error_description"] == DENIED
        if answer.status_code == 200:
            self.check_tokens(asked, body)

    def check_tokens(self, asked, body):
        assert asked.key not in self.collected, "given out twice"
        self.collected.add(asked.key)
        assert body["scope"] == "openid create:transfer"
        keys = self.runner.run(self.http.get(".well-known/jwks.json")).json()
        claims = jwt.decode(body["access_token"], KeySet.import_key_set(keys)).claims
        assert claims["sub"] == self.user_id
        assert claims["aud"] == [self.audience, f"{ISSUER}userinfo"]
        assert claims["exp"] - claims["iat"] == body["expires_in"]

    @rule(asked=requests, gaps=st.lists(st.sampled_from(GAPS), min_size=2, max_size=5))
    def poll_in_a_row(self, asked, gaps):
        """As clients do: politely, or too early after a polite poll."""
        for early in gaps:
            self.clock.advance(max(0.0, asked.interval - early))
            self.poll(asked)

    @rule(asked=requests, who=st.sampled_from(["other", "thief", "nobody"]))
    def poll_as_somebody_else(self, asked, who):
        """Nothing is given out, and it does not count as a poll of ours."""
        clients = {
            "other": self.other,
            "thief": (self.ours[0], "wrong"),
            "nobody": ("nobody", "wrong"),
        }
        answer = self.token(asked.key, clients[who])
        wanted = (400, "invalid_grant") if who == "other" else (401, "access_denied")
        assert (answer.status_code, answer.json()["error"]) == wanted

    @rule(key=st.sampled_from(["", "x", "\x00", "cns_" + "x" * 22, "a" * 80]))
    def poll_for_nothing(self, key):
        answer = self.token(key, self.ours)
        wanted = "invalid_grant" if key else "invalid_request"
        assert (answer.status_code, answer.json()["error"]) == (400, wanted)

    @rule(asked=requests, approve=st.booleans())
    def decide(self, asked, approve):
        old = self.clock.now() >= asked.expires_at + DAY
        wanted = asked.decide(approve, self.clock.now())
        body = {"decision": "approve" if approve else "deny"}
        where = f"notifications/{asked.notification}"
        answer = self.runner.run(self.phone.post(where, json=body))
        assert answer.status_code == wanted or (old and answer.status_code == 404), answer.text

    @rule(seconds=st.sampled_from([0.5, 4, 5, 5, 10, 15, 60, 301, DAY + 300]))
    def wait(self, seconds):
        self.clock.advance(seconds)

    @rule()
    def restart(self):
        self.tenant.close()
        self.open()
        self.sent = []
        for asked in self.asked:
            asked.restart()

    @invariant()
    def the_phone_shows_what_can_be_answered(self):
        if not hasattr(self, "tenant"):
            return
        now = self.clock.now()
        wanted = [
            asked.message
            for asked in self.asked
            if asked.state == "PENDING" and now < asked.expires_at
        ]
        assert [item["binding_message"] for item in self.waiting()] == wanted


@pytest.mark.timeout(600)
def test_whatever_happens_in_whatever_order(first_tenant):
    class Machine(AnyOrder):
        first = first_tenant

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
        ),
    )
