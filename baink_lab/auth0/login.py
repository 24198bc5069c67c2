"""The customer logs in: authorization code with PKCE (RFC 6749 section 4.1, RFC 7636)."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from baink_lab.auth0.browser import LoginError, sign_in
from baink_lab.auth0.discovery import Provider, discover
from baink_lab.auth0.errors import Unavailable
from baink_lab.auth0.session import SessionToken, SessionTokens
from baink_lab.auth0.wire import answer_of, new_http, send
from baink_lab.clock import Clock, SystemClock
from baink_lab.settings import READ_SCOPE, World

REDIRECT_URI = "http://127.0.0.1/callback"
SESSION_SCOPE = f"openid profile {READ_SCOPE}"


__all__ = [
    "LoginError",
    "LoginRequest",
    "SessionToken",
    "SessionTokens",
    "begin",
    "belongs",
    "finish",
    "log_in_with_form",
    "renew",
]


@dataclasses.dataclass(frozen=True)
class LoginRequest:
    """A login that has begun: open `url` in a browser, then `finish` with where it ends up.

    Attributes:
        url: the tenant's login page for this request.
        state: comes back in the callback; ties it to this request (RFC 6749 section 10.12).
        verifier: proves that who finishes is who began (RFC 7636); a secret.
        nonce: comes back in the ID token (OpenID Connect Core, section 3.1.2.1).
        redirect_uri: where the tenant sends the browser; nothing needs to listen there.
        client_id: the application that logs the customer in.
        provider: the tenant's endpoints.
    """

    url: str
    state: str = dataclasses.field(repr=False)
    verifier: str = dataclasses.field(repr=False)
    nonce: str = dataclasses.field(repr=False)
    redirect_uri: str
    client_id: str
    provider: Provider = dataclasses.field(repr=False)


async def begin(
    issuer: str,
    client_id: str,
    *,
    http: httpx.AsyncClient,
    audience: str,
    scope: str = SESSION_SCOPE,
    redirect_uri: str = REDIRECT_URI,
    **more: str,
) -> LoginRequest:
    """Make the URL of a login page, and the secrets that tie its answer to us.

    Args:
        issuer: the tenant.
        client_id: an application with the authorization_code grant.
        http: the client to ask discovery with.
        audience: the API that the token is for.
        scope: separated by spaces; needs `openid`.
        redirect_uri: registered with the application.
        more: other parameters of the request, such as `login_hint` or `prompt`.

    Raises:
        Auth0Error: the issuer cannot be used.
    """
    provider = await discover(issuer, http)
    verifier, state, nonce = (secrets.token_urlsafe(32) for _ in range(3))
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "audience": audience,
        "state": state,
        "nonce": nonce,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    query |= {name: value for name, value in more.items() if value}
    url = f"{provider.authorization_endpoint}?{urlencode(query)}"
    return LoginRequest(url, state, verifier, nonce, redirect_uri, client_id, provider)


async def finish(
    callback_url: str,
    request: LoginRequest,
    *,
    client_secret: str,
    http: httpx.AsyncClient,
    clock: Clock | None = None,
) -> SessionToken:
    """Exchange the code in `callback_url` for tokens.

    Args:
        callback_url: the whole address that the browser was sent to at the end.
        request: what `begin` returned.
        client_secret: of the application, sent in the body.
        http: the client to ask with.
        clock: what tells the time.

    Raises:
        LoginError: the tenant refused, or the callback belongs to another login.
        Unavailable: the tenant gave no usable answer.
    """
    form = {
        "grant_type": "authorization_code",
        "client_id": request.client_id,
        "client_secret": client_secret,
        "code": _code(callback_url, request),
        "code_verifier": request.verifier,
        "redirect_uri": request.redirect_uri,
    }
    asked_at = (clock or SystemClock()).now()
    response = await send(http, "POST", request.provider.token_endpoint, data=form)
    answer = answer_of(response)
    if response.status_code != 200:
        raise _refused(answer)
    subject = _subject(str(answer.get("id_token", "")), request, asked_at)
    return _session(answer, subject, asked_at)


async def renew(
    token: SessionToken,
    issuer: str,
    client_id: str,
    *,
    client_secret: str,
    http: httpx.AsyncClient,
    clock: Clock | None = None,
) -> SessionToken:
    """A new access token for the same customer, by the refresh token (RFC 6749 section 6).

    Raises:
        LoginError: there is no refresh token, or the tenant does not take it any more.
        Unavailable: the tenant gave no usable answer.
    """
    if not token.refresh_token:
        raise LoginError("The session is over, and it came without a refresh token.", code="over")
    form = {
        "grant_type": "refresh_token",
        "client_id": client_id,
        "client_secret": client_secret,
        "refresh_token": token.refresh_token,
    }
    asked_at = (clock or SystemClock()).now()
    provider = await discover(issuer, http)
    response = await send(http, "POST", provider.token_endpoint, data=form)
    answer = answer_of(response)
    if response.status_code != 200:
        raise _refused(answer)
    # Without rotation the old refresh token stays good.
    answer.setdefault("refresh_token", token.refresh_token)
    return _session(answer, token.subject, asked_at)


async def log_in_with_form(
    world: World,
    *,
    http: httpx.AsyncClient | None = None,
    clock: Clock | None = None,
    scope: str = SESSION_SCOPE,
    audience: str | None = None,
) -> SessionToken:
    """Play the customer's browser on the sandbox's login page, for the demo customer.

    Args:
        world: where the tenant is, and the customer's e-mail address and password.
        http: plays the browser, cookies and all; one of our own when left out.
        clock: what tells the time.
        scope: what to ask for.
        audience: which API; the accounts API beside the transfers API when left out.

    Raises:
        LoginError: no demo customer (live mode), a wrong password, or a page without a form.
        Unavailable: the tenant gave no usable answer.
    """
    if not world.user_password:
        raise LoginError(
            "There is no demo customer in live mode: open the URL of `login.begin` in a browser "
            "and pass the address it ends at to `login.finish` (in a notebook: await lab.login())."
        )
    if http is None:
        async with new_http() as own:
            return await log_in_with_form(
                world, http=own, clock=clock, scope=scope, audience=audience
            )
    request = await begin(
        world.issuer,
        world.client_id,
        http=http,
        audience=audience or world.audience.removesuffix("/transfers"),
        scope=scope,
    )
    callback = await sign_in(
        http, request.url, request.redirect_uri, world.user_email, world.user_password
    )
    return await finish(
        callback, request, client_secret=world.client_secret, http=http, clock=clock
    )


def _challenge(verifier: str) -> str:
    """RFC 7636 section 4.2, method S256."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def belongs(callback_url: str, request: LoginRequest) -> bool:
    """True when an address carries the `state` of this very login."""
    state = _query(callback_url).get("state", "")
    return hmac.compare_digest(state.encode(), request.state.encode())


