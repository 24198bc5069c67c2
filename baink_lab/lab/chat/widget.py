"""Aiya in a notebook: a chat widget that streams, counts down, and works while a cell waits."""

from __future__ import annotations

import asyncio
import contextlib
import html
import re
from typing import Any

from baink_lab.aiya import Aiya
from baink_lab.approvals.threads import Closed
from baink_lab.clock import Clock
from baink_lab.errors import BainkError
from baink_lab.lab.chat.offer import CONTINUE, Enrolled, Offer
from baink_lab.lab.chat.waits import FindLost, still_waits
from baink_lab.lab.checks.guarded import PieceRaised
from baink_lab.lab.phone.push import Push
from baink_lab.lab.widgets.entry import entry
from baink_lab.lab.widgets.from_widgets import Runner
from baink_lab.lab.widgets.show import UNSEEN, WidgetShown

# Turned around, so that it stays at the newest line whenever it is drawn anew.
_STYLE = (
    "max-height:24em;overflow-y:auto;display:flex;flex-direction:column-reverse;padding:.5em;"
    "border:1px solid var(--jp-border-color1,#8a8a8a);border-radius:.5em;"
    "background:var(--jp-layout-color1,transparent);color:var(--jp-ui-font-color1,inherit)"
)
_LINK = (
    "text-decoration:underline;color:var(--jp-content-link-color,LinkText);overflow-wrap:anywhere"
)
TRY_AGAIN = "try again"
# What a sentence goes on with after an address is none of it.
_ADDRESS = re.compile(r"https?://[^\s<>\"“”]*[^\s<>\"“”.,;:!?)\]'\u2019]")


