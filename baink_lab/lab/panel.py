"""What the agent has done so far, counted: runs of its graph beside polls of its resumer."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable

from baink_lab.aiya import Aiya
from baink_lab.lab.widgets.show import Shown, WidgetShown, table

LOOK_SECONDS = 0.5


@dataclasses.dataclass(frozen=True)
class Counts:
    """Totals of one lab's helper, over every Aiya that it had; a notebook shows them as a table.

    Attributes:
        graph_runs: how often the graph ran on this conversation.
        polls: how often the resumer asked the tenant.
        slow_downs: how often the tenant said that this was too early.
        waiting: how many approvals wait now.
        tally: who counted; totals of two are not compared.
    """

    graph_runs: int
    polls: int
    slow_downs: int
    waiting: int
    tally: int = dataclasses.field(repr=False, default=0)

    def since(self, before: Counts) -> Counts:
        """What came on top of `before`; all of it when another helper counted that."""
        if before.tally != self.tally:
            return self
        return dataclasses.replace(
            self,
            graph_runs=self.graph_runs - before.graph_runs,
            polls=self.polls - before.polls,
            slow_downs=self.slow_downs - before.slow_downs,
        )

    @property
    def shown(self) -> Shown:
        """The counts as a table."""
        rows = [
            ["graph runs", str(self.graph_runs)],
            ["polls of the tenant", str(self.polls)],
            ["polls that came too early", str(self.slow_downs)],
            ["approvals that wait now", str(self.waiting)],
        ]
        return table("Counted", ["what", "how often"], rows)

    def __repr__(self) -> str:
        return self.shown.text

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, str]:
        return self.shown._repr_mimebundle_()


class Tally:
    """Goes on counting when Aiya is built anew: what an ended one has done is kept."""

    _numbers = itertools.count(1)

    def __init__(self) -> None:
        self._number = next(self._numbers)
        self._ended: Counter[str] = Counter()
        self._runs: Counter[str] = Counter()

    def end(self, aiya: Aiya) -> None:
        """Keep what this Aiya has done: she will do nothing more."""
        resumer = aiya.resumer
        self._runs += resumer.threads.runs
        self._ended += Counter(polls=resumer.counters.polls, slow_downs=resumer.counters.slow_downs)

    def counts(self, aiya: Aiya | None, thread: str) -> Counts:
        """What was done until now, by those who ended and by this one."""
        resumer = aiya.resumer if aiya is not None else None
        return Counts(
            graph_runs=self._runs[thread] + (resumer.threads.runs[thread] if resumer else 0),
            polls=self._ended["polls"] + (resumer.counters.polls if resumer else 0),
            slow_downs=self._ended["slow_downs"] + (resumer.counters.slow_downs if resumer else 0),
            waiting=resumer.waiting if resumer else 0,
            tally=self._number,
        )


class Panel:
    """The counts as a widget that follows them.

    Args:
        now: tells the counts; they are shown from what they are now.
    """

    def __init__(self, now: Callable[[], Counts]) -> None:
        import ipywidgets as w  # noqa: PLC0415 - the lab works without widgets too

        self._now = now
        self._begin = now()
        self._html = w.HTML()
        self.box = w.VBox(
            [w.HTML("<strong>Counted since this panel was opened</strong>"), self._html],
            layout=w.Layout(border="1px solid", padding="0.8em", width="18em", max_width="100%"),
        )
        self._draw()
        self._follower = asyncio.create_task(self._follow(), name="panel")

    def close(self) -> None:
        """Stop following; the widget stays as it is."""
        self._follower.cancel()

    @property
    def shown(self) -> WidgetShown:
        """The widget, with words for where there are none."""
        return WidgetShown(self.box, "Counts. Without widgets: run await lab.counters()")

    async def _follow(self) -> None:
        while True:
            self._draw()
            await asyncio.sleep(LOOK_SECONDS)

    def _draw(self) -> None:
        counts = self._now().since(self._begin)
        cells = {
            "Graph runs": counts.graph_runs,
            "Polls": counts.polls,
            "Too early": counts.slow_downs,
            "Waiting": counts.waiting,
        }
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left">{name}</th>'
            f'<td style="font-size:1.4em;padding-left:1em">{number}</td></tr>'
            for name, number in cells.items()
        )
        text = f"<table>{rows}</table>"
        if self._html.value != text:
            self._html.value = text
