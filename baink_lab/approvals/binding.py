"""The line on the phone: any text, fitted to the alphabet and length of a binding message.

Auth0 takes 1 to 64 characters of letters, digits, space and ``+ - _ . , : #``.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST = 64
ALPHABET = "letters, digits, space and + - _ . , : #"
FORBIDDEN = re.compile(r"[^A-Za-z0-9+\-_.,:# ]")
CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR"}
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"})
_COLOURS = "amber azure black brown coral green grey ivory jade lilac olive pink red rose ruby teal"
_ANIMALS = "bear crab crow deer dove duck fox frog goat hare hawk lion lynx mole moth mouse newt "
_ANIMALS += "orca otter owl panda puma robin seal shark sheep swan tiger toad trout whale wolf"
#: For whoever has to know what the phone shows of a line at worst.
LONGEST_WORDS = "-".join(max(some.split(), key=len) for some in (_COLOURS, _ANIMALS))


def code_words(approval_id: str) -> str:
    """Two words, like ``teal-otter``, that the chat and the phone both show for one approval."""
    digest = hashlib.sha256(approval_id.encode()).digest()
    colours, animals = _COLOURS.split(), _ANIMALS.split()
    return f"{colours[digest[0] % len(colours)]}-{animals[digest[1] % len(animals)]}"


def fold(text: str) -> str:
    """Text in the letters that a phone may show.

    Accents go, currency signs become codes, and what has no equal becomes a space.
    """
    for sign, code in CURRENCIES.items():
        text = text.replace(sign, f" {code} ")
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    letters = "".join(one for one in plain if not unicodedata.combining(one))
    return " ".join(FORBIDDEN.sub(" ", letters).split())


def fit(text: str, words: str = "") -> str:
    """A binding message: `text`, cut at its end where it is too long, and the code words.

    Put what matters most first: "Pay 25.00 USD to Mia Moreau" keeps the amount whatever the name.
    """
    ending = f" #{words}" if words else ""
    room = LONGEST - len(ending)
    line = fold(text)
    if len(line) > room:
        line = line[: room - 2].rstrip() + ".."
    return (line or "Confirm the request") + ending
