"""A base's wall clock as moments: whose zone holds, and what happens where clocks change.

Berlin: on 29 March 2026 at 2:00 clocks go to 3:00, on 25 October 2026 at 3:00 back to 2:00.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from crm.base import NewAppointment, Phone, RecordId
from crm.errors import CRMInvalid
from crm.registry import CRMFactory
from sandbox.one_c.service.server import OneCServiceSalon
from sandbox.one_c.service.wire import guid_of
from sandbox.seeds import boroda_business

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
BEARD = guid_of("services", "Моделирование бороды")
NIGHT = (time(0), time(6))


@pytest.fixture
async def open_base(http, pace, cache, clock):
    """Start a barber's that works at night, by a clock of whole half hours: it knows nothing of changes of clocks."""
    started: list[OneCServiceSalon] = []

    async def opening(*, told_zone: str | None = None, settings_zone: str = "Europe/Moscow"):
        business = replace(boroda_business(), time_zone="Europe/Berlin", hours=dict.fromkeys(range(7), NIGHT))
        vendor = OneCServiceSalon(business, clock, told_zone=told_zone)
        await vendor.start()
        started.append(vendor)
        given = vendor.connection()
        crm = CRMFactory(http, pace, cache, clock).create(
            "1c",
            options=given.options,
            secrets={name: SecretStr(value) for name, value in given.secrets.items()},
            account_id=None,
            time_zone=settings_zone,
        )
        return vendor, crm

    yield opening
    for vendor in started:
        await vendor.stop()
        assert vendor.violations == []


async def free(crm, day):
    return await crm.get_available_slots([BEARD], first=day, last=day)


def visit(slot):
    return NewAppointment(external_id="aiadm-1", slot=slot, client_name="Иван", phone=Phone("+79161234567"))


@pytest.mark.parametrize(
    ("told", "settings", "taken"),
    [
        ("Europe/Berlin", "Europe/Moscow", "Europe/Berlin"),
        ("", "Europe/Moscow", "Europe/Moscow"),
        ("MSK+1", "Europe/Moscow", "Europe/Moscow"),
        ("../../etc/passwd", "Europe/Moscow", "Europe/Moscow"),
    ],
)
async def test_the_zone_is_the_bases_own_else_the_branchs(open_base, told, settings, taken):
    _, crm = await open_base(told_zone=told, settings_zone=settings)

    assert (await crm.get_rules()).time_zone.key == taken


async def test_times_that_no_clock_shows_are_not_offered(open_base, clock):
    clock.now = datetime(2026, 3, 28, 8, tzinfo=UTC)
    _, crm = await open_base()
    walls = [f"{slot.starts_at:%H:%M%z}" for slot in await free(crm, SPRING)]

    assert walls[3:6] == ["01:30+0100", "03:00+0200", "03:30+0200"]
    assert not [wall for wall in walls if wall.startswith("02")]


async def test_a_skipped_time_does_not_stand_in_for_the_hour_after_that_is_taken(open_base, clock):
    clock.now = datetime(2026, 3, 28, 8, tzinfo=UTC)
    vendor, crm = await open_base()
    for wall in (time(3), time(3, 30)):
        vendor.book_by_hand(
            master="Иван Кузнецов",
            service="Моделирование бороды",
            starts=datetime.combine(SPRING, wall),
            client="Пётр",
            phone="+79160000001",
        )

    assert 3 not in {slot.starts_at.hour for slot in await free(crm, SPRING)}


async def test_a_visit_that_staff_wrote_into_the_skipped_hour_is_at_the_hour_after(open_base, clock):
    clock.now = datetime(2026, 3, 28, 8, tzinfo=UTC)
    vendor, crm = await open_base()
    record = vendor.book_by_hand(
        master="Иван Кузнецов",
        service="Моделирование бороды",
        starts=datetime.combine(SPRING, time(2, 30)),
        client="Пётр",
        phone="+79160000001",
    )

    read = await crm.get_appointment(RecordId(record))
    assert read.starts_at.isoformat() == "2026-03-29T03:30:00+02:00"
    assert read.starts_at.astimezone(UTC).hour == 1


async def test_a_time_shown_twice_is_the_first_and_is_booked_and_read_back_as_it(open_base, clock):
    clock.now = datetime(2026, 10, 24, 8, tzinfo=UTC)
    vendor, crm = await open_base()
    slots = [slot for slot in await free(crm, AUTUMN) if slot.starts_at.hour == 2]
    booked = await crm.create_appointment(visit(slots[1]))

    assert [slot.starts_at.isoformat() for slot in slots] == ["2026-10-25T02:00:00+02:00", "2026-10-25T02:30:00+02:00"]
    assert booked.starts_at.isoformat() == "2026-10-25T02:30:00+02:00"
    assert vendor.list_visits()[0].starts.isoformat() == "2026-10-25T02:30:00"


async def test_the_second_showing_is_not_offered_where_a_base_tells_it_by_its_offset(open_base, clock):
    clock.now = datetime(2026, 10, 24, 8, tzinfo=UTC)
    vendor, crm = await open_base()
    starts = ("02:30:00+02:00", "02:30:00+01:00", "03:00:00+01:00", "01:15:00Z")
    rows = [
        {"staff_id": guid_of("staff", "Иван Кузнецов"), "start": f"{AUTUMN}T{at}", "duration_min": 30} for at in starts
    ]
    vendor.fail("times", mutate=lambda _: {"items": rows})

    assert [slot.starts_at.isoformat() for slot in await free(crm, AUTUMN)] == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T03:00:00+01:00",
    ]


async def test_nothing_is_written_at_a_time_that_cannot_be_told_of(open_base, clock):
    clock.now = datetime(2026, 10, 24, 8, tzinfo=UTC)
    vendor, crm = await open_base()
    slot = next(slot for slot in await free(crm, AUTUMN) if slot.starts_at.hour == 2)

    with pytest.raises(CRMInvalid, match="shown twice"):
        await crm.create_appointment(visit(replace(slot, starts_at=slot.starts_at.replace(fold=1))))
    assert vendor.list_visits() == ()


async def test_a_time_that_passed_in_the_first_showing_is_not_offered_in_it_again(open_base, clock):
    clock.now = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10, shown for the second time
    _, crm = await open_base()

    assert (await free(crm, AUTUMN))[0].starts_at.isoformat() == "2026-10-25T03:00:00+01:00"


@pytest.mark.parametrize(
    ("since", "then"),
    [
        (datetime(2026, 10, 25, 0, 50, tzinfo=UTC), datetime(2026, 10, 25, 1, 5, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 20, tzinfo=UTC), datetime(2026, 10, 25, 1, 40, tzinfo=UTC)),
        (datetime(2026, 10, 24, 23, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 5, tzinfo=UTC)),
        (datetime(2026, 3, 29, 0, 50, tzinfo=UTC), datetime(2026, 3, 29, 1, 5, tzinfo=UTC)),
    ],
    ids=["from the first showing into the second", "within the second", "over both", "over the skipped hour"],
)
async def test_no_change_is_missed_while_clocks_change(open_base, clock, since, then):
    clock.now = then
    vendor, crm = await open_base()
    starts = datetime.combine((then + timedelta(days=3)).date(), time(3))
    record = vendor.book_by_hand(
        master="Иван Кузнецов", service="Моделирование бороды", starts=starts, client="Пётр", phone="+79160000001"
    )

    assert [one.id for one in await crm.list_changed(since)] == [record]
    assert await crm.list_changed(then + timedelta(hours=3)) == ()
