"""The YCLIENTS adapter over HTTP against the local vendor: what each operation promises, and every failure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import SecretStr

from crm.base import Capability, CheckStatus, NewAppointment, Phone, Prepayment, RecordId, ServiceId, StaffId
from crm.errors import (
    CRMAuthFailed,
    CRMError,
    CRMNotConfigured,
    CRMNotFound,
    CRMOutcomeUnknown,
    CRMRateLimited,
    CRMRejected,
    CRMUnavailable,
    CRMUnsupported,
    SlotTaken,
)
from crm.registry import CRMFactory
from sandbox.seeds import ELITA_ID, elita_salon
from sandbox.yclients.server import YclientsSandbox

NOON = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TOMORROW = date(2026, 11, 25)
HAIRCUT, COLOURING, MANICURE, WEDDING = (ServiceId(str(number)) for number in (501, 502, 503, 504))
ANNA, MARIA = StaffId("101"), StaffId("102")
PHONE = Phone("+79161234567")


@pytest.fixture
async def vendor(clock):
    clock.now = NOON
    sandbox = YclientsSandbox(clock=clock, per_second=10_000, per_minute=100_000)
    sandbox.add_salon(elita_salon())
    await sandbox.start()
    yield sandbox
    await sandbox.stop()
    assert sandbox.violations == []


@pytest.fixture
def open_adapter(vendor, http, pace, cache, clock):
    def make(**more):
        secrets = {"partner_token": vendor.partner_token, "user_token": vendor.user_token, **more}
        return CRMFactory(http, pace, cache, clock).create(
            "yclients",
            options={"api_url": vendor.url},
            secrets={name: SecretStr(value) for name, value in secrets.items()},
            account_id=str(ELITA_ID),
            time_zone="Europe/Moscow",
        )

    return make


@pytest.fixture
def crm(open_adapter):
    return open_adapter()


@pytest.fixture
def salon(vendor):
    return vendor.book.salons[ELITA_ID]


async def slot_at(crm, hour, staff_id=ANNA, day=TOMORROW):
    slots = await crm.get_available_slots([HAIRCUT], first=day, last=day, staff_id=staff_id)
    return next(slot for slot in slots if slot.starts_at.hour == hour)


def new(slot, external_id="aiadm-1", comment="от помощника"):
    return NewAppointment(external_id=external_id, slot=slot, client_name="Елена", phone=PHONE, comment=comment)


async def test_only_services_open_for_online_booking_are_offered_with_price_length_and_prepayment(crm):
    services = {service.id: service for service in await crm.get_services()}

    assert set(services) == {HAIRCUT, COLOURING, MANICURE, WEDDING}
    haircut, manicure, wedding = services[HAIRCUT], services[MANICURE], services[WEDDING]
    assert haircut.terms_with(ANNA).price.low.minor_units == 250_000
    assert haircut.terms_with(ANNA).duration == timedelta(hours=1)
    assert (manicure.terms.price.low.minor_units, manicure.terms.price.high.minor_units) == (180_000, 220_000)
    assert manicure.terms.price.is_range
    assert wedding.prepayment is Prepayment.REQUIRED
    assert wedding.booking_url


async def test_only_masters_open_for_booking_are_offered(crm):
    assert {person.name for person in await crm.get_staff()} == {"Анна Смирнова", "Мария Иванова", "Ольга Петрова"}
    assert {person.id for person in await crm.get_staff([HAIRCUT])} == {ANNA, MARIA}


async def test_slots_name_their_master_and_are_in_the_salons_zone(crm):
    slots = await crm.get_available_slots([HAIRCUT], first=TOMORROW, last=TOMORROW + timedelta(days=1))

    assert {slot.staff.id for slot in slots} == {ANNA, MARIA}
    assert {slot.starts_at.date() for slot in slots} == {TOMORROW, TOMORROW + timedelta(days=1)}
    assert {str(slot.starts_at.tzinfo) for slot in slots} == {"Europe/Moscow"}
    assert list(slots) == sorted(slots, key=lambda slot: slot.starts_at)
    assert slots[0].starts_at.isoformat() == "2026-11-25T09:00:00+03:00"


async def test_slots_cross_the_end_of_a_month(crm):
    slots = await crm.get_available_slots([HAIRCUT], first=date(2026, 11, 30), last=date(2026, 12, 1), staff_id=ANNA)

    assert {slot.starts_at.date() for slot in slots} == {date(2026, 11, 30), date(2026, 12, 1)}


async def test_an_appointment_is_booked_read_back_and_found_by_our_id(crm, salon):
    booked = await crm.create_appointment(new(await slot_at(crm, 15)))

    [record] = salon.records.values()
    assert (booked.id, booked.external_id, booked.staff.id) == (str(record["id"]), "aiadm-1", ANNA)
    assert booked.starts_at.isoformat() == "2026-11-25T15:00:00+03:00"
    assert booked.duration == timedelta(hours=1)
    assert record["services"][0]["cost"] == 2500
    assert record["comment"] == "от помощника"
    found = await crm.find_appointment("aiadm-1", day=TOMORROW)
    assert found is not None
    assert found.id == booked.id
    assert await crm.find_appointment("aiadm-2", day=TOMORROW) is None


async def test_a_known_client_is_never_renamed(crm, vendor, salon):
    card = vendor.book.find_or_make_client(salon, PHONE, "Елена Постоянная")

    await crm.create_appointment(new(await slot_at(crm, 15)))

    assert card["name"] == "Елена Постоянная"
    assert (await crm.get_client_by_phone(PHONE)).name == "Елена Постоянная"
    assert await crm.get_client_by_phone(Phone("+79161234560")) is None


async def test_a_phone_matches_whole_not_in_part(crm, vendor, salon):
    vendor.book.find_or_make_client(salon, "+779161234567", "Другая")

    assert await crm.get_client_by_phone(PHONE) is None


async def test_a_busy_time_is_taken_and_nothing_is_written(crm, salon):
    slot = await slot_at(crm, 15)
    await crm.create_appointment(new(slot))

    with pytest.raises(SlotTaken):
        await crm.create_appointment(new(slot, "aiadm-2"))
    assert len(salon.records) == 1


async def test_an_appointment_is_listed_moved_and_cancelled(crm, salon):
    booked = await crm.create_appointment(new(await slot_at(crm, 15)))

    [listed] = await crm.list_appointments(PHONE, first=TOMORROW)
    moved = await crm.reschedule_appointment(booked.id, await slot_at(crm, 17, MARIA))
    await crm.cancel_appointment(booked.id)
    await crm.cancel_appointment(booked.id)

    assert listed.id == booked.id
    assert (moved.starts_at.hour, moved.staff.id, moved.external_id) == (17, MARIA, "aiadm-1")
    [record] = salon.records.values()
    assert record["comment"] == "от помощника"
    assert record["deleted"]
    assert await crm.list_appointments(PHONE, first=TOMORROW) == ()


@pytest.mark.parametrize(("stands", "becomes"), [(0, 2), (2, 2), (1, 1), (-1, -1)])
async def test_that_a_client_comes_is_written_unless_staff_have_said_how_the_visit_went(
    crm, vendor, salon, stands, becomes
):
    booked = await crm.create_appointment(new(await slot_at(crm, 15)))
    [record] = salon.records.values()
    record["attendance"] = stands
    before = {**record, "attendance": becomes}
    await crm.confirm_visit(booked.id)

    assert {**record, "last_change_date": ""} == {**before, "last_change_date": ""}
    assert len([call for call in vendor.calls if call["method"] == "PUT"]) == (1 if stands == 0 else 0)


@pytest.mark.parametrize("change", [{"activity_id": 5}, {"seance_length": 0, "length": 0}])
async def test_a_record_that_cannot_be_written_back_as_it_is_is_left_alone(crm, salon, change):
    booked = await crm.create_appointment(new(await slot_at(crm, 15)))
    [record] = salon.records.values()
    record |= change

    with pytest.raises(CRMUnsupported):
        await crm.confirm_visit(booked.id)
    assert record["attendance"] == 0


async def test_a_record_is_written_back_with_the_offset_that_the_vendor_gave_it(crm, salon):
    """Branches run with a wrong account zone: another offset would move the visit."""
    booked = await crm.create_appointment(new(await slot_at(crm, 15)))
    [record] = salon.records.values()
    record["datetime"] = "2026-11-25T15:00:00+05:00"
    await crm.confirm_visit(booked.id)

    assert datetime.fromisoformat(record["datetime"]) == datetime.fromisoformat("2026-11-25T15:00:00+05:00")
    assert record["attendance"] == 2


async def test_a_record_that_is_not_there_is_not_found(crm):
    with pytest.raises(CRMNotFound):
        await crm.get_appointment(RecordId("1"))


async def test_the_branchs_rules_are_told(crm):
    rules = await crm.get_rules()

    assert str(rules.time_zone) == "Europe/Moscow"
    assert rules.may_move
    assert rules.move_deadline == timedelta(hours=1)


@pytest.mark.parametrize(
    ("secrets", "error"), [({"partner_token": "wrong"}, CRMAuthFailed), ({"user_token": "wrong"}, CRMAuthFailed)]
)
async def test_wrong_credentials_are_told_apart_from_an_outage(open_adapter, secrets, error):
    with pytest.raises(error) as refused:
        await open_adapter(**secrets).list_appointments(PHONE, first=TOMORROW)
    assert "wrong" not in str(refused.value)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"html": True}, CRMUnavailable),
        ({"status": 500}, CRMUnavailable),
        ({"malformed": True}, CRMUnavailable),
        ({"cut_before": True}, CRMUnavailable),
        ({"status": 429}, CRMRateLimited),
        ({"status": 402}, CRMAuthFailed),
    ],
)
async def test_a_failed_reading_is_never_an_empty_answer(crm, vendor, fault, error):
    vendor.fail_next("/book_services", times=20, **fault)

    with pytest.raises(error):
        await crm.get_services()


async def test_a_passing_fault_of_a_reading_is_tried_again(crm, vendor):
    vendor.fail_next("/book_services", times=1, status=503)

    assert await crm.get_services()


@pytest.mark.parametrize("fault", [{"cut_after": True}, {"cut_before": True}, {"html": True}, {"status": 500}])
async def test_a_write_without_a_readable_answer_has_an_unknown_outcome_and_is_not_repeated(crm, vendor, fault):
    slot = await slot_at(crm, 15)
    vendor.fail_next("/records/", times=20, method="POST", **fault)

    with pytest.raises(CRMOutcomeUnknown):
        await crm.create_appointment(new(slot))
    posts = [call for call in vendor.calls if call["method"] == "POST" and "/records/" in call["path"]]
    assert len(posts) == 1


async def test_the_check_says_what_works_and_leaves_no_trace(crm, open_adapter, salon):
    good = await crm.check()
    bad = await open_adapter(user_token="wrong").check()

    assert {line.status for line in good} <= {CheckStatus.OK, CheckStatus.WARNING}
    assert CheckStatus.FAILED in {line.status for line in bad}
    assert salon.records == {}


async def test_services_and_masters_are_kept_for_some_minutes(crm, vendor, clock):
    await crm.get_services()
    calls = len(vendor.calls)
    await crm.get_services()

    assert len(vendor.calls) == calls


async def test_an_unknown_crm_and_a_missing_field_name_themselves(http, pace, cache, clock):
    factory = CRMFactory(http, pace, cache, clock)
    for crm_type, named in (("other", "other"), ("yclients", "partner_token")):
        with pytest.raises(CRMNotConfigured, match=named):
            factory.create(crm_type, options={}, secrets={}, account_id="1", time_zone="Europe/Moscow")


async def test_an_unknown_service_is_refused_not_empty(crm):
    with pytest.raises(CRMRejected):
        await crm.get_available_slots([ServiceId("999")], first=TOMORROW, last=TOMORROW)


def test_the_manifest_says_what_it_can_do(crm):
    assert {Capability.CREATE, Capability.MOVE, Capability.CANCEL, Capability.FIND_BY_EXTERNAL_ID} <= (
        crm.manifest.capabilities
    )
    assert issubclass(CRMOutcomeUnknown, CRMError)
