"""A portal without the online booking: visits are deals, a field of theirs books the calendar's resources."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from crm.base import CheckStatus, Hook, Phone, RecordId
from crm.errors import (
    CRMAuthFailed,
    CRMNotConfigured,
    CRMNotFound,
    CRMOutcomeUnknown,
    CRMUnavailable,
    CRMUnsupported,
    SlotTaken,
)
from sandbox.bitrix24.calendar import AMERICAN_FORMAT, FIELD
from sandbox.staff_side import double_bookings

ANNA, MARIA = "Анна Смирнова", "Мария Иванова"
PHONE, OTHER = Phone("+79161234567"), Phone("+79160000001")
DEAL = 2
TOMORROW = date(2026, 11, 25)


@pytest.fixture
def portal_options():
    return {"booking_module": False}


def by_hand(vendor, hour=12, *, day=TOMORROW, master=ANNA, phone=OTHER, client="Инна"):
    starts = datetime.combine(day, datetime.min.time()).replace(hour=hour)
    return vendor.book_by_hand(master=master, service="Стрижка женская", starts=starts, client=client, phone=phone)


def standing(vendor):
    return [visit for visit in vendor.list_visits() if not visit.cancelled]


def holding(vendor, hour, **more):
    """Let staff book this hour as soon as our write has arrived, before it takes effect."""

    def book(body):
        by_hand(vendor, hour, **more)
        return body

    return book


async def test_a_visit_is_a_deal_with_our_id_its_contact_and_its_price(crm, vendor, find_slot, wish):
    booked = await crm.create_appointment(wish(await find_slot(crm, 15), comment="Просит чёрный кофе"))

    [deal] = vendor.portal.items[DEAL].values()
    assert (str(deal["id"]), deal["title"]) == (booked.id, "Стрижка женская, Елена")
    assert (deal["originatorId"], deal["originId"]) == ("ai-admin", "aiadm-1")
    assert (deal["opportunity"], deal["currencyId"]) == (2500, "RUB")
    assert [str(one) for one in deal["contactIds"]] == list(vendor.diary.cards)
    assert deal["comments"].startswith("Просит чёрный кофе")
    assert (booked.client_name, booked.phone, booked.external_id) == ("Елена", PHONE, "aiadm-1")


async def test_the_time_is_written_by_the_fields_own_clock(connect, vendor, find_slot, wish):
    vendor.booked.settings["field"] = {"TIMEZONE": "Europe/Moscow"}
    crm = connect()
    booked = await crm.create_appointment(wish(await find_slot(crm, 15)))

    assert booked.starts_at.isoformat() == "2026-11-25T15:00:00+03:00"
    assert [(visit.starts.hour, visit.minutes, visit.master) for visit in standing(vendor)] == [(15, 60, ANNA)]


@pytest.mark.parametrize(
    ("zone", "site_format"), [("Asia/Yekaterinburg", "%d.%m.%Y %H:%M:%S"), ("Europe/Moscow", AMERICAN_FORMAT)]
)
async def test_a_portal_that_reads_the_field_otherwise_is_found_out_and_nothing_stands(
    crm, vendor, find_slot, wish, zone, site_format
):
    """The field's settings say a zone that is not what the portal goes by, or its site writes dates another way."""
    vendor.booked.settings["field"] = {"TIMEZONE": zone}
    vendor.booked.site_format = site_format
    slot = await find_slot(crm, 15)

    with pytest.raises(CRMUnsupported, match=FIELD):
        await crm.create_appointment(wish(slot))
    assert standing(vendor) == []
    assert vendor.portal.items[DEAL] == {}


async def test_a_field_that_the_portal_ignores_without_a_word_is_found_out(connect, vendor, find_slot, wish):
    vendor.booked.settings["more"] = ["UF_CRM_2"]
    crm = connect(booking_field="UF_CRM_2")

    with pytest.raises(CRMUnsupported, match="UF_CRM_2"):
        await crm.create_appointment(wish(await find_slot(crm, 15)))
    assert vendor.portal.items[DEAL] == {}


async def test_bookings_that_are_hidden_from_us_do_not_pass_for_cancelled(crm, vendor, find_slot, wish):
    booked = await crm.create_appointment(wish(await find_slot(crm, 15)))
    vendor.faults.plant(
        "/calendar.resource.booking.list", times=9, word="resourceIdList", mutate=lambda body: {**body, "result": []}
    )

    with pytest.raises(CRMUnavailable):
        await crm.get_appointment(booked.id)
    with pytest.raises(CRMUnavailable):
        await crm.find_appointment("aiadm-1", day=TOMORROW)


