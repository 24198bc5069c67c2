"""A slip in a notebook is answered with one sentence; a bug keeps its page of frames."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import subprocess
import sys

import nbformat
import pytest

import baink_lab.lab
from baink_lab.errors import BainkError, InOneSentence
from baink_lab.lab.practice.tenant import EndlessLoop
from tests.lab.lab_kernel import Kernel

pytestmark = pytest.mark.timeout(120)

OPEN = "from baink_lab.lab import open_lab\nlab = await open_lab(0)"
NOTHING = "Nothing waits on the phone. Ask Aiya for a transfer first."


@pytest.fixture(scope="module")
def kernel(shared_home, tmp_path_factory):
    kernel = Kernel(tmp_path_factory.mktemp("cells"))
    assert kernel.run(OPEN) is None
    yield kernel
    kernel.close()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("await lab.phone.approve()", NOTHING),
        ("await open_lab(77)", "There is no lab 77. There are: 00 start_here"),
        ("await lab.check('first')", 'Lab 00 has no check "first". It has: '),
        ("await lab.check()", 'Say which check, by its name. Lab 00 has: "first_transfer".'),
        ("await lab.chek('first_transfer')", "has no chek: did you mean lab.check?"),
        ("lab.launchpad()", "has no launchpad: did you mean lab.launch_pad?"),
        ("lab.quux", "has no quux: lab. and the Tab key list all."),
        ("lab.hint()", 'Say which check, by its name. Lab 00 has: "first_transfer".'),
        ("lab.solution()", "Lab 00 has no exercises, so there is no solution to show."),
        ("lab.solution('first_transfer')", "Lab 00 has no exercises, so there is no solution"),
        (
            "lab.management().get",
            "You forgot `await` in front of `management(…)`: it is no answer yet, so it has no get",
        ),
        ("await lab.clock.advance('soon')", "'soon' is no length of time. Write it like "),
        ("await lab.login('no address')", "No login is under way: run await lab.login() first."),
        (
            "import os\nos.environ['AUTH0_DOMAIN'] = 'x y'\ntry:\n    await open_lab(0)\n"
            "finally:\n    del os.environ['AUTH0_DOMAIN']",
            "AUTH0_DOMAIN",
        ),
        (
            "kept = os.environ['BAINK_HOME']\nos.environ['BAINK_HOME'] = '/dev/null/home'\ntry:\n"
            "    await open_lab(0)\nfinally:\n    os.environ['BAINK_HOME'] = kept",
            "Set BAINK_HOME to a folder that you can write to.",
        ),
        (
            "import dataclasses\nright = lab.world\n"
            "lab.world = dataclasses.replace(right, management_client_secret='wrong')\ntry:\n"
            "    await lab.management()\nfinally:\n    lab.world = right",
            "The tenant gave no token for the Management API",
        ),
    ],
)
def test_a_slip_is_answered_with_its_sentence_alone(kernel, code, sentence):
    shown = kernel.shown(code)
    assert sentence in shown
    assert not re.search(r"Traceback|Cell In|File |-->", shown)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("lab.check('first_transfer')", "check"),
        ("lab.say('hello')", "say"),
        ("lab.settled()", "settled"),
        ("lab.phone.approve()", "approve"),
    ],
)
def test_a_forgotten_await_is_named_and_leaves_no_noise(kernel, call, name):
    shown = kernel.texts(call)
    assert shown == [
        f"Nothing was done yet: write `await` in front of the call of `{name}`, and run it again."
    ]
    assert kernel.texts("import gc\ndel _, __, ___\nOut.clear()\ngc.collect();") == []


LOST = """async def looks():
    told = lab.settled()
    return 1 / 0
