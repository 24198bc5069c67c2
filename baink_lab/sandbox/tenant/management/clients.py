"""Clients: `/clients` and `/clients/{id}` (contract section 5.4)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from baink_lab.sandbox.tenant import models
from baink_lab.sandbox.tenant.client_auth import is_public
from baink_lab.sandbox.tenant.errors import ManagementError
from baink_lab.sandbox.tenant.management import bearer
from baink_lab.sandbox.tenant.management.call import Call, Endpoint
from baink_lab.sandbox.tenant.management.client_fields import NewClient, check_client
from baink_lab.sandbox.tenant.management.listing import Fields, FieldsPaging, list_documents
from baink_lab.sandbox.tenant.management.merge import merged
from baink_lab.sandbox.tenant.management.payload import refuse_payload
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.values import base62
from baink_lab.sandbox.tenant.wire import answer

_PUBLIC_APP = {
    "grant_types": ["authorization_code", "implicit", "refresh_token"],
    "token_endpoint_auth_method": "none",
}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "native": _PUBLIC_APP,
    "spa": _PUBLIC_APP,
    "non_interactive": {"grant_types": ["client_credentials"]},
}


class _Filter(FieldsPaging):
    """What `GET /clients` takes."""

    app_type: str | None = None
    is_first_party: bool | None = None
    is_global: bool | None = None


def endpoints() -> list[Endpoint]:
    """The operations on clients."""
    return [
        Endpoint("GET", "/clients", _READ, _list),
        Endpoint("POST", "/clients", ("create:clients",), _create, "Create a client"),
        Endpoint("GET", "/clients/{id}", _READ, _get),
        Endpoint("PATCH", "/clients/{id}", ("update:clients",), _update, "Update a client"),
        Endpoint("DELETE", "/clients/{id}", ("delete:clients",), _delete, "Delete a client"),
    ]


_READ = ("read:clients", "read:client_keys", "read:client_credentials")


def _list(call: Call) -> Response:
    query = call.query(_Filter)
    wanted = {
        "app_type": query.app_type,
        "is_first_party": query.is_first_party,
        "global": query.is_global,
    }
    found = {
        key: _shown(call, client)
        for key, client in call.tenant.clients.items()
        if all(value is None or client.get(name) == value for name, value in wanted.items())
    }
    return list_documents(query, "clients", found)


def _get(call: Call) -> Response:
    client = find_client(call.tenant, call.params["id"])
    return answer(call.query(Fields).cut(_shown(call, client)))


def _create(call: Call) -> Response:
    given = call.body(NewClient).given()
    if given.get("name") is None:
        refuse_payload("Missing required property: name")
    if "client_authentication_methods" in given:
        bearer.require_for_fields(call.scopes, "create:client_credentials")
    fields = dict(_DEFAULTS.get(given.get("app_type", ""), {}))
    if given.get("is_first_party") is False:
        fields["client_id"] = f"tpc_{base62(28)}"
    client = merged(models.new_client(call.tenant, fields), given)
    check_client(call.tenant, client)
    call.tenant.clients.put(client["client_id"], client)
    return answer(_shown(call, client), 201)


def _update(call: Call) -> Response:
    former = find_client(call.tenant, call.params["id"])
    given = call.body(NewClient).given()
    if "client_secret" in given:
        bearer.require_for_fields(call.scopes, "update:client_keys")
    if "client_authentication_methods" in given:
        bearer.require_for_fields(call.scopes, "update:client_credentials")
    if given.get("is_first_party", former["is_first_party"]) != former["is_first_party"]:
        refuse_payload("is_first_party cannot be changed")
    client = merged(former, given)
    check_client(call.tenant, client)
    call.tenant.clients.put(client["client_id"], client)
    return answer(_shown(call, client))


def _delete(call: Call) -> Response:
    tenant, client_id = call.tenant, call.params["id"]
    if client_id not in tenant.clients:  # deleting twice is no fault
        return Response(status_code=204)
    owned = (
        (tenant.grants, "client_id"),
        (tenant.refresh_tokens, "client_id"),
        (tenant.credentials_of, "_client_id"),
    )
    for collection, owner in owned:
        for key in [key for key, item in collection.items() if item[owner] == client_id]:
            collection.remove(key)
    tenant.clients.remove(client_id)
    return Response(status_code=204)


def find_client(tenant: Tenant, client_id: str) -> dict[str, Any]:
    """The client with this id.

    Raises:
        ManagementError: 404.
    """
    client = tenant.clients.get(client_id)
    if client is None:
        raise ManagementError(404, "Client not found.", "inexistent_client")
    return dict(client)


def _shown(call: Call, client: dict[str, Any]) -> dict[str, Any]:
    shown = models.public(client)
    if "read:client_keys" not in call.scopes or is_public(client):
        shown.pop("client_secret", None)
    return shown
