"""What a cell that waits for the phone says at its end, in a real kernel."""

from __future__ import annotations

import re

import pytest
from jupyter_client.manager import start_new_kernel

pytestmark = pytest.mark.timeout(120)

SECONDS = 60
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
WIDGET = "application/vnd.jupyter.widget-view+json"
OPEN = "from baink_lab.lab import open_lab\nlab = await open_lab(0)"
ASK = 'await lab.say("Move $25 from checking to savings")'
SETTLED = "await lab.settled()"


class Cell:
    """What one cell shows, as a notebook does: displays are written over, the rest is added."""

    def __init__(self, client, code):
        self._client = client
        self._id = client.execute(code)
        self.displays = []
        self.printed = ""
        self.error = None
        self._by_id = {}

    def hear(self):
        """Take in the next message; whether the cell is over."""
        message = self._client.get_iopub_msg(timeout=SECONDS)
        kind, content = message["msg_type"], message["content"]
        if message["parent_header"].get("msg_id") != self._id and kind != "update_display_data":
            return False
        if kind == "stream":
            self.printed += content["text"]
        elif kind == "display_data":
            at = content["transient"].get("display_id", len(self.displays))
            self._by_id[at] = len(self.displays)
            self.displays.append(content["data"])
        elif kind == "update_display_data":
            self.displays[self._by_id[content["transient"]["display_id"]]] = content["data"]
        elif kind == "error":
            self.error = COLOUR.sub("", "\n".join(content["traceback"]))
        return kind == "status" and content["execution_state"] == "idle"

    def until(self, text):
        while text not in self.shown:
            assert not self.hear(), f"it ended with: {self.shown}"
        return self

    def end(self):
        while not self.hear():
            pass
        return self

    @property
    def shown(self):
        lines = [one.get("text/plain", "") for one in self.displays]
        return "\n".join([*lines, self.printed, self.error or ""])


class Kernel:
    def __init__(self, folder):
        self.manager, self._client = start_new_kernel(kernel_name="python3", cwd=str(folder))

    def begin(self, code):
        return Cell(self._client, code)

    def run(self, code):
        return self.begin(code).end()

    def close(self):
        self._client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(shared_home, tmp_path):
    kernel = Kernel(tmp_path)
    assert kernel.run(OPEN).error is None
    assert kernel.run("await lab.reset(sure=True)").error is None
    yield kernel
    kernel.close()


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_an_answer_is_called_an_answer(kernel, decision):
    kernel.run(
        f"{ASK}\nimport asyncio\nasyncio.get_running_loop().create_task(lab.phone.{decision}())"
    )
    cell = kernel.run(SETTLED)
    assert cell.error is None
    assert "The phone was answered." in cell.shown
    assert "Time is up" not in cell.shown


def test_who_waits_for_two_answers_is_told_how_many_are_left(kernel):
    kernel.run(f"{ASK}\n{ASK.replace('25', '30')}")
    one = "import asyncio\nasyncio.get_running_loop().create_task(lab.phone.approve())"
    cell = kernel.begin(f"{one}\n{SETTLED}").until("press Approve or Deny on it, for each of 2")
    cell.until("Done: ").until("press Approve or Deny on it\n")
    kernel.manager.interrupt_kernel()
    assert "the request still waits" in cell.end().error


def test_five_minutes_of_silence_are_no_answer(kernel):
    kernel.run(ASK)
    cell = kernel.run(f'await lab.clock.advance("4 min 58 s")\n{SETTLED}')
    assert "Nobody answered" in cell.printed
    assert "Time is up: nobody answered on the phone." in cell.shown
    assert "was answered" not in cell.shown


def test_an_interrupted_wait_is_one_sentence_and_what_waits_waits_on(kernel):
    kernel.run(ASK)
    cell = kernel.begin(SETTLED).until("left: press Approve")
    kernel.manager.interrupt_kernel()
    cell.end()
    assert cell.error == (
        "Stopped waiting; the request still waits on the phone. "
        "To wait on, run await lab.settled()."
    )
    assert cell.displays[-1].get("text/plain") == "", "the countdown is gone, nothing is said twice"
    assert "was answered" not in cell.shown
    kernel.run("await lab.phone.approve()")
    cell = kernel.run(SETTLED)
    assert "Done: $25.00 moved" in cell.printed


def test_where_nobody_could_be_asked_nothing_waits_for_the_phone(kernel):
    kernel.run(f"await lab.unenroll()\n{ASK}")
    cell = kernel.run(SETTLED)
    assert cell.shown.strip() == "Nothing waits for the phone."


def test_a_phone_that_lives_is_shown_where_this_kernel_has_shown_none(kernel):
    kernel.run(ASK)
    cell = kernel.begin(SETTLED).until("left: press Approve")
    at, page = next(
        (i, one) for i, one in enumerate(cell.displays) if "in sight" in one.get("text/html", "")
    )
    assert re.search(r'<a href="http://[^"]+/[\w-]{22}/" target="_blank"', page["text/html"])
    assert re.search(r"http://\S+/[\w-]{22}/$", page["text/plain"])
    assert any(WIDGET in one for one in cell.displays)
    kernel.manager.interrupt_kernel()
    assert cell.end().displays[at]["text/html"] == ""
    again = kernel.begin(SETTLED).until("left: press Approve")
    kernel.manager.interrupt_kernel()
    assert not any(WIDGET in one for one in again.end().displays)


def test_a_way_to_the_phone_is_offered_beside_a_living_one_too(kernel):
    """A page that is reloaded before it was saved has lost the widget, and no kernel can tell."""
    for shows in ("lab.phone.widget()", "lab.phone.close()"):
        kernel.run(f"{shows}\n{ASK}")
        cell = kernel.begin(SETTLED).until("left: press Approve")
        (page,) = [one for one in cell.displays if "in sight" in one.get("text/html", "")]
        assert "baink-words" not in page["text/html"], "JupyterLab shows it as well"
        assert "/" in page["text/plain"]
        kernel.manager.interrupt_kernel()
        cell.end()