class Chat:
    """What is said on one thread, as a widget.

    Args:
        aiya: who answers.
        thread: the conversation.
        clock: the lab's.
        enrolled: asks the tenant whether the customer has a phone now.
        lost: tells what was sent to phones that are gone.
    """

    def __init__(
        self, aiya: Aiya, thread: str, clock: Clock, enrolled: Enrolled, lost: FindLost
    ) -> None:
        import ipywidgets as w  # noqa: PLC0415 - the lab works without widgets too

        self._aiya = aiya
        self._thread = thread
        self._clock = clock
        self._lines: list[tuple[str, str]] = []
        self._writing = ""
        self._listening = contextlib.ExitStack()
        self._runner = Runner()
        self._waits: dict[str, Push] = {}
        self._find_lost = lost
        self._lost: list[Push] = []
        self._busy = 0
        self._log, self._news, self._status = w.HTML(), w.HTML(), w.HTML()
        self._offer = Offer(lambda: self._runner.start(lambda: self._say(CONTINUE)), enrolled)
        self._again = w.Button(description="Try again", layout=w.Layout(display="none"))
        self._again.on_click(lambda _: self._runner.start(lambda: self._say(TRY_AGAIN)))
        self._entry = entry(
            "Say to Aiya", "Send", self._submit, placeholder="Move $25 from checking to savings"
        )
        self.box = w.VBox(
            [self._log, self._news, self._offer.box, self._status, self._again, self._entry],
            layout=w.Layout(width="42em", max_width="100%"),
        )
        self._draw()

    async def open(self) -> WidgetShown:
        """Fill in what was said before, and listen from now on."""
        for message in await self._aiya.messages(self._thread):
            if message["role"] in {"user", "assistant"} and message.get("content"):
                who = "You" if message["role"] == "user" else "Aiya"
                self._lines.append((who, message["content"]))
        for approval in await self._aiya.waiting(self._thread):
            sent = Push(approval.id, approval.binding_message, approval.expires_at)
            self._waits[approval.id] = sent
        self._listening.enter_context(self._aiya.listen(self._hear))
        self._ticker = asyncio.create_task(self._tick(), name="chat countdown")
        self._draw()
        words = 'Chat with Aiya. Without widgets: run await lab.say("Move $25 from …")'
        return WidgetShown(self.box, words)

    def close(self) -> None:
        """Stop listening; the widget stays as it is."""
        self._ticker.cancel()
        self._offer.close()
        self._listening.close()

    def _submit(self, text: str) -> None:
        # While Aiya thinks, Enter is heard too: one thread has one writer, so it takes its turn.
        if text:
            self._runner.start(lambda: self._say(text))

    async def _say(self, text: str) -> None:
        self._hold(+1)
        self._again.layout.display = "none"
        try:
            await self._aiya.say(text, thread=self._thread)
        except Closed as ended:
            self._line("Lab", ended.sentence)
        except BainkError as problem:
            self._line("Lab", f"{problem.sentence} What you said is kept.")
            self._again.layout.display = ""
        finally:
            self._writing = ""
            self._hold(-1)
            self._draw()

    def _hold(self, more: int) -> None:
        self._busy += more
        self._entry.busy = bool(self._busy)
        self._offer.hold(bool(self._busy))
        self._tell_status()

    def _line(self, who: str, text: str) -> None:
        """A whole line, which screen readers tell; the log itself is drawn anew at each token."""
        self._lines.append((who, text))
        if who != "You":
            self._news.value = (
                f'<div role="status" style="{UNSEEN}">{who}: {html.escape(text)}</div>'
            )

    def _line_once(self, who: str, text: str) -> None:
        if self._lines[-1:] != [(who, text)]:
            self._line(who, text)

    def _hear(self, thread: str, event: dict[str, Any]) -> None:
        if thread != self._thread:
            return
        match event["type"]:
            case "asked":
                self._line("You", event["text"])
            case "token":
                self._writing += event["text"]
            case "said":
                self._writing = ""
                self._line("Aiya", event["text"])
            case "push_sent":
                key = event["approval_id"]
                self._waits[key] = Push(key, event["binding_message"], event["expires_at"])
                said = f"I sent a push to your phone: “{event['binding_message']}”."
                self._line("Aiya", said)
                self._offer.hide()
            case "unenrolled" if event.get("enrollment_url"):
                self._offer.show(event["enrollment_url"])
            case "acting":
                doing = "Moving the money" if event["tool"] == "transfer_funds" else "Doing it"
                self._line("Aiya", f"Approved. {doing} …")
            case "not_delivered" if event["code"] == PieceRaised.code:
                self._line_once("Lab", event["message"])  # it is tried again and again
            case "delivered":
                self._waits.pop(event["approval_id"], None)
        self._draw()

    async def _tick(self) -> None:
        while True:
            self._lost = await self._find_lost() if self._waits else []
            self._tell_status()
            await asyncio.sleep(1)

    def _tell_status(self) -> None:
        text = ""
        if self._busy and not self._writing:
            text = "Aiya is thinking …"
        elif self._waits:
            text = still_waits(self._waits.values(), self._lost, self._clock.now())
        shown = f"<small>{text}</small>"
        if self._status.value != shown:
            self._status.value = shown

    def _draw(self) -> None:
        lines = [*self._lines, *([("Aiya", self._writing)] if self._writing else [])]
        body = "".join(
            f'<p style="white-space:pre-line"><strong>{who}:</strong> {_said(who, text)}</p>'
            for who, text in lines
        )
        hello = "<p>Ask Aiya for a transfer.</p>"
        self._log.value = (
            f'<div role="log" aria-live="off" aria-label="Chat with Aiya" tabindex="0" '
            f'style="{_STYLE}"><div>{body or hello}</div></div>'
        )
        self._tell_status()


def _said(who: str, text: str) -> str:
    """A line as HTML; in what Aiya says addresses can be clicked, in nothing else."""
    if who != "Aiya":
        return html.escape(text)
    parts, end = [], 0
    for found in _ADDRESS.finditer(text):
        url = html.escape(found[0])
        link = f'<a href="{url}" target="_blank" rel="noreferrer" style="{_LINK}">{url}</a>'
        parts += [html.escape(text[end : found.start()]), link]
        end = found.end()
    return "".join([*parts, html.escape(text[end:])])
