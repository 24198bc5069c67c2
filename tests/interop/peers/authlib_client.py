"""Peer: Authlib, unmodified: code with PKCE, refresh, revocation, userinfo, client credentials."""

import json

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from phone import ready

CALLBACK = "http://127.0.0.1:5555/callback"
discovered = requests.get(f"{ready['issuer']}.well-known/openid-configuration", timeout=10).json()
endpoint = {name: discovered[f"{name}_endpoint"] for name in ("authorization", "token", "userinfo")}


def log_in(url):
    """What a person does in a browser; returns where the tenant sends the browser back to."""
    browser = requests.Session()
    form = browser.get(url, timeout=10)
    assert form.status_code == 200, form.text
    fields = {"username": ready["user_email"], "password": ready["user_password"]}
    back = browser.post(form.url, data=fields, allow_redirects=False, timeout=10)
    assert back.status_code == 302, back.text
    return back.headers["location"]


session = OAuth2Session(
    ready["client_id"],
    ready["client_secret"],
    scope="openid profile email offline_access read:accounts",
    redirect_uri=CALLBACK,
    token_endpoint_auth_method="client_secret_basic",
    code_challenge_method="S256",
)
verifier = generate_token(64)
audience = ready["audience"].removesuffix("/transfers")
url, state = session.create_authorization_url(
    endpoint["authorization"], code_verifier=verifier, audience=audience
)
token = session.fetch_token(
    endpoint["token"], authorization_response=log_in(url), state=state, code_verifier=verifier
)
assert "read:accounts" in token["scope"].split()
assert session.get(endpoint["userinfo"]).json()["email"] == ready["user_email"]
fresh = session.refresh_token(endpoint["token"], refresh_token=token["refresh_token"])
assert fresh["access_token"] != token["access_token"]
revoked = session.revoke_token(discovered["revocation_endpoint"], token=token["refresh_token"])
assert revoked.status_code == 200
form = {
    "grant_type": "refresh_token",
    "refresh_token": token["refresh_token"],
    "client_id": ready["client_id"],
    "client_secret": ready["client_secret"],
}
refused = requests.post(endpoint["token"], data=form, timeout=10)
assert (refused.status_code, refused.json()["error"]) == (403, "invalid_grant"), refused.text

manager = OAuth2Session(
    ready["management_client_id"],
    ready["management_client_secret"],
    token_endpoint_auth_method="client_secret_post",
)
machine = manager.fetch_token(
    endpoint["token"], grant_type="client_credentials", audience=f"{ready['issuer']}api/v2/"
)
clients = manager.get(f"{ready['issuer']}api/v2/clients")
assert clients.status_code == 200, clients.text
assert machine["token_type"] == "Bearer"
print(json.dumps({"ok": "authlib"}))
