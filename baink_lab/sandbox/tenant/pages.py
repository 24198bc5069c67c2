"""The tenant's few web pages: the login form, and the page that says what went wrong."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

OOPS = "Oops, something went wrong"
STALE = "This login has expired or belongs to another browser. Go back and begin again."
# Nothing from elsewhere is loaded and nobody may frame us. No form-action: some browsers hold a
# form's redirect against it, and the login form redirects to the application's callback.
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'",
    # Not no-referrer: with it, browsers send our own forms with `Origin: null`, and `Visitors`
    # could not tell them from those of other sites. The addresses hold secrets: nobody else's.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { margin: 0; min-height: 100vh; display: grid; place-items: center }
main { width: min(22rem, 90vw); padding: 1.5rem; border: 1px solid; border-radius: 1rem }
label { display: block }
input, button { display: block; width: 100%; box-sizing: border-box; font: inherit }
.qr { display: block; width: min(14rem, 100%); margin: 1rem auto; border-radius: .5rem }
code { overflow-wrap: anywhere }
input, button { padding: .6rem; margin: .25rem 0 1rem; border: 1px solid; border-radius: .5rem }
button { background: #1f4fd8; color: #fff; border-color: #1f4fd8; cursor: pointer }
:focus-visible { outline: 3px solid #e0a000; outline-offset: 2px }
"""


def page(title: str, body: str, status: int = 200) -> HTMLResponse:
    """A page of the tenant. `body` is HTML that the caller has escaped."""
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    return HTMLResponse(text, status, HEADERS)


def login(client_name: str, email: str, problem: str = "") -> HTMLResponse:
    """The login form; it is sent to the address that it was loaded from."""
    told = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    return page(
        "Log in",
        f"<p>to {escape(client_name)}, on the sandbox tenant</p>{told}"
        '<form method="post"><label for="username">E-mail</label>'
        '<input id="username" name="username" type="text" autocomplete="username" required '
        f'value="{escape(email, quote=True)}">'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" '
        'autocomplete="current-password" required><button type="submit">Log in</button></form>',
        400 if problem else 200,
    )


def oops(problem: str, status: int = 400, *, title: str = OOPS) -> HTMLResponse:
    """A request that cannot be answered by a redirect."""
    return page(title, f'<p role="alert">{escape(problem)}</p>', status)
