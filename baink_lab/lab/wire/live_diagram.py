"""The sequence diagram as a widget: each message is drawn when it is sent."""

from __future__ import annotations

from typing import Any

from baink_lab.lab.widgets.from_widgets import Runner
from baink_lab.lab.wire.sequence import STEP, TOP, drawn
from baink_lab.lab.wire.traffic import Message, Traffic

SHOWN = 60
GONE = (
    "The kernel of this diagram is gone, so nothing more is drawn here. Run the lab's first cell, "
    "and then this cell again, to see it live."
)

# Inline, so that nothing is fetched. The drawing is ours, and escaped in `sequence`.
_ESM = """
export default {
// ipywidgets tells each model when the kernel restarts; it may be in no page just then.
initialize({ model }) {
  model.on("comm_live_update", () => { model.set("dead", true); });
},
render({ model, el }) {
  el.classList.add("baink-diagram");
  const head = make("div", "head"), save = make("button", "save", "Download as SVG");
  const title = make("strong", "", model.get("title"));
  head.append(title, save);
  const scroll = make("div", "scroll"), sheet = make("div", "sheet");
  const art = make("div", "art"), rows = make("ol", "rows");
  rows.setAttribute("aria-label", "Messages: arrow keys move, Enter shows all of one");
  const lanes = make("div", "lanes");  // stays in sight, whichever rows are
  sheet.append(lanes, art, rows); scroll.append(sheet);
  const more = make("div", "more"), news = make("p", "news"), gone = make("p", "gone");
  more.setAttribute("role", "region"); more.setAttribute("aria-label", "Details of a message");
  more.hidden = true;
  news.setAttribute("role", "status"); news.setAttribute("aria-live", "polite");
  gone.setAttribute("role", "status");
  el.append(head, gone, scroll, more, news);

  function make(tag, name, text) {
    const one = document.createElement(tag);
    if (name) one.className = name;
    if (text) one.textContent = text;
    if (tag === "button") one.type = "button";
    return one;
  }
  // The newest is in sight, until the reader scrolls up: then what they read stays where it is.
  let follow = true, place = 0, first = model.get("first"), current = -1, opened = -1;
  function look() {
    if (!scroll.clientHeight) return;  // out of sight, where nothing keeps its place
    place = scroll.scrollTop;
    follow = place + scroll.clientHeight >= scroll.scrollHeight - 40;
  }
  function hold() { scroll.scrollTop = follow ? scroll.scrollHeight : place; }

  function draw() {
    const messages = model.get("messages"), gone = model.get("first") - first;
    const focused = rows.contains(document.activeElement);
    first += gone;
    const last = first + messages.length - 1;
    const reached = current >= first && current <= last ? current : last;
    art.innerHTML = model.get("svg");
    const { width, height } = art.firstElementChild.viewBox.baseVal, step = model.get("step");
    // It shrinks with the notebook while its words can be read; then it scrolls.
    art.firstElementChild.style.maxWidth = `max(100%, ${0.55 * width}px)`;
    const names = art.firstElementChild.cloneNode();
    names.setAttribute("viewBox", `0 0 ${width} 28`); names.setAttribute("height", 28);
    names.removeAttribute("role"); names.setAttribute("aria-hidden", "true");
    names.append(...[...art.querySelectorAll(".paper, .who")].map(one => one.cloneNode(true)));
    lanes.replaceChildren(names);
    rows.replaceChildren(...messages.map((message, at) => {
      const row = make("li"), button = make("button", "row"), number = first + at;
      // In parts of the whole: a narrow page makes the picture smaller.
      row.style.top = 100 * (model.get("top") + at * step) / height + "%";
      row.style.height = 100 * step / height + "%";
      button.tabIndex = number === reached ? 0 : -1;
      button.setAttribute("aria-label", message.words);
      button.setAttribute("aria-expanded", String(number === opened));
      button.onclick = () => show(message, button, number);
      button.onfocus = () => { current = number; };
      row.append(button);
      return row;
    }));
    if (focused && rows.children.length)
      rows.children[reached - first].firstChild.focus({ preventScroll: true });
    place = Math.max(0, place - gone * step * sheet.clientHeight / height);
    if (follow || gone) hold();
    const none = "Your cells have sent nothing yet.";
    news.textContent = messages.length ? messages.at(-1).words : none;
  }
  function show(message, button, number) {
    const open = number === opened;
    rows.querySelectorAll("button").forEach(b => b.setAttribute("aria-expanded", "false"));
    more.hidden = open;
    opened = open ? -1 : number;
    if (open) return;
    button.setAttribute("aria-expanded", "true");
    const text = make("pre", "", message.details || "(nothing more)");
    text.tabIndex = 0;
    more.replaceChildren(make("strong", "", message.words), text);
  }
  scroll.onscroll = look;
  rows.onkeydown = event => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest("li");
    if (!step || !row) return;
    event.preventDefault(); event.stopPropagation();
    const next = step > 0 ? row.nextElementSibling : row.previousElementSibling;
    if (!next) return;
    event.target.tabIndex = -1; next.firstChild.tabIndex = 0; next.firstChild.focus();
  };
  save.onclick = () => {
    const link = make("a");
    const file = new Blob([model.get("svg")], { type: "image/svg+xml" });
    link.href = URL.createObjectURL(file); link.download = "baink-lab-messages.svg";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const live = () => { gone.textContent = model.get("dead") ? model.get("gone") : ""; };
  // It has no size before it is in the page, and none while JupyterLab takes it out.
  const sizes = new ResizeObserver(hold);
  sizes.observe(scroll); sizes.observe(sheet);
  model.on("change:messages", draw); model.on("change:dead", live);
  draw(); live();
  return () => {
    sizes.disconnect(); model.off("change:messages", draw); model.off("change:dead", live);
  };
} };
"""
_CSS = """
.baink-diagram{position:relative;overflow:hidden;box-sizing:border-box;margin:0;padding:8px;
  border:1px solid var(--jp-border-color1,#8a8a8a);border-radius:8px;
  color:var(--jp-ui-font-color1,inherit);background:var(--jp-layout-color1,transparent)}
.baink-diagram .head{display:flex;justify-content:space-between;align-items:center;gap:1em}
.baink-diagram .save{font:inherit;padding:4px 10px;border:1px solid currentColor;border-radius:4px;
  color:inherit;background:transparent;cursor:pointer}
.baink-diagram .gone{margin:.3em 0;font-weight:700}
.baink-diagram .gone:empty{margin:0}
.baink-diagram .scroll{overflow:auto;max-height:32em;scroll-padding-top:30px}
.baink-diagram .sheet{position:relative;width:fit-content;max-width:100%}
.baink-diagram .art{width:100%}
.baink-diagram .sheet svg{display:block;height:auto}
.baink-diagram .lanes{position:sticky;top:0;height:0;z-index:1}
.baink-diagram .rows{list-style:none;margin:0;padding:0}
.baink-diagram .rows li{position:absolute;left:0;width:100%;margin:0}
.baink-diagram .row{width:100%;height:100%;background:transparent;border:0;cursor:pointer}
.baink-diagram .row:hover{background:rgba(127,127,127,.15)}
.baink-diagram button:focus-visible,.baink-diagram pre:focus-visible{outline:3px solid #d08700;
  outline-offset:-2px}
.baink-diagram .more pre{max-height:16em;overflow:auto;white-space:pre-wrap;margin:.3em 0;
  color:inherit;background:transparent}
.baink-diagram .news{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
"""


