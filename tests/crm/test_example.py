"""The example of docs/add-a-crm.md stays as small as it says; tests/crm/contract runs it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_whole_adapter_fits_into_less_than_150_lines():
    adapter = (ROOT / "examples/crms/notebook.py").read_text(encoding="utf-8")
    guide = (ROOT / "docs/add-a-crm.md").read_text(encoding="utf-8")

    assert len(adapter.splitlines()) < 150
    assert "in less than 150 lines" in guide
    suite = (ROOT / "tests/crm/contract/conftest.py").read_text(encoding="utf-8")
    line = next(line.strip() for line in suite.splitlines() if "NotebookServer," in line)
    assert line in guide
