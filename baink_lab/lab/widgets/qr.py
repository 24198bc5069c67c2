"""QR codes for a notebook, with words for who cannot see them."""

from __future__ import annotations

import segno


def qr_picture(text: str, alt: str) -> str:
    """The HTML of a QR code, dark on white in either theme, since cameras want that.

    Args:
        text: what a camera reads.
        alt: what a person hears; escaped here.
    """
    code = segno.make(text, error="m", micro=False)
    image: str = code.svg_inline(scale=4, border=4, dark="#000", light="#fff", title=alt)
    return image.replace("<svg ", '<svg role="img" ', 1)
