"""What the tenant says of itself: the discovery document and the public keys."""

from __future__ import annotations

from typing import Any

from baink_lab.sandbox.tenant.keys import RSA_ALGORITHMS
from baink_lab.sandbox.tenant.models import CIBA_GRANT
from baink_lab.sandbox.tenant.state import Tenant

SCOPES = [
    "openid",
    "profile",
    "offline_access",
    "name",
    "given_name",
    "family_name",
    "nickname",
    "email",
    "email_verified",
    "picture",
    "created_at",
    "identities",
    "phone",
    "address",
]
CLAIMS = [
    "aud",
    "auth_time",
    "created_at",
    "email",
    "email_verified",
    "exp",
    "family_name",
    "given_name",
    "iat",
    "identities",
    "iss",
    "name",
    "nickname",
    "phone_number",
    "picture",
    "sub",
]


def discovery(tenant: Tenant) -> dict[str, Any]:
    """The document of `/.well-known/openid-configuration` (contract section 1).

    It lists only what this tenant really serves; docs/sandbox-vs-auth0.md names the rest.
    """
    base = tenant.issuer
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}authorize",
        "token_endpoint": f"{base}oauth/token",
        "userinfo_endpoint": f"{base}userinfo",
        "jwks_uri": f"{base}.well-known/jwks.json",
        "revocation_endpoint": f"{base}oauth/revoke",
        "backchannel_authentication_endpoint": f"{base}bc-authorize",
        "backchannel_token_delivery_modes_supported": ["poll"],
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            CIBA_GRANT,
        ],
        "code_challenge_methods_supported": ["S256", "plain"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["HS256", *RSA_ALGORITHMS],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
        ],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "RS384", "PS256"],
        "claims_supported": CLAIMS,
        "request_uri_parameter_supported": False,
        "request_parameter_supported": False,
    }