class TestSomebodyWasQuicker:
    """The portal refuses no overlap."""

    async def test_a_visit_that_staff_made_meanwhile_stays_and_ours_is_taken_back(self, crm, vendor, find_slot, wish):
        slot = await find_slot(crm, 15)
        vendor.fail("times", mutate=holding(vendor, 15))

        with pytest.raises(SlotTaken):
            await crm.create_appointment(wish(slot))
        assert [visit.client for visit in standing(vendor)] == ["Инна"]
        assert [deal["title"] for deal in vendor.portal.items[DEAL].values()] == ["Стрижка женская, Инна"]

    async def test_a_visit_that_staff_make_after_ours_takes_nothing_from_it(self, crm, vendor, find_slot, wish):
        slot = await find_slot(crm, 15)
        vendor.fail("create", mutate=holding(vendor, 15))

        assert (await crm.create_appointment(wish(slot))).starts_at == slot.starts_at

    async def test_of_many_at_once_one_visit_stands(self, connect, crm, vendor, find_slot, wish):
        slot = await find_slot(crm, 15)
        everybody = [connect().create_appointment(wish(slot, f"aiadm-{n}", phone=f"+7916000000{n}")) for n in range(6)]
        found = await asyncio.gather(*everybody, return_exceptions=True)

        assert [type(one) for one in found].count(SlotTaken) == 5
        assert len(standing(vendor)) == 1
        assert len(vendor.portal.items[DEAL]) == 1

    async def test_a_move_that_met_another_visit_goes_back_to_where_it_was(self, crm, vendor, find_slot, wish):
        booked = await crm.create_appointment(wish(await find_slot(crm, 15)))
        wanted = await find_slot(crm, 18)
        vendor.fail("times", mutate=holding(vendor, 18))

        with pytest.raises(SlotTaken):
            await crm.reschedule_appointment(booked.id, wanted)
        assert sorted(visit.starts.hour for visit in standing(vendor)) == [15, 18]
        assert double_bookings(vendor) == 0
        assert (await crm.get_appointment(booked.id)).starts_at.hour == 15

    async def test_one_that_cannot_be_taken_back_is_an_unknown_outcome(self, crm, vendor, find_slot, wish):
        slot = await find_slot(crm, 15)
        vendor.fail("times", mutate=holding(vendor, 15))
        vendor.fail("cancel", times=50, status=500)

        with pytest.raises(CRMOutcomeUnknown, match="cannot be released"):
            await crm.create_appointment(wish(slot))

    async def test_a_deal_that_cannot_be_thrown_away_is_logged_and_its_time_is_free(self, crm, vendor, find_slot, wish):
        slot = await find_slot(crm, 15)
        vendor.fail("times", mutate=holding(vendor, 15, master=ANNA))
        vendor.faults.plant("/crm.item.delete", times=50, status=500)

        with capture_logs() as logs, pytest.raises(SlotTaken):
            await crm.create_appointment(wish(slot))
        assert [entry["event"] for entry in logs if entry["log_level"] != "debug"] == ["crm_written_in_part"]
        assert [visit.client for visit in standing(vendor)] == ["Инна"]


@pytest.mark.parametrize("operation", ["read", "times"])
async def test_a_visit_that_cannot_be_looked_at_afterwards_is_an_unknown_outcome(
    crm, vendor, find_slot, wish, operation
):
    slot = await find_slot(crm, 15)

    def break_the_look(body):
        vendor.fail(operation, times=50, status=500)
        return body

    vendor.fail("create", mutate=break_the_look)
    with pytest.raises(CRMOutcomeUnknown):
        await crm.create_appointment(wish(slot))
    vendor.faults.clear()
    assert (await crm.find_appointment("aiadm-1", day=TOMORROW)).starts_at == slot.starts_at


async def test_a_cancelled_visit_stays_as_a_deal_in_the_stage_for_it(connect, vendor, find_slot, wish):
    crm = connect(cancelled_stage="LOSE")
    booked = await crm.create_appointment(wish(await find_slot(crm, 15)))
    await crm.cancel_appointment(booked.id)

    [deal] = vendor.portal.items[DEAL].values()
    assert deal["stageId"] == "LOSE"
    assert standing(vendor) == []
    with pytest.raises(CRMNotFound):
        await crm.get_appointment(booked.id)


