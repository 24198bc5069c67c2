"""The command line: quick, and one sentence when something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("langgraph", "langchain_core", "openai", "IPython", "ipywidgets", "ipykernel", "uvicorn")
PATIENCE = 60


def environment(home, **variables):
    ours = ("AUTH0_", "BAINK_", "OPENAI_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"BAINK_HOME": str(home)} | variables


@pytest.fixture
def running(tmp_path):
    """A sandbox that runs in the home."""
    with subprocess.Popen(
        [sys.executable, "-m", "baink_lab.cli", "sandbox"],
        cwd=tmp_path,
        env=environment(tmp_path / "home"),
        stdout=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout.readline()
            yield process
        finally:
            process.kill()


@pytest.fixture
def baink(tmp_path):
    """Run `baink-lab` to its end, in a folder of its own, with no settings but those given."""
    here = tmp_path / "here"
    here.mkdir()

    def baink(*words, typed="", cwd=here, home=tmp_path / "home", **variables):
        return subprocess.run(
            [sys.executable, "-m", "baink_lab.cli", *words],
            cwd=cwd,
            env=environment(home, **variables),
            input=typed,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    return baink


def is_one_sentence_about(done, *words):
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("baink-lab: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize("module", ["baink_lab", "baink_lab.cli", "baink_lab.settings"])
def test_importing_brings_nothing_heavy(module):
    code = f"import sys, {module}; print(*sys.modules, sep='\\n')"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE
    ).stdout
    loaded = {name.partition(".")[0] for name in said.split()}
    assert loaded.isdisjoint(HEAVY)


def test_help_names_every_command(baink):
    done = baink("--help")
    assert done.returncode == 0
    for command in ("sandbox", "demo", "doctor", "reset"):
        assert command in done.stdout


def test_sandbox_help_names_the_public_options(baink):
    text = baink("sandbox", "--help").stdout
    for option in ("--port", "--interval", "--expires", "--autopilot", "--ready-file"):
        assert option in text
    assert "--owner-pid" not in text


def test_no_command_is_answered_with_the_help(baink):
    done = baink()
    assert "sandbox" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["sandbox", "--autopilot=perhaps"],
        ["sandbox", "--port=70000"],
        ["sandbox", "--interval=0"],
        ["demo", "--decision=perhaps"],
        ["dance"],
    ],
)
def test_a_wrong_option_is_told_and_is_exit_code_2(baink, words):
    done = baink(*words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["sandbox", "demo", "doctor", "reset"])
def test_a_wrong_setting_is_one_sentence_with_variable_and_fix(baink, command):
    wrong = baink(command, AUTH0_DOMAIN="not a domain")
    is_one_sentence_about(wrong, "AUTH0_DOMAIN", "your-tenant.eu.auth0.com")


def test_a_missing_secret_is_one_sentence_that_names_it(baink):
    done = baink("sandbox", AUTH0_DOMAIN="tenant.example.com", AUTH0_CLIENT_ID="c")
    is_one_sentence_about(done, "AUTH0_CLIENT_SECRET", "unset AUTH0_DOMAIN")


def test_a_home_that_cannot_be_made_is_one_sentence(baink, tmp_path):
    (tmp_path / "file").write_text("")
    done = baink("sandbox", home=tmp_path / "file" / "home")
    is_one_sentence_about(done, "BAINK_HOME")


def test_a_ready_file_that_cannot_be_written_is_one_sentence(baink, tmp_path):
    (tmp_path / "file").write_text("")
    done = baink("sandbox", f"--ready-file={tmp_path / 'file' / 'ready.json'}")
    is_one_sentence_about(done, "ready.json")


# reset


@pytest.fixture
def lived_in(tmp_path):
    """A home as the lab leaves it."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "addresses.json").write_text("{}")
    (home / "ledger.db").write_text("")
    (home / "lab05").mkdir()
    (home / "lab05" / "threads.db").write_text("")
    return home


def test_reset_of_nothing_says_so(baink, tmp_path):
    done = baink("reset")
    assert done.returncode == 0
    assert "Nothing to delete" in done.stdout


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_reset_asks_and_takes_no_for_an_answer(baink, lived_in, answer):
    done = baink("reset", typed=answer)
    assert done.returncode == 1
    assert str(lived_in) in done.stdout
    assert (lived_in / "lab05" / "threads.db").exists()


