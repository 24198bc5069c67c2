"""Peer: the official auth0-python 6, unmodified, asks the phone and collects the tokens."""

import json
import sys
import time
import urllib.parse

from auth0.authentication.back_channel_login import BackChannelLogin
from auth0.authentication.exceptions import Auth0Error
from auth0.authentication.get_token import GetToken
from auth0.authentication.token_verifier import AsymmetricSignatureVerifier, TokenVerifier
from phone import decide, ready

domain = urllib.parse.urlsplit(ready["issuer"]).netloc
keys = (domain, ready["client_id"], ready["client_secret"])
login, get_token = BackChannelLogin(*keys), GetToken(*keys)
MONEY = "urn:auth0:schemas:authorization-details:v1:money-transfer"


def hint(user_id=ready["user_id"]):
    return json.dumps({"format": "iss_sub", "iss": f"https://{domain}/", "sub": user_id})


def ask(message, **changes):
    fields = {
        "binding_message": message,
        "login_hint": hint(),
        "scope": "openid create:transfer",
        "audience": ready["audience"],
    }
    return login.back_channel_login(**fields | changes)


def refused(call, status, code):
    try:
        call()
    except Auth0Error as error:
        assert (error.status_code, error.error_code) == (status, code), error
        return error
    raise AssertionError(f"{code} expected")


def poll(started):
    return get_token.backchannel_login(auth_req_id=started["auth_req_id"])


def approved():
    details = [
        {
            "type": MONEY,
            "instruction": "Approve",
            "properties": {"amount": {"display": True, "name": "Amount", "value": 25.5}},
        }
    ]
    started = ask("sdk approves", authorization_details=details, requested_expiry=120)
    assert started["expires_in"] == 120
    assert started["interval"] >= 1
    refused(lambda: poll(started), 400, "authorization_pending")
    assert decide("sdk approves", "approve")["authorization_details"] == details
    time.sleep(started["interval"])
    tokens = poll(started)
    assert tokens["authorization_details"] == details
    assert tokens["scope"].split() == ["openid", "create:transfer"]
    # Their own verifier reads our id_token with our published keys.
    signature = AsymmetricSignatureVerifier(f"https://{domain}/.well-known/jwks.json")
    verifier = TokenVerifier(signature, ready["issuer"], ready["client_id"])
    claims = verifier.verify(tokens["id_token"])
    assert claims["sub"] == ready["user_id"]
    time.sleep(started["interval"])
    refused(lambda: poll(started), 400, "invalid_grant")


def denied():
    started = ask("sdk denies")
    decide("sdk denies", "deny")
    refused(lambda: poll(started), 400, "access_denied")


def hasty():
    started = ask("sdk is hasty")
    refused(lambda: poll(started), 400, "authorization_pending")
    error = refused(lambda: poll(started), 400, "slow_down")
    assert int({k.lower(): v for k, v in error.headers.items()}["retry-after"]) > 1
    decide("sdk is hasty", "deny")


def refusals():
    refused(lambda: ask("x", scope="create:transfer"), 400, "invalid_request")
    refused(lambda: ask("x", login_hint=hint("auth0|nobody")), 400, "unknown_user_id")
    refused(lambda: ask("x", audience="https://nowhere"), 403, "access_denied")
    refused(lambda: ask("€ 5"), 400, "invalid_binding_message")
    wrong = BackChannelLogin(domain, ready["client_id"], "wrong")
    refused(
        lambda: wrong.back_channel_login(binding_message="x", login_hint=hint(), scope="openid"),
        401,
        "invalid_client",
    )


def secret_forms():
    """`/oauth/token` from the SDK is a form or JSON by the grant; both are taken."""
    manage = (domain, ready["management_client_id"], ready["management_client_secret"])
    token = GetToken(*manage).client_credentials(f"https://{domain}/api/v2/")
    assert token["token_type"] == "Bearer"
    refused(
        lambda: get_token.client_credentials(f"https://{domain}/api/v2/"),
        403,
        "unauthorized_client",
    )


globals()[sys.argv[1]]()
print(json.dumps({"ok": sys.argv[1]}))
