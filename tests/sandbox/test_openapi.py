"""docs/openapi.yaml against the running sandbox, by schemathesis: no other answer, ever.

`BAINK_FUZZ_EXAMPLES=200 pytest tests/sandbox/test_openapi.py` looks longer.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from starlette.routing import Mount

from baink_lab.sandbox import phone
from baink_lab.sandbox.tenant import create_app
from baink_lab.sandbox.tenant.management import _ROOMS
from tests.sandbox.described_world import MACHINE, SECRET, START_FIELDS, World

DESCRIPTION = Path(__file__).parents[2] / "docs" / "openapi.yaml"
DOCUMENT = yaml.safe_load(DESCRIPTION.read_text("utf-8"))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
EXAMPLES = int(os.environ.get("BAINK_FUZZ_EXAMPLES", "3"))
CHECK_NAMES = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
ALL_CHECKS = [check for check in CHECKS.get_all() if check.__name__ in CHECK_NAMES]
FUZZ = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # a failure is told as it was found: shrinking takes minutes
)
# Not needed where a secret is sent, and hardly ever right when generated.
SPARE = ("client_assertion", "client_assertion_type", "authorization_details")
# What a body must have for the request to get far, beyond what was generated.
NEEDED = {"start": START_FIELDS, "token": START_FIELDS[:2], "revoke": START_FIELDS[:2]}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("sandbox"))
    yield world
    world.close()


def mend(world, case, keep):
    """Put good values in place of generated ones, except for the names in `keep`."""
    name = case.operation.definition.raw["operationId"]
    if name == "consent" and "MFA-DPoP" not in keep:
        case.headers["MFA-DPoP"] = world.proof()
    if name in NEEDED and "Authorization" not in keep:
        case.headers.pop("Authorization", None)  # the secret is in the body
    if isinstance(case.body, dict):
        mend_body(world, name, case.body, keep)
    for place in (case.path_parameters or {}, case.query or {}):
        fill(world, name, place, place, keep)


def mend_body(world, name, body, keep):
    if name in NEEDED:
        for field in SPARE:
            if field not in keep:
                body.pop(field, None)
    machine = name == "token" and body.get("grant_type") == "client_credentials"
    fill(world, MACHINE if machine else name, body, (*body, *NEEDED.get(name, ())), keep)
    permissions = body.get("permissions") if name.endswith("Permissions") else None
    for item in permissions or ():
        fill(world, name, item, item, keep)


def fill(world, name, place, fields, keep):
    for field in list(fields):
        good = world.good(field, name)
        if good is not None and field not in keep and creates_no_double(name, field):
            place[field] = good


def creates_no_double(name, field):
    """What is created is to be new, and a user is not to lose the password that we know."""
    return not (name in ("createUser", "updateUser") and field in ("email", "password")) and not (
        name in ("createClient", "updateClient") and field == "client_secret"
    )


def sent(world, case):
    """The answer to one case, held against its description."""
    operation = case.operation.definition.raw
    headers = {}
    if (authorization := world.authorization(operation)) is not None:
        headers["authorization"] = authorization
    base = world.phone if "Phone" in operation["tags"] else world.issuer.rstrip("/")
    answer = case.call(
        base_url=base, session=world.session, headers=headers, allow_redirects=False, timeout=20
    )
    case.validate_response(answer, checks=ALL_CHECKS)
    return answer


# What may be left as it was generated, one or two at a time.
KEPT = (
    *START_FIELDS,
    *SPARE,
    "Authorization",
    "MFA-DPoP",
    "auth_req_id",
    "id",
    "kid",
    "method",
    "pem",
    "public_key",
    "state",
    "ticket",
    "user_id",
    "nothing",
)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: item.label)
def test_every_answer_is_as_described(sandbox, operation):
    keep = st.sets(st.sampled_from(KEPT), max_size=2)
    seen = set()

    def one(case, keep):
        mend(sandbox, case, keep)
        seen.add(sent(sandbox, case).status_code)

    good = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    with sandbox.fresh():
        FUZZ(given(case=good, keep=keep)(one))()

    def one_more(case):
        if min(seen) >= 400:
            one(case, set())

    if min(seen) >= 400:
        with sandbox.fresh():  # with every value good, until one gets through
            settings(FUZZ, max_examples=100)(given(case=good)(one_more))()
    assert min(seen) < 400, f"only refusals: {sorted(seen)}"


def has_parts(operation):
    """True when there is something in a request that can be wrong."""
    raw, around = operation.definition.raw, DOCUMENT["paths"][operation.path]
    return "parameters" in raw or "parameters" in around or "requestBody" in raw


@pytest.mark.parametrize(
    "operation", [item for item in OPERATIONS if has_parts(item)], ids=lambda item: item.label
)
def test_every_refusal_is_as_described(sandbox, operation):
    with sandbox.fresh():

        @FUZZ
        @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
        def bad_requests(case):
            sent(sandbox, case)

        bad_requests()


def shape(path):
    """A path, whatever its parameters are called."""
    return re.sub(r"{[^}]*}", "{}", path)


def test_what_is_served_is_described_and_nothing_else(sandbox):
    described = {
        (method.upper(), shape(path))
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
        if method in ("get", "post", "put", "patch", "delete")
    }
    served = {
        (endpoint.method, f"/api/v2{shape(endpoint.path)}")
        for room in _ROOMS
        for endpoint in room.endpoints()
    }
    with sandbox.fresh():
        tenant, outer = create_app(sandbox.tenant), phone.create_app(sandbox.tenant, SECRET)
        apps = [tenant.routes, outer._app.routes[0].app.routes]
    for route in (route for routes in apps for route in routes if not isinstance(route, Mount)):
        served |= {(method, shape(route.path)) for method in route.methods - {"HEAD"}}
    assert served == described


@pytest.mark.parametrize("path", ["openapi.yaml", "openapi.json", "docs", "swagger.json"])
def test_the_tenant_itself_serves_no_description(sandbox, path):
    with sandbox.fresh():
        answer = httpx.get(f"{sandbox.issuer}{path}", trust_env=False)
    assert answer.status_code == 404


def test_what_was_made_is_found_changed_and_removed(sandbox):
    """Along the description's links: what one answer names, the next request uses."""
    made, followed = set(), set()

    class Workflow(SCHEMA.include(tag=["Management API", "Guardian"]).as_state_machine()):
        def setup(self):
            self.fresh = sandbox.fresh()
            self.fresh.__enter__()

        def teardown(self):
            self.fresh.__exit__(None, None, None)

        def call(self, case, **kwargs):
            creates = case.method == "POST" and "{" not in case.path
            mend(sandbox, case, set() if creates else {"id", "ticket"})
            return sent(sandbox, case)

        def validate_response(self, response, case, **kwargs):
            if response.status_code >= 400:
                return  # `sent` has checked that it is a refusal as described
            used = (*(case.path_parameters or {}).values(), *(case.query or {}).values())
            if made & {unquote(value) for value in used if isinstance(value, str)}:
                followed.add(case.operation.definition.raw["operationId"])
            elif case.method == "POST":
                is_json = "json" in response.headers.get("content-type", [""])[0]
                body = response.json() if is_json else {}
                made.update(body.get(name) for name in ("id", "client_id", "user_id", "ticket_id"))

    Workflow.run(settings=settings(FUZZ, max_examples=5 * EXAMPLES, stateful_step_count=8))
    assert len(followed) >= 5, f"links that led somewhere: {sorted(followed)}"
