"""What a dialogue that a person answers waits for, as a table of moments."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from db.catalogue import Hours, Interval
from db.records import Branch, BranchId, new_id
from orchestration.handover_times import HAND_BACK_AFTER, RING_AFTER, Step, Waits, next_step
from orchestration.working_hours import is_open, opens_at

DAY = Interval(opens=time(9), closes=time(21))
BRANCH = Branch(
    id=BranchId(new_id()),
    key="main",
    name="main",
    time_zone="Europe/Moscow",
    hours=Hours(weekly=dict.fromkeys(range(6), (DAY,))),
)
NOON = datetime(2026, 11, 24, 9, tzinfo=UTC)
"""A Tuesday, 12:00 in Moscow."""
NIGHT = datetime(2026, 11, 24, 20, tzinfo=UTC)
"""23:00 there."""
MORNING = datetime(2026, 11, 25, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def waits(*, client=None, person=None, rung=0):
    return Waits(client_waits_since=client, person_at=person, rung=rung)


@pytest.mark.parametrize(
    ("standing", "now", "expected"),
    [
        (waits(client=NOON), NOON + 9 * MINUTE, (None, NOON + RING_AFTER)),
        (waits(client=NOON), NOON + 10 * MINUTE, (Step.RING_STAFF, NOON + 20 * MINUTE)),
        (waits(client=NOON, rung=1), NOON + 10 * MINUTE, (None, NOON + 20 * MINUTE)),
        (waits(client=NOON, rung=1), NOON + 20 * MINUTE, (Step.RING_OWNER, NOON + 30 * MINUTE)),
        (waits(client=NOON, rung=2), NOON + timedelta(days=3), (None, None)),
        # Who writes at night waits from the morning on.
        (waits(client=NIGHT), NIGHT + timedelta(hours=1), (None, MORNING + RING_AFTER)),
        (waits(client=NIGHT), MORNING + RING_AFTER, (Step.RING_STAFF, MORNING + 2 * RING_AFTER)),
        # A worker that was down all evening rings nobody at night.
        (waits(client=NOON), NIGHT, (None, MORNING + RING_AFTER)),
        (waits(person=NOON), NOON + timedelta(hours=1), (None, NOON + HAND_BACK_AFTER)),
        (waits(person=NOON), NOON + HAND_BACK_AFTER, (Step.HAND_BACK, None)),
        # However long ago a person spoke: the client's last words wait, and are not handed back unanswered.
        (waits(client=NIGHT, person=NOON, rung=2), NIGHT + timedelta(days=2), (None, None)),
        # Nobody has answered yet.
        (waits(), NOON, (None, None)),
    ],
)
def test_what_is_done_next(standing, now, expected):
    assert next_step(standing, BRANCH, now) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (NOON, NOON),
        (NIGHT, MORNING),
        # Saturday night: Sunday is closed.
        (datetime(2026, 11, 28, 20, tzinfo=UTC), datetime(2026, 11, 30, 6, tzinfo=UTC)),
    ],
)
def test_when_somebody_is_at_work_next(now, expected):
    assert opens_at(BRANCH, now) == expected
    assert is_open(BRANCH, now) is (now == expected)


def test_without_hours_somebody_is_always_at_work():
    assert opens_at(None, NIGHT) == NIGHT


def test_who_is_never_open_opens_never():
    closed = Branch(id=BRANCH.id, key="x", name="x", time_zone="UTC", hours=Hours())
    assert opens_at(closed, NOON) is None
    assert next_step(waits(client=NOON), closed, NOON + timedelta(hours=1))[0] is None
