"""Claims on times: cells of five minutes under one key, whole or not at all, expiring."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from db.booking_models import slot_claims
from db.booking_records import StaffTime
from db.records import AgentSettings, Branch, BranchId, Company, CompanyId, new_id
from db.slot_claims import SlotClaims, cells_of

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
BRANCH = BranchId(new_id())
HELD_FOR = timedelta(minutes=15)
slots = SlotClaims()


@pytest.fixture
async def company_id(core):
    return await make_company(core, "elita")


async def make_company(core, slug):
    company = Company(id=CompanyId(new_id()), slug=slug, name=slug)
    branch = Branch(id=BranchId(new_id()), key="main", name=slug, time_zone="UTC")
    await core.companies.create_company(company, AgentSettings(), [branch])
    return company.id


def at(begin, length=60, *, staff="101", branch=BRANCH):
    """A time that begins so many minutes after noon."""
    starts = NOON + timedelta(minutes=begin)
    return StaffTime(branch_id=branch, staff_id=staff, starts_at=starts, duration=timedelta(minutes=length))


async def take(core, company_id, time, intent_id=None, tx=None):
    if tx is None:
        async with core.database.company(company_id) as own:
            return await take(core, company_id, time, intent_id, own)
    now = core.clock()
    return await slots.take(tx, {intent_id or new_id(): time}, now=now, expires_at=now + HELD_FOR)


async def cells(core, company_id):
    async with core.database.company(company_id) as tx:
        rows = await tx.connection.execute(
            select(slot_claims.c.cell, slot_claims.c.intent_id).where(slot_claims.c.company_id == company_id)
        )
        return {cell: intent_id for cell, intent_id in rows}


@pytest.mark.parametrize(
    ("begin", "length", "touched"),
    [
        (0, 5, [0]),
        (0, 15, [0, 5, 10]),
        (2, 5, [0, 5]),
        (2, 3, [0]),
        (2, 13, [0, 5, 10]),
        (4, 2, [0, 5]),
        (0, 0, [0]),
        (3, 0, [0]),
    ],
)
def test_a_time_is_all_the_cells_that_it_touches(begin, length, touched):
    assert cells_of(at(begin, length)) == [NOON + timedelta(minutes=one) for one in touched]


def test_cells_are_the_same_whatever_the_zone_and_count_real_minutes_over_a_change_of_the_clocks():
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 10, 25, 2, 30, tzinfo=berlin)  # summer time's last half hour
    night = StaffTime(branch_id=BRANCH, staff_id="1", starts_at=before, duration=timedelta(hours=1))

    assert cells_of(night)[0] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert len(cells_of(night)) == 12


@pytest.mark.parametrize(
    ("second", "meet"),
    [
        (at(0), True),
        (at(30), True),
        (at(-30), True),
        (at(15, 15), True),
        (at(-30, 120), True),
        (at(55, 5), True),
        (at(58, 30), True),
        (at(-4, 5), True),
        (at(60), False),
        (at(-60), False),
        (at(-5, 5), False),
        (at(0, staff="102"), False),
        (at(0, branch=BranchId(new_id())), False),
        (at(24 * 60), False),
    ],
)
async def test_times_of_one_master_meet_where_they_overlap_and_nowhere_else(core, company_id, second, meet):
    assert await take(core, company_id, at(0))

    assert await take(core, company_id, second) is not meet


async def test_two_companies_do_not_meet(core, company_id):
    other = await make_company(core, "other")

    assert await take(core, company_id, at(0))
    assert await take(core, other, at(0))


async def test_of_many_ranges_exactly_those_that_are_free_are_claimed(core, company_id):
    chance = random.Random(7)  # noqa: S311 (a table of cases, the same every time)
    standing = []
    for _ in range(150):
        time = at(chance.randrange(0, 600), chance.choice([5, 7, 30, 45, 60, 90]), staff=chance.choice(["1", "2"]))
        touched = {(time.staff_id, cell) for cell in cells_of(time)}
        free = not any(touched & other for other in standing)

        assert await take(core, company_id, time) is free
        if free:
            standing.append(touched)
    async with core.database.company(company_id) as tx:
        rows = await tx.connection.execute(select(slot_claims.c.staff_id, slot_claims.c.cell))
        assert {tuple(row) for row in rows} == set().union(*standing)
    assert len(standing) > 10


async def test_of_a_time_that_is_claimed_in_part_nothing_stays_and_the_rest_of_the_transaction_does(core, company_id):
    first, second, third = new_id(), new_id(), new_id()
    await take(core, company_id, at(60), first)

    async with core.database.company(company_id) as tx:
        assert await take(core, company_id, at(-60), second, tx)
        assert not await take(core, company_id, at(0, 65), third, tx)

    held = await cells(core, company_id)
    assert set(held.values()) == {first, second}
    assert len(held) == 24


async def test_the_same_intent_claims_again_and_its_claim_lasts_longer(core, company_id, clock):
    mine = new_id()
    await take(core, company_id, at(0), mine)
    clock.advance(HELD_FOR - timedelta(seconds=1))

    assert await take(core, company_id, at(0), mine)
    clock.advance(timedelta(minutes=5))

    assert not await take(core, company_id, at(30))


async def test_an_expired_claim_is_taken_over_and_a_live_one_beside_it_is_not(core, company_id, clock):
    await take(core, company_id, at(0))
    clock.advance(HELD_FOR)
    living, late = new_id(), new_id()

    assert await take(core, company_id, at(30, 30), living)
    assert not await take(core, company_id, at(0), late)
    assert await take(core, company_id, at(0, 30), late)

    held = await cells(core, company_id)
    assert [held[cell] for cell in cells_of(at(0))] == [late] * 6 + [living] * 6


async def test_what_was_released_is_free(core, company_id):
    mine, other = new_id(), new_id()
    await take(core, company_id, at(0), mine)
    await take(core, company_id, at(60), other)

    async with core.database.company(company_id) as tx:
        await slots.release(tx, mine)

    assert set((await cells(core, company_id)).values()) == {other}
    assert await take(core, company_id, at(0))


async def test_a_claim_whose_transaction_failed_was_never_there(core, company_id):
    async def fail():
        async with core.database.company(company_id) as tx:
            await take(core, company_id, at(0), tx=tx)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()

    assert await take(core, company_id, at(30))


async def test_of_many_who_claim_overlapping_times_at_once_one_has_it_and_none_waits_for_ever(core, company_id):
    times = [at(begin, length) for begin in (-30, -15, 0, 10, 25) for length in (60, 90)] * 3
    expired = [at(-60), at(0), at(60)]
    for time in expired:
        await take(core, company_id, time)
    core.clock.advance(HELD_FOR)

    taken = await asyncio.gather(*(take(core, company_id, time) for time in times))

    assert sum(taken) == 1


async def test_claims_and_releases_of_neighbouring_times_do_not_wait_for_each_other_in_a_ring(core, company_id):
    async def come_and_go(begin):
        mine = new_id()
        for _ in range(5):
            if await take(core, company_id, at(begin, 90), mine):
                async with core.database.company(company_id) as tx:
                    await slots.release(tx, mine)

    async with asyncio.timeout(60):
        await asyncio.gather(*(come_and_go(begin) for begin in range(0, 80, 10)))

    assert await cells(core, company_id) == {}


async def test_live_claims_are_listed_as_the_times_that_they_are(core, company_id, clock):
    await take(core, company_id, at(-60))
    clock.advance(HELD_FOR)
    await take(core, company_id, at(2, 60))
    await take(core, company_id, at(30, 30, staff="102"))
    await take(core, company_id, at(30, branch=BranchId(new_id())))
    await take(core, company_id, at(240))

    async with core.database.company(company_id) as tx:
        listed = await slots.list_claimed(
            tx, BRANCH, first=NOON - timedelta(hours=3), last=NOON + timedelta(hours=4), now=clock()
        )
        at_the_end = await slots.list_claimed(
            tx, BRANCH, first=NOON + timedelta(minutes=64), last=NOON + timedelta(minutes=90), now=clock()
        )

    assert sorted(listed, key=lambda one: one.staff_id) == [at(0, 65), at(30, 30, staff="102")]
    assert [one.staff_id for one in at_the_end] == ["101"]


async def test_the_sweep_takes_what_has_expired_and_never_waits(core, company_id, clock):
    await take(core, company_id, at(0))
    clock.advance(HELD_FOR)
    await take(core, company_id, at(60), living := new_id())

    async with core.database.company(company_id) as claiming:
        assert await take(core, company_id, at(0, 30), taken_over := new_id(), claiming)
        async with core.database.company(company_id) as tx:
            assert await slots.sweep(tx, now=clock()) == 6

    assert set((await cells(core, company_id)).values()) == {living, taken_over}
    async with core.database.company(company_id) as tx:
        assert await slots.sweep(tx, now=clock()) == 0
        assert await tx.connection.scalar(select(func.count()).select_from(slot_claims)) == 18


async def take_all(core, company_id, *times):
    """Claim the times of one visit, each for an intent of its own; return the intents, none where one is taken."""
    wanted = {new_id(): time for time in times}
    now = core.clock()
    async with core.database.company(company_id) as tx:
        return list(wanted) if await slots.take(tx, wanted, now=now, expires_at=now + HELD_FOR) else []


async def test_the_times_of_a_visit_are_claimed_all_or_none(core, company_id):
    await take(core, company_id, at(90, 30, staff="103"))

    assert await take_all(core, company_id, at(0), at(60, 60, staff="103")) == []
    assert await take(core, company_id, at(0))
    assert len(await take_all(core, company_id, at(60), at(120, 60, staff="103"))) == 2


async def test_two_parts_of_one_master_may_meet_in_a_cell_and_each_gives_back_its_own(core, company_id):
    first, second = await take_all(core, company_id, at(0, 57), at(57, 60))
    held = await cells(core, company_id)

    async with core.database.company(company_id) as tx:
        await slots.release(tx, second)

    assert held[NOON + timedelta(minutes=55)] == first
    assert set((await cells(core, company_id)).values()) == {first}
    assert not await take(core, company_id, at(55, 5))


async def test_visits_that_want_the_same_masters_in_another_order_wait_for_each_other_in_no_ring(core, company_id):
    hair, nails = at(0), at(60, staff="103")
    rounds = [(hair, nails) if number % 2 else (nails, hair) for number in range(20)]

    taken = await asyncio.gather(*(take_all(core, company_id, *times) for times in rounds))

    assert sum(bool(intents) for intents in taken) == 1
