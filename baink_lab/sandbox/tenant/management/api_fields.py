"""What a resource server may look like (contract section 5.5)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from baink_lab.sandbox.tenant.management.payload import Payload, refuse_payload

_MAX_LIFETIME = 30 * 24 * 3600  # seconds
_MAX_SCOPES = 1000
_MAX_TYPES = 10

Lifetime = Annotated[int, Field(ge=1, le=_MAX_LIFETIME)]
DetailsType = Annotated[str, Field(min_length=1, max_length=255)]

Dialect = Literal["access_token", "access_token_authz", "rfc9068_profile", "rfc9068_profile_authz"]


class Scope(Payload):
    """A permission of the API."""

    value: Annotated[str, Field(min_length=1, max_length=280, pattern=r"^\S+$")]
    description: Annotated[str, Field(max_length=500)] | None = None


class Details(Payload):
    """A type of `authorization_details` that the API understands."""

    type: DetailsType


class UserPolicy(Payload):
    """Who may ask on behalf of users."""

    policy: Literal["allow_all", "deny_all", "require_client_grant"]


class ClientPolicy(Payload):
    """Who may ask on its own behalf."""

    policy: Literal["deny_all", "require_client_grant"]


class SubjectTypes(Payload):
    """Both policies; a PATCH may send one of them."""

    user: UserPolicy = UserPolicy(policy="allow_all")
    client: ClientPolicy = ClientPolicy(policy="require_client_grant")


class ApiFields(Payload):
    """The body of PATCH: all that may change."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^<>]+$")] = ""
    signing_alg: Literal["HS256", "RS256", "RS512", "PS256"] = "RS256"
    signing_secret: Annotated[str, Field(min_length=16, max_length=512)] = ""
    token_dialect: Dialect = Field("access_token")
    enforce_policies: bool = False
    token_lifetime: Lifetime = 86400
    token_lifetime_for_web: Lifetime = 7200
    allow_offline_access: bool = False
    skip_consent_for_verifiable_first_party_clients: bool = True
    scopes: list[Scope] = Field([], max_length=_MAX_SCOPES)
    consent_policy: Literal["transactional-authorization-with-mfa", "standard"] | None = None
    authorization_details: list[Details] | None = Field(None, max_length=_MAX_TYPES)
    subject_type_authorization: SubjectTypes = Field(default_factory=SubjectTypes)
    # The sandbox neither encrypts tokens nor binds them to keys: it says so, rather than store
    # a wish that nobody fulfils.
    proof_of_possession: None = None
    token_encryption: None = None


class NewApi(ApiFields):
    """The body of POST."""

    identifier: Annotated[str, Field(min_length=1, max_length=600, pattern=r"^\S+$")]


def check_api(api: dict[str, Any]) -> None:
    """Check what concerns several properties, or several items of a list, at once.

    Args:
        api: the resource server as it would be.

    Raises:
        ManagementError: 400 `invalid_body`.
    """
    api["authorization_details"] = api["authorization_details"] or []
    for name, key in (("scopes", "value"), ("authorization_details", "type")):
        values = [item[key] for item in api[name]]
        if len(set(values)) < len(values):
            refuse_payload(f"Items of {name} must differ")
    if api["token_lifetime_for_web"] > api["token_lifetime"]:
        refuse_payload("token_lifetime_for_web must not exceed token_lifetime")
