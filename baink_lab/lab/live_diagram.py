"""The sequence diagram as a widget: each message is drawn when it is sent."""

from __future__ import annotations

from typing import Any

from baink_lab.lab.from_widgets import Runner
from baink_lab.lab.sequence import STEP, TOP, drawn
from baink_lab.lab.traffic import Message, Traffic

SHOWN = 60

# Inline, so that nothing is fetched. The drawing is ours, and escaped in `sequence`.
_ESM = """
export default { render({ model, el }) {
  el.classList.add("baink-diagram");
  const head = make("div", "head"), save = make("button", "save", "Download as SVG");
  const title = make("strong", "", model.get("title"));
  head.append(title, save);
  const scroll = make("div", "scroll"), art = make("div", "art"), rows = make("ol", "rows");
  rows.setAttribute("aria-label", "Messages: arrow keys move, Enter shows all of one");
  scroll.append(art, rows);
  const more = make("div", "more"), news = make("p", "news");
  more.setAttribute("role", "region"); more.setAttribute("aria-label", "Details of a message");
  more.hidden = true;
  news.setAttribute("role", "status"); news.setAttribute("aria-live", "polite");
  el.append(head, scroll, more, news);

  function make(tag, name, text) {
    const one = document.createElement(tag);
    if (name) one.className = name;
    if (text) one.textContent = text;
    if (tag === "button") one.type = "button";
    return one;
  }
  function draw() {
    const messages = model.get("messages");
    const end = scroll.scrollTop + scroll.clientHeight >= scroll.scrollHeight - 40;
    const at = [...rows.children].findIndex(row => row.contains(document.activeElement));
    art.innerHTML = model.get("svg");
    rows.replaceChildren(...messages.map((message, number) => {
      const row = make("li"), button = make("button", "row");
      row.style.top = model.get("top") + number * model.get("step") + "px";
      row.style.height = model.get("step") + "px";
      button.tabIndex = number === Math.max(at, 0) ? 0 : -1;
      button.setAttribute("aria-label", message.words);
      button.setAttribute("aria-expanded", "false");
      button.onclick = () => show(message, button);
      row.append(button);
      return row;
    }));
    if (at >= 0 && rows.children[at]) rows.children[at].firstChild.focus();
    if (end) scroll.scrollTop = scroll.scrollHeight;
    const last = messages[messages.length - 1];
    news.textContent = last ? last.words : "Nothing was sent yet.";
  }
  function show(message, button) {
    const open = button.getAttribute("aria-expanded") === "true";
    rows.querySelectorAll("button").forEach(b => b.setAttribute("aria-expanded", "false"));
    more.hidden = open;
    if (open) return;
    button.setAttribute("aria-expanded", "true");
    const text = make("pre", "", message.details || "(nothing more)");
    text.tabIndex = 0;
    more.replaceChildren(make("strong", "", message.words), text);
  }
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
  model.on("change:messages", draw);
  draw();
  return () => model.off("change:messages", draw);
} };
"""
_CSS = """
.baink-diagram{border:1px solid var(--jp-border-color1,#8a8a8a);border-radius:8px;padding:8px;
  color:var(--jp-ui-font-color1,inherit);background:var(--jp-layout-color1,transparent)}
.baink-diagram .head{display:flex;justify-content:space-between;align-items:center;gap:1em}
.baink-diagram .save{font:inherit;padding:4px 10px;border:1px solid currentColor;border-radius:4px;
  color:inherit;background:transparent;cursor:pointer}
.baink-diagram .scroll{position:relative;overflow:auto;max-height:32em}
.baink-diagram .art svg{display:block}
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
        top = traitlets.Int(TOP).tag(sync=True)
        step = traitlets.Int(STEP).tag(sync=True)
        svg = traitlets.Unicode().tag(sync=True)
        messages: Any = traitlets.List().tag(sync=True)

    widget = LiveDiagram(title=title)
    runner = Runner()

    def draw() -> None:
        shown = traffic.messages[-SHOWN:]
        widget.svg = drawn(shown, title)  # before the messages, whose change draws both
        widget.messages = [_state(one) for one in shown]

    draw()
    # From whatever thread: a widget's state is changed on the kernel's own loop.
    traffic.watchers.append(lambda: runner.call(draw))
    return widget


def _state(one: Message) -> dict[str, str]:
    return {"words": one.words, "details": one.details}
