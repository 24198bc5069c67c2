"""Tokens and claims that attackers send: every one must be refused in the contract's words."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

BIG = 10**400  # an integer that no float can hold

# Headers of a JOSE object; what is no dict or str is sent as it stands.
HEADERS = {
    "an array": [],
    "a number": 1,
    "null": None,
    "a string": "x",
    "nothing": b"",
    "not UTF-8": b"\xff\xfe",
    "UTF-16": '{"alg":"RS256"}'.encode("utf-16"),
    "deep": b"[" * 10_000,
    "no alg": {},
    "alg none": {"alg": "none"},
    "alg None": {"alg": "NoNe"},
    "alg null": {"alg": None},
    "alg array": {"alg": ["RS256"]},
    "alg object": {"alg": {}},
    "alg number": {"alg": 5},
    "alg ES256": {"alg": "ES256"},
    "alg lone surrogate": {"alg": "\ud800"},
    "kid array": {"alg": "RS256", "kid": []},
    "kid object": {"alg": "RS256", "kid": {}},
    "kid number": {"alg": "RS256", "kid": 5},
    "kid null": {"alg": "RS256", "kid": None},
    "kid path": {"alg": "RS256", "kid": "../../../../../../etc/passwd"},
    "kid device": {"alg": "HS256", "kid": "/dev/null"},
    "kid SQL": {"alg": "RS256", "kid": "x' UNION SELECT 'key';--"},
    "kid URL": {"alg": "RS256", "kid": "http://127.0.0.1:1/key"},
    "kid nul": {"alg": "RS256", "kid": "\x00"},
    "kid long": {"alg": "RS256", "kid": "k" * 20_000},
    "crit number": {"alg": "RS256", "crit": 5},
    "crit nested": {"alg": "RS256", "crit": [[]]},
    "crit object": {"alg": "RS256", "crit": {}},
    "crit unknown": {"alg": "RS256", "crit": ["x"], "x": 1},
    "crit b64": {"alg": "RS256", "crit": ["b64"], "b64": False},
    "jku": {"alg": "RS256", "jku": "http://127.0.0.1:1/jwks.json"},
    "x5u": {"alg": "RS256", "x5u": "file:///etc/passwd"},
    "jwk number": {"alg": "RS256", "jwk": 5},
    "x5c number": {"alg": "RS256", "x5c": 3},
    "typ number": {"alg": "RS256", "typ": 5},
    "typ array": {"alg": "RS256", "typ": ["at+jwt"]},
    "zip bomb": {"alg": "RSA-OAEP", "enc": "A256GCM", "zip": "DEF"},
}

# Values that a claim of time must not have; each is written as it stands into the JSON.
TIMES = {
    "text": '"9999999999"',
    "true": "true",
    "false": "false",
    "null": "null",
    "array": "[9999999999]",
    "object": "{}",
    "1e400": "1e400",
    "NaN": "NaN",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
    "huge": str(BIG),
    "minus huge": str(-BIG),
    "too many digits": "1" + "0" * 5000,
    "far away": "99999999999999999999",
}

# Values for claims that must be text; sent through JSON.
NO_TEXT = [None, True, 5, 1.5, [], ["x"], {}, {"x": 1}, BIG, "", "\x00", "\ud800"]


def b64(value: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def part(value: object) -> str:
    """One part of a compact JOSE object: bytes as they are, anything else as JSON."""
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


def unsigned(header: object, payload: object = b"{}", signature: bytes = b"x" * 256) -> str:
    """A token with any header and a signature that is none."""
    return f"{part(header)}.{part(payload)}.{b64(signature)}"


def signed(key, payload: object, header: dict | None = None) -> str:
    """A token whose RS256 signature holds, whatever the payload is."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    text = f"{part({'alg': 'RS256', 'typ': 'JWT'} | (header or {}))}.{part(payload)}"
    return f"{text}.{b64(key.private_key.sign(text.encode(), PKCS1v15(), SHA256()))}"


def hs256(secret: bytes, claims: dict, header: dict | None = None) -> str:
    """A token whose HMAC is made with `secret`, such as a public key in PEM."""
    text = f"{part({'alg': 'HS256', 'typ': 'JWT'} | (header or {}))}.{part(claims)}"
    return f"{text}.{b64(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def claims_with(claims: dict, name: str, raw: str) -> bytes:
    """The claims as JSON, with `raw` written in place of one value."""
    rest = {key: value for key, value in claims.items() if key != name}
    text = json.dumps(rest)
    return f'{text[:-1]}{", " if rest else ""}"{name}": {raw}}}'.encode()


def shapes(good: str) -> list[str]:
    """What is nearly a token, made from a good one."""
    head, body, signature = good.split(".")
    return [
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}..{signature}",
        f".{body}.{signature}",
        "..",
        ".",
        f"{good}.",
        f"{good}.{signature}",
        f"{head}.{body}.{signature[:-4]}",
        f"{head}.{body}.{signature}=",
        f"{head}=.{body}.{signature}",
        f"{head}.{body}.{signature.swapcase()}",
        f"{head}.{part({'x': 1})}.{signature}",
        good.replace(".", ":"),
        good * 3,
        "a" * 20_000,
        "." * 20_000,
        f"{head}.{part(b'{' * 10_000)}.{signature}",
        f"{head}.{part(b'9' * 10_000)}.{signature}",
        good.encode().hex(),
        f'"{good}"',
        "null",
    ]
