"""A base's own HTTP service, beyond what every CRM promises: 1C's ways of answering, its slowness, its notices."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, time, timedelta

import pytest
from pydantic import SecretStr

from crm.base import CheckStatus, Hook, NewAppointment, Phone, RecordId
from crm.errors import (
    CRMAuthFailed,
    CRMInvalid,
    CRMNotConfigured,
    CRMOutcomeUnknown,
    CRMUnavailable,
    CRMUnsupported,
)
from crm.http import TimeLimits
from crm.registry import CRMFactory
from sandbox.one_c.service.server import HOOK_SECRET, OneCServiceSalon
from sandbox.one_c.service.wire import guid_of
from sandbox.seeds import elita_business

NOON = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TOMORROW = date(2026, 11, 25)
PHONE = Phone("+79161234567")
HAIRCUT, MANICURE = guid_of("services", "Стрижка женская"), guid_of("services", "Маникюр")
ANNA, MARIA = guid_of("staff", "Анна Смирнова"), guid_of("staff", "Мария Иванова")


@pytest.fixture
async def start(clock):
    """Start a base; all of them are stopped at the end, and none has been asked anything malformed."""
    clock.now = NOON
    started: list[OneCServiceSalon] = []

    async def starting(**more) -> OneCServiceSalon:
        vendor = OneCServiceSalon(elita_business(), clock, **more)
        await vendor.start()
        started.append(vendor)
        return vendor

    yield starting
    for vendor in started:
        await vendor.stop()
        assert vendor.violations == []


@pytest.fixture
async def vendor(start):
    return await start()


@pytest.fixture
def connect(http, pace, cache, clock):
    def connecting(vendor: OneCServiceSalon, *, secrets=None, time_zone="Europe/Moscow", **options):
        given = vendor.connection()
        kept = {name: SecretStr(value) for name, value in (given.secrets if secrets is None else secrets).items()}
        return CRMFactory(http, pace, cache, clock).create(
            "1c", options={**given.options, **options}, secrets=kept, account_id=None, time_zone=time_zone
        )

    return connecting


@pytest.fixture
def crm(vendor, connect):
    return connect(vendor)


async def free(crm, wall="15:00", *, service=HAIRCUT, master=ANNA, day=TOMORROW):
    slots = await crm.get_available_slots([service], first=day, last=day, staff_id=master)
    return next(slot for slot in slots if f"{slot.starts_at:%H:%M}" == wall)


def visit(slot, key="aiadm-1", *, phone=PHONE, name="Елена"):
    return NewAppointment(external_id=key, slot=slot, client_name=name, phone=phone, comment="от помощника")


class Door(asyncio.Event):
    """Opens when so many stand before it."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.came = 0

    async def wait(self):
        self.came += 1
        if self.came == self.most:
            self.set()
        return await super().wait()


class TestWaysOf1C:
    async def test_a_cyrillic_user_password_and_base_name_are_let_in(self, start, connect):
        crm = connect(await start(path="/салон"))

        assert len(await crm.get_staff()) == 3

    @pytest.mark.parametrize("switch", ["bom", "numbers_as_text"])
    async def test_answers_are_read_alike_however_the_base_writes_them(self, vendor, connect, cache, switch):
        plain = connect(vendor)
        booked = await plain.create_appointment(visit(await free(plain)))
        read = [await plain.get_services(), await plain.get_products(), await plain.get_appointment(booked.id)]
        slots = await plain.get_available_slots([MANICURE], first=TOMORROW, last=TOMORROW)
        cache.kept.clear()

        setattr(vendor, switch, True)
        other = connect(vendor)
        assert [await other.get_services(), await other.get_products(), await other.get_appointment(booked.id)] == read
        assert await other.get_available_slots([MANICURE], first=TOMORROW, last=TOMORROW) == slots
        assert (await other.create_appointment(visit(await free(other, "18:00"), "aiadm-2"))).starts_at.hour == 18

    async def test_a_price_range_stays_a_range_and_kopecks_are_kept(self, crm):
        manicure = next(one for one in await crm.get_services() if one.id == MANICURE)
        prices = sorted(product.price.low.minor_units for product in await crm.get_products())

        assert (manicure.terms.price.low.minor_units, manicure.terms.price.high.minor_units) == (180_000, 220_000)
        assert prices == [129_000, 185_050]

    async def test_used_up_licences_are_an_outage_of_a_reading(self, vendor, crm):
        vendor.licences = 0

        with pytest.raises(CRMUnavailable):
            await crm.get_services()

    async def test_used_up_licences_leave_a_write_unknown_and_it_is_sent_once(self, vendor, crm):
        slot = await free(crm)
        before, vendor.licences = len(vendor.calls), 0

        with pytest.raises(CRMOutcomeUnknown):
            await crm.create_appointment(visit(slot))
        assert [call["method"] for call in vendor.calls[before:]] == ["POST"]

    async def test_a_base_that_knows_nothing_of_the_service_is_a_fault_of_the_settings(self, vendor, connect):
        with pytest.raises(CRMNotConfigured, match="base_url"):
            await connect(vendor, base_url=f"{vendor.url}/other").get_services()

    async def test_a_service_of_a_later_version_is_not_guessed_at(self, vendor, crm):
        vendor.faults.plant("/info", mutate=lambda info: info | {"version": "2.0"})

        with pytest.raises(CRMNotConfigured, match="version 2"):
            await crm.get_rules()


