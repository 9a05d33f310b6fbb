"""`ai-admin stats --plot`: a PNG of the days, and one clear line where what draws it is not installed."""

from __future__ import annotations

import struct
import sys
from datetime import date, timedelta

import pytest

from bot.plots import PlotsMissing, draw
from db.figures import Figures

DAY = date(2026, 11, 24)


def size_of(path):
    """Read a PNG's header (https://www.w3.org/TR/png-3/#11IHDR)."""
    raw = path.read_bytes()
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", raw[16:24])


def some(number):
    figures = Figures(messages=number, dialogues=2, booked=1, moved=1, cancelled=1, handed=1, cost_microusd=50_000)
    figures.answers.update({"170": 3})
    figures.tools.update({"get_services/ok": 2})
    figures.writes.update({"done": 1})
    return figures


@pytest.mark.parametrize("count", [1, 7, 120])
def test_any_number_of_days_is_drawn_on_a_sheet_of_one_size(tmp_path, count):
    days = {DAY + timedelta(days=number): some(number + 1) for number in range(count)}

    draw(days, title="Салон красоты Элита", path=tmp_path / "days.png")

    assert size_of(tmp_path / "days.png") == (1440, 1080)


def test_days_on_which_nothing_happened_are_drawn_too_and_look_otherwise(tmp_path):
    draw({DAY: Figures(), DAY + timedelta(days=1): Figures()}, title="Элита", path=tmp_path / "none.png")
    draw({DAY: Figures(), DAY + timedelta(days=1): some(9)}, title="Элита", path=tmp_path / "some.png")

    assert size_of(tmp_path / "none.png") == (1440, 1080)
    assert (tmp_path / "none.png").read_bytes() != (tmp_path / "some.png").read_bytes()


def test_without_matplotlib_it_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)

    with pytest.raises(PlotsMissing, match="extra `plots`: pip install"):
        draw({DAY: some(1)}, title="Элита", path=tmp_path / "days.png")

    assert not (tmp_path / "days.png").exists()
