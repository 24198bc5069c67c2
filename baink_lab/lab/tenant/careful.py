"""Writes to a real tenant, one by one: looked at before, shown, agreed to, written down."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

from baink_lab.errors import BainkError, InOneSentence
from baink_lab.lab.tenant.journal import Journal, ids_in
from baink_lab.lab.wire.watched import masked

WRITES = frozenset(("POST", "PATCH", "PUT", "DELETE"))
BASE = "/api/v2/"
CHANGE = "baink_change"


class NotSent(InOneSentence, BainkError):
    """Nothing was sent to the tenant: the learner said no, or could not be asked."""

    code = "not_sent"


class Careful:
    """Event hooks for an httpx client of the Management API.

    Args:
        journal: where changes are written down.
        tenant: its domain, for people.
        reader: asks the same API what is there now; its paths are relative to the API.
        agreed: shows a question and returns the answer.
        tell: shows what will be sent.
    """

    def __init__(
        self,
        journal: Journal,
        tenant: str,
        reader: httpx.AsyncClient,
        agreed: Callable[[str], bool],
        tell: Callable[[str], object],
    ) -> None:
        self._journal = journal
        self._tenant = tenant
        self._reader = reader
        self._agreed = agreed
        self._tell = tell

    async def before(self, request: httpx.Request) -> None:
        """Look, show and ask; write down what is about to be sent.

        Raises:
            NotSent: the learner does not want it.
        """
        if request.method not in WRITES:
            return
        path = request.url.raw_path.decode().removeprefix(BASE).partition("?")[0]
        sent = json.loads(request.content) if request.content else None
        now, unread = await self._now(request.method, path, sent)
        same = request.method in {"PATCH", "PUT"} and not unread and now == sent
        if same:
            self._tell(f"{self._tenant} has this already; nothing changes.")
            return
        self._tell(_shown(self._tenant, request.method, path, sent, now, unread))
        if not self._agreed(f"Send it to {self._tenant}? [y/N] "):
            raise NotSent("You did not say yes, so nothing was sent.")
        request.extensions[CHANGE] = self._journal.begin(request.method, path, sent, now, unread)

    async def after(self, response: httpx.Response) -> None:
        """Write down what became of it."""
        change = response.request.extensions.get(CHANGE)
        if change is not None:
            await response.aread()
            self._journal.end(change, response.status_code, _made(response))

    async def _now(self, method: str, path: str, sent: Any) -> tuple[Any, str]:
        """What the touched fields hold, and why that cannot be known."""
        where, name = _where(method, path)
        if not where:
            return None, ""
        answer = await self._reader.get(where)
        if answer.status_code == 404:
            return None, ""
        if not answer.is_success:
            return None, f"GET {where} was answered HTTP {answer.status_code}"
        found = answer.json()
        if name:
            found = next((one for one in found if one.get("name") == name), {})
        if where.endswith("/permissions") and isinstance(found, list):
            return {"permissions": _held(found, sent)}, ""
        if method != "DELETE" and isinstance(sent, dict) and isinstance(found, dict):
            return {field: found.get(field) for field in sent}, ""
        return found, ""


def make_careful(http: httpx.AsyncClient, careful: Careful) -> httpx.AsyncClient:
    """From now on each write of `http` goes through `careful`; returns `http`."""
    hooks = http.event_hooks
    http.event_hooks = {
        "request": [careful.before, *hooks["request"]],
        "response": [careful.after, *hooks["response"]],
    }
    return http


def ask_person(question: str) -> bool:
    """Ask in the notebook or terminal.

    Raises:
        NotSent: nobody can answer there (nbconvert, nbval, a script).
    """
    try:
        return input(question).strip().lower() in {"y", "yes"}
    except (EOFError, NotImplementedError, OSError):
        raise NotSent(
            "Nothing was sent: nobody can be asked here. Run it in JupyterLab, or agree to all "
            "changes of this client beforehand: await lab.management(sure=True), or BAINK_YES=1."
        ) from None


def _where(method: str, path: str) -> tuple[str, str]:
    """Where the present state is read, and the name of the one in a list; empty: nowhere."""
    parts = path.split("/")
    if parts[:2] == ["guardian", "factors"] and len(parts) == 3:
        return "guardian/factors", parts[2]
    if method == "POST" and parts[-1] != "permissions":
        return "", ""  # something new
    return path, ""


def _held(found: list[dict[str, Any]], sent: Any) -> list[dict[str, Any]]:
    """The permissions in `sent` that the user has already."""
    wanted = sent.get("permissions", []) if isinstance(sent, dict) else []
    names = ("resource_server_identifier", "permission_name")
    held = [{name: one.get(name) for name in names} for one in found]
    return [one for one in held if one in wanted]


def _made(response: httpx.Response) -> dict[str, str]:
    try:
        return ids_in(response.json())
    except ValueError:
        return {}


def _shown(tenant: str, method: str, path: str, sent: Any, now: Any, unread: str) -> str:
    lines = [f"To be sent to {tenant}:", f"{method} {BASE}{path}"]
    sent, now = masked(sent), masked(now)
    if unread:
        lines.append(f"  what is there now cannot be read: {unread}")
    if isinstance(sent, dict) and isinstance(now, dict) and method != "DELETE":
        for field, then in sent.items():
            lines += _compared(field, now.get(field), then)
    elif method == "DELETE":
        lines.append(f"  takes away: {_text(sent if sent is not None else now)}")
    else:
        lines += [f"  now:  {_text(now)}"] if now is not None else ["  adds:"]
        lines.append(f"  then: {_text(sent)}" if now is not None else f"    {_text(sent)}")
    return "\n".join(lines)


def _compared(field: str, now: Any, then: Any) -> list[str]:
    if now == then:
        return [f"  {field}: stays {_text(then)}"]
    lines = [f"  {field}", f"    now:  {_text(now)}", f"    then: {_text(then)}"]
    if isinstance(now, list) and isinstance(then, list):
        lost = [one for one in now if one not in then]
        lines += [f"    TAKES AWAY: {_text(lost)}"] if lost else []
    return lines


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