class TestTwoAtATime:
    async def test_a_base_is_asked_two_things_at_a_time_by_all_adapters_together(self, vendor, connect):
        vendor.faults.plant("/products", times=8, hold_before=Door(2))

        found = await asyncio.gather(*(connect(vendor).get_products() for _ in range(8)))

        assert {len(products) for products in found} == {2}
        assert vendor.most_at_once == 2

    async def test_bases_do_not_wait_for_one_another(self, start, connect):
        one, other, door = await start(), await start(), Door(3)
        for vendor in (one, other):
            vendor.faults.plant("/staff", times=2, hold_before=door)

        await asyncio.gather(*(connect(vendor).get_staff() for vendor in (one, one, other)))
        assert (one.most_at_once, other.most_at_once) == (2, 1)

    async def test_what_found_no_room_was_not_sent_even_if_it_writes(self, vendor, connect, http):
        http.time_limits = TimeLimits(read=timedelta(seconds=0.1))
        hurried = connect(vendor)
        slot, full, until = await free(hurried), Door(2), asyncio.Event()
        http.time_limits = TimeLimits()
        patient = connect(vendor)
        vendor.faults.plant("/products", times=1, hold_before=full, hold_after=until)
        vendor.faults.plant("/products", times=1, hold_before=full, hold_after=until)
        busy = [asyncio.create_task(patient.get_products()) for _ in range(2)]
        await asyncio.Event.wait(full)

        try:
            with pytest.raises(CRMUnavailable, match="not sent"):
                await hurried.create_appointment(visit(slot))
        finally:
            until.set()
            await asyncio.gather(*busy)
        assert vendor.list_visits() == ()


class TestAppointments:
    async def test_the_first_appointment_of_a_key_is_the_answer_to_its_repeat(self, vendor, crm):
        slot = await free(crm)
        vendor.fail("create", cut_after=True)
        with pytest.raises(CRMOutcomeUnknown):
            await crm.create_appointment(visit(slot))

        again = await crm.create_appointment(visit(slot))
        assert [visit.id for visit in vendor.list_visits()] == [again.id]

    async def test_a_key_whose_appointment_was_cancelled_books_nothing_and_says_so(self, vendor, crm):
        slot = await free(crm)
        booked = await crm.create_appointment(visit(slot))
        vendor.cancel_by_hand(booked.id)

        with pytest.raises(CRMInvalid, match="cancelled since"):
            await crm.create_appointment(visit(slot))
        assert (await crm.find_appointment("aiadm-1", day=TOMORROW)).cancelled

    async def test_one_that_staff_moved_to_another_day_is_found_by_our_key(self, vendor, crm):
        booked = await crm.create_appointment(visit(await free(crm)))
        vendor.move_by_hand(booked.id, datetime.fromisoformat("2026-11-27T12:00"))

        assert (await crm.find_appointment("aiadm-1", day=TOMORROW)).starts_at.day == 27

    async def test_a_booking_is_one_call_with_the_clients_name_and_phone_in_it(self, vendor, crm):
        slot = await free(crm)
        before = len(vendor.calls)

        await crm.create_appointment(visit(slot))
        assert [call["method"] for call in vendor.calls[before:]] == ["POST"]
        assert (await crm.get_client_by_phone(PHONE)).name == "Елена"

    async def test_several_services_are_one_visit(self, vendor, crm):
        colouring = guid_of("services", "Окрашивание")
        slots = await crm.get_available_slots([HAIRCUT, colouring], first=TOMORROW, last=TOMORROW, staff_id=ANNA)
        booked = await crm.create_appointment(visit(slots[0]))

        assert [one.title for one in booked.services] == ["Стрижка женская", "Окрашивание"]
        assert (booked.duration, slots[0].price.low.minor_units) == (timedelta(hours=4), 1_050_000)
        assert vendor.list_visits()[0].minutes == 240

    async def test_a_visit_is_not_moved_to_a_slot_of_other_services(self, crm):
        booked = await crm.create_appointment(visit(await free(crm)))
        other = await free(crm, "18:00", service=MANICURE, master=guid_of("staff", "Ольга Петрова"))

        with pytest.raises(CRMInvalid):
            await crm.reschedule_appointment(booked.id, other)

    @pytest.mark.parametrize("key", ["", "ключ", "a b", "x" * 65, "a\nb"])
    async def test_a_key_that_no_header_can_carry_is_not_sent(self, vendor, crm, key):
        slot = await free(crm)

        with pytest.raises(CRMInvalid):
            await crm.create_appointment(visit(slot, key))
        assert await crm.find_appointment(key, day=TOMORROW) is None
        assert vendor.list_visits() == ()

    async def test_two_cards_with_one_phone_are_one_client_to_us(self, vendor, crm):
        for name, hour in (("Елена", 12), ("Елена вторая", 14)):
            vendor.add_client(name, "8 916 123-45-67")
            starts = datetime.combine(TOMORROW, time(hour))
            vendor.book_by_hand(master="Анна Смирнова", service="Маникюр", starts=starts, client=name, phone=PHONE)

        found = await crm.list_appointments(PHONE, first=TOMORROW)
        assert [one.starts_at.hour for one in found] == [12, 14]

    async def test_cards_that_hide_their_phones_are_not_nobody(self, vendor, crm):
        vendor.add_client("Елена", PHONE)
        hide = lambda answer: {"items": [one | {"phone": ""} for one in answer["items"]]}  # noqa: E731
        vendor.fail("clients", mutate=hide)

        with pytest.raises(CRMAuthFailed, match="phones"):
            await crm.get_client_by_phone(PHONE)

    async def test_a_master_who_came_to_work_meanwhile_is_offered(self, vendor, crm):
        came = vendor.book.masters.pop(MARIA)
        assert {one.name for one in await crm.get_staff()} == {"Анна Смирнова", "Ольга Петрова"}

        vendor.book.masters[MARIA] = came
        found = await crm.get_available_slots([HAIRCUT], first=TOMORROW, last=TOMORROW)
        assert {slot.staff.name for slot in found} == {"Анна Смирнова", "Мария Иванова"}


