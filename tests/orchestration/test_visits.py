"""Chains of free times: held against every chain that there is, found by trying them all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations, product

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from crm.base import Money, Price, ServiceId, Slot, Staff, StaffId
from crm.prices import sum_of
from orchestration.offers import MOST_SHOWN
from orchestration.visits import compose_visits

MORNING = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def slot(service, staff, begin, length):
    """A time of so many minutes that begins so many minutes after nine."""
    return Slot(
        starts_at=MORNING + timedelta(minutes=begin),
        duration=timedelta(minutes=length),
        staff=Staff(id=StaffId(staff), name=staff),
        service_ids=(ServiceId(service),),
    )


@st.composite
def some_choices(draw):
    """A few free times of one to four services, close enough to meet."""
    return [
        draw(
            st.lists(
                st.builds(
                    slot,
                    st.just(f"service {number}"),
                    st.sampled_from(["a", "b"]),
                    st.integers(0, 12).map(lambda step: step * 10),
                    st.sampled_from([0, 10, 20, 25, 40]),
                ),
                max_size=6,
                unique_by=lambda one: (one.staff.id, one.starts_at),
            )
        )
        for number in range(draw(st.integers(1, 4)))
    ]


gaps = st.sampled_from([timedelta(0), timedelta(minutes=5), QUARTER, timedelta(hours=1)])


def every_visit(choices, longest_gap, in_order):
    """Yield all chains, each with what makes one better than another."""
    numbers = range(len(choices))
    for order in [tuple(numbers)] if in_order else permutations(numbers):
        for visit in product(*(choices[number] for number in order)):
            if all(one.duration for one in visit) and all(
                timedelta(0) <= later.starts_at - (one.starts_at + one.duration) <= longest_gap
                for one, later in pairwise(visit)
            ):
                begins = tuple(one.starts_at for one in visit)
                worth = (begins[-1] + visit[-1].duration, order, tuple(one.staff.id for one in visit), begins)
                yield worth, visit


@hypothesis_settings(max_examples=300, deadline=None)
@given(choices=some_choices(), longest_gap=gaps, in_order=st.booleans())
def test_of_all_visits_that_begin_at_one_moment_the_best_is_found_and_no_moment_is_missed(
    choices, longest_gap, in_order
):
    best = {}
    for worth, visit in every_visit(choices, longest_gap, in_order):
        begin = visit[0].starts_at
        best[begin] = min(best.get(begin, (worth, visit)), (worth, visit), key=lambda one: one[0])

    found = compose_visits(choices, longest_gap=longest_gap, in_order=in_order)

    assert found == [visit for _, (_, visit) in sorted(best.items())]


@hypothesis_settings(max_examples=200, deadline=None)
@given(choices=some_choices(), longest_gap=gaps, in_order=st.booleans(), most_steps=st.integers(0, 60))
def test_whatever_is_found_is_one_time_of_each_service_one_after_another_and_a_spent_search_lacks_only_the_late(
    choices, longest_gap, in_order, most_steps
):
    everything = compose_visits(choices, longest_gap=longest_gap, in_order=in_order)

    found = compose_visits(choices, longest_gap=longest_gap, in_order=in_order, most_steps=most_steps)

    assert found == everything[: len(found)]
    for visit in found:
        services = [one.service_ids[0] for one in visit]
        assert sorted(services) == [f"service {number}" for number in range(len(choices))]
        assert not in_order or services == sorted(services)
        for one, later in pairwise(visit):
            assert timedelta(0) <= later.starts_at - (one.starts_at + one.duration) <= longest_gap


def test_a_search_that_is_too_large_is_cut_short_and_still_has_more_than_is_shown():
    """Five services, four masters each, every five minutes of two weeks: tens of millions of chains."""
    days = [
        [
            slot(str(service), str(staff), day * 24 * 60 + step * 5, 25)
            for day in range(14)
            for step in range(140)
            for staff in range(4)
        ]
        for service in range(5)
    ]

    visits = compose_visits(days, longest_gap=QUARTER)

    assert visits[0][0].starts_at == MORNING
    assert MOST_SHOWN <= len(visits) < 14 * 140 - 24


def test_the_price_of_a_visit_is_that_of_all_parts_and_a_range_stays_one():
    def price(low, high=None, currency="RUB"):
        top = Money(minor_units=high, currency=currency) if high else None
        return Price(low=Money(minor_units=low, currency=currency), high=top)

    assert sum_of([price(250000), price(180000)]) == price(430000)
    assert sum_of([price(250000), price(180000, 220000)]) == price(430000, 470000)
    assert sum_of([price(250000), None]) is None
    assert sum_of([price(250000), price(1, currency="KZT")]) is None
