"""Money between its two shapes: whole minor units inside, decimal text at the edges.

No float on the way, in either direction: `0.1 + 0.2` is not a sum of money.
"""

from __future__ import annotations

import re

CENTS = 100  # in one unit of every currency that the bAInk deals in
CURRENCIES = frozenset({"USD", "EUR"})

# At most 12 digits before the point: every sum of such amounts fits SQLite's 64-bit integers.
_AMOUNT = re.compile(r"(-?)(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,2}))?")


def to_minor(text: str) -> int:
    """Read decimal text, such as `25`, `25.5` or `-1200.50`, as cents.

    Raises:
        ValueError: it is anything else; a sign `+`, an exponent, a comma, more than two decimals.
    """
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError("not an amount: write it with digits and at most two decimals, as 25.00")
    sign, whole, cents = match.groups()
    minor = int(whole) * CENTS + int((cents or "").ljust(2, "0"))
    return -minor if sign else minor


def to_text(minor: int) -> str:
    """Write cents as decimal text with exactly two decimals, such as `25.00`."""
    whole, cents = divmod(abs(minor), CENTS)
    return f"{'-' if minor < 0 else ''}{whole}.{cents:02d}"
