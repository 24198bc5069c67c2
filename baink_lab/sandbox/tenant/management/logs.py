"""The tenant's log: `/logs`, `/logs/{id}` and `/users/{id}/logs` (contract section 5.9)."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from pydantic import Field
from starlette.responses import Response

from baink_lab.sandbox.tenant.errors import ManagementError
from baink_lab.sandbox.tenant.management.call import Call, Endpoint
from baink_lab.sandbox.tenant.management.listing import MAX_PER_PAGE, FieldsPaging
from baink_lab.sandbox.tenant.management.payload import refuse_query
from baink_lab.sandbox.tenant.management.search import compile_query
from baink_lab.sandbox.tenant.management.users import find_user
from baink_lab.sandbox.tenant.wire import answer

MAX_BY_PAGE = 1000  # entries that page paging reaches
_SEARCHED = ("type", "description", "client_name", "user_name", "ip")
_Text = Annotated[str, Field(max_length=1024)]


class _Query(FieldsPaging):
    """What the lists take. `search` is what the Python SDK sends for `q` (quirk 22)."""

    sort: Annotated[str, Field(pattern=r"^date:(1|-1)$")] = "date:-1"
    q: _Text = ""
    search: _Text = ""


def endpoints() -> list[Endpoint]:
    """The operations on logs: none of them writes."""
    scopes = ("read:logs", "read:logs_users")
    return [
        Endpoint("GET", "/logs", scopes, _list),
        Endpoint("GET", "/logs/{id}", scopes, _get),
        Endpoint("GET", "/users/{id}/logs", scopes, _of_user),
    ]


def _list(call: Call) -> Response:
    query = call.query(_Query)
    return _checkpoint(call, query) if query.by_checkpoint else _page(call, query, None)


def _get(call: Call) -> Response:
    entry = call.tenant.events.find(call.params["id"])
    if entry is None:
        raise ManagementError(404, "The log entry does not exist.", "inexistent_log")
    return answer(entry)


def _of_user(call: Call) -> Response:
    user = find_user(call)
    return _page(call, call.query(_Query), user["user_id"])


def _checkpoint(call: Call, query: _Query) -> Response:
    """Entries newer than `from`; every other parameter is ignored."""
    take = query.take or MAX_PER_PAGE
    entries = call.tenant.events.after(query.from_, take)
    if entries is None:
        refuse_query("No such log entry on property from")
    last = entries[-1]["log_id"] if entries else query.from_
    headers = {}
    if last is not None:
        url = f"{call.tenant.issuer}api/v2/logs?{urlencode({'from': last, 'take': take})}"
        headers["link"] = f'<{url}>; rel="next"'
    return answer(entries, headers=headers)


def _page(call: Call, query: _Query, user_id: str | None) -> Response:
    if (query.page + 1) * query.per_page > MAX_BY_PAGE:
        refuse_query(f"You can only page through the first {MAX_BY_PAGE} records")
    test = compile_query(query.q or query.search, _SEARCHED)
    found = [
        entry
        for entry in call.tenant.events.newest_first()
        if user_id in (None, entry.get("user_id")) and test(entry)
    ]
    if query.sort == "date:1":
        found.reverse()
    return query.answer("logs", [query.cut(entry) for entry in found])
