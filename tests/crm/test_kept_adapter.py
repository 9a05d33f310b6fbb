"""What is kept of a CRM's answers: for whom, for how long, and what drops it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import SecretStr, TypeAdapter

from crm.aged import MOST_CHARACTERS, Aged
from crm.base import BaseCRMAdapter, NewAppointment, Phone, Slot
from crm.errors import CRMAuthFailed, CRMOutcomeUnknown, CRMUnavailable, SlotTaken
from crm.http import CRMHttp
from crm.kept_adapter import KeptAdapter
from crm.registry import CRMFactory
from sandbox.seeds import elita_business
from sandbox.yclients.staff_side import YclientsSalon

PHONE = Phone("+79161234567")
MINUTE = timedelta(minutes=1)


@dataclass
class Salon:
    """A CRM, and the adapters of companies that have accounts there."""

    vendor: YclientsSalon
    factory: CRMFactory
    clock: Any

    def adapter(self, company: str = "elita", noticed: Any = None, **secrets: str) -> BaseCRMAdapter:
        given = self.vendor.connection()
        return self.factory.create(
            given.type,
            options=given.options,
            secrets={name: SecretStr(value) for name, value in (given.secrets | secrets).items()},
            account_id=given.account_id,
            time_zone="Europe/Moscow",
            company=company,
            noticed=noticed,
        )

    @property
    def tomorrow(self) -> date:
        return self.clock.now.date() + timedelta(days=1)

    async def times(self, crm: BaseCRMAdapter) -> tuple[Slot, ...]:
        service = next(one for one in await crm.get_services() if one.title == "Стрижка женская")
        return await crm.get_available_slots([service.id], first=self.tomorrow, last=self.tomorrow)

    def new(self, slot: Slot) -> NewAppointment:
        return NewAppointment(external_id="aiadm-1", slot=slot, client_name="Елена", phone=PHONE)

    def calls(self) -> int:
        return len(self.vendor.server.calls)

    def book_by_hand(self, slot: Slot) -> None:
        """Let the salon's own staff take a time."""
        self.vendor.book_by_hand(
            master=slot.staff.name,
            service="Стрижка женская",
            starts=slot.starts_at.replace(tzinfo=None),
            client="Ольга",
            phone="+79160000001",
        )


@pytest.fixture
async def salon(http: CRMHttp, pace: Any, cache: Any, clock: Any) -> AsyncIterator[Salon]:
    vendor = YclientsSalon(elita_business(), clock=clock, per_second=100_000, per_minute=100_000)
    await vendor.start()
    yield Salon(vendor, CRMFactory(http, pace, cache, clock), clock)
    await vendor.stop()
    assert list(vendor.violations) == []


async def test_what_is_kept_reads_as_what_was_asked(salon: Salon) -> None:
    crm, other_process = salon.adapter(), salon.adapter()
    asked = (await crm.get_rules(), await crm.get_services(), await crm.get_staff(), await salon.times(crm))
    calls = salon.calls()

    kept = (
        await other_process.get_rules(),
        await other_process.get_services(),
        await other_process.get_staff(),
        await salon.times(other_process),
    )
    assert kept == asked
    assert salon.calls() == calls
    assert [slot.starts_at.tzinfo for slot in kept[3]] == [slot.starts_at.tzinfo for slot in asked[3]]


async def test_no_company_reads_what_was_kept_for_another(salon: Salon, cache: Any) -> None:
    await salon.times(salon.adapter("elita"))
    of_elita = set(cache.kept)
    calls = salon.calls()
    await salon.times(salon.adapter("boroda"))
    mine = {key for key in cache.kept if key.startswith("kept:") and key not in of_elita}

    assert salon.calls() > calls, "the free times were asked for this company itself"
    assert mine
    assert all(":boroda:" in key for key in mine)
    assert all(":elita:" in key for key in of_elita if key.startswith("kept:"))


async def test_other_credentials_read_nothing_of_what_was_kept(salon: Salon) -> None:
    await salon.adapter().get_services()

    with pytest.raises(CRMAuthFailed):
        await salon.adapter(partner_token="somebody else's").get_services()


async def test_no_key_shows_a_credential(salon: Salon, cache: Any) -> None:
    await salon.times(salon.adapter())
    secrets = salon.vendor.connection().secrets.values()

    assert not [key for key in cache.kept for secret in secrets if secret in key]


async def test_free_times_are_kept_for_a_minute(salon: Salon) -> None:
    crm = salon.adapter()
    before = await salon.times(crm)
    salon.book_by_hand(before[0])
    assert await salon.times(crm) == before

    salon.clock.now += MINUTE
    assert before[0] not in await salon.times(crm)


async def test_the_check_before_a_write_is_asked_of_the_crm_and_drops_what_was_kept(salon: Salon) -> None:
    crm, other_process = salon.adapter(), salon.adapter()
    before = await salon.times(crm)
    salon.book_by_hand(before[0])
    fresh = await crm.get_fresh_slots(before[0].service_ids, first=salon.tomorrow, last=salon.tomorrow)

    assert before[0] not in fresh
    assert await salon.times(other_process) == fresh


async def test_a_booking_drops_free_times_for_every_process(salon: Salon) -> None:
    crm, other_process = salon.adapter(), salon.adapter()
    before = await salon.times(crm)
    booked = await crm.create_appointment(salon.new(before[0]))
    assert before[0] not in await salon.times(other_process)

    await crm.cancel_appointment(booked.id)
    assert before[0] in await salon.times(other_process)


