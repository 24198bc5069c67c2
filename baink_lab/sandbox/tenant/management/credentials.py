"""The public keys of clients that use private_key_jwt: `/clients/{id}/credentials`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.jwk import RSAKey
from pydantic import Field
from starlette.responses import Response

from baink_lab.sandbox.tenant import models
from baink_lab.sandbox.tenant.errors import ManagementError
from baink_lab.sandbox.tenant.management.call import Call, Endpoint
from baink_lab.sandbox.tenant.management.clients import find_client
from baink_lab.sandbox.tenant.management.payload import Payload, refuse_payload
from baink_lab.sandbox.tenant.values import base62, iso
from baink_lab.sandbox.tenant.wire import answer

_MAX_CREDENTIALS = 2  # of one client: the one in use and its successor
_MIN_BITS = 2048


class _NewCredential(Payload):
    credential_type: Literal["public_key"]
    pem: Annotated[str, Field(min_length=1, max_length=4096)]
    name: Annotated[str, Field(max_length=128)] = ""
    alg: Literal["RS256", "RS384", "PS256"] = "RS256"


def endpoints() -> list[Endpoint]:
    """The operations on credentials (contract section 5.4)."""
    path = "/clients/{id}/credentials"
    one = f"{path}/{{credential}}"
    verbs = ("read", "create", "delete")
    read, create, delete = ((f"{verb}:client_credentials",) for verb in verbs)
    return [
        Endpoint("GET", path, read, _list),
        Endpoint("POST", path, create, _create, "Create a client credential"),
        Endpoint("GET", one, read, _get),
        Endpoint("DELETE", one, delete, _delete, "Delete a client credential"),
    ]


def _list(call: Call) -> Response:
    return answer([models.public(item) for item in _of_client(call)])


def _get(call: Call) -> Response:
    return answer(models.public(_find(call)))


def _create(call: Call) -> Response:
    former = _of_client(call)
    new = call.body(_NewCredential)
    if len(former) >= _MAX_CREDENTIALS:
        refuse_payload(f"A client may have {_MAX_CREDENTIALS} credentials at most")
    key = _public_key(new.pem)
    moment = iso(call.tenant.now())
    credential = {
        "id": f"cred_{base62(22)}",
        "kid": key.thumbprint(),
        "credential_type": new.credential_type,
        "name": new.name,
        "alg": new.alg,
        "created_at": moment,
        "updated_at": moment,
        "_pem": new.pem,
        "_client_id": call.params["id"],
    }
    call.tenant.credentials_of.put(str(credential["id"]), credential)
    return answer(models.public(credential), 201)


def _public_key(pem: str) -> RSAKey:
    """The key in a PEM; the size is looked at first, as joserfc warns of short ones."""
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey) or key.key_size < _MIN_BITS:
        refuse_payload(f"pem must be a public RSA key of {_MIN_BITS} bits or more")
    return RSAKey.import_key(key)


def _delete(call: Call) -> Response:
    credential = _find(call)
    client = find_client(call.tenant, call.params["id"])
    methods = (client.get("client_authentication_methods") or {}).get("private_key_jwt") or {}
    if any(item["id"] == credential["id"] for item in methods.get("credentials", [])):
        refuse_payload("The credential is in use")
    call.tenant.credentials_of.remove(credential["id"])
    return Response(status_code=204)


def _of_client(call: Call) -> list[dict[str, Any]]:
    client = find_client(call.tenant, call.params["id"])
    mine = [
        item
        for item in call.tenant.credentials_of.values()
        if item["_client_id"] == client["client_id"]
    ]
    return sorted(mine, key=lambda item: (item["created_at"], item["id"]))


def _find(call: Call) -> dict[str, Any]:
    wanted = call.params["credential"]
    found = next((item for item in _of_client(call) if item["id"] == wanted), None)
    if found is None:
        raise ManagementError(404, "Credential not found.", "credential_not_found")
    return found
