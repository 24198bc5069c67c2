"""The commands of docs/curl-walk.md do what the page says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "curl-walk.md"


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl: sudo apt-get install curl")
def test_the_page_walks_from_request_to_transfer(tmp_path):
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    program = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + "\n".join(
        f"echo '--- {number}'\n{block}" for number, block in enumerate(blocks)
    )
    # Wherever the tests' own environment is, the page says .venv/bin/baink-lab.
    command = f"{sys.executable} -m baink_lab.cli"
    program = program.replace(".venv/bin/baink-lab", command)
    done = subprocess.run(
        ["bash", "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    steps = re.split(r"--- \d+\n", done.stdout)[1:]
    assert json.loads(steps[1])["interval"] == 5
    assert json.loads(steps[2])["error"] == "authorization_pending"
    waiting, first, second = steps[3].splitlines()
    assert json.loads(waiting)[0]["binding_message"] == "Let Aiya read your accounts"
    assert (first, second) == ("204", "409")
    assert json.loads(steps[4])["accounts"][0]["balance"] == "2500.00"
    assert "HTTP 201" in steps[5]
    same, refused, balances = steps[6].splitlines()
    receipt = json.loads(steps[5].splitlines()[-1].split(" HTTP ")[0])
    assert json.loads(same.split(" HTTP ")[0])["id"] == receipt["id"]
    assert "token_already_used" in refused
    assert [one["balance"] for one in json.loads(balances)["accounts"]] == ["2475.00", "10025.00"]
