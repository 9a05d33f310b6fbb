"""Every part of `make bench` runs, in its quick form, and nothing of it is taken for a measurement.

Part by part, so that the suite's workers share them: they wait for processes to start more than they compute.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import PARTS, RESULTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_runs_and_leaves_the_results_alone(part):
    before = RESULTS.read_bytes() if RESULTS.is_file() else None

    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", part], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith("figure")
    assert (RESULTS.read_bytes() if RESULTS.is_file() else None) == before
