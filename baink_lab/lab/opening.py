"""Opening a lab: the world it needs is started or found, and brought to where the lab starts."""

from __future__ import annotations

import asyncio
import importlib
import time
from typing import TYPE_CHECKING

from baink_lab.errors import BainkError, InOneSentence
from baink_lab.lab.labs import LABS
from baink_lab.lab.learner.skipped_cells import tell_skipped_cells
from baink_lab.lab.learner.unawaited import tell_forgotten_await
from baink_lab.lab.widgets.show import break_between_words
from baink_lab.sandbox import launch
from baink_lab.settings import load

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab


class LabError(InOneSentence, BainkError):
    """The lab was asked for something that it does not have."""

    code = "lab"


_opened: dict[int, Lab] = {}


async def open_lab(number: int) -> Lab:
    """Start or find the world that lab `number` needs, and return the helper.

    The sandbox's tenant is brought to where the lab starts, and what was done for that is told;
    what a learner made stays. Runs again without harm: the same kernel gets the same helper, the
    same folder the same state.

    Args:
        number: of the lab, as in the notebook's name.

    Raises:
        LabError: there is no such lab.
        BainkError: the world does not start; the sentence says what to do.
    """
    if number not in LABS:
        known = ", ".join(f"{one:02d} {name}" for one, name in LABS.items())
        raise LabError(f"There is no lab {number}. There are: {known}.")
    settings = load()
    begun = time.monotonic()
    tell_forgotten_await()
    tell_skipped_cells(number)
    # What a session imports takes seconds (langgraph, openai); the sandbox starts meanwhile.
    ready, session = await asyncio.gather(
        launch.ensure(settings.baink_home, settings=settings),
        asyncio.to_thread(importlib.import_module, "baink_lab.lab.session"),
    )
    lab = _opened.get(number)
    if lab is None or lab.ready != ready:
        if lab is not None:
            if lab.taken_away:
                print("The files of this lab were taken away: it begins anew.")  # noqa: T201
            await lab.close()
        lab = _opened[number] = session.Lab(number, settings, ready)
        lab.watch()
    for note in [*settings.notes, *await lab.catch_up()]:
        print(note)  # noqa: T201 - a notebook's output
    break_between_words()
    seconds = time.monotonic() - begun
    print(f"Lab {number:02d} is open, in {settings.mode} mode ({seconds:.1f} s).")  # noqa: T201
    return lab
