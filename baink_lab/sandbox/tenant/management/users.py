"""Users: `/users`, `/users-by-email` and `/users/{id}` (contract section 5.8)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.responses import Response

from baink_lab.sandbox.tenant import models
from baink_lab.sandbox.tenant.errors import ManagementError
from baink_lab.sandbox.tenant.management.call import Call, Endpoint
from baink_lab.sandbox.tenant.management.listing import Fields, FieldsPaging, list_documents
from baink_lab.sandbox.tenant.management.merge import merged
from baink_lab.sandbox.tenant.management.payload import Payload, refuse_payload
from baink_lab.sandbox.tenant.management.search import compile_query
from baink_lab.sandbox.tenant.passwords import hash_password
from baink_lab.sandbox.tenant.values import iso
from baink_lab.sandbox.tenant.wire import answer

_SEARCHED = ("email", "name", "nickname", "user_id")
_NOT_KEPT = ("connection", "password", "verify_email")
_Name = Annotated[str, Field(min_length=1, max_length=300)]
_Email = Annotated[str, Field(max_length=320, pattern=r"^[^\s@]+@[^\s@]+$")]
_Metadata = dict[Annotated[str, Field(max_length=255)], Any]


class _UserFields(Payload):
    """The body of PATCH."""

    email: _Email = ""
    email_verified: bool = False
    verify_email: bool = False
    password: Annotated[str, Field(min_length=8, max_length=128)] = Field("")
    connection: _Name = ""
    name: _Name = ""
    given_name: _Name = ""
    family_name: _Name = ""
    nickname: _Name = ""
    picture: Annotated[str, Field(min_length=1, max_length=2048)] = ""
    user_metadata: _Metadata = Field({})
    app_metadata: _Metadata = Field({})


class _NewUser(_UserFields):
    """The body of POST."""

    connection: _Name
    email: _Email
    password: Annotated[str, Field(min_length=8, max_length=128)]


class _Filter(FieldsPaging):
    """What `GET /users` takes."""

    q: Annotated[str, Field(max_length=1024)] = ""
    search_engine: Literal["v1", "v2", "v3"] = "v3"
    sort: Annotated[str, Field(pattern=r"^[\w.]+:(1|-1)$")] | None = None
    connection: str | None = None
    primary_order: bool = True


class _ByEmail(Fields):
    """What `GET /users-by-email` takes."""

    email: Annotated[str, Field(min_length=1, max_length=320)]


def endpoints() -> list[Endpoint]:
    """The operations on users."""
    read = ("read:users",)
    return [
        Endpoint("GET", "/users", read, _list),
        Endpoint("POST", "/users", ("create:users",), _create, "Create a user"),
        Endpoint("GET", "/users-by-email", read, _by_email),
        Endpoint("GET", "/users/{id}", read, _get),
        Endpoint("PATCH", "/users/{id}", ("update:users",), _update, "Update a user"),
        Endpoint("DELETE", "/users/{id}", ("delete:users",), _delete, "Delete a user"),
    ]


def find_user(call: Call) -> dict[str, Any]:
    """The user whose id is in the path.

    Raises:
        ManagementError: 404.
    """
    user = call.tenant.users.get(call.params["id"])
    if user is None:
        raise ManagementError(404, "The user does not exist.", "inexistent_user")
    return dict(user)


def _list(call: Call) -> Response:
    query = call.query(_Filter)
    test = compile_query(query.q, _SEARCHED)
    users = (models.public(user) for user in call.tenant.users.values())
    found = [
        user
        for user in users
        if test(user)
        and query.connection in (None, *(item["connection"] for item in user["identities"]))
    ]
    if query.by_checkpoint:
        return list_documents(query, "users", {user["user_id"]: user for user in found})
    field, _, order = (query.sort or "user_id:1").partition(":")
    found.sort(key=lambda user: (str(user.get(field, "")), user["user_id"]), reverse=order == "-1")
    return query.answer("users", [query.cut(user) for user in found])


def _by_email(call: Call) -> Response:
    query = call.query(_ByEmail)
    user = call.tenant.user_by_email(query.email)
    return answer([] if user is None else [query.cut(models.public(user))])


def _get(call: Call) -> Response:
    return answer(call.query(Fields).cut(models.public(find_user(call))))


def _create(call: Call) -> Response:
    given = _checked(call, call.body(_NewUser).given())
    if call.tenant.user_by_email(given["email"]) is not None:
        raise _exists()
    password = hash_password(given["password"])
    user = models.new_user(call.tenant, _kept(given), password)
    call.tenant.users.put(user["user_id"], user)
    return answer(models.public(user), 201)


def _update(call: Call) -> Response:
    former = find_user(call)
    given = _checked(call, call.body(_UserFields).given())
    namesake = call.tenant.user_by_email(given.get("email", former["email"]))
    if namesake is not None and namesake["user_id"] != former["user_id"]:
        raise _exists()
    user = merged(former, _kept(given))
    user["updated_at"] = iso(call.tenant.now())
    if "password" in given:
        user["_password"] = hash_password(given["password"])
    call.tenant.users.put(user["user_id"], user)
    return answer(models.public(user))


def _delete(call: Call) -> Response:
    tenant, user_id = call.tenant, call.params["id"]
    if user_id not in tenant.users:  # deleting twice is no fault
        return Response(status_code=204)
    owned = (
        (tenant.enrollments, "_user_id"),
        (tenant.tickets, "user_id"),
        (tenant.refresh_tokens, "user_id"),
    )
    for collection, owner in owned:
        for key in [key for key, item in collection.items() if item[owner] == user_id]:
            collection.remove(key)
    tenant.permissions.remove(user_id)
    tenant.users.remove(user_id)
    return Response(status_code=204)


def _checked(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    if given.get("connection", models.CONNECTION) != models.CONNECTION:
        raise ManagementError(400, "The connection does not exist.", "inexistent_connection")
    if "email" in given:
        given["email"] = given["email"].lower()
    if not given:
        refuse_payload("Too few properties defined (0), minimum 1")
    return given


def _kept(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in _NOT_KEPT}


def _exists() -> ManagementError:
    return ManagementError(409, "The user already exists.", "auth0_idp_error")
