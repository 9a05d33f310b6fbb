"""The list of guards is true of the code: each stands where it says, and its test is there. `make guards` runs them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bench.guards.guards import GUARDS

ROOT = Path(__file__).parent.parent


def test_the_security_page_lists_them_all_and_no_other():
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    table = page.split("## The guards, switched off")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]

    assert rows == [f"| {guard.holds} | {guard.test} |" for guard in GUARDS]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.holds)
def test_a_guard_stands_once_where_it_is_switched_off_and_names_a_test(guard):
    path, _, name = guard.test.partition("::")
    named = [one.name for one in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))) if hasattr(one, "name")]

    assert (ROOT / guard.file).read_text(encoding="utf-8").count(guard.on) == 1
    assert name in named