def _query(url: str) -> dict[str, str]:
    try:
        query = urlsplit(url.strip()).query
    except ValueError:  # no URL at all
        return {}
    return {name: values[0] for name, values in parse_qs(query).items()}


def _session(answer: dict[str, Any], subject: str, asked_at: float) -> SessionToken:
    token, life = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(token, str) or not isinstance(life, int | float):
        raise Unavailable("The tenant's answer to the login holds no access token.")
    return SessionToken(
        access_token=token,
        expires_at=asked_at + life,
        subject=subject,
        scopes=frozenset(str(answer.get("scope", "")).split()),
        refresh_token=answer.get("refresh_token"),
    )


def _code(callback_url: str, request: LoginRequest) -> str:
    query = _query(callback_url)
    if not belongs(callback_url, request):
        raise LoginError(
            "The callback belongs to another login: its `state` is not ours. Log in again.",
            code="state_mismatch",
        )
    if "error" in query:
        raise _refused(query)
    if not query.get("code"):
        raise LoginError("The callback carries no code: copy the whole address, query and all.")
    return query["code"]


#: What to do about an `error` of the tenant's, by its code.
_ADVICE = {
    "access_denied": "Log in again and allow it; if it names an API, run the doctor.",
    "invalid_grant": "A code is good once and for a short time: log in again.",
    "unauthorized_client": "Applications > Applications > the bAInk > Settings > Advanced Settings "
    "> Grant Types: tick Authorization Code, and Refresh Token.",
    "invalid_client": "Check AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET.",
}


def _refused(answer: dict[str, Any]) -> LoginError:
    code = str(answer.get("error") or "login")
    said = str(answer.get("error_description") or "no reason given").rstrip(".")
    if (code, said) == ("access_denied", "Unauthorized"):  # what tenants say to a wrong secret
        code = "invalid_client"
    told = f"The tenant refused the login: {said} ({code})."
    return LoginError(f"{told} {_ADVICE.get(code, 'Log in again.')}", code=code)


def _subject(id_token: str, request: LoginRequest, now: float) -> str:
    """The user id in an ID token that came straight from the token endpoint.

    Its signature may go unchecked then (OpenID Connect Core, section 3.1.3.7, point 6).
    """
    claims = _claims(id_token)
    audience = claims.get("aud")
    ours = request.client_id in (audience if isinstance(audience, list) else [audience])
    fresh = isinstance(claims.get("exp"), int | float) and claims["exp"] > now
    same = hmac.compare_digest(str(claims.get("nonce", "")).encode(), request.nonce.encode())
    if not (ours and fresh and same and claims.get("iss") == request.provider.issuer):
        raise LoginError(
            "The ID token is not for this login (issuer, audience, time or nonce). Log in again.",
            code="invalid_id_token",
        )
    return str(claims.get("sub", ""))


def _claims(token: str) -> dict[str, Any]:
    parts = token.split(".")
    payload = parts[1] if len(parts) == 3 else ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}
