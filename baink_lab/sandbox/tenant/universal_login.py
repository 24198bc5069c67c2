"""`GET /authorize` and the login page behind it (contract section 3.3, RFC 6749 section 4.1)."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from baink_lab.sandbox.tenant import access, pages
from baink_lab.sandbox.tenant.client_auth import is_public
from baink_lab.sandbox.tenant.errors import OAuthError
from baink_lab.sandbox.tenant.passwords import hash_password, password_matches
from baink_lab.sandbox.tenant.state import Tenant
from baink_lab.sandbox.tenant.tokens import opaque_key
from baink_lab.sandbox.tenant.wire import NO_STORE, form_of, query_of

CODE_LIFETIME = 60  # seconds
LOGIN_LIFETIME = 600  # seconds to fill in the form
MAX_LOGINS = 1000  # begun and not finished; the oldest is forgotten
MAX_TRIES = 10  # wrong passwords for one login
COOKIE = "baink_login"
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
_LEAVING = {**NO_STORE, "referrer-policy": "no-referrer"}  # the address has the code in it
_CARRIED = ("scope", "audience", "state", "nonce", "redirect_uri", "code_challenge")


class UniversalLogin:
    """The logins that have begun: in memory, since a restart only means to begin anew.

    Args:
        tenant: whose users log in.
    """

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._begun: dict[str, dict[str, Any]] = {}
        self._nobody = hash_password(secrets.token_urlsafe(16))

    def routes(self) -> list[Route]:
        """What to mount at the tenant's root."""
        return [
            Route("/authorize", self._authorize),
            Route("/u/login", self._show, methods=["GET"]),
            Route("/u/login", self._submit, methods=["POST"]),
        ]

    async def _authorize(self, request: Request) -> Response:
        try:
            query = query_of(request)
            client = self._client(query)
        except OAuthError as refused:  # nowhere safe to redirect to (RFC 6749 4.1.2.1)
            return pages.oops(str(refused))
        try:
            login = self._checked(client, query)
        except OAuthError as refused:
            return self._back(query, {"error": refused.code, "error_description": str(refused)})
        handle, browser = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._begun[handle] = {**login, "browser": browser, "tries": 0}
        while len(self._begun) > MAX_LOGINS:
            del self._begun[next(iter(self._begun))]
        response = RedirectResponse(f"/u/login?{urlencode({'state': handle})}", 302, NO_STORE)
        response.set_cookie(COOKIE, browser, httponly=True, samesite="lax", path="/u/login")
        return response

    def _client(self, query: dict[str, str]) -> dict[str, Any]:
        client = self._tenant.clients.get(query.get("client_id", ""))
        if client is None:
            raise OAuthError("invalid_request", f"Unknown client: {query.get('client_id', '')}")
        sent = query.get("redirect_uri", "")
        if not any(_same_callback(known, sent) for known in client["callbacks"]):
            raise OAuthError("invalid_request", "Callback URL mismatch.")
        return dict(client)

    def _checked(self, client: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        if query.get("response_type") != "code":
            raise OAuthError("unsupported_response_type", "response_type must be code")
        access.require_grant_type(client, "authorization_code")
        method = query.get("code_challenge_method", "plain" if "code_challenge" in query else "")
        if method not in ("S256", "plain", ""):
            raise OAuthError("invalid_request", "code_challenge_method must be S256 or plain")
        if not method and is_public(client):
            raise OAuthError("invalid_request", "code_challenge is required")
        scope = query.get("scope", "openid profile email").split()
        # Checked now, so that the browser comes back with the reason, and again at the exchange.
        try:
            access.for_user(self._tenant, client, "", query.get("audience"), scope)
        except access.NotAuthorized as refused:  # other words here than at /oauth/token
            raise OAuthError("invalid_request", refused.sentence_alone) from None
        if query.get("prompt") == "none":
            raise OAuthError("login_required", "Login required")
        carried = {name: query.get(name) for name in _CARRIED}
        expires_at = self._tenant.now() + LOGIN_LIFETIME
        return carried | {
            "client_id": client["client_id"],
            "client_name": client["name"],
            "code_challenge_method": method,
            "scope": scope,
            "login_hint": query.get("login_hint", ""),
            "expires_at": expires_at,
        }

    async def _show(self, request: Request) -> Response:
        login = self._find(request)
        return pages.oops(pages.STALE) if login is None else self._form(login)

    async def _submit(self, request: Request) -> Response:
        try:
            fields = await form_of(request)
        except OAuthError as refused:
            return pages.oops(str(refused))
        login = self._find(request)
        cookie = request.cookies.get(COOKIE, "")
        if login is None or not hmac.compare_digest(cookie.encode(), login["browser"].encode()):
            return pages.oops(pages.STALE)
        email, password = fields.get("username", ""), fields.get("password", "")
        # Counted before the work, so that tries side by side are not free.
        login["tries"] += 1
        if login["tries"] > MAX_TRIES:
            self._begun.pop(request.query_params["state"], None)
            return pages.oops(pages.STALE)
        user = self._tenant.user_by_email(email)
        # As much work for an unknown address as for a known one.
        stored = self._nobody if user is None else user["_password"]
        right = await asyncio.to_thread(password_matches, password, stored)
        if user is None or not right:
            self._tenant.events.add(
                "fp", client=self._tenant.clients.get(login["client_id"]), user=user
            )
            return self._form(login, email, "Wrong e-mail or password.")
        if self._begun.pop(request.query_params["state"], None) is None:
            return pages.oops(pages.STALE)  # the same form was sent twice
        return self._back(login, {"code": self._new_code(login, user)})

    def _new_code(self, login: dict[str, Any], user: dict[str, Any]) -> str:
        code = secrets.token_urlsafe(32)
        now = self._tenant.now()
        kept = ("client_id", "redirect_uri", "scope", "audience", "nonce", "code_challenge")
        record = {name: login[name] for name in (*kept, "code_challenge_method")}
        with self._tenant.store.atomic():
            codes = self._tenant.codes
            for key in [key for key, item in codes.items() if item["expires_at"] <= now]:
                codes.remove(key)
            record |= {"user_id": user["user_id"], "expires_at": now + CODE_LIFETIME}
            codes.put(opaque_key(code), record)
            client = self._tenant.clients.get(login["client_id"])
            self._tenant.events.add("s", client=client, user=user)
        return code

    def _find(self, request: Request) -> dict[str, Any] | None:
        handle = request.query_params.get("state", "")
        login = self._begun.get(handle)
        if login is not None and login["expires_at"] <= self._tenant.now():
            del self._begun[handle]
            return None
        return login

    def _form(self, login: dict[str, Any], email: str = "", problem: str = "") -> HTMLResponse:
        return pages.login(login["client_name"], email or login["login_hint"], problem)

    def _back(self, carried: dict[str, Any], result: dict[str, str]) -> RedirectResponse:
        if carried.get("state"):
            result = result | {"state": carried["state"]}
        joint = "&" if urlsplit(carried["redirect_uri"]).query else "?"
        where = f"{carried['redirect_uri']}{joint}{urlencode(result)}"
        return RedirectResponse(where, 302, _LEAVING)


def _same_callback(known: str, sent: str) -> bool:
    """Exactly the same, or the same but for the port on loopback (RFC 8252 section 7.3)."""
    if known == sent:
        return True
    try:
        ours, theirs = urlsplit(known), urlsplit(sent)
        hosts = (ours.netloc.partition(":")[0], theirs.hostname)
        _ = theirs.port  # a port that is no number raises
    except ValueError:
        return False
    bare = theirs.netloc in {theirs.hostname or "", f"{theirs.hostname}:{theirs.port}"}
    return (
        bare
        and hosts[0] == hosts[1]
        and hosts[0] in _LOOPBACK
        and (ours.scheme, ours.path, ours.query) == (theirs.scheme, theirs.path, theirs.query)
        and not theirs.fragment
    )
