"""A line of text with a button, as a widget: what was typed comes in one message, whole.

A Text and a Button of ipywidgets speak on two channels. While a cell waits, JupyterLab holds back
the field's changes, and the button's click may overtake them: half a sentence is what arrives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LONGEST = 4000  # characters; also of an address with a code in it

# Inline, so that nothing is fetched. Only Enter is kept from JupyterLab, which runs cells with it.
_ESM = """
export default { render({ model, el }) {
  el.classList.add("baink-entry");
  const form = document.createElement("form"), label = document.createElement("label");
  const field = document.createElement("input"), button = document.createElement("button");
  field.type = "text"; field.autocomplete = "off"; field.maxLength = model.get("longest");
  field.value = model.get("text"); field.placeholder = model.get("placeholder");
  if (model.get("shown_label")) {
    const words = document.createElement("span");
    words.textContent = model.get("label");
    label.append(words, field);
  } else {
    field.setAttribute("aria-label", model.get("label"));
    label.append(field);
  }
  button.className = "jupyter-button widget-button mod-primary";
  button.textContent = model.get("button");
  button.title = model.get("hint");
  form.append(label, button);
  el.append(form);
  form.onsubmit = event => {
    event.preventDefault();
    if (!button.disabled) send();
  };
  field.onkeydown = event => {
    if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.altKey) return;
    event.stopPropagation(); event.preventDefault();
    if (!event.isComposing) send();
  };
  function send() {
    model.send({ said: field.value });
    if (!model.get("keeps")) field.value = "";
  }
  const hold = () => { button.disabled = model.get("busy"); };
  model.on("change:busy", hold);
  hold();
  return () => model.off("change:busy", hold);
} };
"""
_CSS = """
.baink-entry form{display:flex;flex-wrap:wrap;gap:.5em;align-items:center;margin:.2em 0}
.baink-entry label{display:flex;flex:1 1 16em;gap:.5em;align-items:center;
  color:var(--jp-ui-font-color1,inherit)}
.baink-entry label span{white-space:nowrap}
.baink-entry input{flex:1;min-width:6em;font:inherit;padding:4px 8px;border-radius:2px;
  border:1px solid var(--jp-border-color1,#8a8a8a);color:var(--jp-ui-font-color1,inherit);
  background:var(--jp-layout-color0,transparent)}
.baink-entry button{width:auto;min-width:7em}
.baink-entry input:focus-visible,.baink-entry button:focus-visible{outline:3px solid #d08700;
  outline-offset:1px}
"""


def entry(
    label: str,
    button: str,
    said: Callable[[str], object],
    *,
    placeholder: str = "",
    hint: str = "",
    text: str = "",
    shown_label: bool = True,
    keeps: bool = False,
) -> Any:
    """The widget. Enter and the button do the same; with `busy` set, only Enter does.

    Args:
        label: of the field, for eyes and screen readers.
        button: its words.
        said: called with the line, spaces at its ends taken off; it may be empty.
        placeholder: an example, shown while the field is empty.
        hint: the button's tooltip.
        text: what stands in the field at first.
        shown_label: whether eyes see the label too.
        keeps: whether the line stays in the field once it is sent.

    Raises:
        ImportError: there are no widgets here.
    """
    import anywidget  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415 - Jupyter only
    import traitlets  # noqa: PLC0415

    class Entry(anywidget.AnyWidget):  # type: ignore[misc,unused-ignore]
        _esm = _ESM
        _css = _CSS
        label = traitlets.Unicode().tag(sync=True)
        button = traitlets.Unicode().tag(sync=True)
        placeholder = traitlets.Unicode().tag(sync=True)
        hint = traitlets.Unicode().tag(sync=True)
        text = traitlets.Unicode().tag(sync=True)
        shown_label = traitlets.Bool().tag(sync=True)
        keeps = traitlets.Bool().tag(sync=True)
        longest = traitlets.Int(LONGEST).tag(sync=True)
        busy = traitlets.Bool(False).tag(sync=True)

    widget = Entry(
        label=label,
        button=button,
        placeholder=placeholder,
        hint=hint,
        text=text,
        shown_label=shown_label,
        keeps=keeps,
    )

    def hear(_: object, content: object, __: object) -> None:
        line = content.get("said") if isinstance(content, dict) else None
        if isinstance(line, str):
            said(line.strip()[:LONGEST])

    widget.on_msg(hear)
    return widget
