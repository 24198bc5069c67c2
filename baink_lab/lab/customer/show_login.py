"""What a notebook shows while it waits for a login: link, time left, and a field to paste into."""

from __future__ import annotations

import html
from typing import Any

from baink_lab.clock import Clock
from baink_lab.errors import BainkError
from baink_lab.lab.customer.pending_login import PendingLogin
from baink_lab.lab.widgets.entry import entry
from baink_lab.lab.widgets.from_widgets import Runner, has_widgets
from baink_lab.lab.widgets.show import Shown, clock_face, link, paragraph

OVER = paragraph("This login is over.")


class LoginView:
    """Shows all of it at once. Outside of notebooks it prints, and nothing can be pasted.

    Args:
        pending: the login.
        why_not: why no browser can come back to the kernel by itself; empty when one can.
        hint: who can log in, when we know.
    """

    def __init__(self, pending: PendingLogin, why_not: str, hint: str) -> None:
        self._pending = pending
        back = (
            f"{why_not} When the browser ends on a page that cannot be reached, copy its whole "
            "address and paste it here."
            if why_not
            else "If the browser ends on a page that cannot be reached, copy its whole address and "
            "paste it here."
        )
        # Taken away at the end: a link with the request's state need not stay in a saved notebook.
        self._link = _show(link("Log in as the customer", pending.request.url))
        self._timer: Any = None
        if hint:
            _show(paragraph(hint))
        self._field = _PasteField(pending, back) if has_widgets() else None

    @property
    def can_paste(self) -> bool:
        """Whether there is a field to paste an address into."""
        return self._field is not None

    async def count_down(self, until: float, clock: Clock) -> None:
        """Show the time left, on one line that is written over."""
        while (left := until - clock.now()) > 0:
            words = f"Waiting for you to log in, {clock_face(left)} left"
            shown = Shown(f'<p role="timer">{words}.</p>', words)
            if self._timer is None:
                self._timer = _show(shown)
                if self._timer is None:
                    return  # a terminal: said once is enough
            else:
                self._timer.update(shown)
            await clock.sleep(1)

    def close(self) -> None:
        """Take away what is of no use any more."""
        for handle in (self._link, self._timer):
            if handle is not None:
                handle.update(OVER)
        if self._field is not None:
            self._field.close()


class _PasteField:
    """A text field and a button; a wrong address is told beside them, and another may follow."""

    def __init__(self, pending: PendingLogin, words: str) -> None:
        import ipywidgets as w  # noqa: PLC0415 - the lab works without widgets too

        self._pending = pending
        runner = Runner()
        field = entry(
            "The address of the login's end",
            "Use this address",
            lambda address: runner.start(lambda: self._use(address)),
            placeholder="http://127.0.0.1…/callback?code=…",
            shown_label=False,
        )
        self._told = w.HTML()
        words = f"<p>{html.escape(words)}</p>"
        layout = w.Layout(width="42em", max_width="100%")
        self._box = w.VBox([w.HTML(words), field, self._told], layout=layout)
        _show(self._box)

    async def _use(self, address: str) -> None:
        try:
            said = await self._pending.take(address)
        except BainkError as problem:
            said = problem.sentence
        self._told.value = f'<p role="status" aria-live="polite">{html.escape(said)}</p>'

    def close(self) -> None:
        self._box.layout.display = "none"


def _show(what: Any) -> Any:
    """Show it; returns the handle to write over it, None where there is none."""
    try:
        from IPython import display as ipython  # noqa: PLC0415
    except ImportError:
        print(repr(what))  # noqa: T201 - a terminal
        return None
    show: Any = ipython.display
    return show(what, display_id=True)