async def test_a_cancellation_that_the_portal_did_not_make_is_no_success(crm, vendor, find_slot, wish):
    booked = await crm.create_appointment(wish(await find_slot(crm, 15)))
    vendor.booked.empty_releases = False

    with pytest.raises(CRMUnsupported):
        await crm.cancel_appointment(booked.id)


async def test_a_deal_that_books_nothing_is_no_visit(crm, vendor):
    vendor.portal.items[DEAL][7] = {"id": 7, "title": "Просто сделка"}

    with pytest.raises(CRMNotFound):
        await crm.get_appointment(RecordId("7"))
    await crm.cancel_appointment(RecordId("7"))
    assert vendor.portal.items[DEAL][7]["title"] == "Просто сделка"


async def test_a_master_who_is_away_for_whole_days_has_no_free_time(crm, vendor):
    vendor.booked.whole_days.append((ANNA, TOMORROW, TOMORROW + timedelta(days=1)))
    service = next(one for one in await crm.get_services() if one.title == "Стрижка женская")
    slots = await crm.get_available_slots([service.id], first=TOMORROW, last=TOMORROW + timedelta(days=2))

    days = {(slot.staff.name, slot.starts_at.date()) for slot in slots}
    assert {day for name, day in days if name == ANNA} == {TOMORROW + timedelta(days=2)}
    assert len({day for name, day in days if name == MARIA}) == 3


class TestHours:
    """The calendar keeps no hours by resource."""

    async def open_on(self, crm, day):
        service = next(one for one in await crm.get_services() if one.title == "Стрижка женская")
        slots = await crm.get_available_slots([service.id], first=day, last=day)
        return (f"{slots[0].starts_at:%H:%M}", f"{slots[-1].starts_at:%H:%M}") if slots else None

    async def test_without_a_setting_the_calendars_working_time_holds(self, connect, vendor):
        vendor.booked.settings["calendar"] = {
            "work_time_start": "9.30",
            "work_time_end": "18",
            "week_holidays": ["SA", "SU"],
            "year_holidays": "1.01,25.11",
        }
        crm = connect(hours="")

        assert await self.open_on(crm, date(2026, 11, 26)) == ("09:30", "17:00")
        assert await self.open_on(crm, date(2026, 11, 28)) is None
        assert await self.open_on(crm, TOMORROW) is None

    @pytest.mark.parametrize(
        ("hours", "wednesday", "sunday"),
        [
            ("Mon-Fri 10:00-19:00", ("10:00", "18:00"), None),
            ("Sat-Wed 9:00-12:00", ("09:00", "11:00"), ("09:00", "11:00")),
            ("mon,wed 10:00-12:00;sun 12:00-14:00", ("10:00", "11:00"), ("12:00", "13:00")),
            ("Wed 10:00-12:00; Wed 14:00-16:00", ("10:00", "15:00"), None),
        ],
    )
    async def test_the_settings_name_hours_by_weekday(self, connect, hours, wednesday, sunday):
        crm = connect(hours=hours)

        assert await self.open_on(crm, TOMORROW) == wednesday
        assert await self.open_on(crm, date(2026, 11, 29)) == sunday

    @pytest.mark.parametrize("hours", ["9-18", "Mon 18:00-9:00", "Пн 09:00-18:00", "Mon 09:00-25:00", ";", "Mon"])
    def test_hours_that_cannot_be_read_are_told_when_they_are_set(self, connect, hours):
        with pytest.raises(CRMNotConfigured, match="hours"):
            connect(hours=hours)

    async def test_the_step_between_times_is_a_setting(self, connect):
        crm = connect(step="45", hours="Wed 09:00-12:00")
        service = next(one for one in await crm.get_services() if one.title == "Стрижка женская")
        slots = await crm.get_available_slots([service.id], first=TOMORROW, last=TOMORROW)

        assert sorted({f"{slot.starts_at:%H:%M}" for slot in slots}) == ["09:00", "09:45", "10:30"]


