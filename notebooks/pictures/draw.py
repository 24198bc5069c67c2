"""Draw the pictures of the notebooks: ways in Auth0's dashboard, QR codes. Run it to renew them.

They are drawings of our own, made of the words on the way; they copy nobody's screens, and stay
right when those are painted anew.
"""

from __future__ import annotations

import dataclasses
from html import escape
from pathlib import Path

import segno

FOLDER = Path(__file__).parent
WIDTH, ROW, LEFT, TOP = 760, 40, 28, 118
QR_SIDE = 220
INK, PALE, LINE, BLUE, GLOW = "#1b1f27", "#5b6472", "#b9c0cb", "#1f4fd8", "#fff3cd"
ARROW = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
FONT = 'font-family="system-ui, sans-serif"'


@dataclasses.dataclass(frozen=True)
class Picture:
    """One step in the dashboard.

    Attributes:
        name: of the file.
        path: what to click, from the side menu on.
        fields: label and value of each line to look at; a value of True is a ticked box.
        button: what to press at the end.
    """

    name: str
    path: tuple[str, ...]
    fields: tuple[tuple[str, str | bool], ...]
    button: str = "Save"

    @property
    def alt(self) -> str:
        """What the picture says, in words: its alt text."""
        told = [f"tick {k}" if v is True else f"{k}: {v}" for k, v in self.fields]
        way = f" {ARROW} ".join(self.path)
        return f"Path in the dashboard: {way}. {'; '.join(told)}. {self.button}."


APP = ("Applications", "Applications", "the bAInk")
API = ("Applications", "APIs", "bAInk transfers")
PICTURES = (
    Picture(
        "ciba_grant",
        (*APP, "Settings", "Advanced Settings", "Grant Types"),
        (("Client Initiated Backchannel Authentication (CIBA)", True),),
        "Save Changes",
    ),
    Picture(
        "ciba_channel",
        (*APP, "Settings", "Client-Initiated Backchannel Authentication (CIBA)"),
        (("Push notification (guardian-push)", True),),
        "Save Changes",
    ),
    Picture(
        "create_api",
        ("Applications", "APIs", "Create API"),
        (
            ("Name", "bAInk transfers"),
            ("Identifier", "https://localhost:3000/api/accounts/transfers"),
            ("JSON Web Token (JWT) Profile", "RFC 9068"),
            ("Signing Algorithm", "RS256"),
            ("Access policy for user flows", "Per-app authorization"),
            ("Access policy for client flows", "Per-app authorization"),
        ),
        "Create",
    ),
    Picture(
        "permission",
        (*API, "Permissions", "Add a Permission"),
        (("Permission", "create:transfer"), ("Description", "Initiate an account transfer")),
        "Add",
    ),
    Picture(
        "application_access",
        (*API, "Application Access", "the bAInk", "Edit"),
        (("User-Delegated Access", "Grant Access"), ("create:transfer", True)),
    ),
    Picture(
        "push_factor",
        ("Security", "Multi-factor Auth", "Push Notification using Auth0 Guardian"),
        (
            ("Push Notification using Auth0 Guardian", True),
            ("Push Notification App", "Auth0 Guardian"),
        ),
    ),
    Picture(
        "enrol_user",
        ("User Management", "Users", "the customer", "Details", "Multi-Factor Authentication"),
        (("Guardian", "no device yet"),),
        "Send an enrolment invitation",
    ),
)


@dataclasses.dataclass(frozen=True)
class QrCode:
    """An address that a phone's camera reads.

    Attributes:
        name: of the file.
        what: behind the address.
        url: the address.
    """

    name: str
    what: str
    url: str

    @property
    def alt(self) -> str:
        """What the picture is, in words: its alt text."""
        return f"QR code: {self.what}, {self.url}"


QR_CODES = (
    QrCode(
        "app_store",
        "Auth0 Guardian in the App Store",
        "https://apps.apple.com/us/app/auth0-guardian/id1093447833",
    ),
    QrCode(
        "google_play",
        "Auth0 Guardian at Google Play",
        "https://play.google.com/store/apps/details?id=com.auth0.guardian",
    ),
)


