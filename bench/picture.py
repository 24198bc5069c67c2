"""Draw docs/pictures/scheduling.svg: cost of one poll as the number of waiting approvals grows."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path

from bench.budget import Row
from bench.resumer import scheduling

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "scheduling.svg"
WIDTH, HEIGHT, BAR = 560, 260, 90


def draw(rows: Sequence[Row]) -> str:
    """Bars, one for each tenfold; readable in light and dark."""
    top = max(row.measured for row in rows)
    bars = []
    for place, row in enumerate(rows):
        x, height = 90 + place * 150, 150 * row.measured / top
        label = row.what.split(", ")[1]
        bars.append(
            f'<rect x="{x}" y="{200 - height:.0f}" width="{BAR}" height="{height:.0f}" '
            f'fill="#3b6fd4"/><text x="{x + BAR / 2}" y="{192 - height:.0f}">{row.measured:.2f} '
            f'µs</text><text x="{x + BAR / 2}" y="222">{label}</text>'
        )
    words = ", ".join(f"{row.measured:.2f} µs with {row.what.split(', ')[1]}" for row in rows)
    growth = rows[-1].measured / rows[0].measured
    log = math.log10(100_000) / math.log10(1000)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="t d"><title id="t">Cost of scheduling one poll</title>'
        f'<desc id="d">{words}.</desc><g font-family="sans-serif" font-size="14" '
        f'text-anchor="middle" fill="#7a7a7a"><line x1="60" y1="200" x2="530" y2="200" '
        f'stroke="#7a7a7a"/>{"".join(bars)}<text x="{WIDTH / 2}" y="248">'
        f"a hundredfold number costs {growth:.1f} times as much (log n alone: {log:.1f})"
        f"</text></g></svg>\n"
    )


if __name__ == "__main__":
    measured = asyncio.run(scheduling())[:3]
    PICTURE.write_text(draw(measured), "utf-8")
    print(*(f"{row.what}: {row.measured:.2f} {row.unit}" for row in measured), sep="\n")