async def test_a_booking_that_was_refused_drops_free_times_too(salon: Salon) -> None:
    crm = salon.adapter()
    before = await salon.times(crm)
    salon.book_by_hand(before[0])

    with pytest.raises(SlotTaken):
        await crm.create_appointment(salon.new(before[0]))
    assert before[0] not in await salon.times(crm)


async def test_a_booking_of_unknown_outcome_drops_free_times_too(salon: Salon) -> None:
    crm = salon.adapter()
    before = await salon.times(crm)
    salon.vendor.fail("create", cut_after=True)

    with pytest.raises(CRMOutcomeUnknown):
        await crm.create_appointment(salon.new(before[0]))
    assert before[0] not in await salon.times(crm)


async def test_a_reading_that_a_write_overtook_is_not_kept(salon: Salon, cache: Any) -> None:
    """It was asked before the write and came after it: it stands in a generation that nobody reads."""
    crm = salon.adapter()
    before = await salon.times(crm)
    key = next(key for key in cache.kept if ":times:" in key)
    stale = cache.kept[key]
    await crm.create_appointment(salon.new(before[0]))
    cache.kept[key] = stale

    assert before[0] not in await salon.times(crm)


async def test_what_the_crm_tells_of_changes_drops_free_times_and_lets_the_catalogue_be_read_anew(
    salon: Salon,
) -> None:
    crm = salon.adapter()
    before = await salon.times(crm)
    salon.book_by_hand(before[0])
    calls = salon.calls()
    await crm.forget(catalogue=True)

    assert before[0] not in await salon.times(crm)
    assert await crm.get_services()
    assert salon.calls() > calls + 1


async def test_the_catalogue_is_read_anew_after_ten_minutes_by_who_asks_where_nobody_else_does(salon: Salon) -> None:
    crm = salon.adapter()
    await crm.get_services()
    calls = salon.calls()
    salon.clock.now += 10 * MINUTE
    await crm.get_services()
    assert salon.calls() > calls

    calls = salon.calls()
    await crm.get_services()
    assert salon.calls() == calls


async def test_an_outage_leaves_the_prices_that_were_kept(salon: Salon) -> None:
    crm = salon.adapter()
    services = await crm.get_services()
    salon.clock.now += timedelta(hours=5)
    salon.vendor.fail("catalogue", times=100, status=503)
    salon.vendor.fail("times", times=100, status=503)

    assert await crm.get_services() == services
    with pytest.raises(CRMUnavailable):
        await crm.get_available_slots(
            [services[0].id], first=salon.tomorrow + timedelta(days=1), last=salon.tomorrow + timedelta(days=1)
        )


async def test_where_it_is_refreshed_in_the_background_nobody_waits_for_an_old_catalogue(salon: Salon) -> None:
    ages: list[timedelta] = []
    crm = salon.adapter(noticed=ages.append)
    services = await crm.get_services()
    salon.clock.now += timedelta(hours=20)
    calls = salon.calls()

    assert await crm.get_services() == services
    assert salon.calls() == calls
    assert ages == [timedelta(0), timedelta(hours=20)]


async def test_a_refresh_reads_the_crm_itself_once_and_only_what_will_soon_be_old(salon: Salon, pace: Any) -> None:
    crm = salon.adapter(noticed=lambda age: None)
    await crm.get_rules(), await crm.get_services(), await crm.get_staff()
    first = salon.calls()
    await crm.refresh()
    assert salon.calls() == first

    salon.clock.now += 8 * MINUTE
    pace.turns.clear()
    await crm.refresh()
    paths = [call["path"] for call in list(salon.vendor.server.calls)[first:]]
    assert sorted(paths) == sorted(set(paths)), "what several parts of the catalogue need is asked for once"
    assert {ahead for _, _, ahead in pace.turns} == {-8}
    assert {company for _, company, _ in pace.turns} == {"elita"}

    calls = salon.calls()
    salon.clock.now += 9 * MINUTE
    await crm.get_services()
    assert salon.calls() == calls


async def test_a_booking_and_its_checks_go_before_readings(salon: Salon, pace: Any) -> None:
    crm = salon.adapter()
    slots = await salon.times(crm)
    assert {ahead for *_, ahead in pace.turns} == {0}
    pace.turns.clear()
    await crm.create_appointment(salon.new(slots[0]))

    assert {ahead for *_, ahead in pace.turns} == {8}


async def test_what_is_too_large_is_not_kept(cache: Any, clock: Any) -> None:
    aged, shape = Aged(cache, "elita", clock), TypeAdapter(str)
    await aged.put("small", shape, "x" * 1000, ttl=MINUTE)
    await aged.put("large", shape, "x" * MOST_CHARACTERS, ttl=MINUTE)

    assert await aged.find("small", shape) == (timedelta(0), "x" * 1000)
    assert await aged.find("large", shape) is None


@pytest.mark.parametrize("spoilt", ["", "no moment", "2026-03-02T09:00:00+00:00\nnot json", "\n[]", "[]"])
async def test_what_another_version_has_kept_is_asked_again(salon: Salon, cache: Any, spoilt: str) -> None:
    crm = salon.adapter()
    services = await crm.get_services()
    for key in [key for key in cache.kept if key.startswith("kept:")]:
        cache.kept[key] = spoilt

    assert await crm.get_services() == services


async def test_no_method_of_the_port_is_left_out() -> None:
    """One that the wrapping forgot would say that the account cannot do it."""
    port = {name for name, value in vars(BaseCRMAdapter).items() if callable(value) and not name.startswith("_")}

    assert port <= set(vars(KeptAdapter))
