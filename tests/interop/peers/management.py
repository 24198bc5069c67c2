"""Peer: the official auth0-python 6, unmodified, does what the labs do with the Management API."""

import json
import os
import sys
import urllib.parse
import urllib.request

from auth0.management import ManagementClient
from auth0.management.core.api_error import ApiError

ready = json.loads(os.environ["READY"])
domain = urllib.parse.urlsplit(ready["issuer"]).netloc
auth0 = ManagementClient(
    domain=domain,
    client_id=ready["management_client_id"],
    client_secret=ready["management_client_secret"],
)
CIBA = "urn:openid:params:grant-type:ciba"
MONEY = "urn:auth0:schemas:authorization-details:v1:money-transfer"


def api_of(name):
    return auth0.resource_servers.create(
        name=name,
        identifier=f"https://api.example/{name}",
        signing_alg="RS256",
        token_dialect="rfc9068_profile_authz",
        enforce_policies=True,
        token_lifetime=300,
        scopes=[{"value": "create:transfer", "description": "Move money"}],
        authorization_details=[{"type": MONEY}],
        subject_type_authorization={
            "user": {"policy": "require_client_grant"},
            "client": {"policy": "deny_all"},
        },
    )


def refused(call, status, code):
    """One try only: the SDK retries a 409, with waits, unless told otherwise."""
    try:
        call()
    except ApiError as error:
        assert error.status_code == status, error
        body = error.body if isinstance(error.body, dict) else error.body.dict()
        assert body["statusCode"] == status, body
        assert body.get("errorCode") == code, body
        return
    raise AssertionError(f"{status} expected")


ONCE = {"max_retries": 0}


def apis():
    made = api_of("apis")
    assert made.token_dialect == "rfc9068_profile_authz", made
    again = auth0.resource_servers.get(id=made.identifier)  # "ID or audience", slashes and all
    assert again.id == made.id
    changed = auth0.resource_servers.update(made.id, token_lifetime=600)
    assert changed.token_lifetime == 600
    listed = [api.identifier for api in auth0.resource_servers.list(per_page=1)]
    assert made.identifier in listed, "paging with include_totals"
    refused(
        lambda: auth0.resource_servers.create(
            name="x", identifier=made.identifier, request_options=ONCE
        ),
        409,
        "resource_server_conflict",
    )
    auth0.resource_servers.delete(made.id)
    refused(
        lambda: auth0.resource_servers.get(id=made.id, request_options=ONCE),
        404,
        "inexistent_resource_server",
    )


def refused_twice_is_the_same():
    made = api_of("twice")
    for _ in range(2):
        refused(
            lambda: auth0.resource_servers.create(
                name="x", identifier=made.identifier, request_options={"max_retries": 1}
            ),
            409,
            "resource_server_conflict",
        )


def clients():
    made = auth0.clients.create(
        name="Payments agent",
        app_type="regular_web",
        token_endpoint_auth_method="client_secret_post",
    )
    read = auth0.clients.get(made.client_id)
    wanted = [*read.grant_types, CIBA]
    changed = auth0.clients.update(
        made.client_id,
        grant_types=wanted,
        async_approval_notification_channels=["guardian-push"],
    )
    assert changed.grant_types == wanted
    assert changed.async_approval_notification_channels == ["guardian-push"]
    assert made.client_id in [client.client_id for client in auth0.clients.list(per_page=1)]
    api = api_of("granted")
    grant = auth0.client_grants.create(
        client_id=made.client_id,
        audience=api.identifier,
        scope=["create:transfer"],
        subject_type="user",
        authorization_details_types=[MONEY],
    )
    assert grant.id.startswith("cgr_")
    found = list(auth0.client_grants.list(client_id=made.client_id))
    assert [item.id for item in found] == [grant.id]
    auth0.client_grants.update(grant.id, scope=[])
    auth0.client_grants.delete(grant.id)
    auth0.clients.delete(made.client_id)
    refused(
        lambda: auth0.clients.get(made.client_id, request_options=ONCE), 404, "inexistent_client"
    )


def users():
    made = auth0.users.create(
        connection="Username-Password-Authentication",
        email="cleo@baink.example",
        password="Correct-horse-1",
        email_verified=True,
    )
    assert made.user_id.startswith("auth0|")
    assert [user.user_id for user in auth0.users.list(q='email:"cleo@baink.example"')] == [
        made.user_id
    ]
    [same] = auth0.users.list_users_by_email(email="cleo@baink.example")
    assert same.user_id == made.user_id
    api = api_of("permitted")
    wanted = [{"resource_server_identifier": api.identifier, "permission_name": "create:transfer"}]
    auth0.users.permissions.create(made.user_id, permissions=wanted)
    [permission] = auth0.users.permissions.list(made.user_id)
    assert permission.permission_name == "create:transfer"
    auth0.users.permissions.delete(made.user_id, permissions=wanted)
    assert list(auth0.users.permissions.list(made.user_id)) == []
    auth0.users.delete(made.user_id)
    refused(lambda: auth0.users.get(made.user_id, request_options=ONCE), 404, "inexistent_user")


def guardian():
    factors = {factor.name: factor.enabled for factor in auth0.guardian.factors.list()}
    assert factors["push-notification"] is True
    assert auth0.guardian.factors.set("push-notification", enabled=True).enabled is True
    push = auth0.guardian.factors.push_notification
    assert push.get_selected_provider().provider == "guardian"
    assert auth0.guardian.policies.list() == []


def enrolment():
    """Ticket by SDK, page by browser form, and the enrolment seen by the SDK."""
    user = auth0.users.create(
        connection="Username-Password-Authentication",
        email="dora@baink.example",
        password="Correct-horse-1",
    )
    assert auth0.users.get(user.user_id).email == "dora@baink.example"
    ticket = auth0.guardian.enrollments.create_ticket(
        user_id=user.user_id, factor="push-notification"
    )
    with urllib.request.urlopen(ticket.ticket_url) as page:
        assert page.status == 200
    form = urllib.parse.urlencode({"name": "Dora's phone"}).encode()
    with urllib.request.urlopen(ticket.ticket_url, data=form) as page:
        assert page.status == 200
    [enrolled] = auth0.users.enrollments.get(user.user_id)
    assert enrolled.auth_method == "guardian"
    assert enrolled.status == "confirmed"
    device = auth0.guardian.enrollments.get(enrolled.id)
    assert device.name == "Dora's phone"
    methods = list(auth0.users.authentication_methods.list(user.user_id))
    assert [method.confirmed for method in methods] == [True]
    auth0.guardian.enrollments.delete(enrolled.id)
    refused(
        lambda: auth0.guardian.enrollments.get(enrolled.id, request_options=ONCE),
        404,
        "enrollment_not_found",
    )


def logs():
    kinds = [entry.type for entry in auth0.logs.list(per_page=5, sort="date:-1")]
    assert kinds, "the tenant keeps a log"
    [first, *_] = auth0.logs.list(per_page=1)
    assert auth0.logs.get(first.log_id).log_id == first.log_id


def signing_keys():
    before = auth0.keys.signing.list()
    assert [key.current for key in before].count(True) == 1
    auth0.keys.signing.rotate()
    after = auth0.keys.signing.list()
    assert len(after) == len(before) + 1
    assert api_of("after-rotation").id, "tokens of the former key still verify"


globals()[sys.argv[1]]()
print(json.dumps({"ok": sys.argv[1]}))
