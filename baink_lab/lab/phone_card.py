"""One request on the phone's screen: a card with a name of its own, and two buttons.

A box of ipywidgets has no role: where eyes see two cards, a screen reader would hear one text.
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
  el.classList.add("baink-card");
  const card = make("article"), facts = make("dl"), left = make("small"), row = make("div");
  const message = model.get("message"), who = model.get("who") + " asks for your approval";
  card.setAttribute("aria-label", who + ": " + message);
  for (const [name, value] of model.get("facts")) facts.append(make("dt", name), make("dd", value));
  const buttons = ["deny", "approve"].map(decision => {
    const name = decision[0].toUpperCase() + decision.slice(1), button = make("button", name);
    button.type = "button"; button.title = name + ": " + message;
    const look = decision === "deny" ? "mod-danger" : "mod-success";
    button.className = "jupyter-button widget-button " + look;
    button.onclick = () => model.send({ pressed: decision });
    return button;
  });
  row.append(...buttons);
  const line = make("p", message);
  line.className = "message";
  card.append(make("p", who + ":"), line, ...(facts.children.length ? [facts] : []), left, row);
  el.append(card);

  function make(tag, text) {
    const one = document.createElement(tag);
    if (text) one.textContent = text;
    return one;
  }
  const tick = () => { left.textContent = model.get("left"); };
  const hold = () => { for (const button of buttons) button.disabled = model.get("busy"); };
  model.on("change:left", tick); model.on("change:busy", hold);
  tick(); hold();
  return () => { model.off("change:left", tick); model.off("change:busy", hold); };
} };
"""
_CSS = """
.baink-card{margin:.4em 0;width:100%;flex:0 0 auto}
.baink-card article{box-sizing:border-box;padding:.6em .9em .8em;border-radius:.7em;
  border:2px solid var(--jp-border-color1,#8a8a8a);color:var(--jp-ui-font-color1,inherit);
  background:var(--jp-layout-color1,transparent)}
.baink-card p{margin:.3em 0;overflow-wrap:anywhere}
.baink-card .message{font-size:1.2em;font-weight:700}
.baink-card dl{display:grid;grid-template-columns:auto 1fr;gap:.1em .8em;margin:.4em 0}
.baink-card dd{margin:0;overflow-wrap:anywhere}
.baink-card article div{display:flex;gap:.5em;margin-top:.5em}
.baink-card button{flex:1;max-width:11em}
.baink-card button:focus-visible{outline:3px solid #d08700;outline-offset:1px}
"""


def card(
    who: str,
    message: str,
    facts: Sequence[tuple[str, str]],
    pressed: Callable[[Decision], object],
) -> Any:
    """The widget; its `left` is the time left in words, and while it is `busy` nobody presses.

    Args:
        who: asks.
        message: the binding message.
        facts: what else is told, by name.
        pressed: called with the button.

    Raises:
        ImportError: there are no widgets here.
    """
    widget = _class()(who=who, message=message, facts=[list(one) for one in facts])

    def hear(_: object, content: object, __: object) -> None:
        match content:
            case {"pressed": "approve"}:
                pressed("approve")
            case {"pressed": "deny"}:
                pressed("deny")

    widget.on_msg(hear)
    return widget


@functools.cache
def _class() -> Any:
    import anywidget  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415 - Jupyter only
    import traitlets  # noqa: PLC0415

    class Card(anywidget.AnyWidget):  # type: ignore[misc,unused-ignore]
        _esm = _ESM
        _css = _CSS
        who = traitlets.Unicode().tag(sync=True)
        message = traitlets.Unicode().tag(sync=True)
        facts: Any = traitlets.List().tag(sync=True)
        left = traitlets.Unicode().tag(sync=True)
        busy = traitlets.Bool(False).tag(sync=True)

    return Card
