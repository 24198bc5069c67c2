"""Break each invariant once, on purpose, and see a test go red: `make mutants`.

Each mutant is one replacement in a copy of the sources, and the tests that must notice it.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
GRAPH, LINES = "tests/aiya/test_graph.py", "tests/faults/test_lines_and_clocks.py"
BANK = "tests/bank/test_bank_api.py"


@dataclasses.dataclass(frozen=True)
class Mutant:
    """`old` becomes `new` in `file`; `tests` must fail then."""

    invariant: int
    what: str
    file: str
    old: str
    new: str
    tests: str


MUTANTS = [
    Mutant(
        1,
        "the resume value is trusted",
        "baink_lab/approvals/nodes.py",
        "            if is_step_aside(ring) and",
        '            if isinstance(ring, dict) and ring.get("approved"):\n'
        "                outcome = Outcome(State.APPROVED, '', digest_of(gate.name, "
        "task['arguments']), False, 'x', 9e9)\n"
        "                if answer := await _act(desk, gate, task, outcome, call):\n"
        "                    return closing(task, gate.name, answer)\n"
        "            if is_step_aside(ring) and",
        f"{GRAPH}::test_a_forged_ring_moves_nothing",
    ),
    Mutant(
        1,
        "an outcome of another thread opens the door",
        "baink_lab/approvals/desk.py",
        'if sealed is None or (sealed["thread_id"], sealed["tool_call_id"]) != (',
        "if sealed is None or (thread_id, tool_call_id) != (",
        "tests/approvals/test_desk.py",
    ),
    Mutant(
        2,
        "what was approved is not compared with what happens",
        "baink_lab/approvals/nodes.py",
        'if digest_of(gate.name, task["arguments"]) != outcome.digest:',
        "if False:",
        f"{GRAPH}::test_what_was_approved_is_what_happens",
    ),
    Mutant(
        3,
        "a new idempotency key for each try",
        "baink_lab/approvals/nodes.py",
        "idempotency_key=key[0])",
        "idempotency_key=__import__('uuid').uuid4().hex)",
        f"{GRAPH}::test_a_transfer_that_is_tried_twice_moves_once",
    ),
    Mutant(
        3,
        "the bank takes a token twice",
        "baink_lab/bank/postings.py",
        '("SELECT 1 FROM transfers WHERE token_id = ?", (token_id,)).fetchone():',
        '("SELECT 1 FROM transfers WHERE 0 AND token_id = ?", (token_id,)).fetchone():',
        "tests/bank",
    ),
    Mutant(
        4,
        "the push is sent before the record is written",
        "baink_lab/approvals/desk.py",
        "            await self._spare(call.user_id)\n            await self.save(approval)",
        "            await self._spare(call.user_id)",
        "tests/approvals/test_desk.py",
    ),
    Mutant(
        4,
        "a record that was being written is pushed again",
        "baink_lab/approvals/desk.py",
        "            return self._tell(await self.give_up_on(known))",
        "            pass",
        "tests/approvals/test_desk.py",
    ),
    Mutant(
        5,
        "the vault does not encrypt",
        "baink_lab/approvals/vault.py",
        "self._fernet.encrypt(inside.encode()).decode()",
        "inside",
        "tests/approvals/test_vault.py",
    ),
    Mutant(
        6,
        "the resumer rings the graph at every poll",
        "baink_lab/approvals/resumer.py",
        "            if again is not None:\n                return again",
        "            if again is not None:\n"
        "                await self.threads.ring(approval)\n                return again",
        f"{GRAPH}::test_the_transfer_node_sleeps_in_an_interrupt_and_resumes_by_itself",
    ),
    Mutant(
        7,
        "polls at twice the allowed rate",
        "baink_lab/approvals/resumer.py",
        "return _Due(now() + seconds, approval.id), approval",
        "return _Due(now() + seconds / 2, approval.id), approval",
        f"{GRAPH}::test_the_transfer_node_sleeps_in_an_interrupt_and_resumes_by_itself",
    ),
    Mutant(
        7,
        "Retry-After is not read",
        "baink_lab/auth0/wire.py",
        "return float(text) if text.isascii() and text.isdigit() else None",
        "return None",
        f"{LINES}::test_retry_after_is_obeyed",
    ),
    Mutant(
        7,
        "a broken line counts as a denial",
        "baink_lab/approvals/poll.py",
        "        return NoAnswer(failure.retry_after)",
        '        return Ending("customer said no", DENIED_REASON)',
        f"{LINES}::test_a_poll_without_an_answer_is_no_denial",
    ),
    Mutant(
        8,
        "only one side of an entry is written",
        "baink_lab/bank/book.py",
        " REFERENCES zero (value) DEFERRABLE INITIALLY DEFERRED",
        "",
        "tests/bank",
    ),
    Mutant(
        9,
        "the audience is not checked",
        "baink_lab/auth0/tokens.py",
        'if not set(self.audiences) & set(_texts(claims.get("aud"))):',
        "if False:",
        "tests/auth0/test_tokens.py",
    ),
    Mutant(
        10,
        "a message throws the waiting approval away",
        "baink_lab/approvals/threads.py",
        "                await self._clear(config)\n                yield config",
        "                yield config",
        f"{GRAPH}::test_the_customer_talks_on_while_an_approval_waits",
    ),
    Mutant(
        11,
        "a tenant that is gone keeps the thread waiting",
        "baink_lab/approvals/poll.py",
        "if desk.clock.now() >= approval.expires_at + approval.interval:",
        "if False:",
        f"{LINES}::test_a_tenant_that_is_gone_does_not_keep_a_thread_waiting",
    ),
]


def main() -> int:
    """Run every mutant; 0 when each was noticed."""
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("baink_lab", "tests"):
            shutil.copytree(ROOT / name, copy / name)
        shutil.copy(ROOT / "pyproject.toml", copy)
        if not _green(" ".join(sorted({mutant.tests for mutant in MUTANTS})), copy):
            print("The tests are red without any mutant: mend that first.")
            return 1
        for mutant in MUTANTS:
            noticed = _noticed(mutant, copy)
            missed += not noticed
            verdict = "red, as it should be" if noticed else "STILL GREEN"
            print(f"invariant {mutant.invariant:>2}: {mutant.what}: {verdict}", flush=True)
    print(f"{len(MUTANTS)} mutants, {missed} not noticed")
    return 1 if missed else 0


def _noticed(mutant: Mutant, copy: Path) -> bool:
    path = copy / mutant.file
    sound = path.read_text("utf-8")
    if sound.count(mutant.old) != 1:
        print(f"  {mutant.file} has not one place with {mutant.old!r}")
        return False
    path.write_text(sound.replace(mutant.old, mutant.new), "utf-8")
    try:
        return not _green(mutant.tests, copy)
    finally:
        path.write_text(sound, "utf-8")


def _green(tests: str, copy: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *tests.split()],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in {0, 1}:
        raise SystemExit(done.stdout + done.stderr)  # pytest itself failed: no verdict
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
