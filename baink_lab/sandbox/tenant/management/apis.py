"""Resource servers: `/resource-servers` and `/resource-servers/{id}` (contract section 5.5)."""

from __future__ import annotations

import secrets
from typing import Any

from pydantic import Field
from starlette.responses import Response

from baink_lab.sandbox.tenant import models
from baink_lab.sandbox.tenant.errors import ManagementError
from baink_lab.sandbox.tenant.management.api_fields import ApiFields, NewApi, check_api
from baink_lab.sandbox.tenant.management.call import Call, Endpoint
from baink_lab.sandbox.tenant.management.listing import Fields, FieldsPaging, list_documents
from baink_lab.sandbox.tenant.management.merge import merged
from baink_lab.sandbox.tenant.management.payload import refuse_payload
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.wire import answer

_RESERVED_PATHS = ("", "api/v2", "api/v2/", "me/", "mfa/", "userinfo")
_SYSTEM_MAY_CHANGE = {"token_lifetime", "token_lifetime_for_web"}


class _Filter(FieldsPaging):
    """What `GET /resource-servers` takes."""

    identifiers: list[str] = Field([])


def endpoints() -> list[Endpoint]:
    """The operations on resource servers."""
    one = "/resource-servers/{id}"
    read, create, update, delete = (
        (f"{verb}:resource_servers",) for verb in ("read", "create", "update", "delete")
    )
    return [
        Endpoint("GET", "/resource-servers", read, _list),
        Endpoint("POST", "/resource-servers", create, _create, "Create a resource server"),
        Endpoint("GET", one, read, _get),
        Endpoint("PATCH", one, update, _update, "Update a resource server"),
        Endpoint("DELETE", one, delete, _delete, "Delete a resource server"),
    ]


def find_api(tenant: Tenant, name: str) -> dict[str, Any]:
    """The resource server with this id or identifier.

    Raises:
        ManagementError: 404.
    """
    api = tenant.apis.get(name) or tenant.api(name)
    if api is None:
        raise no_such_api()
    return dict(api)


def no_such_api() -> ManagementError:
    """404: no resource server has that name."""
    return ManagementError(404, "Resource server not found.", "inexistent_resource_server")


def _list(call: Call) -> Response:
    query = call.query(_Filter)
    found = {
        key: models.public(api)
        for key, api in call.tenant.apis.items()
        if not query.identifiers or api["identifier"] in query.identifiers
    }
    return list_documents(query, "resource_servers", found)


def _get(call: Call) -> Response:
    api = find_api(call.tenant, call.params["id"])
    return answer(call.query(Fields).cut(models.public(api)))


def _create(call: Call) -> Response:
    given = call.body(NewApi).given()
    tenant, identifier = call.tenant, given["identifier"]
    if identifier in {form + path for form in tenant.issuer_forms() for path in _RESERVED_PATHS}:
        raise ManagementError(400, "The selected identifier is reserved.", "invalid_body")
    if tenant.api(identifier) is not None:
        text = "A resource server with the same identifier already exists."
        raise ManagementError(409, text, "resource_server_conflict")
    lifetimes = {name: given[name] for name in _SYSTEM_MAY_CHANGE & set(given)}
    named = {"name": identifier, "identifier": identifier, **lifetimes}
    return answer(_saved(tenant, models.new_api(named), given), 201)


def _update(call: Call) -> Response:
    former = find_api(call.tenant, call.params["id"])
    given = call.body(ApiFields).given()
    if former["is_system"] and not set(given) <= _SYSTEM_MAY_CHANGE:
        refuse_payload("System resource servers cannot be modified")
    if "token_lifetime_for_web" not in given and "token_lifetime" in given:
        web = min(former["token_lifetime_for_web"], given["token_lifetime"])
        given["token_lifetime_for_web"] = web
    return answer(_saved(call.tenant, former, given))


def _delete(call: Call) -> Response:
    tenant, name = call.tenant, call.params["id"]
    api = tenant.apis.get(name) or tenant.api(name)
    if api is None:  # a missing one is not listed as a fault
        return Response(status_code=204)
    if api["is_system"]:
        raise ManagementError(400, "System resource servers cannot be deleted.", "invalid_body")
    identifier = api["identifier"]
    for key in [key for key, item in tenant.grants.items() if item["audience"] == identifier]:
        tenant.grants.remove(key)
    for user_id, mine in list(tenant.permissions.items()):
        left = [item for item in mine if item["resource_server_identifier"] != identifier]
        if len(left) < len(mine):
            tenant.permissions.put(user_id, left)
    tenant.apis.remove(api["id"])
    return Response(status_code=204)


def _saved(tenant: Tenant, former: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    api = merged(former, given)
    if api.get("consent_policy") == "standard":
        api["consent_policy"] = None
    if api["signing_alg"] == "HS256":
        api["signing_secret"] = api.get("signing_secret") or secrets.token_urlsafe(32)
    else:
        api.pop("signing_secret", None)
    check_api(api)
    return models.public(models.save_api(tenant, api))
