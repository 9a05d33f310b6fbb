"""What a soak calls growth: a plateau with noise is none, a leak is one."""

from __future__ import annotations

import random

import pytest

from bench.trend import grows, per_hour


def points(value_at, *, count=100, every_s=10.0):
    return [(number * every_s, value_at(number * every_s)) for number in range(count)]


def test_the_slope_is_told_by_the_hour():
    assert per_hour(points(lambda at: 300 + at * 18 / 3600)) == pytest.approx(18)
    assert per_hour([]) == per_hour([(5.0, 300.0)]) == 0.0


@pytest.mark.parametrize(
    ("what", "value_at", "expected"),
    [
        ("a leak", lambda at: 300 + at / 50, True),
        ("a plateau", lambda at: 300.0, False),
        ("one step, then a plateau", lambda at: 300.0 if at < 200 else 330.0, False),
        ("a rise that is less than its share", lambda at: 300 + at / 1000, False),
        ("a saw", lambda at: 300 + at % 130, False),
        ("what falls", lambda at: 300 - at / 50, False),
    ],
)
def test_growth_is_a_rise_over_every_quarter_that_is_worth_the_name(what, value_at, expected):
    assert grows(points(value_at), share=0.02, least=2) is expected, what


def test_noise_on_a_plateau_is_no_growth_and_does_not_hide_a_leak():
    chance = random.Random(3)  # noqa: S311 (repeatable, not secret)

    assert not grows(points(lambda at: 300 + chance.uniform(-3, 3)), share=0.02, least=2)
    assert grows(points(lambda at: 300 + at / 30 + chance.uniform(-3, 3)), share=0.02, least=2)


def test_too_few_looks_say_nothing():
    assert not grows(points(lambda at: at, count=7), share=0.02, least=2)
