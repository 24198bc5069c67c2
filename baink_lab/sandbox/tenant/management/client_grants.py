"""Client grants: `/client-grants` and `/client-grants/{id}` (contract section 5.6)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.responses import Response

from baink_lab.sandbox.tenant import models
from baink_lab.sandbox.tenant.errors import ManagementError
from baink_lab.sandbox.tenant.management.api_fields import DetailsType
from baink_lab.sandbox.tenant.management.apis import no_such_api
from baink_lab.sandbox.tenant.management.call import Call, Endpoint
from baink_lab.sandbox.tenant.management.clients import find_client
from baink_lab.sandbox.tenant.management.listing import Paging, list_documents
from baink_lab.sandbox.tenant.management.payload import Payload, refuse_payload
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.wire import answer

_MAX_SCOPES = 1000
_MAX_TYPES = 10

SubjectType = Literal["client", "user"]


class _GrantFields(Payload):
    """The body of PATCH."""

    scope: list[Annotated[str, Field(min_length=1, max_length=280)]] = Field(
        [], max_length=_MAX_SCOPES
    )
    authorization_details_types: list[DetailsType] = Field([], max_length=_MAX_TYPES)
    allow_all_scopes: bool = False
    organization_usage: Literal["deny", "allow", "require"] = "deny"
    allow_any_organization: bool = False


class _NewGrant(_GrantFields):
    """The body of POST."""

    client_id: Annotated[str, Field(min_length=1, max_length=255)]
    audience: Annotated[str, Field(min_length=1, max_length=600)]
    subject_type: SubjectType = "client"


class _Filter(Paging):
    """What `GET /client-grants` takes."""

    client_id: str | None = None
    audience: str | None = None
    subject_type: Literal["client", "user", "anonymous_user"] | None = None
    allow_any_organization: bool | None = None
    default_for: str | None = None


def endpoints() -> list[Endpoint]:
    """The operations on client grants."""
    one = "/client-grants/{id}"
    read, create, update, delete = (
        (f"{verb}:client_grants",) for verb in ("read", "create", "update", "delete")
    )
    return [
        Endpoint("GET", "/client-grants", read, _list),
        Endpoint("POST", "/client-grants", create, _create, "Create a client grant"),
        Endpoint("GET", one, read, _get),
        Endpoint("PATCH", one, update, _update, "Update a client grant"),
        Endpoint("DELETE", one, delete, _delete, "Delete a client grant"),
    ]


def _list(call: Call) -> Response:
    query = call.query(_Filter)
    wanted = query.model_dump(
        include={"client_id", "audience", "subject_type", "default_for"}, exclude_none=True
    )
    organization = query.allow_any_organization
    found = {
        key: models.public(grant)
        for key, grant in call.tenant.grants.items()
        if all(grant.get(name) == value for name, value in wanted.items())
        and organization in (None, grant.get("allow_any_organization", False))
    }
    return list_documents(query, "client_grants", found)


def _get(call: Call) -> Response:
    return answer(models.public(_find(call)))


def _create(call: Call) -> Response:
    given = call.body(_NewGrant).given()
    client = find_client(call.tenant, given["client_id"])
    grant = models.new_grant(given)
    _check(call.tenant, grant, given)
    if call.tenant.grant(client["client_id"], grant["audience"], grant["subject_type"]):
        text = "A resource grant for this client and audience already exists"
        raise ManagementError(409, text, "client_grant_conflict")
    call.tenant.grants.put(grant["id"], grant)
    return answer(models.public(grant), 201)


def _update(call: Call) -> Response:
    former = _find(call)
    given = call.body(_GrantFields).given()
    if given.get("allow_all_scopes"):
        given.setdefault("scope", [])
    grant = {**former, **given}
    _check(call.tenant, grant, given)
    call.tenant.grants.put(grant["id"], grant)
    return answer(models.public(grant))


def _delete(call: Call) -> Response:
    call.tenant.grants.remove(call.params["id"])
    return Response(status_code=204)


def _find(call: Call) -> dict[str, Any]:
    grant = call.tenant.grants.get(call.params["id"])
    if grant is None:
        raise ManagementError(404, "Client grant not found.", "inexistent_client_grant")
    return dict(grant)


def _check(tenant: Tenant, grant: dict[str, Any], given: dict[str, Any]) -> None:
    """Check a grant, and the given values against the API that it is for."""
    api = tenant.api(grant["audience"])
    if api is None:
        raise no_such_api()
    if grant.get("authorization_details_types") and grant["subject_type"] != "user":
        refuse_payload("authorization_details_types needs subject_type user")
    if grant.get("allow_all_scopes") and grant["scope"]:
        refuse_payload("Send either scope or allow_all_scopes")
    known = {
        "scope": {item["value"] for item in api["scopes"]},
        "authorization_details_types": {item["type"] for item in api["authorization_details"]},
    }
    for name, defined in known.items():
        for value in given.get(name, []):
            if value not in defined:
                refuse_payload(f"The resource server does not define {value[:64]} on {name}")
