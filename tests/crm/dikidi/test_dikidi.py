"""What is DIKIDI's own: modes, the hold before the booking, challenges that nobody bypasses, the fall back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from crm.base import Capability, CheckStatus, NewAppointment, Phone
from crm.errors import CRMNotConfigured, CRMRejected, CRMUnavailable, CRMUnsupported, SlotTaken
from crm.registry import CRMFactory
from sandbox.dikidi.server import DikidiServer
from sandbox.seeds import elita_business

TOMORROW = date(2026, 11, 25)
PHONE = Phone("+79161234567")


@pytest.fixture
async def vendor(clock):
    clock.now = datetime(2026, 11, 24, 9, tzinfo=UTC)
    server = DikidiServer(elita_business(), clock)
    await server.start()
    yield server
    await server.stop()
    assert server.violations == []


@pytest.fixture
def connect(vendor, http, pace, cache, clock):
    """Connect with the server's own settings, changed as the test says."""

    def connecting(**changed):
        options = {**vendor.connection().options, **changed}
        return CRMFactory(http, pace, cache, clock).create(
            "dikidi", options=options, secrets={}, account_id=None, time_zone="Europe/Moscow"
        )

    return connecting


@pytest.fixture
def crm(connect):
    return connect()


async def slots_of(crm, title="Стрижка женская"):
    service = next(one for one in await crm.get_services() if one.title == title)
    return await crm.get_available_slots([service.id], first=TOMORROW, last=TOMORROW)


def new(slot):
    return NewAppointment(external_id="aiadm-1", slot=slot, client_name="Елена", phone=PHONE, comment="от помощника")


@pytest.mark.parametrize(
    ("mode", "can"),
    [
        ("link", {Capability.BOOKING_PAGE}),
        ("widget_read", {Capability.BOOKING_PAGE, Capability.CATALOGUE, Capability.SLOTS, Capability.STAFF_CHOICE}),
    ],
)
def test_the_mode_says_what_the_account_can_do(connect, mode, can):
    assert connect(mode=mode).capabilities == can


def test_without_a_mode_only_the_page_is_given(http, pace, cache, clock):
    factory = CRMFactory(http, pace, cache, clock)
    crm = factory.create("dikidi", options={}, secrets={}, account_id="100500", time_zone="Europe/Moscow")

    assert crm.capabilities == {Capability.BOOKING_PAGE}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("company_id", "elita"),
        ("mode", "cabinet"),
        ("site_url", "http://dikidi.net"),
        ("currency", "rubles"),
        ("page_url", "dikidi.net/1"),
    ],
)
def test_a_wrong_setting_names_its_field(connect, field, value):
    with pytest.raises(CRMNotConfigured, match=field):
        connect(**{field: value})


async def test_a_company_that_dikidi_does_not_know_is_a_wrong_setting_and_no_empty_catalogue(connect):
    with pytest.raises(CRMNotConfigured, match="company_id"):
        await connect(company_id="1").get_services()


async def test_a_time_is_held_before_it_is_booked_and_others_do_not_get_it(crm, vendor):
    slot = (await slots_of(crm))[0]
    vendor.wants_sms = True
    with pytest.raises(CRMUnsupported):
        await crm.create_appointment(new(slot))

    assert slot.starts_at not in [one.starts_at for one in await slots_of(crm) if one.staff == slot.staff]
    with pytest.raises(SlotTaken):
        await crm.create_appointment(new(slot))


async def test_a_hold_that_came_to_nothing_runs_out(crm, vendor, clock):
    slot = (await slots_of(crm))[-1]
    vendor.wants_sms = True
    with pytest.raises(CRMUnsupported):
        await crm.create_appointment(new(slot))
    vendor.wants_sms = False
    clock.now += timedelta(minutes=11)

    assert (await crm.create_appointment(new(slot))).starts_at == slot.starts_at


async def test_a_hold_whose_answer_is_lost_books_nothing(crm, vendor):
    slot = (await slots_of(crm))[0]
    vendor.faults.plant("/time_reservation/", cut_after=True)

    with pytest.raises(CRMUnavailable):
        await crm.create_appointment(new(slot))
    assert vendor.list_visits() == ()


async def test_a_number_that_needs_a_code_from_an_sms_goes_to_a_person(crm, vendor):
    slot = (await slots_of(crm))[0]
    vendor.wants_sms = True

    with pytest.raises(CRMUnsupported) as refused:
        await crm.create_appointment(new(slot))
    assert "79161234567" not in str(refused.value)
    assert vendor.list_visits() == ()


async def test_a_challenge_is_asked_once_and_never_answered(crm, vendor, pauses):
    vendor.challenged = True

    with pytest.raises(CRMUnavailable):
        await crm.get_services()
    assert len(vendor.calls) == 1
    assert pauses == []


async def test_two_challenges_drop_the_account_to_its_page_for_half_an_hour(crm, connect, vendor, clock, cache):
    vendor.challenged = True
    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(CRMUnavailable):
                await crm.get_services()
    asked = len(vendor.calls)

    another = connect()
    await another.settle()
    assert another.capabilities == {Capability.BOOKING_PAGE}
    with pytest.raises(CRMUnsupported):
        await another.get_services()
    assert len(vendor.calls) == asked
    assert [entry["event"] for entry in logs if entry["log_level"] != "debug"] == ["crm_mode_dropped"]
    assert CheckStatus.WARNING in {line.status for line in await another.check()}
    assert set(cache.ttls.values()) == {timedelta(minutes=30)}

    cache.kept.clear()  # as Redis does when the time is over
    vendor.challenged = False
    await another.settle()
    assert Capability.CREATE in another.capabilities
    assert await another.get_services()


async def test_an_answer_that_can_be_read_forgives_the_one_before(crm, connect, vendor):
    for _ in range(3):
        vendor.challenged = True
        with pytest.raises(CRMUnavailable):
            await connect().get_staff()
        vendor.challenged = False
        assert await connect().get_services()
    assert Capability.CREATE in crm.capabilities


async def test_what_one_company_meets_says_nothing_of_another(connect, vendor):
    vendor.challenged = True
    for _ in range(2):
        with pytest.raises(CRMUnavailable):
            await connect().get_services()

    other = connect(company_id="100501")
    await other.settle()
    assert Capability.CREATE in other.capabilities


async def test_the_check_counts_what_the_widget_shows(crm, connect):
    lines = {line.subject: line for line in await crm.check()}

    assert lines["services"].detail.startswith("4 ")
    assert lines["staff"].detail.startswith("3 ")
    assert "7 of the next 7 days" in lines["free times"].detail
    assert {line.subject for line in await connect(mode="link").check()} == {"booking page", "mode"}


async def test_the_widget_refuses_who_is_no_browser_page(vendor, http, crm, connect):
    answer = await http.pool.client.get(f"{vendor.url}/mobile/ajax/newrecord/company_services/?company=100500&array=1")

    assert "AJAX" in answer.json()["error"]["message"]


@pytest.mark.parametrize("step", ["hold", "check", "book"])
async def test_the_widget_books_for_nobody_without_the_session(vendor, crm, step):
    slot = replace((await slots_of(crm))[0])
    calls = {
        "hold": lambda: crm._inner._client.hold({}, slot.service_ids, staff_id=slot.staff.id, starts=slot.starts_at),
        "check": lambda: crm._inner._client.check({}, new(slot)),
        "book": lambda: crm._inner._client.book({}, new(slot)),
    }
    with pytest.raises(CRMRejected, match="Сессия истекла"):
        await calls[step]()
    assert vendor.list_visits() == ()
