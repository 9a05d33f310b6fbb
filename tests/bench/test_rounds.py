"""Ratios of benches: taken within a round, and no bar is called reached or missed that the machine cannot tell."""

from __future__ import annotations

import pytest

from bench.rounds import AGAIN, Rounds, in_turn


def rounds(**measured):
    return Rounds("floor", measured)


def test_a_ratio_is_the_median_of_those_within_the_rounds():
    # The machine is half as fast in the second round, for both.
    found = rounds(floor=[100.0, 50.0, 100.0], mine=[60.0, 25.0, 50.0], **{AGAIN: [100.0, 50.0, 100.0]})

    assert found.ratio("mine") == pytest.approx(0.5)
    assert found.value("mine") == 50.0
    assert found.ratio("floor", to="mine") == pytest.approx(2.0)


def test_a_bar_within_what_the_floor_differs_from_itself_is_not_decided():
    found = rounds(floor=[100.0, 100.0], mine=[55.0, 55.0], **{AGAIN: [100.0, 80.0]})

    assert found.spread == pytest.approx(0.2)
    assert found.decides("mine", 0.5) is None
    assert found.decides("mine", 0.4) is True
    assert found.decides("mine", 1.0) is False


async def test_contenders_take_turns_and_the_floor_ends_each_round():
    asked = []

    def measure(name):
        async def once():
            asked.append(name)
            return float(len(asked))

        return once

    found = await in_turn({"floor": measure("floor"), "mine": measure("mine")}, floor="floor", rounds=2)

    assert asked == ["floor", "mine", "floor"] * 2
    assert found.measured == {"floor": [1.0, 4.0], "mine": [2.0, 5.0], AGAIN: [3.0, 6.0]}
