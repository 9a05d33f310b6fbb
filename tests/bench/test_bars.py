"""A figure meets its bar, misses it, or is nearer to it than the machine can tell; the report says which."""

from __future__ import annotations

import json

import pytest

from bench import __main__ as bench
from bench.bars import BARS, SPREAD, Bar, Holds, table, verdicts
from bench.dialogues import TooLittleDisk, check_disk
from bench.plots import RATIOS, STAGES, draw


@pytest.mark.parametrize(
    ("bar", "value", "spread", "holds"),
    [
        (Bar(limit=2, at_most=True), 2.0, 0.0, Holds.YES),
        (Bar(limit=2, at_most=True), 2.1, 0.0, Holds.NO),
        (Bar(limit=2, at_most=True), 2.1, 0.1, Holds.NOT_DECIDABLE),
        (Bar(limit=2, at_most=True), 1.9, 0.1, Holds.NOT_DECIDABLE),
        (Bar(limit=2, at_most=True), 1.5, 0.1, Holds.YES),
        (Bar(limit=0.5, at_most=False), 0.6, 0.1, Holds.YES),
        (Bar(limit=0.5, at_most=False), 0.1, 0.1, Holds.NO),
    ],
)
def test_a_bar_holds_or_not_or_cannot_be_told(bar, value, spread, holds):
    assert bar.holds(value, spread) is holds


def test_a_share_above_one_is_better_than_asked_for_whichever_way_the_bar_lies():
    assert Bar(limit=2, at_most=True).share(1.0) == 2.0
    assert Bar(limit=0.5, at_most=False).share(1.0) == 2.0


def test_spreads_are_named_as_the_benches_name_them():
    assert all(bar.spread.endswith(SPREAD) for bar in BARS.values() if bar.spread)


def test_the_table_names_bar_and_verdict_and_what_a_script_stood_in_for():
    told = table({"turn_cpu_ms": 15.0, "cached_share": 0.9, "intake_vs_ok_holds": "no", "import_ms": 1200})

    lines = [line.split("  ") for line in told.splitlines()]
    assert [cell.strip() for cell in lines[1] if cell.strip()][2:] == ["at most 12", "no"]
    assert lines[2][0] == "cached_share (simulated)"
    assert "intake_vs_ok_holds" not in told
    assert "1,200" in told


def test_what_was_measured_before_stands_and_the_file_has_no_date(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "DOCS", tmp_path)
    path = tmp_path / "results" / "latest.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"import_ms": 1, "machine": {"startup": {"cores": 2}}}))

    bench._keep(path, {"dialogues_1m": 1.2, f"dialogues{SPREAD}": 0.01}, {"dialogues": {"cores": 2}})

    kept = json.loads(path.read_text())
    assert (kept["import_ms"], kept["dialogues_1m"], kept["dialogues_1m_holds"]) == (1, 1.2, "yes")
    assert set(kept["machine"]) == {"startup", "dialogues"}


def test_a_plot_is_drawn_of_what_was_measured_and_the_same_one_again(tmp_path):
    figures = {"intake_vs_ok": 0.1, "dialogues_1m": 1.2, "turn_stage_model_ms": 20.0}

    assert [path.name for path in draw(figures, tmp_path)] == [RATIOS, STAGES]
    first = (tmp_path / RATIOS).read_bytes()
    draw(figures, tmp_path)
    assert (tmp_path / RATIOS).read_bytes() == first
    assert b"intake_vs_ok" in first or b"<svg" in first
    assert draw({"import_ms": 5}, tmp_path) == []
    assert verdicts({"import_ms": 5}) == {}


def test_a_disk_that_is_too_small_is_named_before_anything_is_written():
    check_disk(1_000_000, 20_000_000, free=10**12)

    with pytest.raises(TooLittleDisk, match=r"20,000,000 messages need .* GB in .*, and 5\.0 GB are free"):
        check_disk(1_000_000, 20_000_000, free=5 * 10**9)
