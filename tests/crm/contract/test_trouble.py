"""What every CRM promises when things go wrong: no failure is taken for an answer, no write is made twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from crm.base import Capability, CheckStatus, Phone
from crm.errors import (
    CRMAuthFailed,
    CRMOutcomeUnknown,
    CRMRateLimited,
    CRMUnavailable,
)

PHONE = Phone("+79161234567")
needs = pytest.mark.needs
BOOKS = needs(Capability.CATALOGUE, Capability.SLOTS, Capability.CREATE)
BROKEN = [
    pytest.param({"status": 500}, id="500"),
    pytest.param({"html": True}, id="an edge's page"),
    pytest.param({"malformed": True}, id="half of an answer"),
    pytest.param({"cut_before": True}, id="a cut line"),
]
READS = {
    "catalogue": lambda desk: desk.crm.get_services(),
    "times": lambda desk: desk.slots(),
    "clients": lambda desk: desk.crm.get_client_by_phone(PHONE),
    "list": lambda desk: desk.crm.list_appointments(PHONE, first=desk.today),
    "day": lambda desk: desk.crm.list_day(desk.tomorrow),
}


async def warm(desk):
    """Let the adapter learn what it needs before the failure: the operation itself is what fails."""
    await desk.crm.get_rules()
    starts = datetime.combine(desk.tomorrow, time(12))
    master, service = "Анна Смирнова", "Стрижка женская"
    desk.vendor.book_by_hand(master=master, service=service, starts=starts, client="Елена", phone=PHONE)


@needs(Capability.CATALOGUE)
@pytest.mark.parametrize("fault", BROKEN)
async def test_a_catalogue_that_cannot_be_read_is_an_error_and_not_empty(desk, fault):
    desk.vendor.fail("catalogue", times=50, **fault)

    with pytest.raises(CRMUnavailable):
        await desk.crm.get_services()


@needs(Capability.SLOTS)
@pytest.mark.parametrize("fault", BROKEN)
async def test_free_times_that_cannot_be_read_are_an_error_and_not_none(desk, fault):
    await desk.slots()
    desk.vendor.fail("times", times=200, **fault)

    with pytest.raises(CRMUnavailable):
        await desk.slots()


@needs(Capability.CLIENTS)
@pytest.mark.parametrize("fault", BROKEN)
async def test_a_client_who_cannot_be_looked_for_is_an_error_and_not_unknown(desk, fault):
    await warm(desk)
    desk.vendor.fail("clients", times=50, **fault)

    with pytest.raises(CRMUnavailable):
        await desk.crm.get_client_by_phone(PHONE)


@needs(Capability.LIST)
@pytest.mark.parametrize("fault", BROKEN)
async def test_visits_that_cannot_be_read_are_an_error_and_not_none(desk, fault):
    await warm(desk)
    desk.vendor.fail("list", times=50, **fault)

    with pytest.raises(CRMUnavailable):
        await desk.crm.list_appointments(PHONE, first=desk.today)


@needs(Capability.DAY)
@pytest.mark.parametrize("fault", BROKEN)
async def test_a_day_that_cannot_be_read_is_an_error_and_not_empty(desk, fault):
    await warm(desk)
    desk.vendor.fail("day", times=50, **fault)

    with pytest.raises(CRMUnavailable):
        await desk.crm.list_day(desk.tomorrow)


@needs(Capability.CATALOGUE)
@pytest.mark.parametrize("fault", BROKEN)
async def test_a_passing_failure_of_a_reading_is_tried_again(desk, fault, pauses):
    desk.vendor.fail("catalogue", times=1, **fault)

    assert await desk.crm.get_services()
    assert pauses


@needs(Capability.CATALOGUE)
async def test_a_reading_that_takes_too_long_is_given_up(desk, http):
    until = asyncio.Event()
    http.time_limits = type(http.time_limits)(
        connect=timedelta(seconds=1), read=timedelta(seconds=0.1), read_with_retries=timedelta(seconds=0.3)
    )
    desk.vendor.fail("catalogue", times=50, hold_before=until)

    try:
        with pytest.raises(CRMUnavailable):
            await desk.as_new().crm.get_services()
    finally:
        until.set()


@needs(Capability.CATALOGUE)
async def test_too_many_calls_are_waited_out_as_long_as_the_crm_asks(desk, pauses):
    desk.vendor.fail("catalogue", times=1, status=429, retry_after=3)

    assert await desk.crm.get_services()
    assert any(3 <= pause < 4 for pause in pauses)


@needs(Capability.CATALOGUE)
async def test_too_many_calls_without_a_time_named_are_waited_out_with_growing_pauses(desk, pauses):
    desk.vendor.fail("catalogue", times=2, status=429)

    assert await desk.crm.get_services()
    assert len(pauses) >= 2
    assert pauses[0] >= 1


@needs(Capability.CATALOGUE)
async def test_too_many_calls_for_long_are_said_so(desk):
    desk.vendor.fail("catalogue", times=50, status=429)

    with pytest.raises(CRMRateLimited):
        await desk.crm.get_services()


async def test_the_check_names_a_wrong_credential(desk, open_adapter, secret):
    value = desk.vendor.connection().wrong_secrets[secret]
    lines = await open_adapter(**{secret: value}).check()

    assert CheckStatus.FAILED in {line.status for line in lines}
    assert all(value not in line.detail for line in lines)


@needs(Capability.LIST)
async def test_a_wrong_credential_is_told_apart_from_an_outage(desk, open_adapter, secret):
    value = desk.vendor.connection().wrong_secrets[secret]
    with pytest.raises(CRMAuthFailed) as refused:
        await open_adapter(**{secret: value}).list_appointments(PHONE, first=desk.today)

    assert value not in str(refused.value)


class TestWriteWithoutAnAnswer:
    """The request went out; what came back cannot be read. It is never sent again by the adapter."""

    @BOOKS
    @pytest.mark.parametrize("fault", [*BROKEN, pytest.param({"cut_after": True}, id="cut after the effect")])
    async def test_a_booking_has_an_unknown_outcome_and_is_sent_once(self, desk, fault, new):
        slot = await desk.slot("15:00")
        planted = desk.vendor.fail("create", times=50, **fault)

        with pytest.raises(CRMOutcomeUnknown) as unknown:
            await desk.crm.create_appointment(new(slot))
        assert planted.times == 49
        assert len(desk.standing()) == (1 if "cut_after" in fault else 0)
        assert "79161234567" not in str(unknown.value)
        assert "Елена" not in str(unknown.value)

    @BOOKS
    @needs(Capability.FIND_BY_EXTERNAL_ID)
    async def test_a_booking_that_went_through_is_found_afterwards(self, desk, new):
        slot = await desk.slot("15:00")
        desk.vendor.fail("create", cut_after=True)
        with pytest.raises(CRMOutcomeUnknown):
            await desk.crm.create_appointment(new(slot))

        assert (await desk.crm.find_appointment("aiadm-1", day=desk.tomorrow)).starts_at == slot.starts_at

    @BOOKS
    @needs(Capability.FIND_BY_EXTERNAL_ID)
    async def test_a_booking_that_did_not_go_through_is_not_found(self, desk, new):
        slot = await desk.slot("15:00")
        desk.vendor.fail("create", cut_before=True)
        with pytest.raises(CRMOutcomeUnknown):
            await desk.crm.create_appointment(new(slot))

        assert await desk.crm.find_appointment("aiadm-1", day=desk.tomorrow) is None

    @BOOKS
    async def test_a_booking_that_takes_too_long_has_an_unknown_outcome(self, desk, http, open_adapter, new):
        slot, until = await desk.slot("15:00"), asyncio.Event()
        second = timedelta(seconds=1)
        http.time_limits = type(http.time_limits)(connect=second, read=second * 5, write=second * 0.3)
        planted = desk.vendor.fail("create", times=50, hold_before=until)

        try:
            with pytest.raises(CRMOutcomeUnknown):
                await open_adapter().create_appointment(new(slot))
            assert planted.times == 49
        finally:
            until.set()

    @BOOKS
    @needs(Capability.MOVE)
    @pytest.mark.parametrize("fault", [{"cut_before": True}, {"cut_after": True}, {"status": 500}])
    async def test_a_move_has_an_unknown_outcome(self, desk, fault, new):
        booked = await desk.crm.create_appointment(new(await desk.slot("15:00")))
        wanted = await desk.slot("18:00")
        planted = desk.vendor.fail("move", times=50, **fault)

        with pytest.raises(CRMOutcomeUnknown):
            await desk.crm.reschedule_appointment(booked.id, wanted)
        assert planted.times == 49
        assert [visit.starts.hour for visit in desk.standing()] == [18 if "cut_after" in fault else 15]

    @BOOKS
    @needs(Capability.CANCEL)
    @pytest.mark.parametrize("fault", [{"cut_before": True}, {"cut_after": True}, {"status": 500}])
    async def test_a_cancellation_has_an_unknown_outcome(self, desk, fault, new):
        booked = await desk.crm.create_appointment(new(await desk.slot("15:00")))
        planted = desk.vendor.fail("cancel", times=50, **fault)

        with pytest.raises(CRMOutcomeUnknown):
            await desk.crm.cancel_appointment(booked.id)
        assert planted.times == 49
        assert len(desk.standing()) == (0 if "cut_after" in fault else 1)


class TestSurprises:
    """A vendor may send anything one day: it is read right, or it is an outage; never a crash, never "nothing"."""

    @needs(Capability.CATALOGUE, Capability.SLOTS)
    async def test_fields_nobody_documented_change_nothing(self, desk):
        desk.vendor.fail("catalogue", times=50, mutate=with_more)
        desk.vendor.fail("times", times=50, mutate=with_more)

        assert len(await desk.crm.get_services()) == 3
        assert await desk.slots()

    @pytest.mark.parametrize("change", ["numbers as strings", "nulls", "another shape"])
    async def test_surprising_answers_are_read_right_or_refused(self, desk, operation, change):
        await warm(desk)
        right = await READS[operation](desk)
        desk.vendor.fail(operation, times=200, mutate=CHANGES[change])
        try:
            got = await READS[operation](desk.as_new())
        except CRMUnavailable:
            return
        assert bool(got) == bool(right)


def with_more(value: Any) -> Any:
    if isinstance(value, dict):
        more = {} if all(key.isdigit() for key in value) else {"new_in_2027": {"a": [1]}}  # a map by ids has no fields
        return {key: with_more(one) for key, one in value.items()} | more
    return [with_more(one) for one in value] if isinstance(value, list) else value


def stringed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: stringed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [stringed(one) for one in value]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def nulled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: nulled(one) for key, one in value.items()}
    if isinstance(value, list):
        return [nulled(one) for one in value]
    return None if isinstance(value, str | int | float) and not isinstance(value, bool) else value


CHANGES: dict[str, Callable[[Any], Any]] = {
    "numbers as strings": stringed,
    "nulls": nulled,
    "another shape": lambda value: {"result": "ok", "was": str(type(value))},
}
