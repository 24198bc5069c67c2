"""Which of the contract's tests would run: `python collecting.py` for JSON cases on its input.

A case is ``[arguments, variables]``, an answer ``[exit code, what pytest said]``. One process for
all, since what pytest imports takes longer than what it does here.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys

import pytest


def collected(arguments: list[str], variables: dict[str, str]) -> tuple[int, str]:
    foreign = [name for name in os.environ if name.startswith(("AUTH0_", "PYTEST_"))]
    for name in foreign:
        del os.environ[name]
    os.environ.update(variables)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = pytest.main(["--collect-only", "-q", "tests/contract", *arguments])
    return int(code), said.getvalue()


if __name__ == "__main__":
    json.dump([collected(*case) for case in json.load(sys.stdin)], sys.stdout)
