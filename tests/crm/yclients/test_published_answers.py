"""What the vendor publishes as its answers, read by the adapter over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm.base import (
    BaseCRMAdapter,
    CheckStatus,
    Money,
    NewAppointment,
    Phone,
    Price,
    RecordId,
    ServiceId,
    Slot,
    StaffId,
)
from crm.errors import (
    CRMAuthFailed,
    CRMError,
    CRMInvalid,
    CRMNotFound,
    CRMOutcomeUnknown,
    CRMUnavailable,
    CRMUnsupported,
    SlotTaken,
)

FIXTURES = Path(__file__).parent / "fixtures"
MOSCOW = ZoneInfo("Europe/Moscow")


def published(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def rubles(amount: int) -> Price:
    return Price(low=Money(minor_units=amount * 100, currency="RUB"))


async def test_services_keep_their_category_length_and_say_no_price_where_it_is_zero(adapter: BaseCRMAdapter) -> None:
    wash, colour = await adapter.get_services()

    assert (wash.id, wash.title, wash.category) == ("1896208", "Мытье волос", "Уходы для волос")
    assert wash.terms.duration == timedelta(hours=1)
    assert wash.terms.price is None
    assert colour.category == "Окрашивание волос"


async def test_categories_are_read_under_the_key_of_the_documents_table_too(
    adapter: BaseCRMAdapter, vendor: Any
) -> None:
    data = vendor.answers["GET book_services"][1]["data"]
    data["categories"] = data.pop("category")

    assert (await adapter.get_services())[0].category == "Уходы для волос"


async def test_a_master_without_free_times_is_not_offered(adapter: BaseCRMAdapter) -> None:
    (master,) = await adapter.get_staff()

    assert (master.id, master.name, master.specialization) == ("16", "Вася", "Фельдшер")


async def test_times_are_the_wall_clock_of_the_branchs_zone_though_the_offset_says_otherwise(
    adapter: BaseCRMAdapter, vendor: Any
) -> None:
    day = date(2015, 9, 29)

    slots = await adapter.get_available_slots([ServiceId("1896303")], first=day, last=day)

    assert [slot.starts_at for slot in slots] == [datetime(2015, 9, 29, hour, tzinfo=MOSCOW) for hour in range(12, 17)]
    assert {slot.staff.name for slot in slots} == {"Вася"}
    assert {slot.duration for slot in slots} == {timedelta(hours=1)}


async def test_an_array_filter_carries_the_brackets_that_the_vendor_needs(adapter: BaseCRMAdapter, vendor: Any) -> None:
    day = date(2015, 9, 29)

    await adapter.get_available_slots([ServiceId("1896303"), ServiceId("1896208")], first=day, last=day)

    times = [request for name, request, _ in vendor.sent if name == "GET book_times"]
    assert times[0].query.getall("service_ids[]") == ["1896303", "1896208"]


async def test_a_record_is_read_whole(adapter: BaseCRMAdapter) -> None:
    appointment = await adapter.get_appointment(RecordId("2"))

    assert appointment.starts_at == datetime(2019, 1, 17, 3, 30, tzinfo=MOSCOW)
    assert appointment.duration == timedelta(hours=1)
    assert (appointment.staff.id, appointment.staff.name) == ("9", "Оксана")
    assert (appointment.services[0].title, appointment.services[0].price) == ("Наращивание волос", rubles(100))
    assert (appointment.client_name, appointment.phone) == ("lx", "+70001234567")
    assert appointment.comment == "не записывать"
    assert appointment.external_id is None
    assert not appointment.cancelled


async def test_records_without_a_client_or_services_are_read(adapter: BaseCRMAdapter, vendor: Any) -> None:
    body = published("records__published")
    body["data"][1]["api_id"] = "aiadm-1"
    body["meta"]["total_count"] = 2
    vendor.answers["GET records"] = (200, body)

    found = await adapter.find_appointment("aiadm-1", day=date(2019, 1, 16))

    assert found is not None
    assert (found.id, found.services, found.client_name, found.phone) == ("9", (), "", None)


@pytest.mark.parametrize(
    ("moment", "date_field"),
    [
        ("2026-03-04T15:30:00+03:00", "2026-03-04 15:30:00"),
        ("2026-03-04T15:30:00+0300", None),
        ("2026-03-04T15:30:00.000+09:00", "2026-03-04 15:30:00"),
        (None, "2026-03-04 15:30:00"),
    ],
)
async def test_all_three_shapes_of_a_moment_are_read(
    adapter: BaseCRMAdapter, vendor: Any, moment: str | None, date_field: str | None
) -> None:
    vendor.answers["GET record"][1]["data"] |= {"datetime": moment, "date": date_field}

    assert (await adapter.get_appointment(RecordId("2"))).starts_at == datetime(2026, 3, 4, 15, 30, tzinfo=MOSCOW)


async def test_empty_objects_come_as_lists_and_ids_as_strings(adapter: BaseCRMAdapter, vendor: Any) -> None:
    vendor.answers["GET record"][1]["data"] |= {
        "id": "2",
        "client": [],
        "custom_fields": [],
        "staff": [],
        "staff_id": "9",
    }

    appointment = await adapter.get_appointment(RecordId("2"))

    assert (appointment.id, appointment.staff.id, appointment.phone) == ("2", "9", None)


async def test_a_list_with_gaps_comes_as_an_object(adapter: BaseCRMAdapter, vendor: Any) -> None:
    body = vendor.answers["GET book_staff"][1]
    body["data"] = {"0": body["data"][0], "2": body["data"][1]}

    assert [one.name for one in await adapter.get_staff()] == ["Вася"]


@pytest.mark.parametrize("name", ["create_client__published", "create_client__openapi"])
async def test_a_new_card_is_read_with_its_phone_as_text_or_number(
    adapter: BaseCRMAdapter, vendor: Any, name: str
) -> None:
    vendor.answers["POST clients"] = (201, published(name))

    card = await adapter.create_client(name="Василий", phone=Phone("+79211234567"))

    assert (card.id, card.phone) == ("1121412", "+79211234567")


async def test_the_zone_is_the_iana_name_and_a_number_of_hours_leaves_it_to_the_settings(
    adapter: BaseCRMAdapter, vendor: Any, cache: Any
) -> None:
    company = published("records_partner__published")["data"][0]["company"]
    vendor.answers["GET company"] = (
        200,
        {"success": True, "data": company | {"timezone_name": "Asia/Tomsk"}, "meta": []},
    )
    assert (await adapter.get_rules()).time_zone.key == "Asia/Tomsk"

    cache.kept.clear()
    del company["timezone_name"]
    vendor.answers["GET company"] = (200, {"success": True, "data": company, "meta": []})
    assert (await adapter.get_rules()).time_zone.key == "Europe/Moscow"


@pytest.mark.parametrize(("sign", "code"), [("р", "RUB"), ("₽", "RUB"), ("₸", "KZT"), ("€", "EUR")])
async def test_the_currency_is_the_one_whose_sign_the_branch_has(
    adapter: BaseCRMAdapter, vendor: Any, sign: str, code: str
) -> None:
    company = published("companies__published")["data"][0] | {"currency_short_title": sign}
    vendor.answers["GET company"] = (200, {"success": True, "data": company, "meta": []})

    price = (await adapter.get_appointment(RecordId("2"))).services[0].price

    assert price == Price(low=Money(minor_units=10_000, currency=code))


async def test_a_price_in_an_unknown_currency_is_not_told(adapter: BaseCRMAdapter, vendor: Any) -> None:
    vendor.answers["GET company"][1]["data"]["currency_short_title"] = "¤"

    assert (await adapter.get_appointment(RecordId("2"))).services[0].price is None


async def slot_of(adapter: BaseCRMAdapter) -> Slot:
    day = date(2015, 9, 29)
    return (await adapter.get_available_slots([ServiceId("1896303")], first=day, last=day))[0]


async def booking_of(adapter: BaseCRMAdapter) -> NewAppointment:
    slot = await slot_of(adapter)
    return NewAppointment(external_id="aiadm-1", slot=slot, client_name="Дмитрий", phone=Phone("+79169999900"))


async def test_the_slots_own_moment_goes_back_letter_for_letter(adapter: BaseCRMAdapter, vendor: Any) -> None:
    await adapter.create_appointment(await booking_of(adapter))

    (body,) = [body for name, _, body in vendor.sent if name == "POST records"]
    assert body["datetime"] == "2015-09-29T12:00:00+04:00"  # the branch's zone would write +03:00
    assert (body["save_if_busy"], body["seance_length"], body["api_id"]) == (False, 3600, "aiadm-1")


async def test_a_record_that_cannot_be_read_back_is_returned_as_the_write_answered(
    adapter: BaseCRMAdapter, vendor: Any
) -> None:
    new = await booking_of(adapter)
    vendor.answers["GET record"] = (500, "<html>")

    appointment = await adapter.create_appointment(new)

    assert (appointment.id, appointment.staff.name) == ("999", "Сергей")
    assert appointment.starts_at == datetime(2015, 12, 12, 12, tzinfo=MOSCOW)
    assert [one.price for one in appointment.services] == [rubles(4500), rubles(1800)]


async def test_a_published_422_without_a_number_is_invalid_while_the_time_is_still_free(
    adapter: BaseCRMAdapter, vendor: Any
) -> None:
    new = await booking_of(adapter)
    vendor.answers["POST book_check"] = (422, published("book_check__busy"))

    with pytest.raises(CRMInvalid, match="нельзя записаться"):
        await adapter.create_appointment(new)


@pytest.mark.parametrize("refusing", ["POST book_check", "POST records"])
async def test_a_published_422_without_a_number_is_slot_taken_once_the_time_is_gone(
    adapter: BaseCRMAdapter, vendor: Any, refusing: str
) -> None:
    new = await booking_of(adapter)
    vendor.answers[refusing] = (422, published("book_check__busy"))
    vendor.after[refusing] = ("GET book_times", (200, {"success": True, "data": [], "meta": []}))

    with pytest.raises(SlotTaken):
        await adapter.create_appointment(new)


async def test_the_published_409_is_slot_taken(adapter: BaseCRMAdapter, vendor: Any) -> None:
    new = await booking_of(adapter)
    vendor.answers["POST records"] = (409, published("activity_duplicate__busy"))

    with pytest.raises(SlotTaken, match="Мастер занят"):
        await adapter.create_appointment(new)


MEANINGS: dict[int, type[CRMError]] = {
    431: CRMInvalid,
    432: CRMInvalid,
    433: SlotTaken,
    434: CRMUnsupported,
    435: CRMInvalid,
    436: SlotTaken,
    437: CRMInvalid,
    438: CRMNotFound,
}
PLACES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "meta.errors.code": lambda code: {"meta": {"message": "нет", "errors": {"code": code}}},
    "meta.errors[].code": lambda code: {
        "meta": {"message": "нет", "errors": [{"code": code, "message": "нет", "id": 1}]}
    },
    "meta.code": lambda code: {"meta": {"message": "нет", "code": code}},
    "errors.code": lambda code: {"errors": {"code": code, "message": "нет"}},
    "error.code": lambda code: {"error": {"code": code, "message": "нет"}},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("code", MEANINGS)
async def test_a_booking_code_means_the_same_wherever_it_stands(
    adapter: BaseCRMAdapter, vendor: Any, code: int, place: str
) -> None:
    new = await booking_of(adapter)
    status = 403 if code == 434 else 422
    written = code if code % 2 else str(code)
    vendor.answers["POST records"] = (status, {"success": False, "data": None} | PLACES[place](written))

    with pytest.raises(CRMError) as caught:
        await adapter.create_appointment(new)

    assert type(caught.value) is MEANINGS[code]
    assert "нет" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, published("clients_search__bad_filter"), CRMInvalid),
        (402, published("clients_search__licence_unpaid"), CRMAuthFailed),
        (401, "<html>401</html>", CRMAuthFailed),
        (403, {"success": False, "data": None, "meta": {"message": "No company management rights"}}, CRMAuthFailed),
        (404, {"success": False, "data": None, "meta": {"message": "Не найдено"}}, CRMNotFound),
        (200, {"success": False, "data": None, "meta": {"message": "Ошибка"}}, CRMInvalid),
        (200, {"errors": {"code": 401, "message": "Ошибка"}}, CRMInvalid),
        (200, {"success": True, "data": None, "meta": []}, CRMUnavailable),
        (200, {"success": True, "data": [{"id": None}], "meta": []}, CRMUnavailable),
        (200, "<html>", CRMUnavailable),
        (302, None, CRMUnavailable),
        (502, "<html>", CRMUnavailable),
    ],
)
async def test_a_search_that_failed_is_never_no_client(
    adapter: BaseCRMAdapter, vendor: Any, status: int, body: Any, expected: type[CRMError]
) -> None:
    assert await adapter.get_client_by_phone(Phone("+79161234567")) is None

    vendor.answers["POST company"] = (status, body)

    with pytest.raises(expected):
        await adapter.get_client_by_phone(Phone("+79161234567"))


@pytest.mark.parametrize(
    "body", ["<html>", {"success": True, "data": None, "meta": []}, {"success": True, "data": {"id": 1}}]
)
async def test_an_accepted_write_that_cannot_be_read_has_an_unknown_outcome(
    adapter: BaseCRMAdapter, vendor: Any, body: Any
) -> None:
    new = await booking_of(adapter)
    vendor.answers["POST records"] = (201, body)

    with pytest.raises(CRMOutcomeUnknown):
        await adapter.create_appointment(new)


async def test_a_list_whose_pages_never_end_is_unavailable_not_incomplete(adapter: BaseCRMAdapter, vendor: Any) -> None:
    body = published("records__published")  # claims 10 records, gives the same two on every page
    vendor.answers["GET records"] = (200, body)

    with pytest.raises(CRMUnavailable):
        await adapter.find_appointment("aiadm-1", day=date(2019, 1, 16))


async def test_an_answer_without_the_envelope_is_read_as_the_data(adapter: BaseCRMAdapter, vendor: Any) -> None:
    vendor.answers["GET book_staff"] = (200, published("book_staff__published")["data"])

    assert [one.name for one in await adapter.get_staff()] == ["Вася"]


@pytest.mark.parametrize("masked", ["+7916*****67", ""])
async def test_hidden_phones_are_a_missing_right_not_a_missing_client(
    adapter: BaseCRMAdapter, vendor: Any, masked: str
) -> None:
    rows = [{"id": 7, "name": "Анна", "phone": masked}]
    vendor.answers["POST company"] = (200, {"success": True, "data": rows, "meta": {"total_count": 1}})

    with pytest.raises(CRMAuthFailed, match="phones"):
        await adapter.get_client_by_phone(Phone("+79161234567"))


async def test_a_record_with_a_hidden_phone_is_not_moved(adapter: BaseCRMAdapter, vendor: Any) -> None:
    slot = await slot_of(adapter)
    vendor.answers["GET record"][1]["data"]["client"]["phone"] = "+7000****567"
    vendor.answers["GET record"][1]["data"]["services"][0]["id"] = 1896303

    with pytest.raises(CRMAuthFailed, match="phone"):
        await adapter.reschedule_appointment(RecordId("2"), slot)

    assert not [name for name, _, _ in vendor.sent if name == "PUT record"]


async def test_a_token_that_sees_one_master_only_fails_the_check(adapter: BaseCRMAdapter) -> None:
    lines = {line.subject: line for line in await adapter.check()}

    assert lines["rights"].status is CheckStatus.FAILED  # the published rights are of master 1000238
    assert "1000238" in lines["rights"].detail


async def test_a_master_who_is_not_shown_online_is_not_found(adapter: BaseCRMAdapter) -> None:
    day = date(2015, 9, 29)

    with pytest.raises(CRMNotFound):
        await adapter.get_available_slots([ServiceId("1896303")], first=day, last=day, staff_id=StaffId("77"))
    with pytest.raises(CRMNotFound):
        await adapter.get_available_slots([ServiceId("1")], first=day, last=day)
