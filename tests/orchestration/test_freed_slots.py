"""What a freed stretch of a master's time makes possible for one who waits: a table of cases."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm.base import BookingRules, ServiceId, Slot, Staff, StaffId
from db.booking_records import StaffTime
from db.outreach_records import FreedTime, WaitingEntry
from db.records import Branch, BranchId, DialogueId, new_id
from orchestration.freed_slots import made_possible, read_slots, same_slot

MOSCOW = ZoneInfo("Europe/Moscow")
BRANCH = Branch(id=BranchId(new_id()), key="main", name="Элита", time_zone="Europe/Moscow")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hour, minute=0, day=25):
    return datetime(2026, 11, day, hour, minute, tzinfo=MOSCOW)


def slot(starts_at, *, staff="Анна", hours=1.0):
    return Slot(
        starts_at=starts_at,
        duration=timedelta(hours=hours),
        staff=Staff(id=StaffId(staff), name=staff),
        service_ids=(ServiceId("501"),),
    )


FREED = FreedTime(id=new_id(), branch_id=BRANCH.id, staff_name="Анна", starts_at=at(15), duration=HOUR)


@pytest.mark.parametrize(
    ("slots", "found"),
    [
        pytest.param([slot(at(15))], at(15), id="the very time"),
        pytest.param([slot(at(14)), slot(at(16))], None, id="free all along, before and after"),
        pytest.param([slot(at(14, 30)), slot(at(15, 30))], at(14, 30), id="it touches the freed time"),
        pytest.param([slot(at(15), staff="Мария")], None, id="another master was free all along"),
        pytest.param([slot(at(14), hours=2)], at(14), id="a longer visit that needs it"),
        pytest.param([slot(at(15, 30)), slot(at(15))], at(15), id="the nearest to its beginning"),
        pytest.param([], None, id="the CRM has sold it"),
    ],
)
def test_offered_is_what_could_not_be_had_before(slots, found):
    chosen = made_possible(slots, FREED, (), BRANCH)

    assert (chosen.starts_at if chosen else None) == found


def test_what_somebody_is_booking_is_not_offered():
    taken = StaffTime(branch_id=BRANCH.id, staff_id="Анна", starts_at=at(15), duration=HOUR)

    assert made_possible([slot(at(15))], FREED, [taken], BRANCH) is None


def test_whose_time_it_was_need_not_be_known():
    anybodys = FreedTime(id=new_id(), branch_id=BRANCH.id, staff_name="", starts_at=at(15), duration=HOUR)

    assert made_possible([slot(at(15), staff="Мария")], anybodys, (), BRANCH).staff.name == "Мария"


class Asked:
    """A CRM that has these times free, and wants two hours of notice."""

    def __init__(self, slots):
        self.slots = slots
        self.asked = None

    async def get_rules(self):
        return BookingRules(time_zone=MOSCOW, lead_time=timedelta(hours=2))

    async def get_fresh_slots(self, service_ids, *, first, last, staff_id=None):
        self.asked = (list(service_ids), first, last, staff_id)
        return self.slots


def wish(**changes):
    values = {
        "id": new_id(),
        "branch_id": BRANCH.id,
        "dialogue_id": DialogueId(new_id()),
        "service_ids": ("501",),
        "service_names": ("Стрижка",),
        "staff_id": "Анна",
        "staff_name": "Анна",
        "first_day": date(2026, 11, 24),
        "last_day": date(2026, 11, 26),
        "earliest": None,
        "latest": None,
        "created_at": NOW,
        "asked_at": NOW,
    }
    return WaitingEntry(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "day", "hours"),
    [
        pytest.param({}, 25, [10, 15, 18], id="any time of the days"),
        pytest.param({"earliest": time(15)}, 25, [15, 18], id="not before"),
        pytest.param({"latest": time(15)}, 25, [10, 15], id="not after"),
        pytest.param({"last_day": date(2026, 11, 24)}, 25, [], id="another day"),
        pytest.param({}, 24, [15, 18], id="too soon for the salon's own rule"),
    ],
)
async def test_only_times_that_the_client_could_have_count(changes, day, hours):
    crm = Asked([slot(at(hour, day=day)) for hour in (10, 15, 18)])
    found = await read_slots(crm, wish(**changes), at(15, day=day), zone=MOSCOW, now=NOW)

    assert [one.starts_at.hour for one in found] == hours
    assert crm.asked == (["501"], date(2026, 11, day), date(2026, 11, day), "Анна")


def test_the_offered_slot_is_found_again_by_moment_and_master():
    slots = [slot(at(15), staff="Мария"), slot(at(15))]

    assert same_slot(slots, staff_id="Анна", starts_at=at(15)) is slots[1]
    assert same_slot(slots, staff_id="Анна", starts_at=at(16)) is None
