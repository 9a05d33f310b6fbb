"""What every CRM promises of reading: services, masters, free times, clients. The same for each adapter."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from crm.base import Capability, CheckStatus, Phone, RecordId, ServiceId, StaffId
from crm.errors import CRMInvalid, CRMNotFound, CRMUnsupported
from sandbox.business import BusinessService

PHONE = Phone("+79161234567")
ANNA, MARIA, OLGA = "Анна Смирнова", "Мария Иванова", "Ольга Петрова"
needs = pytest.mark.needs


@needs(Capability.CATALOGUE)
async def test_only_services_open_for_online_booking_are_offered(desk):
    assert {one.title for one in await desk.crm.get_services()} == {"Стрижка женская", "Окрашивание", "Маникюр"}


@needs(Capability.CATALOGUE)
async def test_a_service_has_its_price_in_minor_units_of_the_companys_currency(desk):
    price = (await desk.service()).terms_with(await desk.master(ANNA)).price

    assert (price.low.minor_units, price.low.currency, price.is_range) == (250_000, "RUB", False)


@needs(Capability.CATALOGUE)
async def test_the_time_that_a_service_takes_is_known(desk):
    service, colouring = await desk.service(), await desk.service("Окрашивание")

    assert service.terms_with(await desk.master(ANNA)).duration == timedelta(hours=1)
    assert colouring.terms_with(await desk.master(MARIA)).duration == timedelta(hours=3)


@needs(Capability.CATALOGUE)
async def test_the_catalogue_is_whole_however_many_pages_it_has(desk, catalogue_of_seventy):
    titles = {one.title for one in await desk.crm.get_services()}

    assert len(titles) == 73
    assert set(catalogue_of_seventy) <= titles


@pytest.fixture
def catalogue_of_seventy(business):
    return [one.title for one in business.services if one.title.startswith("Услуга")]


@pytest.fixture
def business(business, request):
    """More services than a page of any vendor where the test is about pages."""
    if "catalogue_of_seventy" not in request.fixturenames:
        return business
    more = tuple(
        BusinessService(title=f"Услуга № {number}", low=1000, high=1000, minutes=60, masters=(ANNA,))
        for number in range(70)
    )
    return replace(business, services=(*business.services, *more))


@needs(Capability.CATALOGUE)
async def test_only_masters_open_for_booking_are_offered(desk):
    assert {person.name for person in await desk.crm.get_staff()} == {ANNA, MARIA, OLGA}


@needs(Capability.CATALOGUE)
async def test_masters_are_told_apart_by_what_they_do(desk):
    haircut, manicure = await desk.service(), await desk.service("Маникюр")

    assert {person.name for person in await desk.crm.get_staff([haircut.id])} == {ANNA, MARIA}
    assert {person.name for person in await desk.crm.get_staff([manicure.id])} == {OLGA}
    assert await desk.crm.get_staff([haircut.id, manicure.id]) == ()


@needs(Capability.SLOTS)
async def test_free_times_name_their_master_and_stand_in_the_branchs_zone(desk):
    slots = await desk.slots()

    assert {slot.staff.name for slot in slots} == {ANNA, MARIA}
    assert {str(slot.starts_at.tzinfo) for slot in slots} == {"Europe/Moscow"}
    assert list(slots) == sorted(slots, key=lambda slot: slot.starts_at)
    assert slots[0].starts_at.isoformat() == "2026-11-25T09:00:00+03:00"
    assert {slot.duration for slot in slots} == {timedelta(hours=1)}
    assert slots[-1].starts_at.time() <= time(20)


@needs(Capability.SLOTS)
async def test_a_free_time_has_the_price_of_its_service(desk):
    slot = await desk.slot("12:00")

    service = await desk.service()
    assert (slot.price or service.terms_with(slot.staff.id).price).low.minor_units == 250_000
    assert slot.service_ids == (service.id,)


@needs(Capability.SLOTS, Capability.STAFF_CHOICE)
async def test_a_masters_own_free_times_are_theirs_alone(desk):
    assert {slot.staff.name for slot in await desk.slots(master=MARIA)} == {MARIA}


@needs(Capability.SLOTS)
async def test_free_times_cross_the_end_of_a_month(desk):
    service = await desk.service()
    slots = await desk.crm.get_available_slots([service.id], first=date(2026, 11, 30), last=date(2026, 12, 1))

    assert {slot.starts_at.date() for slot in slots} == {date(2026, 11, 30), date(2026, 12, 1)}


@needs(Capability.SLOTS)
async def test_times_that_have_passed_are_not_offered(desk, clock):
    now = clock.now

    assert min(slot.starts_at for slot in await desk.slots(day=desk.today)) >= now


@needs(Capability.SLOTS)
async def test_a_visit_made_by_staff_takes_its_whole_time_away(desk):
    starts = datetime.combine(desk.tomorrow, time(12))
    desk.vendor.book_by_hand(master=ANNA, service="Окрашивание", starts=starts, client="Инна", phone="+79160000001")

    hers = {f"{slot.starts_at:%H:%M}" for slot in await desk.slots(master=ANNA)}
    assert not hers & {"11:30", "12:00", "13:00", "14:00", "14:30"}
    assert {"11:00", "15:00"} <= hers
    assert {"12:00", "13:00"} <= {f"{slot.starts_at:%H:%M}" for slot in await desk.slots(master=MARIA)}


@needs(Capability.SLOTS)
async def test_a_day_without_free_time_is_an_empty_answer(desk):
    for hour in range(9, 21):
        starts = datetime.combine(desk.tomorrow, time(hour))
        desk.vendor.book_by_hand(master=OLGA, service="Маникюр", starts=starts, client="Инна", phone="+79160000001")

    assert await desk.slots("Маникюр") == ()


@needs(Capability.SLOTS)
async def test_several_services_of_one_master_take_their_times_and_prices_together(desk):
    haircut, colouring = await desk.service(), await desk.service("Окрашивание")
    anna = await desk.master(ANNA)
    slots = await desk.crm.get_available_slots(
        [haircut.id, colouring.id], first=desk.tomorrow, last=desk.tomorrow, staff_id=anna
    )

    assert {slot.duration for slot in slots} == {timedelta(hours=4)}
    assert {slot.service_ids for slot in slots} == {(haircut.id, colouring.id)}
    assert max(slot.starts_at for slot in slots).time() == time(17)
    assert {slot.price.low.minor_units for slot in slots if slot.price} <= {1_050_000}


@needs(Capability.SLOTS)
async def test_a_service_that_is_not_offered_is_an_error_and_not_an_empty_day(desk):
    service = await desk.service()
    for unknown in (ServiceId("99999999"), ServiceId("../1")):
        with pytest.raises(CRMNotFound):
            await desk.crm.get_available_slots([unknown], first=desk.tomorrow, last=desk.tomorrow)
    with pytest.raises(CRMNotFound):
        await desk.crm.get_available_slots(
            [service.id], first=desk.tomorrow, last=desk.tomorrow, staff_id=StaffId("99999999")
        )


@needs(Capability.SLOTS)
async def test_a_range_is_bounded_and_an_empty_one_is_empty(desk):
    service = await desk.service()

    assert await desk.crm.get_available_slots([service.id], first=desk.tomorrow, last=desk.today) == ()
    with pytest.raises(CRMInvalid):
        await desk.crm.get_available_slots([service.id], first=desk.today, last=desk.today + timedelta(days=60))


class TestWhereClocksChange:
    """Berlin: on 29 March 2026 at 2:00 clocks go to 3:00, on 25 October 2026 at 3:00 back to 2:00."""

    @pytest.fixture
    def business(self, business):
        return replace(business, time_zone="Europe/Berlin")

    @needs(Capability.SLOTS)
    @pytest.mark.parametrize(
        ("now", "day", "before", "after"),
        [
            (datetime(2026, 3, 27, 8, tzinfo=UTC), date(2026, 3, 28), "+01:00", "+02:00"),
            (datetime(2026, 10, 23, 8, tzinfo=UTC), date(2026, 10, 24), "+02:00", "+01:00"),
        ],
        ids=["spring", "autumn"],
    )
    async def test_the_salon_opens_by_its_own_wall_clock(self, desk, clock, now, day, before, after):
        clock.now = now
        service = await desk.service()
        slots = await desk.crm.get_available_slots([service.id], first=day, last=day + timedelta(days=1))
        openings = [
            min(slot.starts_at for slot in slots if slot.starts_at.date() == one)
            for one in (day, day + timedelta(days=1))
        ]

        assert [moment.isoformat() for moment in openings] == [
            f"{day}T10:00:00{before}",
            f"{day + timedelta(days=1)}T10:00:00{after}",
        ]

    @needs(Capability.CREATE, Capability.SLOTS)
    async def test_a_visit_on_the_day_of_the_change_keeps_its_wall_clock(self, desk, clock, new):
        clock.now = datetime(2026, 3, 27, 8, tzinfo=UTC)
        booked = await desk.crm.create_appointment(new(await desk.slot("15:00", day=date(2026, 3, 29))))

        assert booked.starts_at.isoformat() == "2026-03-29T15:00:00+02:00"
        assert [visit.starts for visit in desk.standing()] == [datetime.fromisoformat("2026-03-29T15:00")]


async def test_the_branchs_zone_is_told(desk):
    assert str((await desk.crm.get_rules()).time_zone) == "Europe/Moscow"


@needs(Capability.CLIENTS)
@pytest.mark.parametrize("written", ["+7 (916) 123-45-67", "8 916 123 45 67", "79161234567", "+79161234567"])
async def test_a_client_is_found_by_phone_however_it_is_written(desk, written):
    desk.vendor.add_client("Елена Постоянная", written)

    found = await desk.crm.get_client_by_phone(PHONE)
    assert (found.name, found.phone) == ("Елена Постоянная", PHONE)


@needs(Capability.CLIENTS)
@pytest.mark.parametrize("other", ["+779161234567", "+7 916 123-45-68", "+49 916 1234567"])
async def test_a_phone_matches_whole_and_not_in_part(desk, other):
    desk.vendor.add_client("Другая", other)

    assert await desk.crm.get_client_by_phone(PHONE) is None


@needs(Capability.CLIENTS)
@pytest.mark.parametrize("name", ["Елена", "Анна-Мария О'Коннор", "Ёлкина Þórunn Әлия", 'ООО "Ромашка" & Ко'])
async def test_a_card_is_made_with_the_name_as_it_was_given(desk, name):
    made = await desk.crm.create_client(name=name, phone=PHONE)

    found = await desk.crm.get_client_by_phone(PHONE)
    assert (found.id, found.name) == (made.id, name)


@needs(Capability.CLIENTS)
async def test_a_card_is_never_renamed_or_doubled(desk):
    known = desk.vendor.add_client("Елена Постоянная", "+7 (916) 123-45-67")
    made = await desk.crm.create_client(name="Лена", phone=PHONE)

    assert (made.id, made.name) == (known, "Елена Постоянная")


@needs(Capability.DAY)
async def test_a_day_is_told_whole_whoever_booked_it_and_nothing_of_the_days_beside_it(desk):
    def by_hand(day, at, master, service, client, phone):
        starts = datetime.combine(day, time.fromisoformat(at))
        return desk.vendor.book_by_hand(master=master, service=service, starts=starts, client=client, phone=phone)

    by_hand(desk.tomorrow, "18:00", OLGA, "Маникюр", "Жанна", "+7 (916) 000-00-02")
    by_hand(desk.tomorrow, "10:00", ANNA, "Стрижка женская", "Инна", "+79160000001")
    off = by_hand(desk.tomorrow, "12:00", ANNA, "Стрижка женская", "Отменённая", "+79160000003")
    desk.vendor.cancel_by_hand(off)
    by_hand(desk.today, "20:30", ANNA, "Стрижка женская", "Сегодняшняя", "+79160000004")
    by_hand(desk.tomorrow + timedelta(days=1), "09:00", ANNA, "Стрижка женская", "Послезавтрашняя", "+79160000005")

    found = await desk.crm.list_day(desk.tomorrow)

    assert [(f"{one.starts_at:%H:%M %Z}", one.staff.name, one.client_name, one.phone) for one in found] == [
        ("10:00 MSK", ANNA, "Инна", "+79160000001"),
        ("18:00 MSK", OLGA, "Жанна", "+79160000002"),
    ]
    assert [[service.title for service in one.services] for one in found] == [["Стрижка женская"], ["Маникюр"]]
    assert {one.cancelled for one in found} == {False}


@needs(Capability.DAY, Capability.CREATE, Capability.SLOTS)
async def test_a_day_has_what_we_booked_under_the_same_record(desk, new):
    booked = await desk.crm.create_appointment(new(await desk.slot("15:00")))

    assert [one.id for one in await desk.crm.list_day(desk.tomorrow)] == [booked.id]
    assert await desk.crm.list_day(desk.today) == ()


@needs(Capability.PRODUCTS)
async def test_products_have_names(desk):
    assert all(product.title for product in await desk.crm.get_products())


@needs(Capability.BOOKING_PAGE)
async def test_the_booking_page_is_an_address_that_a_client_can_open(desk):
    assert (await desk.crm.get_booking_page()).startswith("https://")


async def test_the_check_says_what_works_and_leaves_no_trace(desk):
    lines = await desk.crm.check()

    assert lines
    assert CheckStatus.FAILED not in {line.status for line in lines}, lines
    assert desk.vendor.list_visits() == ()


async def test_an_account_can_do_what_is_written_down_of_it(desk, case_name, contract_cases):
    assert desk.crm.capabilities == set(Capability) - contract_cases[case_name].lacks
    assert desk.crm.capabilities <= desk.crm.manifest.capabilities


async def test_what_an_account_lacks_is_refused_by_name_and_asked_of_nobody(desk, lacked):
    slot = None
    operations = {
        Capability.CATALOGUE: lambda: desk.crm.get_services(),
        Capability.SLOTS: lambda: desk.crm.get_available_slots([ServiceId("1")], first=desk.today, last=desk.tomorrow),
        Capability.CREATE: lambda: desk.crm.create_appointment(slot),
        Capability.MOVE: lambda: desk.crm.reschedule_appointment("1", slot),
        Capability.CANCEL: lambda: desk.crm.cancel_appointment("1"),
        Capability.LIST: lambda: desk.crm.list_appointments(PHONE, first=desk.today),
        Capability.CLIENTS: lambda: desk.crm.get_client_by_phone(PHONE),
        Capability.PRODUCTS: lambda: desk.crm.get_products(),
        Capability.FIND_BY_EXTERNAL_ID: lambda: desk.crm.find_appointment("aiadm-1", day=desk.today),
        Capability.BOOKING_PAGE: lambda: desk.crm.get_booking_page(),
        Capability.CHANGES: lambda: desk.crm.list_changed(datetime(2026, 11, 24, tzinfo=UTC)),
        Capability.DAY: lambda: desk.crm.list_day(desk.today),
        Capability.CONFIRM: lambda: desk.crm.confirm_visit(RecordId("1")),
    }
    if lacked in operations:
        with pytest.raises(CRMUnsupported):
            await operations[lacked]()
    assert lacked not in desk.crm.capabilities
    assert not desk.vendor.calls
