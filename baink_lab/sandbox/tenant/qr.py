"""QR codes as inline SVG."""

from __future__ import annotations


def picture(text: str, alt: str) -> str:
    """The HTML of a QR code; dark on white in either colour scheme, since cameras want that.

    Args:
        text: what a camera reads.
        alt: what a person hears who cannot see it; escaped here.
    """
    import segno  # noqa: PLC0415 - only who enrols needs it

    code = segno.make(text, error="m", micro=False)
    image = code.svg_inline(
        dark="#000", light="#fff", border=4, omitsize=True, title=alt, svgclass="qr"
    )
    return image.replace("<svg ", '<svg role="img" ', 1)
