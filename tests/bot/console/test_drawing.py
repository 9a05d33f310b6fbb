"""Plots: what is drawn is what is counted, and no word breaks out of it."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from bot.console.drawing import Series, bars, lines, nice_top


def drawn(picture):
    return ElementTree.fromstring(str(picture))  # noqa: S314 (our own)


def test_bars_stand_on_each_other_and_are_as_high_as_their_numbers():
    made = Series(name="made", tone="green", values=[2, 0, 1])
    moved = Series(name="moved", tone="blue", values=[1, 0, 0])

    svg = drawn(bars(["1", "2", "3"], [made, moved], label="Bookings"))

    found = {one.find("title").text: one for one in svg.iter("rect")}
    assert set(found) == {"1, made: 2", "1, moved: 1", "3, made: 1"}
    two, one = float(found["1, made: 2"].get("height")), float(found["3, made: 1"].get("height"))
    assert two == pytest.approx(2 * one, abs=0.2)
    below, above = found["1, made: 2"], found["1, moved: 1"]
    assert float(above.get("y")) + float(above.get("height")) == pytest.approx(float(below.get("y")), abs=0.2)


def test_a_line_breaks_where_a_day_has_nothing_to_show():
    series = Series(name="p50", tone="blue", values=[1.0, None, 2.0, 3.0])

    [path] = drawn(lines(["1", "2", "3", "4"], [series], label="Answers")).iter("path")

    assert re.sub(r"[0-9. ]", "", path.get("d")) == "MML"


@pytest.mark.parametrize("days", [0, 1, 7, 30, 90])
def test_everything_lies_within_the_picture(days):
    names = [str(day) for day in range(days)]
    values = [float(day % 11) for day in range(days)]

    for draw in (bars, lines):
        svg = drawn(draw(names, [Series(name="n", tone="blue", values=values)], label="x"))
        width, height = (float(one) for one in svg.get("viewBox").split()[2:])
        for one in svg.iter("rect"):
            assert float(one.get("x")) >= 0
            assert float(one.get("x")) + float(one.get("width")) <= width
            assert 0 <= float(one.get("y")) <= height
        for one in svg.iter("circle"):
            assert 0 <= float(one.get("cx")) <= width
            assert 0 <= float(one.get("cy")) <= height
        assert len(list(svg.iter("text"))) <= 4 + 6


@pytest.mark.parametrize("highest", [0, 0.02, 1, 3, 4, 9.9, 10, 11, 57, 100, 101, 119, 12_345])
def test_an_axis_ends_at_a_round_number_not_far_above(highest):
    top = nice_top(highest)

    assert top >= highest
    assert top <= max(highest * 2, 3)


def test_a_name_is_words_and_no_markup():
    series = Series(name='<script>"', tone="blue", values=[1])

    picture = bars(['<b>"'], [series], label='"><script>')

    assert "<script>" not in str(picture)
    drawn(picture)
