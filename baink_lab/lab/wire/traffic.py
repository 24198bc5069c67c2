"""Who says what to whom: every message of a lab in the order of time, secrets masked.

Aiya's own requests come from hooks of the httpx clients that she is given, what she says from her
events, and what the customer pressed from the phone; or else from the answer that it explains.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import httpx

from baink_lab.auth0.wire import new_http
from baink_lab.clock import Clock
from baink_lab.lab.wire.watched import Exchange, exchange_of, masked

#: The lanes of the diagram, from left to right.
LANES = ("You", "Aiya", "Model", "Tenant", "Phone", "Bank")
KEPT = 200
LONGEST_DETAILS = 4000
_TOLD = ("error", "interval", "expires_in", "scope", "status", "id")


@dataclasses.dataclass(frozen=True)
class Message:
    """One arrow. No secret is in here.

    Attributes:
        at: seconds since the epoch, on the lab's clock.
        source: who speaks; one of `LANES`.
        target: to whom.
        title: in a few words.
        details: all of it, in lines.
        is_answer: drawn dashed.
        times: how often it came, one after another.
    """

    at: float
    source: str
    target: str
    title: str
    details: str = ""
    is_answer: bool = False
    times: int = 1

    @property
    def key(self) -> tuple[str, str, str]:
        """The same for messages that are drawn as one."""
        return self.source, self.target, self.title

    @property
    def words(self) -> str:
        """The message in one line, for people who cannot see the arrow."""
        often = f" ({self.times} times)" if self.times > 1 else ""
        return f"{self.source} to {self.target}: {self.title}{often}"


@dataclasses.dataclass
class _Asked:
    """A CIBA request whose end was not seen yet, and the button that was seen to be pressed."""

    message: str
    expires_at: float
    pressed: str = ""


class Traffic:
    """Collects messages, and tells whoever draws them.

    Args:
        clock: the lab's.

    Attributes:
        messages: oldest first; the newest `KEPT`.
        first: which number the oldest of them has; none is given twice.
        watchers: called after each change.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.messages: list[Message] = []
        self.first = 0
        self.watchers: list[Callable[[], object]] = []
        self._open: dict[str, _Asked] = {}  # by `Exchange.about`

    def clear(self) -> None:
        """Forget everything."""
        self._forget(len(self.messages))
        self._open.clear()
        self._tell()

    def exchanged(self, one: Exchange, source: str = "You") -> None:
        """A request and its answer over HTTP."""
        if one.path.startswith("/.well-known/"):
            return
        self._pressed_before(one)
        asked = f"{one.method} {one.path.partition('?')[0]}"
        if source == "Aiya" and _is_poll(one):  # it runs beside her graph, and has no lane
            asked = f"resumer polls: {asked}"
        self._add(source, one.to, asked, _lines(one.sent))
        self._add(one.to, source, _answer(one), _lines(one.received), is_answer=True)
        told = one.received if isinstance(one.received, dict) else {}
        if one.path.endswith("/bc-authorize") and "auth_req_id" in told:
            message = str((one.sent or {}).get("binding_message", ""))
            ends = self._clock.now() + float(told.get("expires_in", 300))
            self._open[one.about] = _Asked(message, ends)
            self._add("Tenant", "Phone", "push", message)

    def decided(self, decision: str, binding_message: str) -> None:
        """A button was pressed on the phone."""
        for asked in self._open.values():
            if asked.message == binding_message and not asked.pressed:
                asked.pressed = decision
                break
        self._add("Phone", "Tenant", decision, binding_message)

    def heard(self, thread: str, event: dict[str, Any]) -> None:
        """What graph and resumer tell: a listener of `Aiya.listen`."""
        match event["type"]:
            case "asked":
                self._add("You", "Aiya", _short(event["text"]), event["text"])
            case "said":
                self._add("Aiya", "You", _short(event["text"]), event["text"])

    def watched(self, to: str) -> httpx.AsyncClient:
        """A client for Aiya's requests to tenant or bank; whoever takes it closes it."""

        async def look(response: httpx.Response) -> None:
            await response.aread()
            self.exchanged(exchange_of(response, to), "Aiya")

        client = new_http()
        client.event_hooks = {"response": [look]}
        return client

    async def model_answered(self, response: Any) -> None:
        """Aiya asked her model: a hook of that client. The answer streams, so it is not read."""
        path = response.request.url.path
        sent = _lines(masked(_json(response.request.content)))
        self._add("Aiya", "Model", f"{response.request.method} {path}", sent)
        told = f"{response.status_code}{', streamed' if response.is_success else ''}"
        self._add("Model", "Aiya", told, is_answer=True)

    def _pressed_before(self, one: Exchange) -> None:
        """An answer that only a pressed button explains: on the phone's page, or a real phone."""
        told = one.received if isinstance(one.received, dict) else {}
        denied = told.get("error") == "access_denied"
        if not _is_poll(one) or not (denied or "access_token" in told):
            return
        asked = self._open.pop(one.about, None)
        if asked is None:
            return
        decision = "deny" if denied else "approve"
        # A button names a message, and two requests may have the same one.
        twins = [asked, *(other for other in self._open.values() if other.message == asked.message)]
        seen = next((twin for twin in twins if twin.pressed == decision), None)
        if seen is not None:
            seen.pressed = asked.pressed
        elif not denied or self._clock.now() < asked.expires_at:
            self._add("Phone", "Tenant", decision, asked.message)

    def _add(
        self, source: str, target: str, title: str, details: str = "", *, is_answer: bool = False
    ) -> None:
        now = self._clock.now()
        self.messages.append(
            Message(now, source, target, title, details[:LONGEST_DETAILS], is_answer)
        )
        last = self.messages[-4:]
        # Polls that bring nothing new: one pair of arrows, and how often.
        if is_answer and len(last) == 4 and [m.key for m in last[:2]] == [m.key for m in last[2:]]:
            more = [dataclasses.replace(m, times=m.times + 1) for m in last[:2]]
            self.messages[-4:] = more
        self._forget(max(0, len(self.messages) - KEPT))
        self._tell()

    def _forget(self, oldest: int) -> None:
        del self.messages[:oldest]
        self.first += oldest

    def _tell(self) -> None:
        for watcher in list(self.watchers):
            watcher()


def _is_poll(one: Exchange) -> bool:
    grant = one.sent.get("grant_type", "") if isinstance(one.sent, dict) else ""
    return str(grant).endswith(":ciba")


def _answer(one: Exchange) -> str:
    told = one.received if isinstance(one.received, dict) else {}
    parts = [name for name in ("access_token", "auth_req_id") if name in told]
    parts += [f"{name} {told[name]}" for name in _TOLD if isinstance(told.get(name), str | int)]
    return _short(", ".join([str(one.status), *parts]))


def _short(text: str, most: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _lines(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
