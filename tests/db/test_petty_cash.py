"""A process pays small sums of a rate by itself, and no more than its share of any budget."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.limits import Ask, Budget
from db.petty_cash import MOST_KEYS, SHARE, PettyCash

BUDGET = Budget(rate=50, per=timedelta(seconds=1), burst=1000)
"""A fiftieth of it: one a second, twenty at once."""


class Seconds:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def cash(seconds):
    return PettyCash(seconds)


def paid(cash, times, *, key="one", count=1, budget=BUDGET):
    return sum(cash.covers(Ask(key, count, budget)) for _ in range(times))


def test_a_key_gets_its_share_at_once_and_then_at_the_shares_rate(cash, seconds):
    assert paid(cash, 100) == BUDGET.burst // SHARE
    seconds.now += 3
    assert paid(cash, 100) == 3
    assert paid(cash, 100, key="another") == BUDGET.burst // SHARE


def test_all_is_paid_or_nothing(cash):
    assert paid(cash, 1, count=15) == 1
    assert paid(cash, 1, count=6) == 0
    assert paid(cash, 1, count=5) == 1


def test_of_a_small_budget_and_of_what_guards_a_secret_nothing_is_paid(cash):
    small = Budget(rate=1, per=timedelta(hours=1), burst=3)

    assert paid(cash, 10, budget=small) == 0
    assert not cash.covers(Ask("secret", 1, BUDGET, strict=True))


def test_over_any_time_a_key_gets_no_more_than_its_share(cash, seconds):
    got = 0
    for _ in range(10_000):
        seconds.now += 0.01
        got += paid(cash, 1)

    assert got <= BUDGET.burst // SHARE + 100 * BUDGET.rate // SHARE + 1


def test_a_bounded_number_of_keys_is_kept(cash):
    for number in range(MOST_KEYS + 100):
        cash.covers(Ask(str(number), 1, BUDGET))

    assert len(cash._arrivals) == MOST_KEYS
