"""The steps of a CRM write: each a commit of its own, taken only by whoever holds the dialogue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.records_of_writes import BeingBooked, CommittedIntents, WriteStores
from db.appointments import Appointments
from db.booking_models import intents
from db.booking_records import IntentKind, IntentStatus, StaffTime
from db.errors import LeaseLost
from db.intents import Intents
from db.records import Accepted, AgentSettings, Branch, BranchId, ChannelType, Company, CompanyId, WorkKind, new_id
from db.slot_claims import SlotClaims

LEASE = timedelta(seconds=12)
HELD_FOR = timedelta(minutes=15)
BRANCH = BranchId(new_id())


@pytest.fixture
def writes(core):
    stores = WriteStores(
        database=core.database, work=core.work, intents=Intents(), appointments=Appointments(), slots=SlotClaims()
    )
    return CommittedIntents(stores, core.clock)


@pytest.fixture
async def held(core):
    """A dialogue that a worker holds."""
    company = Company(id=CompanyId(new_id()), slug="elita", name="elita")
    branch = Branch(id=BRANCH, key="main", name="elita", time_zone="UTC")
    await core.companies.create_company(company, AgentSettings(), [branch])
    channel, _ = await core.companies.add_channel(
        company.id, ChannelType.TELEGRAM, external_id="1", name="elita", options={}, secrets={}
    )
    update = Accepted(update_key="1", dialogue_key="5:5:", payload=b"{}")
    await core.intake.accept(channel, [update], quiet=timedelta(0))
    return await claim(core)


async def claim(core):
    [held] = await core.work.claim("worker", limit=1, ttl=LEASE, kind=WorkKind.TURN)
    return held


def hour(minute=0):
    """An hour of one master, so many minutes after noon."""
    starts = datetime(2026, 11, 25, 12, 0, tzinfo=UTC) + timedelta(minutes=minute)
    return StaffTime(branch_id=BRANCH, staff_id="101", starts_at=starts, duration=timedelta(hours=1))


async def record(writes, held, id_, kind=IntentKind.CREATE):
    await writes.record(held, intent_id=id_, branch_id=BRANCH, kind=kind, external_id=f"e-{id_}", action={})


NOON = hour()


async def mark_called(writes, held, id_, time=NOON, **more):
    return await writes.mark_called(held, id_, times={id_: time} if time else {}, held_for=HELD_FOR, **more)


async def mark_done(writes, held, id_, *, cancelled=False):
    await writes.mark_done(held, id_, crm_record_id="900", appointment=None, cancelled=cancelled)


async def mark_refused(writes, held, id_):
    await writes.mark_refused(held, id_, "slot_taken")


async def mark_unknown(writes, held, id_):
    await writes.mark_unknown(held, id_, "no answer")


async def statuses(core, company_id):
    async with core.database.company(company_id) as tx:
        return list(await tx.connection.scalars(select(intents.c.status).where(intents.c.company_id == company_id)))


async def claimed_minutes(core, held):
    """At which minutes after noon the claimed hours begin."""
    noon = NOON.starts_at
    port = BeingBooked(core.database, SlotClaims(), core.clock)
    times = await port.list_claimed(
        held.company_id, BRANCH, first=noon - timedelta(days=1), last=noon + timedelta(days=1)
    )
    begins = sorted(round((time.starts_at - noon) / timedelta(minutes=1)) for time in times)
    assert all(time.duration == timedelta(hours=1) for time in times)
    return begins


STEPS = [
    ((), record, IntentStatus.CONFIRMED),
    ((record,), mark_called, IntentStatus.CALLED),
    ((record, mark_called), mark_called, IntentStatus.CALLED),
    ((record, mark_called), mark_done, IntentStatus.DONE),
    ((record,), mark_refused, IntentStatus.REFUSED),
    ((record, mark_called), mark_unknown, IntentStatus.UNKNOWN),
]


@pytest.mark.parametrize("taken_over", [False, True], ids=["lease_run_out", "taken_over"])
@pytest.mark.parametrize(("before", "step", "after"), STEPS, ids=lambda value: getattr(value, "__name__", None))
async def test_a_worker_whose_lease_was_lost_takes_no_step_and_the_one_that_holds_it_does(
    core, clock, writes, held, before, step, after, taken_over
):
    id_ = new_id()
    for earlier in before:
        await earlier(writes, held, id_)
    stood = await statuses(core, held.company_id)
    clock.advance(LEASE)
    if taken_over:
        clock.advance(timedelta(seconds=1))
        living = await claim(core)

    claimed = await claimed_minutes(core, held)
    with pytest.raises(LeaseLost):
        await step(writes, held, id_)
    assert await statuses(core, held.company_id) == stood
    assert await claimed_minutes(core, held) == claimed

    if not taken_over:
        clock.advance(timedelta(seconds=1))
        living = await claim(core)
    await step(writes, living, id_)
    assert await statuses(core, held.company_id) == [after]


async def test_a_claim_that_was_given_back_takes_no_step(core, writes, held):
    await core.work.release(held, due_at=core.clock(), failed=False)

    with pytest.raises(LeaseLost):
        await record(writes, held, new_id())


async def test_nobody_takes_a_dialogue_over_while_a_step_is_being_committed(core, clock, held):
    async with core.database.company(held.company_id) as tx:
        await core.work.hold(tx, held)
        clock.advance(LEASE + timedelta(seconds=1))
        assert await core.work.claim("other", limit=1, ttl=LEASE, kind=WorkKind.TURN) == []

    assert (await claim(core)).fence == held.fence + 1


async def test_a_lease_of_one_company_proves_nothing_in_another(core, held):
    async with core.database.company(CompanyId(new_id())) as tx:
        with pytest.raises(LeaseLost):
            await core.work.hold(tx, held)


async def booked(writes, held, minute=0):
    """An hour that was booked."""
    id_ = new_id()
    await record(writes, held, id_)
    assert await mark_called(writes, held, id_, hour(minute))
    await mark_done(writes, held, id_)
    return id_


async def test_a_time_that_somebody_else_is_booking_is_refused_and_nothing_is_marked(core, writes, held):
    first, second = new_id(), new_id()
    for id_ in (first, second):
        await record(writes, held, id_)

    assert await mark_called(writes, held, first)
    assert not await mark_called(writes, held, second, hour(30))

    assert sorted(await statuses(core, held.company_id)) == ["called", "confirmed"]
    await writes.mark_refused(held, second, "slot_taken")
    assert await claimed_minutes(core, held) == [0]


async def test_a_call_that_is_made_again_keeps_its_own_time(core, clock, writes, held):
    id_ = new_id()
    await record(writes, held, id_)
    await mark_called(writes, held, id_)
    clock.advance(HELD_FOR - timedelta(seconds=1))
    again = await claim(core)

    assert await mark_called(writes, again, id_)
    clock.advance(timedelta(minutes=5))

    assert await claimed_minutes(core, held) == [0]


@pytest.mark.parametrize(("end", "claimed"), [(mark_done, [0]), (mark_unknown, [0]), (mark_refused, [])])
async def test_a_time_is_free_again_only_where_nothing_was_written(core, clock, writes, held, end, claimed):
    id_ = new_id()
    await record(writes, held, id_)
    await mark_called(writes, held, id_)

    await end(writes, held, id_)

    assert await claimed_minutes(core, held) == claimed
    clock.advance(HELD_FOR)
    assert await claimed_minutes(core, held) == []


async def test_a_visit_that_is_moved_does_not_stand_in_its_own_way_and_leaves_its_old_time_free(core, writes, held):
    await booked(writes, held)
    move, other = new_id(), new_id()
    await record(writes, held, other)
    await record(writes, held, move, IntentKind.MOVE)

    assert not await mark_called(writes, held, other, hour(30))
    assert await mark_called(writes, held, move, hour(30), visit="900")
    await mark_done(writes, held, move)

    assert await claimed_minutes(core, held) == [30]


async def test_the_time_of_a_cancelled_visit_is_free_at_once(core, writes, held):
    await booked(writes, held)
    cancel = new_id()
    await record(writes, held, cancel, IntentKind.CANCEL)

    assert await mark_called(writes, held, cancel, None, visit="900")
    assert await claimed_minutes(core, held) == [0]
    await mark_done(writes, held, cancel, cancelled=True)

    assert await claimed_minutes(core, held) == []