def every_picture() -> dict[str, str]:
    """The SVG of each file, by its name."""
    drawn = {f"{one.name}.svg": svg(one) for one in PICTURES}
    return drawn | {f"{one.name}.svg": qr_svg(one) for one in QR_CODES}


def qr_svg(code: QrCode) -> str:
    """The code, dark on white in either theme, since cameras want that; all are of one size."""
    drawn = segno.make(code.url, error="m", micro=False)
    image = drawn.svg_inline(
        border=4, dark="#000", light="#fff", omitsize=True, title=code.what, desc=code.alt
    )
    size = f'width="{QR_SIDE}" height="{QR_SIDE}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} '
    return image.replace("<svg ", opening, 1) + "\n"


def svg(picture: Picture) -> str:
    """The picture as one self-contained SVG, with its words for screen readers."""
    height = TOP + ROW * len(picture.fields) + 76
    body = [*_crumbs(picture.path), *_fields(picture.fields), _button(picture.button, height)]
    name = escape(picture.path[-1])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-labelledby="t d" {FONT} font-size="15">\n'
        f'<title id="t">{name}</title>\n<desc id="d">{escape(picture.alt)}</desc>\n'
        f'<rect x="1" y="1" width="{WIDTH - 2}" height="{height - 2}" rx="12" fill="#fff" '
        f'stroke="{LINE}"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _crumbs(path: tuple[str, ...]) -> list[str]:
    """The way there, a line of words that breaks where it is full."""
    x, y, parts = LEFT, 44, []
    for number, word in enumerate(path):
        wide = int(len(word) * 8.2) + 22
        if x + wide > WIDTH - LEFT:
            x, y = LEFT + 24, y + 34
        last = number == len(path) - 1
        fill, ink = (BLUE, "#fff") if last else ("#eef1f6", INK)
        parts.append(
            f'<rect x="{x}" y="{y - 20}" width="{wide}" height="28" rx="14" fill="{fill}"/>'
            f'<text x="{x + wide / 2:.0f}" y="{y}" text-anchor="middle" fill="{ink}">'
            f"{escape(word)}</text>"
        )
        x += wide
        if not last:
            parts.append(f'<text x="{x + 6}" y="{y}" fill="{PALE}">{ARROW}</text>')
            x += 20
    return parts


def _fields(fields: tuple[tuple[str, str | bool], ...]) -> list[str]:
    parts = []
    for number, (label, value) in enumerate(fields):
        y = TOP + ROW * number
        parts.append(
            f'<rect x="{LEFT}" y="{y - 4}" width="{WIDTH - 2 * LEFT}" height="{ROW - 8}" rx="6" '
            f'fill="{GLOW}"/>'
        )
        if value is True:
            parts.append(
                f'<rect x="{LEFT + 10}" y="{y + 4}" width="16" height="16" rx="3" fill="{BLUE}"/>'
                f'<path d="M{LEFT + 13} {y + 12} l4 4 l7 -9" stroke="#fff" stroke-width="2.4" '
                f'fill="none"/><text x="{LEFT + 36}" y="{y + 17}" fill="{INK}">'
                f"{escape(label)}</text>"
            )
        else:
            parts.append(
                f'<text x="{LEFT + 10}" y="{y + 17}" fill="{PALE}">{escape(label)}</text>'
                f'<text x="{LEFT + 260}" y="{y + 17}" fill="{INK}" font-weight="600">'
                f"{escape(str(value))}</text>"
            )
    return parts


def _button(words: str, height: int) -> str:
    wide = int(len(words) * 8.4) + 36
    x, y = WIDTH - LEFT - wide, height - 54
    return (
        f'<rect x="{x}" y="{y}" width="{wide}" height="34" rx="8" fill="{BLUE}"/>'
        f'<text x="{x + wide / 2:.0f}" y="{y + 22}" text-anchor="middle" fill="#fff" '
        f'font-weight="600">{escape(words)}</text>'
    )


def main() -> None:
    """Write every picture beside this script."""
    for name, text in every_picture().items():
        (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
