"""What a client may look like (contract section 5.4)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from baink_lab.sandbox.tenant.client_auth import is_public
from baink_lab.sandbox.tenant.management.payload import Payload, refuse_payload
from baink_lab.sandbox.tenant.models import CIBA_GRANT
from baink_lab.sandbox.tenant.state import Tenant

MAX_METADATA = 10  # entries of client_metadata
_MAX_LIST = 100
_YEAR = 365 * 24 * 3600  # seconds

Url = Annotated[str, Field(max_length=2048, pattern=r"^[A-Za-z][A-Za-z0-9+.-]*://[^\s]+$")]
Urls = Annotated[list[Url], Field(max_length=_MAX_LIST)]
GrantType = Literal[
    "authorization_code",
    "client_credentials",
    "implicit",
    "password",
    "refresh_token",
    "http://auth0.com/oauth/grant-type/mfa-oob",
    "http://auth0.com/oauth/grant-type/mfa-otp",
    "http://auth0.com/oauth/grant-type/mfa-recovery-code",
    "http://auth0.com/oauth/grant-type/password-realm",
    "http://auth0.com/oauth/grant-type/passwordless/otp",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:openid:params:grant-type:ciba",
]


class JwtConfiguration(Payload):
    """How id_tokens are made."""

    alg: Literal["HS256", "RS256", "RS512", "PS256"] = "RS256"
    lifetime_in_seconds: Annotated[int, Field(ge=1, le=_YEAR)] = 36000
    secret_encoded: bool = False


class CredentialId(Payload):
    """A reference to a registered credential."""

    id: Annotated[str, Field(min_length=1, max_length=64)]


class PrivateKeyJwt(Payload):
    """The credentials of private_key_jwt: two at most, for rotation."""

    credentials: Annotated[list[CredentialId], Field(min_length=1, max_length=2)]


class AuthenticationMethods(Payload):
    """Ways to authenticate beside a secret."""

    private_key_jwt: PrivateKeyJwt


class NewClient(Payload):
    """The body of POST and PATCH; `name` is required on POST."""

    name: Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^<>]+$")] = ""
    description: Annotated[str, Field(max_length=140)] = ""
    logo_uri: Annotated[str, Field(max_length=2048)] = ""
    app_type: Literal["native", "spa", "regular_web", "non_interactive"] = "regular_web"
    is_first_party: bool = True
    oidc_conformant: bool = True
    client_secret: Annotated[str, Field(min_length=16, max_length=512)] = ""
    token_endpoint_auth_method: (
        Literal["none", "client_secret_post", "client_secret_basic"] | None
    ) = None
    client_authentication_methods: AuthenticationMethods | None = None
    grant_types: list[GrantType] = Field([], max_length=_MAX_LIST)
    async_approval_notification_channels: list[Literal["guardian-push", "email"]] = Field(
        [], min_length=1, max_length=2
    )
    callbacks: Urls = Field([])
    allowed_logout_urls: Urls = Field([])
    web_origins: Urls = Field([])
    allowed_origins: Urls = Field([])
    client_metadata: dict[
        Annotated[str, Field(min_length=1, max_length=255)],
        Annotated[str, Field(max_length=255)] | None,
    ] = Field({})
    jwt_configuration: JwtConfiguration | None = None


def check_client(tenant: Tenant, client: dict[str, Any]) -> None:
    """Check what concerns several properties at once.

    Args:
        tenant: where credentials are registered.
        client: the client as it would be.

    Raises:
        ManagementError: 400 `invalid_body`.
    """
    if not client.get("name"):
        refuse_payload("Missing required property: name")
    if len(client["client_metadata"]) > MAX_METADATA:
        refuse_payload(f"client_metadata may have {MAX_METADATA} entries at most")
    _check_authentication(tenant, client)
    if CIBA_GRANT in client["grant_types"]:
        _check_ciba(client)


def _check_authentication(tenant: Tenant, client: dict[str, Any]) -> None:
    methods = client.get("client_authentication_methods")
    if (methods is None) == (client["token_endpoint_auth_method"] is None):
        refuse_payload(
            "Exactly one of token_endpoint_auth_method and client_authentication_methods "
            "must be set; send null for the other"
        )
    if methods is None:
        return
    if client["jwt_configuration"].get("alg") != "RS256":
        refuse_payload("private_key_jwt needs jwt_configuration.alg RS256")
    for reference in methods["private_key_jwt"]["credentials"]:
        credential = tenant.credentials_of.get(reference["id"])
        if credential is None or credential["_client_id"] != client["client_id"]:
            refuse_payload("No such credential")


def _check_ciba(client: dict[str, Any]) -> None:
    if not client["is_first_party"]:
        refuse_payload("The CIBA grant is for first-party clients only")
    if not client["oidc_conformant"]:
        refuse_payload("The CIBA grant is for OIDC conformant clients only")
    if is_public(client):
        refuse_payload("The CIBA grant is for confidential clients only")
