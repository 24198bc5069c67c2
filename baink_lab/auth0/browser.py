"""A customer's browser, as far as a login page needs one: redirects, cookies, one form."""

from __future__ import annotations

import html.parser
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx

from baink_lab.auth0.errors import Auth0Error
from baink_lab.auth0.wire import send
from baink_lab.errors import InOneSentence

HOPS = 10


class LoginError(InOneSentence, Auth0Error):
    """The login did not end in tokens; `code` is the OAuth `error` when the tenant gave one."""

    code = "login"


async def sign_in(
    http: httpx.AsyncClient, url: str, redirect_uri: str, name: str, password: str
) -> str:
    """Open `url`, fill in the login form once, and return the callback that we are sent to.

    Args:
        http: keeps the cookies; must not follow redirects by itself.
        url: the authorization request.
        redirect_uri: where the login ends; it is not opened.
        name: what goes into the form's text field.
        password: what goes into its password field.

    Raises:
        LoginError: the password was not taken, there is no form, or the redirects go in circles.
        Unavailable: the tenant gave no usable answer.
    """
    host = urlsplit(url).netloc
    response = await send(http, "GET", url)
    filled = False
    for _ in range(HOPS):
        if response.is_redirect:
            target = urljoin(str(response.url), response.headers["location"])
            if target.split("?")[0] == redirect_uri:
                return target
            response = await send(http, "GET", target)
            continue
        form = LoginForm.read(response.text)
        if form is None or filled:
            raise LoginError(
                f"The login page at {host} did not let {name} in (HTTP {response.status_code})."
            )
        filled = True
        action = urljoin(str(response.url), form.action)
        response = await send(http, "POST", action, data=form.answers(name, password))
    raise LoginError(f"The login at {host} goes round in circles.")


class LoginForm(html.parser.HTMLParser):
    """The first form on a page that has a password field: where it goes and what it asks.

    Attributes:
        action: where it is sent, as written on the page.
        kinds: the `type` of each named input.
        values: what each named input holds already.
    """

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.kinds: dict[str, str] = {}
        self.values: dict[str, str] = {}
        self._inside = False

    @classmethod
    def read(cls, page: str) -> Self | None:
        """The login form on `page`; None when there is none."""
        form = cls()
        form.feed(page)
        return form if "password" in form.kinds.values() else None

    def answers(self, name: str, password: str) -> dict[str, str]:
        """The fields to send: hidden ones as they are, `name` and `password` where they belong."""
        ours = {"password": password, "text": name, "email": name}
        return {field: ours.get(self.kinds[field], held) for field, held in self.values.items()}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in one tag; html.parser calls this."""
        found = {key: value or "" for key, value in attrs}
        if tag == "form" and "password" not in self.kinds.values():
            self.action, self.kinds, self.values = found.get("action", ""), {}, {}
            self._inside = True
        if tag == "input" and self._inside and found.get("name"):
            self.kinds[found["name"]] = found.get("type", "text").lower()
            self.values[found["name"]] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """Take in the end of one tag; html.parser calls this."""
        if tag == "form":
            self._inside = False
