"""The recovery drill itself, short: `make drill` is the long form."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(700)
def test_an_installation_that_was_lost_comes_back_with_all_that_was_acknowledged_before_the_backup():
    untraced = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}

    done = subprocess.run(
        [sys.executable, "-m", "bench.upgrades", "--messages", "15"],
        cwd=ROOT,
        env=untraced,
        capture_output=True,
        text=True,
        timeout=650,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["missing"], found["rest"]) == (0, {})
    assert found["acknowledged"] >= 10
