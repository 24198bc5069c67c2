"""What a user may do on each API: `/users/{id}/permissions` (contract section 5.8)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from baink_lab.sandbox.tenant.management.apis import no_such_api
from baink_lab.sandbox.tenant.management.call import Call, Endpoint
from baink_lab.sandbox.tenant.management.listing import Paging, list_documents
from baink_lab.sandbox.tenant.management.payload import Payload, refuse_payload
from baink_lab.sandbox.tenant.management.users import find_user
from baink_lab.sandbox.tenant.state import Tenant

_MAX_PERMISSIONS = 1000


class _Permission(Payload):
    resource_server_identifier: Annotated[str, Field(min_length=1, max_length=600)]
    permission_name: Annotated[str, Field(min_length=1, max_length=280)]


class _Permissions(Payload):
    permissions: Annotated[list[_Permission], Field(min_length=1, max_length=_MAX_PERMISSIONS)]


def endpoints() -> list[Endpoint]:
    """The operations on a user's permissions."""
    path, update = "/users/{id}/permissions", ("update:users",)
    return [
        Endpoint("GET", path, ("read:users",), _list),
        Endpoint("POST", path, update, _add, "Assign permissions to a user"),
        Endpoint("DELETE", path, update, _remove, "Remove permissions from a user"),
    ]


def _list(call: Call) -> Response:
    query = call.query(Paging)
    mine = [_shown(call.tenant, item) for item in _former(call)]
    by_name = {
        f"{item['resource_server_identifier']} {item['permission_name']}": item for item in mine
    }
    return list_documents(query, "permissions", by_name)


def _add(call: Call) -> Response:
    former = _former(call)
    given = call.body(_Permissions).model_dump()["permissions"]
    for item in given:
        api = call.tenant.api(item["resource_server_identifier"])
        if api is None:
            raise no_such_api()
        if all(scope["value"] != item["permission_name"] for scope in api["scopes"]):
            name = item["permission_name"][:64]
            refuse_payload(f"The resource server does not define {name}")
    changed = list(former)
    for item in given:
        if item not in changed:
            changed.append(item)
    call.tenant.permissions.put(call.params["id"], changed)
    return Response(status_code=201)


def _remove(call: Call) -> Response:
    former = _former(call)
    given = call.body(_Permissions).model_dump()["permissions"]
    left = [item for item in former if item not in given]
    call.tenant.permissions.put(call.params["id"], left)
    return Response(status_code=204)


def _former(call: Call) -> list[dict[str, Any]]:
    return list(call.tenant.permissions.get(find_user(call)["user_id"], []))


def _shown(tenant: Tenant, permission: dict[str, Any]) -> dict[str, Any]:
    api: dict[str, Any] = tenant.api(permission["resource_server_identifier"]) or {}
    texts = {scope["value"]: scope.get("description") for scope in api.get("scopes", [])}
    description = texts.get(permission["permission_name"]) or ""
    return {**permission, "resource_server_name": api.get("name", ""), "description": description}