def live_diagram(traffic: Traffic, title: str) -> Any:
    """The widget; it follows the traffic as long as it lives.

    Args:
        traffic: what to draw.
        title: what it shows.

    Raises:
        ImportError: there are no widgets here.
    """
    import anywidget  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415 - Jupyter only
    import traitlets  # noqa: PLC0415

    class LiveDiagram(anywidget.AnyWidget):  # type: ignore[misc,unused-ignore]
        _esm = _ESM
        _css = _CSS
        title = traitlets.Unicode().tag(sync=True)
        gone = traitlets.Unicode(GONE).tag(sync=True)
        top = traitlets.Int(TOP).tag(sync=True)
        step = traitlets.Int(STEP).tag(sync=True)
        first = traitlets.Int(0).tag(sync=True)
        svg = traitlets.Unicode().tag(sync=True)
        messages: Any = traitlets.List().tag(sync=True)

    widget = LiveDiagram(title=title)
    runner = Runner()

    def draw() -> None:
        shown = traffic.messages[-SHOWN:]
        # Before the messages, whose change draws all.
        widget.first = traffic.first + len(traffic.messages) - len(shown)
        widget.svg = drawn(shown, title)
        widget.messages = [_state(one) for one in shown]

    draw()
    # From whatever thread: a widget's state is changed on the kernel's own loop.
    traffic.watchers.append(lambda: runner.call(draw))
    return widget


def _state(one: Message) -> dict[str, str]:
    return {"words": one.words, "details": one.details}
