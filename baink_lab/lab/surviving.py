"""The part of a lab's helper that looks at Aiya from outside: counted, killed, and woken again."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from typing import Any

from baink_lab.aiya import Aiya
from baink_lab.errors import BainkError, InOneSentence
from baink_lab.lab.experiments import lives
from baink_lab.lab.experiments.one_life import ASLEEP
from baink_lab.lab.panel import Counts, Panel, Tally
from baink_lab.lab.settling import Settling
from baink_lab.lab.widgets.show import WidgetShown
from baink_lab.settings import Settings

MODULE = "baink_lab.lab.experiments.one_life"


class NoLife(InOneSentence, BainkError):
    """The process with Aiya ended by itself before it could be killed."""

    code = "no_life"


class Surviving(Settling):
    """Aiya seen from outside: how much she does, and what outlives her process."""

    def __init__(self, number: int, settings: Settings, ready: dict[str, Any]) -> None:
        super().__init__(number, settings, ready)
        self._noted: Aiya | None = None
        self._panel: Panel | None = None
        self._tally = Tally()

    async def aiya(self) -> Aiya:
        """Aiya, woken at the first use; from then on it is noted what this process does."""
        aiya = await super().aiya()
        if aiya is not self._noted:
            self._noted = aiya
            lives.watch(aiya.resumer.desk, self._memory)
        return aiya

    async def sleep(self) -> None:
        """Put Aiya to sleep; what she has done stays counted."""
        ending = self._aiya
        try:
            await super().sleep()
        finally:
            if ending is not None:
                self._tally.end(ending)

    async def close(self) -> None:
        """Stop following the counts."""
        if self._panel is not None:
            self._panel.close()

    async def counters(self, since: Counts | None = None) -> Counts:
        """How often graph and resumer ran, since this kernel opened the lab or an earlier count."""
        await self.aiya()
        counts = self._counts()
        return counts.since(since) if since else counts

    async def panel(self) -> WidgetShown:
        """The counts as a widget that follows them."""
        return (await self._new_panel()).shown

    async def room(self) -> WidgetShown:
        """Chat, phone and counts side by side."""
        import ipywidgets as w  # noqa: PLC0415 - the lab works without widgets too

        chat, phone = await self.chat(), self.phone.widget()
        panel = (await self._new_panel()).box
        layout = w.Layout(flex="2 1 16em", min_width="0", grid_gap="1em")
        side = w.VBox([phone.widget, panel], layout=layout)
        panel.layout.width = phone.widget.layout.width = "100%"
        panel.layout.max_width = "26em"
        chat.widget.layout.width, chat.widget.layout.flex = "auto", "3 1 24em"
        # Side by side where there is room, else one below the other.
        row = w.HBox([chat.widget, side], layout=w.Layout(flex_flow="row wrap", grid_gap="1em"))
        return WidgetShown(row, f"{chat.text} {phone.text}")

    async def ask_and_kill(self, text: str) -> None:
        """Say something to Aiya in a process of its own, and kill it once she sleeps.

        It is a real process on this lab's memory, and a real SIGKILL: nothing in it can tidy up.
        Here nobody polls meanwhile; `settled` wakes Aiya in this kernel. Sandbox only: a live
        login stays in the process that made it.

        Raises:
            NoLife: the process ended before it was killed.
        """
        if self._live:
            self._tell("In live mode ask Aiya yourself, and restart this kernel while she sleeps.")
            return
        await self.sleep()
        self._name_thread()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            MODULE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(self._order(text)).encode())
        process.stdin.close()
        self._tell(f"You, to a second process ({process.pid}): {text}")
        try:
            async for line in process.stdout:
                event = json.loads(line)
                if event == ASLEEP:
                    self._tell(f"    (killed process {process.pid} with SIGKILL while she sleeps)")
                    return
                self._print(self.thread, event)
            raise NoLife(f"The second process ended by itself. {await _last_words(process)}")
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    def outlived(self, approval_id: str) -> bool:
        """Whether an approval was asked for by one process and told by another."""
        return lives.outlived(self._memory, approval_id)

    def asked_elsewhere(self, approval_id: str) -> bool:
        """Whether another process than this one asked for an approval; lab 06 checks it."""
        return lives.asked_elsewhere(self._memory, approval_id)

    async def _new_panel(self) -> Panel:
        if self._panel is not None:
            self._panel.close()
        await self.aiya()
        self._panel = Panel(self._counts)
        return self._panel

    def _counts(self) -> Counts:
        return self._tally.counts(self._aiya, self.thread)

    def _order(self, text: str) -> dict[str, Any]:
        return {
            "world": dataclasses.asdict(self.world),
            "folder": str(self._memory.resolve()),
            "time": str(self._folder.resolve()),
            "model": self.settings.openai_model,
            "api_key": self.settings.openai_api_key.get_secret_value(),
            "vault_keys": list(self.settings.vault_keys),
            "text": text,
            "thread": self.thread,
        }


async def _last_words(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    words = (await process.stderr.read()).decode("utf-8", "replace").strip().splitlines()
    return words[-1] if words else ""
