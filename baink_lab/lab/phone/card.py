"""The requests on the phone's screen: each a card with a name of its own, and two buttons.

A box of ipywidgets has no role: where eyes see two cards, a screen reader would hear one text. And
it draws anew whatever stands below a new child, so a button there would lose the keyboard's focus:
here one widget holds all cards, and a card that stays is not touched.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal

Decision = Literal["approve", "deny"]
#: What is said once it was pressed.
PRESSED: dict[Decision, str] = {"approve": "Approved", "deny": "Denied"}

# Inline, so that nothing is fetched. What it shows is set as text, never as HTML.
_ESM = """
export default { render({ model, el }) {
  el.classList.add("baink-cards");
  el.tabIndex = -1; el.setAttribute("role", "group"); el.ariaLabel = "Requests";
  const shown = new Map();

  function draw(one) {
    const card = make("article"), facts = make("dl"), left = make("small"), row = make("div");
    const who = one.who + " asks for your approval";
    card.className = "baink-card";
    card.setAttribute("aria-label", who + ": " + one.message);
    for (const [name, value] of one.facts) facts.append(make("dt", name), make("dd", value));
    const buttons = ["deny", "approve"].map(decision => {
      const name = decision[0].toUpperCase() + decision.slice(1), button = make("button", name);
      button.type = "button"; button.title = name + ": " + one.message;
      const look = decision === "deny" ? "mod-danger" : "mod-success";
      button.className = "jupyter-button widget-button " + look;
      button.onclick = () => model.send({ pressed: decision, id: one.id });
      return button;
    });
    row.append(...buttons);
    const line = make("p", one.message);
    line.className = "message";
    card.append(make("p", who + ":"), line, ...(facts.children.length ? [facts] : []), left, row);
    return { card, left, buttons };
  }
  // A button that is held or gone has no focus, and the browser would give it to the whole page.
  function keep(inside) {
    if (inside.contains(document.activeElement)) el.focus({ preventScroll: true });
  }
  function make(tag, text) {
    const one = document.createElement(tag);
    if (text) one.textContent = text;
    return one;
  }
  // What is moved loses its focus, so only what is new is put in: their order never changes.
  function arrange() {
    const wanted = model.get("cards"), ids = new Set(wanted.map(one => one.id));
    for (const [id, { card }] of shown)
      if (!ids.has(id)) { keep(card); card.remove(); shown.delete(id); }
    let below = null;
    for (const one of [...wanted].reverse()) {
      if (!shown.has(one.id)) {
        shown.set(one.id, draw(one));
        el.insertBefore(shown.get(one.id).card, below);
      }
      below = shown.get(one.id).card;
    }
    tick(); hold();
  }
  function tick() {
    for (const [id, { left }] of shown) left.textContent = model.get("left")[id] || "";
  }
  function hold() {
    const busy = model.get("busy");
    for (const [id, { card, buttons }] of shown) {
      if (busy.includes(id)) keep(card);
      for (const button of buttons) button.disabled = busy.includes(id);
    }
  }
  const heard = { "change:cards": arrange, "change:left": tick, "change:busy": hold };
  for (const [what, change] of Object.entries(heard)) model.on(what, change);
  arrange();
  return () => { for (const [what, change] of Object.entries(heard)) model.off(what, change); };
} };
"""
_CSS = """
.baink-card{box-sizing:border-box;margin:.4em 0;padding:.6em .9em .8em;border-radius:.7em;
  border:2px solid var(--jp-border-color1,#8a8a8a);color:var(--jp-ui-font-color1,inherit);
  background:var(--jp-layout-color1,transparent)}
.baink-card p{margin:.3em 0;overflow-wrap:anywhere}
.baink-card .message{font-size:1.2em;font-weight:700}
.baink-card dl{display:grid;grid-template-columns:auto 1fr;gap:.1em .8em;margin:.4em 0}
.baink-card dd{margin:0;overflow-wrap:anywhere}
.baink-card div{display:flex;gap:.5em;margin-top:.5em}
.baink-card button{flex:1;max-width:11em}
.baink-card button:focus-visible{outline:3px solid #d08700;outline-offset:1px}
"""


def cards(pressed: Callable[[Decision, str], object]) -> Any:
    """The widget. It has none at first.

    Its `cards` are as `card` makes them, the newest first; its `left` says by their ids how much
    time is left; while an id is in `busy` nobody presses there.

    Args:
        pressed: called with the button, and the card's id.

    Raises:
        ImportError: there are no widgets here.
    """
    import ipywidgets  # noqa: PLC0415 - the lab works without widgets too

    # Many requests push nothing below out of sight: their buttons scroll into view by Tab.
    layout = ipywidgets.Layout(max_height="26em", overflow="hidden auto", flex="0 0 auto")
    widget = _class()(layout=layout)

    def hear(_: object, content: object, __: object) -> None:
        match content:
            case {"pressed": "approve", "id": str(key)}:
                pressed("approve", key)
            case {"pressed": "deny", "id": str(key)}:
                pressed("deny", key)

    widget.on_msg(hear)
    return widget


def card(key: str, who: str, message: str, facts: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """One of its cards.

    Args:
        key: its id.
        who: asks.
        message: the binding message.
        facts: what else is told, by name.
    """
    return {"id": key, "who": who, "message": message, "facts": [list(one) for one in facts]}


@functools.cache
def _class() -> Any:
    import anywidget  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415 - Jupyter only
    import traitlets  # noqa: PLC0415

    class Cards(anywidget.AnyWidget):  # type: ignore[misc,unused-ignore]
        _esm = _ESM
        _css = _CSS
        cards: Any = traitlets.List().tag(sync=True)
        left: Any = traitlets.Dict().tag(sync=True)
        busy: Any = traitlets.List().tag(sync=True)

    return Cards
