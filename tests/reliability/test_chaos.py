"""A short chaos run: whole conversations while gateway, workers, PostgreSQL and Redis are killed and vendors fail.

`make chaos` is the long form, with production's lease and the CRM's limits.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = 20
_ENDS_ITSELF_S = 500


@pytest.mark.timeout(_ENDS_ITSELF_S + 120)
def test_twenty_kills_lose_nothing_and_do_nothing_twice(tmp_path):
    result = tmp_path / "chaos.json"
    options = {
        "--kills": KILLS,
        "--dialogues": 50,
        "--messages": 400,
        "--at-once": 14,
        # A quarter of production's: the run waits for many of them to run out.
        "--lease": 3,
        "--patience": 2,
        "--deadline": 10,
        "--settle": 90,
        "--most": _ENDS_ITSELF_S,
        "--result": result,
    }
    arguments = [str(one) for pair in options.items() for one in pair]
    # Seven processes that note every line would be too slow on two cores.
    untraced = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}

    done = subprocess.run(
        [sys.executable, "-m", "bench.chaos", *arguments, "--pause", "0.5", "2.5", "--no-crm-limits"],
        cwd=ROOT,
        env=untraced,
        capture_output=True,
        text=True,
        timeout=_ENDS_ITSELF_S + 60,
        check=False,
    )

    assert result.exists(), done.stdout + done.stderr
    found = json.loads(result.read_text(encoding="utf-8"))
    assert found["zeros"] == dict.fromkeys(found["zeros"], 0), done.stdout
    assert found["unrest"] == {}, done.stdout
    assert found["kills"] == KILLS
    assert found["bookings"] > 0, done.stdout
    assert done.returncode == 0, done.stdout + done.stderr