class TestTheField:
    async def test_only_what_it_offers_are_masters(self, connect, vendor):
        vendor.booked.settings["field"] = {"SELECTED_RESOURCES": [{"type": "resource", "id": "5", "title": ANNA}]}

        assert [one.name for one in await connect().get_staff()] == [ANNA]

    async def test_of_several_one_has_to_be_named(self, connect, vendor):
        vendor.booked.settings["more"] = ["UF_CRM_2"]
        with pytest.raises(CRMNotConfigured, match="booking_field"):
            await connect().get_staff()

        assert await connect(booking_field=FIELD).get_staff()

    @pytest.mark.parametrize("settings", [{"FULL_DAY": "Y"}, {"USE_USER_TIMEZONE": "Y"}, {"TIMEZONE": "Moon/Base"}])
    async def test_one_that_cannot_be_written_by_a_clock_is_refused_with_its_name(self, connect, vendor, settings):
        vendor.booked.settings["field"] = settings
        with pytest.raises(CRMNotConfigured, match=FIELD):
            await connect().get_staff()
        assert CheckStatus.FAILED in {line.status for line in await connect().check()}

    async def test_the_check_and_the_mapping_name_it(self, connect, vendor):
        lines = {line.subject: line for line in await connect().check()}
        assert (lines["field"].status, FIELD in lines["field"].detail) == (CheckStatus.OK, True)
        vendor.booked.settings["field"] = {"TIMEZONE": ""}
        assert {line.subject: line.status for line in await connect().check()}["field"] == CheckStatus.WARNING

        [line] = [one for one in await connect().describe_mapping() if "books" in one.what]
        assert (line.field, line.found) == (FIELD, True)
        [missing] = [one for one in await connect(booking_field="UF_CRM_9").describe_mapping() if "books" in one.what]
        assert (missing.field, missing.found) == ("UF_CRM_9", False)


async def test_a_right_to_the_calendar_that_was_not_given_is_told_as_such(crm, vendor):
    vendor.scopes = vendor.scopes - {"calendar"}

    with pytest.raises(CRMAuthFailed, match="insufficient_scope"):
        await crm.get_staff()


async def test_a_calendar_that_refuses_with_an_empty_code_is_a_refusal_all_the_same(crm, vendor, find_slot):
    slot = await find_slot(crm, 15)
    vendor.fail("times", times=9, mutate=lambda _: {"error": "", "error_description": "Access denied"})

    with pytest.raises(Exception, match="Access denied"):
        await crm.get_fresh_slots(slot.service_ids, first=TOMORROW, last=TOMORROW)


async def test_what_staff_do_is_told_by_the_deals_number(connect, vendor):
    crm = connect(secrets={"application_token": vendor.events.token})
    number = by_hand(vendor)
    body = f"event=ONCRMDEALUPDATE&data[FIELDS][ID]={number}&auth[application_token]={vendor.events.token}"
    hook = Hook(content_type="application/x-www-form-urlencoded", body=body.encode())

    [changed] = crm.read_hook(hook)
    assert (await crm.get_appointment(changed)).starts_at.hour == 12
    assert crm.read_hook(Hook(content_type="", body=body.replace("ONCRMDEAL", "ONCRMLEAD").encode())) == ()


async def test_the_catalogue_is_asked_once_in_ten_minutes(crm, vendor, find_slot):
    await find_slot(crm, 15)
    before = [call["path"].rsplit("/", 1)[1] for call in vendor.calls]
    await find_slot(crm, 15)
    after = [call["path"].rsplit("/", 1)[1] for call in vendor.calls][len(before) :]

    assert after == ["calendar.resource.booking.list"]


async def test_an_outage_of_the_calendar_is_no_free_day(crm, vendor, find_slot):
    slot = await find_slot(crm, 15)
    vendor.fail("times", times=50, mutate=lambda body: {**body, "result": {"bookings": []}})

    with pytest.raises(CRMUnavailable):
        await crm.get_fresh_slots(slot.service_ids, first=TOMORROW, last=TOMORROW)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"mode": "spreadsheet"}, "mode"),
        ({"visit_as": "none"}, "visit_as"),
        ({"visit_as": "lead"}, "visit_as"),
        ({"booking_field": "ufCrm_1"}, "booking_field"),
        ({"step": "полчаса"}, "step"),
    ],
)
def test_a_wrong_setting_names_its_field(connect, options, field):
    with pytest.raises(CRMNotConfigured, match=field):
        connect(**options)


async def test_in_the_mode_booking_the_check_tells_of_the_other_one(connect):
    lines = await connect(mode="booking").check()

    assert any("mode calendar" in line.detail for line in lines if line.status == CheckStatus.FAILED)


async def test_the_times_of_other_zones_are_told_in_the_branchs(crm, vendor, clock):
    clock.now = datetime(2026, 11, 24, 21, 30, tzinfo=UTC)
    number = by_hand(vendor, 9)

    assert (await crm.get_appointment(RecordId(number))).starts_at.isoformat() == "2026-11-25T09:00:00+03:00"