def test_reset_asks_and_takes_yes_for_an_answer(baink, lived_in):
    done = baink("reset", typed="y\n")
    assert done.returncode == 0
    assert not lived_in.exists()


def test_reset_with_yes_does_not_ask(baink, lived_in):
    done = baink("reset", "--yes")
    assert done.returncode == 0, done.stderr
    told, for_notebooks = done.stdout.splitlines()
    assert told == f"Deleted {lived_in}."
    assert "Kernel > Restart Kernel…" in for_notebooks
    assert not lived_in.exists()


def test_reset_deletes_an_empty_home(baink, tmp_path):
    (tmp_path / "home").mkdir()
    assert baink("reset", "--yes").returncode == 0
    assert not (tmp_path / "home").exists()


def test_reset_stops_the_sandbox_first(baink, running, tmp_path):
    done = baink("reset", "--yes")
    assert running.wait(PATIENCE) == 0
    assert "Stopped the sandbox" in done.stdout
    assert not (tmp_path / "home").exists()


def test_reset_refuses_a_checkout(baink, lived_in):
    (lived_in / ".git").mkdir()
    is_one_sentence_about(baink("reset", "--yes"), "BAINK_HOME", "more than the lab's own")
    assert (lived_in / "ledger.db").exists()


def test_reset_refuses_where_we_are_and_what_is_above(baink, lived_in):
    (lived_in / "below").mkdir()
    for cwd in (lived_in, lived_in / "below"):
        is_one_sentence_about(baink("reset", "--yes", cwd=cwd), "BAINK_HOME")
    assert (lived_in / "ledger.db").exists()


def test_reset_refuses_the_persons_own_home_and_what_is_above(baink, lived_in):
    for person in (lived_in, lived_in / "ana"):
        person.mkdir(exist_ok=True)
        is_one_sentence_about(baink("reset", "--yes", HOME=str(person)), "BAINK_HOME")
    assert (lived_in / "ledger.db").exists()


def test_reset_refuses_a_folder_where_the_lab_never_was(baink, tmp_path):
    letters = tmp_path / "home" / "letters"
    letters.mkdir(parents=True)
    is_one_sentence_about(baink("reset", "--yes"), "BAINK_HOME")
    assert letters.exists()


def test_reset_follows_no_link_out_of_its_home(baink, lived_in, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "letter").write_text("dear")
    (lived_in / "link").symlink_to(precious)
    assert baink("reset", "--yes").returncode == 0
    assert (precious / "letter").read_text() == "dear"


# doctor


def test_the_doctor_is_content_with_a_new_machine_and_leaves_no_sandbox(baink, tmp_path):
    done = baink("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "Everything that was checked is well."
    assert "good: customer's phone: " in done.stdout
    assert "wrong: " not in done.stdout
    assert not (tmp_path / "home" / "ready.json").exists()


def test_the_doctor_leaves_a_running_sandbox_alone(baink, running):
    assert baink("doctor").returncode == 0
    assert running.poll() is None


def test_the_doctor_ends_with_1_when_something_is_wrong(baink):
    done = baink("doctor", OPENAI_BASE_URL="http://127.0.0.1:9/v1")  # the discard port: nobody
    assert done.returncode == 1
    assert "wrong: model: http://127.0.0.1:9/v1 does not answer" in done.stdout
    assert "    to do: Check OPENAI_BASE_URL and the network." in done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 of ")


def test_the_doctor_says_which_setting_was_corrected(baink):
    done = baink(
        "doctor",
        AUTH0_DOMAIN="https://tenant.invalid/",
        AUTH0_CLIENT_ID="c",
        AUTH0_CLIENT_SECRET="s3cret-of-the-client",
    )
    assert done.returncode == 1, "nobody answers at that domain"
    assert "I use 'tenant.invalid'" in done.stdout
    assert "wrong: tenant: " in done.stdout
    assert "s3cret-of-the-client" not in done.stdout + done.stderr


def test_the_package_installs_the_command():
    command = Path(sys.executable).with_name("baink-lab")
    done = subprocess.run([command, "--help"], capture_output=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0
