"""What every CRM promises of writing: booked once, read back, found again, moved, cancelled. Each adapter the same."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import datetime, time, timedelta, timezone

import pytest

from crm.base import Capability, Phone, RecordId
from crm.errors import CRMNotFound, SlotTaken

PHONE, OTHER = Phone("+79161234567"), Phone("+79160000001")
ANNA, MARIA = "Анна Смирнова", "Мария Иванова"
needs = pytest.mark.needs
BOOKS = needs(Capability.CATALOGUE, Capability.SLOTS, Capability.CREATE)


def by_hand(desk, wall="12:00", *, phone=OTHER, day=None, client="Инна", master=ANNA, service="Стрижка женская"):
    starts = datetime.combine(day or desk.tomorrow, time.fromisoformat(wall))
    return desk.vendor.book_by_hand(master=master, service=service, starts=starts, client=client, phone=phone)


@BOOKS
async def test_what_was_booked_is_read_back_and_stands_before_the_staff(desk, new):
    booked = await desk.crm.create_appointment(new(await desk.slot("15:00")))

    [visit] = desk.standing()
    assert booked.starts_at.isoformat() == "2026-11-25T15:00:00+03:00"
    assert (booked.duration, booked.staff.name) == (timedelta(hours=1), ANNA)
    assert [service.title for service in booked.services] == ["Стрижка женская"]
    assert booked.id
    assert not booked.cancelled
    assert visit.starts == datetime.fromisoformat("2026-11-25T15:00")
    assert (visit.master, visit.services, visit.minutes) == (ANNA, ("Стрижка женская",), 60)
    assert visit.client.startswith("Елена")
    assert "".join(filter(str.isdigit, visit.phone)) == "79161234567"


@BOOKS
async def test_a_slot_that_was_kept_with_its_offset_alone_books_the_same_time(desk, new):
    slot = await desk.slot("15:00")
    kept = replace(slot, starts_at=slot.starts_at.astimezone(timezone(slot.starts_at.utcoffset())))
    booked = await desk.crm.create_appointment(new(kept))

    assert booked.starts_at == slot.starts_at
    assert [visit.starts for visit in desk.standing()] == [datetime.fromisoformat("2026-11-25T15:00")]


@BOOKS
async def test_what_the_agent_notes_is_read_by_the_staff(desk, new):
    await desk.crm.create_appointment(new(await desk.slot("15:00"), comment="Просит чёрный кофе & «тишину»"))

    [visit] = desk.standing()
    assert "Просит чёрный кофе & «тишину»" in visit.comment


@BOOKS
@needs(Capability.FIND_BY_EXTERNAL_ID)
async def test_an_appointment_is_found_by_our_own_id_and_by_no_other(desk, new):
    booked = await desk.crm.create_appointment(new(await desk.slot("15:00"), "aiadm-1"))
    by_hand(desk, "12:00")

    found = await desk.crm.find_appointment("aiadm-1", day=desk.tomorrow)
    assert (found.id, found.external_id) == (booked.id, "aiadm-1")
    for other in ("aiadm-2", "aiadm-11", "aiadm-", ""):
        assert await desk.crm.find_appointment(other, day=desk.tomorrow) is None


@BOOKS
async def test_a_time_that_was_taken_meanwhile_is_refused_and_nothing_is_written(desk, new):
    slot = await desk.slot("15:00")
    by_hand(desk, "15:00")

    with pytest.raises(SlotTaken):
        await desk.crm.create_appointment(new(slot))
    assert [visit.client for visit in desk.standing()] == ["Инна"]


@BOOKS
async def test_a_time_that_was_taken_in_part_is_refused(desk, new):
    slot = await desk.slot("15:00")
    by_hand(desk, "15:30")

    with pytest.raises(SlotTaken):
        await desk.crm.create_appointment(new(slot))
    assert len(desk.standing()) == 1


@BOOKS
async def test_visits_that_only_touch_stand_side_by_side(desk, new):
    by_hand(desk, "14:00")
    by_hand(desk, "16:00")

    await desk.crm.create_appointment(new(await desk.slot("15:00")))
    assert len(desk.standing()) == 3


@BOOKS
async def test_two_at_once_for_one_time_leave_one_visit(desk, open_adapter, new):
    slot = await desk.slot("15:00")
    both = await asyncio.gather(
        open_adapter().create_appointment(new(slot, "aiadm-1")),
        open_adapter().create_appointment(new(slot, "aiadm-2", phone=OTHER, client_name="Инна")),
        return_exceptions=True,
    )

    assert [type(one) for one in both if isinstance(one, BaseException)] == [SlotTaken]
    assert len(desk.standing()) == 1


@BOOKS
@needs(Capability.IDEMPOTENT_CREATE)
async def test_the_same_booking_sent_twice_is_one_visit_and_one_answer(desk, new):
    slot = await desk.slot("15:00")
    first = await desk.crm.create_appointment(new(slot))
    again = await desk.crm.create_appointment(new(slot))

    assert again.id == first.id
    assert len(desk.standing()) == 1


@BOOKS
async def test_the_same_booking_sent_twice_never_stands_twice(desk, new):
    slot = await desk.slot("15:00")
    await desk.crm.create_appointment(new(slot))
    with contextlib.suppress(SlotTaken):
        await desk.crm.create_appointment(new(slot))

    assert len(desk.standing()) == 1


@BOOKS
@needs(Capability.CLIENTS)
async def test_a_known_client_keeps_the_name_and_the_one_card(desk, new):
    known = desk.vendor.add_client("Елена Постоянная", "+7 (916) 123-45-67")
    await desk.crm.create_appointment(new(await desk.slot("15:00"), client_name="Лена"))

    found = await desk.crm.get_client_by_phone(PHONE)
    assert (found.id, found.name) == (known, "Елена Постоянная")


@BOOKS
@needs(Capability.LIST)
async def test_a_client_sees_their_own_standing_visits_in_order(desk, new):
    await desk.crm.create_appointment(new(await desk.slot("18:00"), "aiadm-1"))
    await desk.crm.create_appointment(new(await desk.slot("10:00", day=desk.tomorrow), "aiadm-2"))
    by_hand(desk, "12:00", phone=OTHER)
    gone = by_hand(desk, "13:30", phone=PHONE, client="Елена")
    desk.vendor.cancel_by_hand(gone)

    found = await desk.crm.list_appointments(PHONE, first=desk.today)
    assert [f"{one.starts_at:%H:%M}" for one in found] == ["10:00", "18:00"]
    assert {one.phone for one in found} <= {PHONE, None}
    assert await desk.crm.list_appointments(PHONE, first=desk.tomorrow + timedelta(days=1)) == ()


@needs(Capability.LIST)
async def test_somebody_without_visits_has_none(desk):
    by_hand(desk, "12:00", phone=OTHER)

    assert await desk.crm.list_appointments(PHONE, first=desk.today) == ()


@needs(Capability.LIST)
async def test_a_clients_visits_are_all_listed_however_many_pages_they_take(desk):
    for day in range(1, 56):
        by_hand(desk, "12:00", phone=PHONE, client="Елена", day=desk.today + timedelta(days=day))

    assert len(await desk.crm.list_appointments(PHONE, first=desk.today)) == 55


@BOOKS
@needs(Capability.MOVE, Capability.LIST)
async def test_a_visit_is_moved_and_stays_the_same_visit(desk, new):
    booked = await desk.crm.create_appointment(new(await desk.slot("15:00")))
    moved = await desk.crm.reschedule_appointment(booked.id, await desk.slot("18:00"))

    [visit] = desk.standing()
    assert (moved.id, moved.starts_at.hour, moved.staff.name) == (booked.id, 18, ANNA)
    assert (visit.starts, visit.minutes) == (datetime.fromisoformat("2026-11-25T18:00"), 60)
    assert "от помощника" in visit.comment
    assert (await desk.crm.get_appointment(booked.id)).starts_at.hour == 18


@BOOKS
@needs(Capability.MOVE, Capability.FIND_BY_EXTERNAL_ID)
async def test_a_moved_visit_is_still_found_by_our_id(desk, new):
    booked = await desk.crm.create_appointment(new(await desk.slot("15:00")))
    day = desk.tomorrow + timedelta(days=1)
    await desk.crm.reschedule_appointment(booked.id, await desk.slot("18:00", day=day))

    assert (await desk.crm.find_appointment("aiadm-1", day=day)).id == booked.id


@BOOKS
@needs(Capability.MOVE, Capability.STAFF_CHOICE)
async def test_a_visit_moves_to_another_master(desk, new):
    booked = await desk.crm.create_appointment(new(await desk.slot("15:00")))
    moved = await desk.crm.reschedule_appointment(booked.id, await desk.slot("15:00", master=MARIA))

    [visit] = desk.standing()
    assert (moved.id, moved.staff.name, visit.master) == (booked.id, MARIA, MARIA)


@BOOKS
@needs(Capability.MOVE)
async def test_a_visit_does_not_move_into_time_that_is_taken(desk, new):
    booked = await desk.crm.create_appointment(new(await desk.slot("15:00")))
    wanted = await desk.slot("18:00")
    by_hand(desk, "18:00")

    with pytest.raises(SlotTaken):
        await desk.crm.reschedule_appointment(booked.id, wanted)
    assert {visit.starts.hour for visit in desk.standing()} == {15, 18}


@BOOKS
@needs(Capability.MOVE)
async def test_a_move_that_was_made_already_is_a_success(desk, new):
    booked = await desk.crm.create_appointment(new(await desk.slot("15:00")))
    wanted = await desk.slot("18:00")
    await desk.crm.reschedule_appointment(booked.id, wanted)

    again = await desk.crm.reschedule_appointment(booked.id, wanted)
    assert (again.id, again.starts_at.hour) == (booked.id, 18)


@BOOKS
@needs(Capability.MOVE, Capability.CANCEL)
async def test_a_cancelled_visit_is_not_moved(desk, new):
    booked = await desk.crm.create_appointment(new(await desk.slot("15:00")))
    wanted = await desk.slot("18:00")
    await desk.crm.cancel_appointment(booked.id)

    with pytest.raises(CRMNotFound):
        await desk.crm.reschedule_appointment(booked.id, wanted)
    assert desk.standing() == []


@BOOKS
@needs(Capability.CANCEL)
async def test_a_cancelled_visit_frees_its_time_and_cancelling_again_is_a_success(desk, new):
    booked = await desk.crm.create_appointment(new(await desk.slot("15:00")))
    await desk.crm.cancel_appointment(booked.id)
    await desk.crm.cancel_appointment(booked.id)

    assert desk.standing() == []
    assert (await desk.slot("15:00")).staff.name == ANNA


@BOOKS
@needs(Capability.CANCEL, Capability.LIST)
async def test_a_cancelled_visit_is_told_as_cancelled_or_not_at_all(desk, new):
    booked = await desk.crm.create_appointment(new(await desk.slot("15:00")))
    await desk.crm.cancel_appointment(booked.id)

    assert await desk.crm.list_appointments(PHONE, first=desk.today) == ()
    with contextlib.suppress(CRMNotFound):
        assert (await desk.crm.get_appointment(booked.id)).cancelled


@needs(Capability.LIST)
@pytest.mark.parametrize("record_id", ["1", "99999999", "../records", "7c1f0b8e-0000-4000-8000-000000000000"])
async def test_a_record_that_is_not_there_is_not_found(desk, record_id):
    with pytest.raises(CRMNotFound):
        await desk.crm.get_appointment(RecordId(record_id))


@needs(Capability.LIST)
async def test_a_visit_made_by_staff_reads_as_ours_do(desk):
    record_id = by_hand(desk, "12:00", phone=PHONE, client="Елена")

    found = await desk.crm.get_appointment(RecordId(record_id))
    assert found.starts_at.isoformat() == "2026-11-25T12:00:00+03:00"
    assert (found.staff.name, found.duration, found.cancelled) == (ANNA, timedelta(hours=1), False)
    assert found.external_id is None


@BOOKS
@needs(Capability.CHANGES)
async def test_what_staff_change_is_told_since_a_moment(desk, clock, new):
    moved = await desk.crm.create_appointment(new(await desk.slot("15:00"), "aiadm-1"))
    dropped = await desk.crm.create_appointment(new(await desk.slot("10:00"), "aiadm-2"))
    untouched = await desk.crm.create_appointment(new(await desk.slot("12:00"), "aiadm-3"))
    clock.now += timedelta(minutes=30)
    since = clock.now
    clock.now += timedelta(minutes=1)
    desk.vendor.move_by_hand(moved.id, datetime.combine(desk.tomorrow, time(18)))
    desk.vendor.cancel_by_hand(dropped.id)

    changed = {one.id: one for one in await desk.crm.list_changed(since)}
    assert changed[moved.id].starts_at.hour == 18
    assert changed[dropped.id].cancelled
    assert untouched.id not in changed


@BOOKS
@needs(Capability.CONFIRM, Capability.LIST)
async def test_that_a_client_comes_is_written_down_and_all_else_stays(desk, new):
    booked = await desk.crm.create_appointment(new(await desk.slot("15:00")))
    before = replace_confirmed(desk.standing())
    await desk.crm.confirm_visit(booked.id)
    await desk.crm.confirm_visit(booked.id)

    assert [visit.confirmed for visit in desk.standing()] == [True]
    assert replace_confirmed(desk.standing()) == before
    assert (await desk.crm.get_appointment(booked.id)).starts_at == booked.starts_at


@BOOKS
@needs(Capability.CONFIRM, Capability.CANCEL)
async def test_a_cancelled_visit_is_not_confirmed(desk, new):
    booked = await desk.crm.create_appointment(new(await desk.slot("15:00")))
    await desk.crm.cancel_appointment(booked.id)

    with pytest.raises(CRMNotFound):
        await desk.crm.confirm_visit(booked.id)
    assert desk.standing() == []


def replace_confirmed(visits):
    return [replace(visit, confirmed=False) for visit in visits]