"""


def test_a_coroutine_that_is_thrown_away_is_told_in_its_cell(kernel):
    told = kernel.texts("1\nlab.settled()\n2")
    number = kernel.texts("len(In) - 2")[0]
    sentence = "You forgot `await` in front of `settled(…)` in line {} of Cell In[{}]"
    assert told == [f"{sentence.format(2, number)}: nothing was run by it.\n", "2"]


def test_a_coroutine_that_a_cell_left_behind_is_told_there_and_not_later(kernel):
    kernel.run(LOST)
    number = kernel.texts("len(In) - 2")[0]
    told = kernel.texts("await looks()")
    sentence = f"You forgot `await` in front of `settled(…)` in line 2 of Cell In[{number}]"
    assert [one for one in told if one.startswith(sentence)], told
    assert "never awaited" not in "".join(told)
    later = kernel.texts("import gc\ntry:\n    1 / 0\nexcept Exception:\n    gc.collect()")
    kernel.texts("1 / 0")
    assert "await" not in "".join(later + kernel.texts("gc.collect();"))


def test_what_has_a_name_in_the_notebook_may_be_awaited_later(kernel):
    kernel.run("later = lab.check('first_transfer')\n1 / 0")
    assert "first_transfer" in kernel.texts("await later")[-1]


def test_a_name_that_got_no_answer_is_told_below_its_cell_and_once(kernel):
    kernel.run("async def ask(): return 7")
    (told,) = kernel.texts("asked = ask()")
    assert told == (
        "`asked` is no answer, and nothing was done yet: write `await` in front of the call of "
        "`ask`, and run this cell again."
    )
    assert kernel.texts("import gc\n1 + 1;") == []
    assert kernel.texts("asked = await ask()\ngc.collect();") == [], "no warning of Python's"
    assert kernel.texts("import asyncio\nlater = asyncio.create_task(ask())\nawait later;") == []


def test_who_uses_what_a_forgotten_await_left_is_told_what_to_write(kernel):
    kernel.run("http = lab.management()")
    shown = kernel.shown("answer = await http.get('clients')")
    assert shown.strip() == (
        "You forgot `await` in front of `management(…)`: `http` is no answer yet, so it has no "
        "get. Write `await` there, run that cell, then this one."
    )
    assert "Traceback" in kernel.shown("'text'.gett")


def test_what_to_write_is_shown_as_code(kernel):
    kernel.run("from baink_lab.lab.learner.unawaited import _as_html")
    shown = kernel.texts("print(_as_html(lab.settled()))")
    assert "write <code>await</code> in front of the call of <code>settled</code>" in shown[0]
    assert "`" not in shown[0]


def test_a_coroutine_of_somebody_elses_is_shown_as_python_does(kernel):
    (shown,) = kernel.texts("import asyncio\nasyncio.sleep(0)")
    assert shown.startswith("<coroutine object sleep")


@pytest.mark.parametrize("call", ["lab.hint('first_transfer')", "lab.launch_pad()"])
def test_an_await_too_many_does_no_harm(kernel, call):
    (shown,) = kernel.texts(f"await {call}")
    assert re.search(r"Hint \d of|Tenant: http", shown)


def test_programs_still_see_the_error_and_its_name(kernel):
    told = kernel.run("await lab.phone.approve()")
    assert (told["ename"], told["evalue"]) == ("PhoneError", NOTHING)


def test_the_frames_are_a_magic_away(kernel):
    kernel.run("await lab.phone.approve()")
    assert kernel.shown("%tb") == NOTHING
    whole = kernel.shown("%tb Verbose")
    assert "stand_in.py" in whole
    assert NOTHING in whole


def test_what_a_lab_says_is_always_one_sentence():
    for found in pkgutil.walk_packages(baink_lab.lab.__path__, "baink_lab.lab."):
        importlib.import_module(found.name)
    own = [one for one in every(BainkError) if one.__module__.startswith("baink_lab.lab.")]
    assert len(own) > 8
    assert [one for one in own if not issubclass(one, InOneSentence)] == [EndlessLoop]


def every(kind):
    return [one for child in kind.__subclasses__() for one in [child, *every(child)]]


@pytest.mark.parametrize(
    "code",
    [
        "await lab.phone.decide('approve', notification_id=1 / 0)",
        "lab.exercise(7)",
        "from baink_lab.auth0 import CibaError\nraise CibaError('The request is spent.')",
    ],
)
def test_a_bug_keeps_its_frames(kernel, code):
    assert "Cell In" in kernel.shown(code)


def test_nbval_fails_a_cell_that_slips_and_says_why(shared_home, tmp_path):
    cells = [OPEN, "await lab.phone.approve()"]
    expected = nbformat.v4.new_code_cell(cells[1], execution_count=3)
    expected.metadata["tags"] = ["raises-exception"]
    book = nbformat.v4.new_notebook(
        cells=[
            *(
                nbformat.v4.new_code_cell(source, execution_count=count)
                for count, source in enumerate(cells, start=1)
            ),
            expected,
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(book, tmp_path / "slips.ipynb")
    flags = ["--nbval-lax", "--nbval-current-env", "-q", "-p", "no:cacheprovider"]
    flags += ["-p", "no:asyncio", "-c", os.devnull, "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *flags, str(tmp_path / "slips.ipynb")],
        env=os.environ.copy(),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 1
    assert NOTHING in done.stdout
    assert "1 failed, 2 passed" in done.stdout
