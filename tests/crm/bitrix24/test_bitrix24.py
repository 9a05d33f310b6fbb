"""What is Bitrix24's own: contacts and deals round a booking, limits of the portal and of methods, events, rights."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from crm.base import CheckStatus, Hook, NewAppointment, Phone
from crm.bitrix24.client import php_query
from crm.errors import (
    CRMAuthFailed,
    CRMInvalid,
    CRMNotConfigured,
    CRMNotFound,
    CRMOutcomeUnknown,
    CRMRateLimited,
    CRMUnsupported,
    SlotTaken,
)
from crm.registry import CRMFactory
from sandbox.bitrix24.calling import unphp

TOMORROW = date(2026, 11, 25)
PHONE = Phone("+79161234567")
DEAL, LEAD = 2, 1


async def slot_at(crm, hour, *, title="Стрижка женская", master="Анна Смирнова"):
    service = next(one for one in await crm.get_services() if one.title == title)
    slots = await crm.get_available_slots([service.id], first=TOMORROW, last=TOMORROW)
    return next(one for one in slots if one.starts_at.hour == hour and one.staff.name == master)


def new(slot, external_id="aiadm-1", comment="от помощника"):
    return NewAppointment(external_id=external_id, slot=slot, client_name="Елена", phone=PHONE, comment=comment)


def asked(vendor):
    return [call["path"].rsplit("/", 1)[1] for call in vendor.calls]


async def test_a_visit_is_a_booking_with_its_client_and_its_deal(crm, vendor):
    booked = await crm.create_appointment(new(await slot_at(crm, 15)))

    [deal] = vendor.portal.items[DEAL].values()
    [contact] = vendor.diary.cards
    assert vendor.portal.contacts_of[booked.id] == [contact]
    assert vendor.portal.external[booked.id] == [{"moduleId": "crm", "entityTypeId": "DEAL", "value": str(deal["id"])}]
    assert (deal["title"], deal["contactIds"]) == ("Стрижка женская, Елена", [int(contact)])
    assert (deal["opportunity"], deal["currencyId"], deal["originId"]) == (2500, "RUB", "aiadm-1")


@pytest.mark.parametrize(("visit_as", "deals", "leads"), [("lead", 0, 1), ("none", 0, 0)])
async def test_a_company_chooses_what_a_visit_is_besides(connect, vendor, visit_as, deals, leads):
    crm = connect(visit_as=visit_as)
    await crm.create_appointment(new(await slot_at(crm, 15)))

    assert (len(vendor.portal.items[DEAL]), len(vendor.portal.items[LEAD])) == (deals, leads)


async def test_a_deal_goes_where_the_company_says(connect, vendor):
    crm = connect(funnel="5", stage="C5:NEW")
    await crm.create_appointment(new(await slot_at(crm, 15)))

    [deal] = vendor.portal.items[DEAL].values()
    assert (deal["categoryId"], deal["stageId"]) == (5, "C5:NEW")


@pytest.mark.parametrize(
    "step", ["booking.v1.booking.client.set", "crm.item.add", "booking.v1.booking.externalData.set"]
)
async def test_a_visit_stands_whatever_fails_after_the_booking_and_the_log_says_what_is_missing(crm, vendor, step):
    await crm.create_client(name="Елена", phone=PHONE)
    slot = await slot_at(crm, 15)
    vendor.faults.plant(f"/{step}", times=50, status=500)
    with capture_logs() as logs:
        booked = await crm.create_appointment(new(slot))

    assert [visit.id for visit in vendor.list_visits()] == [booked.id]
    assert [entry["event"] for entry in logs if entry["log_level"] != "debug"] == ["crm_written_in_part"]
    assert (await crm.find_appointment("aiadm-1", day=TOMORROW)).id == booked.id


async def test_a_passing_failure_after_the_booking_is_repeated_and_leaves_nothing_out(crm, vendor):
    slot = await slot_at(crm, 15)
    vendor.faults.plant("/booking.v1.booking.client.set", times=2, status=500)
    booked = await crm.create_appointment(new(slot))

    assert vendor.portal.contacts_of[booked.id]
    assert asked(vendor).count("booking.v1.booking.add") == 1


async def test_the_same_visit_never_gets_a_second_deal(crm, vendor):
    slot = await slot_at(crm, 15)
    vendor.faults.plant("/booking.v1.booking.externalData.set", times=50, status=500)
    await crm.create_appointment(new(slot))
    vendor.faults.clear()
    later = await slot_at(crm, 17)
    await crm.create_appointment(new(later))

    assert len(vendor.portal.items[DEAL]) == 1


async def test_a_resource_that_is_gone_is_told_apart_from_a_busy_one(crm, vendor, cache):
    slot = await slot_at(crm, 15)
    vendor.faults.plant("/booking.v1.booking.list", times=1, mutate=lambda body: {**body, "result": {"booking": []}})
    vendor.book_by_hand(
        master="Анна Смирнова",
        service="Стрижка женская",
        starts=slot.starts_at.replace(tzinfo=None),
        client="Инна",
        phone="+79160000001",
    )

    # The list was behind, the portal itself refuses: read again, the time is taken.
    with pytest.raises(SlotTaken):
        await crm.create_appointment(new(slot))


@pytest.mark.parametrize("status", [503, 429], ids=["the portal's bucket", "the method's time"])
async def test_a_limit_is_no_unknown_outcome_for_a_write(crm, vendor, status):
    slot = await slot_at(crm, 15)
    vendor.faults.plant("/booking.v1.booking.add", times=5, status=status)

    with pytest.raises(CRMRateLimited):
        await crm.create_appointment(new(slot))
    assert asked(vendor).count("booking.v1.booking.add") == 1
    assert vendor.list_visits() == ()


async def test_another_503_of_a_write_is_an_unknown_outcome(crm, vendor):
    slot = await slot_at(crm, 15)
    vendor.faults.plant("/booking.v1.booking.add", html=True)

    with pytest.raises(CRMOutcomeUnknown):
        await crm.create_appointment(new(slot))


async def test_the_portals_bucket_is_kept_by_the_pace(crm, pace):
    await crm.get_services()

    assert {(rate, per, burst) for _, rate, per, burst in pace.asked} == {(2, timedelta(seconds=1), 10)}
    assert len({name for name, *_ in pace.asked}) == 1


async def test_a_method_whose_time_is_nearly_spent_is_left_alone_until_the_portal_resets_it(crm, vendor, clock, cache):
    vendor.operating.spent["booking.v1.booking.list"] = 460.0
    slot = await slot_at(crm, 15)
    calls = len(vendor.calls)

    with pytest.raises(CRMRateLimited) as limited:
        await crm.get_fresh_slots(slot.service_ids, first=TOMORROW, last=TOMORROW)
    assert limited.value.retry_after == timedelta(minutes=10)
    assert len(vendor.calls) == calls
    assert cache.ttls[next(key for key in cache.kept if "operating" in key)] == timedelta(minutes=10)


async def test_a_method_that_the_portal_blocked_is_a_limit_and_no_outage(crm, vendor):
    vendor.operating.spent["crm.duplicate.findbycomm"] = 500.0

    with pytest.raises(CRMRateLimited):
        await crm.get_client_by_phone(PHONE)


@pytest.mark.parametrize(
    ("scope", "call"),
    [
        ("booking", lambda crm: crm.find_appointment("aiadm-1", day=TOMORROW)),
        ("crm", lambda crm: crm.get_client_by_phone(PHONE)),
        ("catalog", lambda crm: crm.get_services()),
    ],
)
async def test_a_right_that_was_not_given_is_told_as_such(crm, vendor, scope, call):
    vendor.scopes = vendor.scopes - {scope}

    with pytest.raises(CRMAuthFailed, match="insufficient_scope"):
        await call(crm)


async def test_a_portal_without_the_booking_module_says_so(crm, vendor):
    for method in [name for name in vendor._methods if name.startswith("booking.")]:
        del vendor._methods[method]

    with pytest.raises(CRMUnsupported):
        await crm.get_staff()
    assert any("ERROR_METHOD_NOT_FOUND" in line.detail for line in await crm.check())


async def test_failures_inside_a_batch_are_failures_though_the_batch_is_200(crm, vendor):
    vendor.faults.plant(
        "/batch",
        times=50,
        mutate=lambda body: {
            **body,
            "result": {"result": [], "result_error": {"r5": {"error": "ACCESS_DENIED", "error_description": "no"}}},
        },
    )
    service = (await crm.get_services())[0]

    with pytest.raises(CRMAuthFailed):
        await crm.get_available_slots([service.id], first=TOMORROW, last=TOMORROW)


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ("event=ONBOOKINGUPDATE&data[ID]=1823&auth[application_token]=secret-token-1", ("1823",)),
        ("event=onbookingdelete&data%5BID%5D=7&auth%5Bapplication_token%5D=secret-token-1", ("7",)),
        ("event=ONCRMDEALUPDATE&data[FIELDS][ID]=662&auth[application_token]=secret-token-1", ()),
        ("event=ONBOOKINGADD&data[ID]=../1&auth[application_token]=secret-token-1", ()),
    ],
)
def test_an_event_names_the_bookings_that_changed(connect, body, ids):
    crm = connect(secrets={"application_token": "secret-token-1"})
    hook = Hook(content_type="application/x-www-form-urlencoded", body=body.encode())

    assert crm.read_hook(hook) == ids


def test_an_event_with_another_token_is_refused_and_nonsense_is_none(connect):
    crm = connect(secrets={"application_token": "secret-token-1"})
    for body, error in (
        (b"event=ONBOOKINGADD&data[ID]=1", CRMAuthFailed),
        (b'{"a": 1}', CRMInvalid),
        (b"\xff\xfe", CRMInvalid),
    ):
        with pytest.raises(error):
            crm.read_hook(Hook(content_type="", body=body))


@pytest.mark.parametrize(
    ("secrets", "options", "field"),
    [
        ({"webhook_url": "https://salon.bitrix24.ru/"}, {}, "webhook_url"),
        ({"webhook_url": "http://salon.bitrix24.ru/rest/1/abcdef123456/"}, {}, "webhook_url"),
        ({}, {"visit_as": "task"}, "visit_as"),
        ({}, {"duration_property": "минуты"}, "duration_property"),
    ],
)
def test_a_wrong_setting_names_its_field_and_not_its_value(connect, secrets, options, field):
    with pytest.raises(CRMNotConfigured, match=field) as wrong:
        connect(secrets=secrets, **options)
    assert "abcdef123456" not in str(wrong.value)


async def test_the_code_of_the_webhook_stands_in_no_error(connect, vendor):
    url = vendor.connection().wrong_secrets["webhook_url"]
    with pytest.raises(CRMAuthFailed) as refused:
        await connect(secrets={"webhook_url": url}).get_services()

    assert "wrongcode0000" not in str(refused.value)


async def test_the_mapping_shows_the_portals_own_fields(connect):
    lines = await connect(duration_property="999").describe_mapping()

    by_what = {line.what: line for line in lines}
    assert by_what["how long a service takes"].found is False
    assert by_what["who does a service"].detail == "Мастера"
    assert by_what["not used"].field == "property101"


async def test_without_a_length_nothing_is_offered_and_the_check_says_why(http, pace, cache, clock, vendor):
    crm = CRMFactory(http, pace, cache, clock).create(
        "bitrix24",
        options={},
        secrets={name: SecretStr(value) for name, value in vendor.connection().secrets.items()},
        account_id=None,
        time_zone="Europe/Moscow",
    )
    service = (await crm.get_services())[0]

    with pytest.raises(CRMInvalid, match="duration_property"):
        await crm.get_available_slots([service.id], first=TOMORROW, last=TOMORROW)
    assert any("duration_property" in line.detail for line in await crm.check())


async def test_a_booking_that_is_gone_cannot_be_moved(crm):
    slot = await slot_at(crm, 15)
    with pytest.raises(CRMNotFound):
        await crm.reschedule_appointment("99999", slot)


def test_batches_write_parameters_as_php_reads_them():
    nested = {"filter": {"within": {"dateFrom": 1, "dateTo": 2}, "ids": [5, 7]}, "name": "Стрижка & «уход»"}

    assert unphp(php_query(nested)) == {
        "filter": {"within": {"dateFrom": "1", "dateTo": "2"}, "ids": ["5", "7"]},
        "name": "Стрижка & «уход»",
    }


@pytest.mark.parametrize("pages", ["", "told", "silent"])
@pytest.mark.parametrize("count", [49, 50, 51, 100, 120])
async def test_bookings_are_all_seen_whether_the_portal_lists_them_by_pages_or_not(crm, vendor, clock, pages, count):
    """The documents do not say; the last of them takes away a time of tomorrow."""
    vendor.portal.pages = pages
    starts = datetime.fromisoformat("2026-11-25T09:00")
    for number in range(count):
        last = number == count - 1
        vendor.book_by_hand(
            master="Ольга Петрова" if not last else "Анна Смирнова",
            service="Стрижка женская",
            starts=starts if not last else starts.replace(hour=15),
            client="Инна",
            phone="+79160000001",
        )
    service = next(one for one in await crm.get_services() if one.title == "Стрижка женская")
    slots = await crm.get_available_slots([service.id], first=TOMORROW, last=TOMORROW)

    hers = {slot.starts_at.hour for slot in slots if slot.staff.name == "Анна Смирнова"}
    assert 15 not in hers
    assert {13, 16} <= hers


async def test_the_check_names_the_rights_that_are_missing(connect, vendor):
    assert {line.subject: line.detail for line in await connect().check()}["rights"].startswith("given: ")
    vendor.scopes = vendor.scopes - {"booking"}

    lines = {line.subject: line for line in await connect().check()}
    assert (lines["rights"].status, lines["rights"].detail) == (CheckStatus.FAILED, "not given: booking")
