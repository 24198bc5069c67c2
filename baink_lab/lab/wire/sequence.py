"""Messages as a sequence diagram in SVG, which needs nothing but itself and fits either theme."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from time import localtime, strftime

from baink_lab.lab.wire.traffic import LANES, Message

TOP, STEP, LANE, LEFT = 44, 30, 124, 66
#: How wide a letter is, or less.
LETTER = 7
WIDEST = LEFT + 7 * LANE  # of a drawing: a notebook's width beside its table of contents
NOTHING = "Your cells have sent nothing yet"
EMPTY = (f"{NOTHING}: this fills.", "A check has a tenant of its own.")
#: JupyterLab's own colours where it shows the drawing; its own where it stands alone.
STYLE = """
.baink-seq{font:13px system-ui,sans-serif;--fg:var(--jp-ui-font-color1,#1b1b1b);
--bg:var(--jp-layout-color1,#ffffff);--line:var(--jp-border-color1,#8a8a8a);--ask:#0b5394;
--back:#6a3d00;--own:#14722f;color:var(--fg)}
@media (prefers-color-scheme:dark){.baink-seq{--fg:var(--jp-ui-font-color1,#ececec);
--bg:var(--jp-layout-color1,#161616);--ask:#8ec5ff;--back:#ffc078;--own:#7ddc96}}
[data-jp-theme-light="true"] .baink-seq{--ask:#0b5394;--back:#6a3d00;--own:#14722f}
[data-jp-theme-light="false"] .baink-seq{--ask:#8ec5ff;--back:#ffc078;--own:#7ddc96}
.baink-seq text{fill:var(--fg)}.baink-seq .paper{fill:var(--bg)}
.baink-seq .lane{stroke:var(--line);stroke-dasharray:2 4}
.baink-seq .who{font-weight:600;text-anchor:middle}.baink-seq .when{font-size:11px}
.baink-seq .what{text-anchor:middle;paint-order:stroke;stroke:var(--bg);stroke-width:4px}
.baink-seq .arrow{fill:none;stroke:var(--ask);stroke-width:1.5}
.baink-seq .head{fill:var(--ask)}
.baink-seq .back .arrow{stroke:var(--back);stroke-dasharray:6 3}
.baink-seq .back .head{fill:var(--back)}
.baink-seq .own .arrow{stroke:var(--own)}.baink-seq .own .head{fill:var(--own)}
""".replace("\n", "")


def drawn(messages: Sequence[Message], title: str) -> str:
    """The diagram of some messages, oldest first.

    Args:
        messages: what was said.
        title: what it shows, for screen readers.
    """
    lanes = lanes_of(messages)
    place = _places(lanes, messages)
    width, height = place[lanes[-1]] + LANE // 2, TOP + STEP * max(1, len(messages)) + 16
    told = ". ".join(one.words for one in messages) or NOTHING
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="baink-seq" role="img" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<title>{_plain(title)}</title><desc>{_plain(told)}.</desc><style>{STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
    ]
    for lane in lanes:
        x = place[lane]
        parts.append(f'<line class="lane" x1="{x}" y1="28" x2="{x}" y2="{height}"/>')
        parts.append(f'<text class="who" x="{x}" y="18">{lane}</text>')
    for number, one in enumerate(messages):
        parts.append(_arrow(one, place, TOP + STEP * number + 21, width))
    if not messages:
        for at, line in enumerate(EMPTY):
            y = TOP + 11 + 20 * at
            parts.append(f'<text class="what" x="{width // 2}" y="{y}">{line}</text>')
    return "".join([*parts, "</svg>"])


def lanes_of(messages: Sequence[Message]) -> list[str]:
    """Who takes part, from left to right; the customer and the tenant always do."""
    seen = {one.source for one in messages} | {one.target for one in messages}
    return [lane for lane in LANES if lane in seen | {"You", "Tenant"}]


def _places(lanes: Sequence[str], messages: Sequence[Message]) -> dict[str, int]:
    """Where each lane stands: as far from its neighbour as the words between the two are long.

    Where there is no room for all words, each gap gets its share of what there is.
    """
    number = {lane: at for at, lane in enumerate(lanes)}
    gaps = [float(LANE)] * (len(lanes) - 1)
    for one in messages:
        first, last = sorted((number[one.source], number[one.target]))
        lacking = LETTER * (len(_what(one)) + 2) - sum(gaps[first:last])
        for gap in range(first, last):
            gaps[gap] += max(0.0, lacking) / (last - first)
    free = WIDEST - LEFT - LANE * len(lanes)
    more = sum(gaps) - LANE * len(gaps)
    share = min(1.0, free / more) if more else 1.0
    at = LEFT + LANE / 2
    places = {lanes[0]: int(at)}
    for lane, wide in zip(lanes[1:], gaps, strict=True):
        at += LANE + (wide - LANE) * share
        places[lane] = int(at)
    return places


def _what(one: Message) -> str:
    return one.title if one.times == 1 else f"{one.title} \N{MULTIPLICATION SIGN}{one.times}"


def _arrow(one: Message, place: dict[str, int], y: int, width: int) -> str:
    begin, end = place[one.source], place[one.target]
    way = 1 if end > begin else -1
    kind = "back" if one.is_answer else "own" if "Phone" in (one.source, one.target) else "ask"
    what = _what(one)
    # Each message has a row of its own, so its words may be longer than its arrow.
    fits = (width - LEFT) // LETTER
    what = what if len(what) <= fits else f"{what[: fits - 1]}…"
    half = LETTER * len(what) // 2
    middle = min(max((begin + end) // 2, LEFT + half), width - half)
    when = strftime("%H:%M:%S", localtime(one.at))
    tip = f"{end - 9 * way},{y - 4} {end},{y} {end - 9 * way},{y + 4}"
    return (
        f'<g class="{kind}"><text class="when" x="6" y="{y + 4}">{when}</text>'
        f'<line class="arrow" x1="{begin}" y1="{y}" x2="{end - 7 * way}" y2="{y}"/>'
        f'<polygon class="head" points="{tip}"/>'
        f'<text class="what" x="{middle}" y="{y - 5}">{_plain(what)}</text></g>'
    )


def _plain(text: str) -> str:
    # XML has no place for most control characters, not even escaped.
    return escape("".join(c if c.isprintable() else " " for c in text))
