"""The tenant's signing keys: seen and rotated (`/keys/signing`)."""

from __future__ import annotations

import base64
import hashlib
import textwrap
from typing import Any

from starlette.responses import Response

from baink_lab.sandbox.tenant.errors import ManagementError
from baink_lab.sandbox.tenant.management.call import Call, Endpoint
from baink_lab.sandbox.tenant.wire import answer


def endpoints() -> list[Endpoint]:
    """The operations on signing keys."""
    read, rotate = ("read:signing_keys",), ("create:signing_keys", "update:signing_keys")
    title = "Rotate the application signing key"
    return [
        Endpoint("GET", "/keys/signing", read, _list),
        Endpoint("GET", "/keys/signing/{kid}", read, _get),
        Endpoint("POST", "/keys/signing/rotate", rotate, _rotate, title),
    ]


def _list(call: Call) -> Response:
    return answer(_keys(call))


def _get(call: Call) -> Response:
    found = next((key for key in _keys(call) if key["kid"] == call.params["kid"]), None)
    if found is None:
        raise ManagementError(404, "The signing key does not exist.", "inexistent_signing_key")
    return answer(found)


def _rotate(call: Call) -> Response:
    kid = call.tenant.rotate_key()
    newest = _keys(call)[0]
    assert newest["kid"] == kid
    return answer({"kid": kid, "cert": newest["cert"]}, 201)


def _keys(call: Call) -> list[dict[str, Any]]:
    """Newest first; the newest is the one that signs."""
    keys = call.tenant.keys.jwks()["keys"]
    return [_shown(key, current=place == 0) for place, key in enumerate(keys)]


def _shown(key: dict[str, Any], *, current: bool) -> dict[str, Any]:
    text = str(key["x5c"][0])
    digest = hashlib.sha1(base64.b64decode(text), usedforsecurity=False).hexdigest().upper()
    body = "\n".join(textwrap.wrap(text, 64))
    return {
        "kid": key["kid"],
        "cert": f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n",
        "pkcs7": "",
        "current": current,
        "next": False,
        "previous": not current,
        "fingerprint": ":".join(textwrap.wrap(digest, 2)),
        "thumbprint": digest,
        "revoked": False,
    }