class TestParts:
    async def test_what_the_service_lacks_is_refused_and_not_asked_for(self, start, connect):
        vendor = await start(lacks=("products", "changes"))
        crm = connect(vendor, without="products,changes")

        with pytest.raises(CRMUnsupported):
            await crm.get_products()
        with pytest.raises(CRMUnsupported):
            await crm.list_changed(NOON)
        assert vendor.calls == ()
        assert {line.status for line in await crm.check()} == {CheckStatus.OK}

    @pytest.mark.parametrize(("lacks", "without"), [(("products",), ""), ((), "products")])
    async def test_the_check_says_where_settings_and_service_differ(self, start, connect, lacks, without):
        lines = await connect(await start(lacks=lacks), without=without).check()

        assert [line.subject for line in lines if line.status is CheckStatus.WARNING] == ["products"]

    async def test_the_check_tells_of_another_zone_and_of_a_missing_currency(self, vendor, connect):
        vendor.faults.plant("/info", times=9, mutate=lambda info: info | {"currency": "руб."})
        lines = await connect(vendor, time_zone="Asia/Omsk").check()

        assert [line.subject for line in lines if line.status is CheckStatus.WARNING] == [
            "time zone",
            "currency",
            "prices",
        ]

    async def test_an_account_without_a_hooks_secret_takes_no_notices(self, vendor, connect):
        crm = connect(vendor, secrets={"password": vendor.connection().secrets["password"]})

        with pytest.raises(CRMUnsupported):
            crm.read_hook(notice(["1"], None))


def notice(ids, secret=HOOK_SECRET, *, body=None, header="X-AI-Admin-Secret"):
    headers = {} if secret is None else {header: secret}
    text = json.dumps({"appointment_ids": ids}).encode() if body is None else body
    return Hook(content_type="application/json; charset=utf-8", body=text, headers=headers)


class TestNotices:
    FIRST, SECOND = RecordId("7c1f0b8e-0000-4000-8000-000000000001"), RecordId("7c1f0b8e-0000-4000-8000-000000000002")

    @pytest.mark.parametrize("header", ["X-AI-Admin-Secret", "x-ai-admin-secret"])
    async def test_a_notice_names_each_appointment_once(self, crm, header):
        given = notice([self.FIRST, self.SECOND, self.FIRST], header=header)

        assert crm.read_hook(given) == (self.FIRST, self.SECOND)

    async def test_a_notice_may_begin_with_a_byte_order_mark_and_name_nothing(self, crm):
        assert crm.read_hook(notice([], body=b'\xef\xbb\xbf{"appointment_ids": []}')) == ()

    @pytest.mark.parametrize("secret", [None, "", "wrong", HOOK_SECRET + "1", HOOK_SECRET[:-1], "ключ"])
    async def test_a_notice_without_the_secret_is_nobodys(self, crm, secret):
        with pytest.raises(CRMAuthFailed) as refused:
            crm.read_hook(notice([self.FIRST], secret))
        assert HOOK_SECRET not in str(refused.value)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"{}",
            b"\xff",
            b"[" * 100_000,
            b'{"appointment_ids": "1"}',
            b'{"appointment_ids": [1]}',
            b'{"appointment_ids": ["../1"]}',
            json.dumps({"appointment_ids": ["1"] * 501}).encode(),
        ],
    )
    async def test_what_is_no_notice_is_refused(self, crm, body):
        with pytest.raises(CRMInvalid):
            crm.read_hook(notice([], body=body))
