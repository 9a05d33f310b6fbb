"""The threat model of docs/security.md names real tests, and each threat names at least one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
MODEL = TEXT.split("## The threat model")[1].split("\n## ")[0]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in MODEL.splitlines() if line.startswith("| ")][
    2:
]
NAMED = re.compile(r"(tests/[a-z0-9_/]+\.py)::(test_\w+)")


def is_there(path: str, name: str) -> bool:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return any(isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name == name for one in ast.walk(tree))


def test_the_table_is_read_whole():
    assert len(ROWS) >= 15
    assert all(len(row) == 4 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}: {row[1]}")
def test_every_threat_is_held_by_tests_that_exist(row):
    shown_by = row[3]
    named = NAMED.findall(shown_by)

    assert named
    assert NAMED.sub("", shown_by).replace(",", "").strip() == "", "only tests stand in this column"
    assert [f"{path}::{name}" for path, name in named if not is_there(path, name)] == []


def test_a_test_that_is_not_there_would_be_noticed():
    assert not is_there("tests/test_threat_model.py", "test_that_nobody_wrote")
